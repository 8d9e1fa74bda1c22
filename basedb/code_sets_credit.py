"""Code sets of credit and licenses (信用与证照代码集); the credit words are those of the national field lists themselves."""

from django.utils.translation import gettext_lazy as _

from basedb.code_set import CodeSet

STANDARD = "发改办财金〔2018〕424号"


def _words(code: str, title: object, *words: str, standard: str = "") -> CodeSet:
    return CodeSet(code, title, standard, {word: word for word in words})  # type: ignore[arg-type]


SETS = (
    _words("credit_subject", _("行政相对人类别"), "自然人", "法人及非法人组织", "个体工商户", standard=STANDARD),
    _words("permit_category", _("许可类别"), "普通", "特许", "认可", "核准", "登记", "其他", standard=STANDARD),
    CodeSet("credit_record_state", _("记录状态"), STANDARD, {"0": "正常", "1": "撤销", "2": "异议", "3": "其他"}),
    CodeSet("credit_severity", _("失信程度"), "国办发〔2025〕22号", {"1": "轻微", "2": "一般", "3": "严重"}),
    _words("commitment_kind", _("承诺类型"), "审批替代型", "主动公示型", "行业自律型", "容缺受理型", "信用修复型", "其他"),
    _words("commitment_performance", _("履约状态"), "未到期", "已履约", "违诺"),
    _words("measure_kind", _("措施类别"), "惩戒", "激励"),
    CodeSet(
        "holder_code_type", _("持证主体代码类型"), "GB/T 36906", {"001": "统一社会信用代码", "111": "公民身份号码", "099": "其他"}
    ),
    CodeSet(
        "license_state",
        _("证照状态"),
        "GB/T 36906",
        {
            "01": "有效",
            "02": "暂扣",
            "03": "撤销",
            "04": "注销",
            "05": "失效",
            "06": "办理转出",
            "07": "吊销",
            "99": "其他",
        },
    ),
)
