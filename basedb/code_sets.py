"""Code sets of the base databases (代码集), out of national standards where there is one.

A closed set lists every code that is accepted; an open one lists the usual codes for display only. The labels are
domain data and stay Chinese. Division codes are not here: they are rows (`core.divisions`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from basedb import code_sets_credit, code_sets_geography, code_sets_legal_entity, code_sets_population
from basedb.code_set import CodeSet

__all__ = ["CODE_SETS", "CodeSet"]

# GB/T 3304-1991 numbers the 56 groups in this order, from 01.
# fmt: off
_ETHNIC_GROUPS = (
    "汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族", "布依族", "朝鲜族", "满族", "侗族", "瑶族", "白族",
    "土家族", "哈尼族", "哈萨克族", "傣族", "黎族", "傈僳族", "佤族", "畲族", "高山族", "拉祜族", "水族", "东乡族", "纳西族",
    "景颇族", "柯尔克孜族", "土族", "达斡尔族", "仫佬族", "羌族", "布朗族", "撒拉族", "毛南族", "仡佬族", "锡伯族", "阿昌族",
    "普米族", "塔吉克族", "怒族", "乌孜别克族", "俄罗斯族", "鄂温克族", "德昂族", "保安族", "裕固族", "京族", "塔塔尔族",
    "独龙族", "鄂伦春族", "赫哲族", "门巴族", "珞巴族", "基诺族",
)
# fmt: on
_ETHNICITY_LABELS = {f"{number:02d}": name for number, name in enumerate(_ETHNIC_GROUPS, 1)} | {
    "97": "其他",
    "98": "外国血统中国籍人士",
}

_SETS = (
    CodeSet("sex", _("性别代码"), "GB/T 2261.1", {"0": "未知", "1": "男", "2": "女", "9": "未说明"}),
    CodeSet("ethnicity", _("民族代码"), "GB/T 3304", _ETHNICITY_LABELS),
    CodeSet(
        "person_status",
        _("人员状态代码"),
        "",
        {"0": "有效", "1": "注销", "2": "加锁", "6": "持证", "8": "迁出", "9": "死亡"},
    ),
    CodeSet("marital_status", _("婚姻状况代码"), "", {"10": "单身", "20": "初婚", "30": "再婚", "40": "离异", "90": "未说明"}),
    CodeSet(
        "household_relation",
        _("与户主关系代码"),
        "GB/T 4761",
        {
            "01": "本人",
            "02": "户主",
            "10": "配偶",
            "11": "夫",
            "12": "妻",
            "20": "子",
            "30": "女",
            "40": "孙子、孙女或外孙子、外孙女",
            "50": "父母",
            "51": "父亲",
            "52": "母亲",
            "60": "祖父母或外祖父母",
            "70": "兄弟姐妹",
            "97": "其他亲属",
            "99": "非亲属",
        },
        closed=False,
        class_length=1,
    ),
    CodeSet(
        "entity_kind",
        _("机构类型代码"),
        "GB 32100",
        {
            "11": "机关",
            "12": "事业单位",
            "13": "编办直接管理机构编制的群众团体",
            "19": "机构编制其他",
            "31": "律师执业机构",
            "32": "公证处",
            "33": "基层法律服务所",
            "34": "司法鉴定机构",
            "35": "仲裁委员会",
            "39": "司法行政其他",
            "51": "社会团体",
            "52": "民办非企业单位",
            "53": "基金会",
            "59": "民政其他",
            "91": "企业",
            "92": "个体工商户",
            "71": "宗教活动场所",
            "72": "宗教院校",
            "79": "宗教其他",
            "81": "基层工会",
            "89": "工会其他",
            "93": "农民专业合作社",
            "A1": "军队事业单位",
            "N1": "组级集体经济组织",
            "N2": "村级集体经济组织",
            "N3": "乡镇级集体经济组织",
            "Y1": "其他",
        },
    ),
    CodeSet(
        "registration_state",
        _("登记状态代码"),
        "",
        {
            "1": "存续",
            "2": "吊销未注销",
            "3": "吊销已注销",
            "4": "注销",
            "5": "撤销",
            "6": "迁出",
            "9": "其他",
        },
    ),
    CodeSet(
        "currency",
        _("币种代码"),
        "GB/T 12406",
        {
            "156": "人民币元",
            "344": "港元",
            "446": "澳门元",
            "901": "新台湾元",
            "840": "美元",
            "978": "欧元",
            "392": "日元",
            "826": "英镑",
            "410": "韩元",
            "702": "新加坡元",
            "756": "瑞士法郎",
            "124": "加元",
            "036": "澳大利亚元",
            "752": "瑞典克朗",
        },
    ),
    CodeSet(
        "industry",
        _("行业门类代码"),
        "GB/T 4754-2017",
        {
            "A": "农、林、牧、渔业",
            "B": "采矿业",
            "C": "制造业",
            "D": "电力、热力、燃气及水生产和供应业",
            "E": "建筑业",
            "F": "批发和零售业",
            "G": "交通运输、仓储和邮政业",
            "H": "住宿和餐饮业",
            "I": "信息传输、软件和信息技术服务业",
            "J": "金融业",
            "K": "房地产业",
            "L": "租赁和商务服务业",
            "M": "科学研究和技术服务业",
            "N": "水利、环境和公共设施管理业",
            "O": "居民服务、修理和其他服务业",
            "P": "教育",
            "Q": "卫生和社会工作",
            "R": "文化、体育和娱乐业",
            "S": "公共管理、社会保障和社会组织",
            "T": "国际组织",
        },
        closed=False,
        class_length=1,
    ),
)

_BASES = (code_sets_credit, code_sets_geography, code_sets_population, code_sets_legal_entity)

CODE_SETS: Mapping[str, CodeSet] = MappingProxyType(
    {code_set.code: code_set for code_set in (*_SETS, *(code_set for base in _BASES for code_set in base.SETS))}
)
