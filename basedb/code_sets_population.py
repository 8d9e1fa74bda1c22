"""Code sets of the population base beyond the person (人口代码集).

Where the text of a standard could not be checked the set is ours and may be replaced by configuration: marriage and divorce as
vital events, attribute kinds, classes of spending. GB/T 4658 and GB/T 26341 are named for what they number.
"""

from django.utils.translation import gettext_lazy as _

from basedb.code_set import CodeSet

BIRTH, DEATH, MARRIAGE, DIVORCE, MOVED_IN, MOVED_OUT = "10", "20", "30", "40", "50", "51"

SETS = (
    CodeSet(
        "name_kind",
        _("姓名类别代码"),
        "",
        {"1": "现用姓名", "2": "曾用名", "3": "别名", "4": "少数民族文字姓名", "5": "外文姓名"},
    ),
    # GA/T 517 numbers papers so; the text is unchecked.
    CodeSet(
        "person_paper",
        _("证件类型代码"),
        "GA/T 517",
        {
            "111": "居民身份证",
            "112": "临时居民身份证",
            "113": "户口簿",
            "119": "十五位居民身份证号",
            "414": "普通护照",
            "511": "台湾居民来往大陆通行证",
            "516": "港澳居民来往内地通行证",
            "553": "外国人永久居留身份证",
        },
    ),
    CodeSet("household_kind", _("户别代码"), "", {"1": "家庭户", "2": "集体户"}),
    CodeSet("residence_kind", _("居住类别代码"), "", {"1": "户籍", "2": "居住"}),
    CodeSet(
        "vital_event",
        _("生命事件代码"),
        "",
        {BIRTH: "出生", DEATH: "死亡", MARRIAGE: "结婚", DIVORCE: "离婚", MOVED_IN: "迁入", MOVED_OUT: "迁出"},
    ),
    CodeSet(
        "attribute_kind",
        _("人口属性类别代码"),
        "",
        {
            "EDUCATION": "受教育程度",
            "PENSION": "养老保险参保",
            "MEDICAL_INSURANCE": "医疗保险参保",
            "DISABILITY": "残疾类别与等级",
            "MEDICAL_SPENDING": "医疗支出档次",
            "POWER_USE": "用电档次",
            "HARDSHIP": "社会救助",
            "SCHOOLING": "在校情况",
        },
    ),
    CodeSet(
        "education",
        _("受教育程度代码"),
        "GB/T 4658",
        {
            "10": "研究生教育",
            "20": "大学本科教育",
            "30": "大学专科教育",
            "40": "中等职业教育",
            "60": "普通高级中学教育",
            "70": "初级中学教育",
            "80": "小学教育",
            "90": "其他",
        },
    ),
    CodeSet("insured", _("参保状态代码"), "", {"1": "正常参保", "2": "暂停参保", "3": "待遇享受", "4": "终止"}),
    # Kind (1 to 7) and degree (1 to 4).
    CodeSet(
        "disability",
        _("残疾类别与等级代码"),
        "GB/T 26341",
        {
            f"{kind}{degree}": f"{title}{level}"
            for kind, title in enumerate(("视力残疾", "听力残疾", "言语残疾", "肢体残疾", "智力残疾", "精神残疾", "多重残疾"), 1)
            for degree, level in enumerate(("一级", "二级", "三级", "四级"), 1)
        },
    ),
    CodeSet("medical_spending", _("医疗支出档次代码"), "", {"0": "无", "1": "低", "2": "中", "3": "高", "4": "灾难性支出"}),
    CodeSet("power_use", _("用电档次代码"), "", {"0": "零用电", "1": "第一档", "2": "第二档", "3": "第三档"}),
    CodeSet(
        "hardship",
        _("社会救助类别代码"),
        "",
        {"1": "最低生活保障", "2": "特困供养", "3": "低保边缘", "4": "临时救助", "9": "已退出"},
    ),
    CodeSet("schooling", _("在校情况代码"), "", {"0": "未在校", "1": "义务教育在校", "2": "高中阶段在校", "3": "高等教育在校"}),
)
