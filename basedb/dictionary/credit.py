"""Public credit (社会信用库) as the contract has it: permits and penalties of the double publicity, lists, commitments, ratings.

All are facts of a natural person, a legal entity or a self-employed household, as the row's own category says.
"""

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.contract import Dataset, Field, Kind, Subject
from basedb.dictionary.credit_fields import (
    adverse_fields,
    amount,
    code,
    date_of,
    decision_fields,
    legacy_fields,
    showing_fields,
    subject_fields,
    text,
)

_ROW = ("subject_code", "authority_code", "document_number")


def _dataset(name: str, title: object, table: str, *parts: tuple[Field, ...], row_fields: tuple[str, ...] = _ROW) -> Dataset:
    return Dataset(
        code=f"credit.{name}", title=title, base_database="credit", subject=Subject.EITHER,  # type: ignore[arg-type]
        key_field="subject_code", region_field="region_code", table=table, kind=Kind.FACT, row_fields=row_fields,
        fields=tuple(field for part in parts for field in part),
    )  # fmt: skip


PERMIT = _dataset(
    "permit",
    _("行政许可信息"),
    "basedb_creditpermit",
    subject_fields("XK_"),
    legacy_fields("XK_"),
    decision_fields(
        number=_("行政许可决定文书号"),
        decided=_("许可决定日期"),
        number_aliases=("XK_WSH",),
        decided_aliases=("XK_JDRQ",),
        authority_aliases=("XK_XKJG",),
        code_aliases=("XK_XKJGDM",),
    ),
    (
        text("document_title", _("行政许可决定文书名称"), 64, "XK_XKWS"),
        code("permit_category", _("许可类别"), "permit_category", 2, "XK_XKLB", required=True),
        text("certificate_title", _("许可证书名称"), 64, "XK_XKZS"),
        text("certificate_number", _("许可编号"), 64, "XK_XKBH"),
        text("content", _("许可内容"), 4000, "XK_NR", required=True),
        date_of("valid_from", _("有效期自"), "XK_YXQZ", may_lie_ahead=True),
        date_of("valid_to", _("有效期至"), "XK_YXQZI", may_lie_ahead=True),
        text("source_unit", _("数据来源单位"), 200, "XK_LYDW"),
        text("source_unit_code", _("数据来源单位统一社会信用代码"), 18, "XK_LYDWDM"),
    ),
    showing_fields(prefix="XK_"),
)

PENALTY = _dataset(
    "penalty",
    _("行政处罚信息"),
    "basedb_creditpenalty",
    subject_fields("CF_"),
    legacy_fields("CF_"),
    decision_fields(
        number=_("行政处罚决定书文号"),
        decided=_("处罚决定日期"),
        number_aliases=("CF_WSH",),
        decided_aliases=("CF_JDRQ",),
        authority_aliases=("CF_CFJG",),
        code_aliases=("CF_CFJGDM",),
    ),
    (
        text("violation", _("违法行为类型"), 2000, "CF_WFXW", required=True),
        text("facts", _("违法事实"), 4000, "CF_SY", required=True),
        text("basis", _("处罚依据"), 2000, "CF_YJ", required=True),
        text("penalty_category", _("处罚类别"), 100, "CF_CFLB", required=True),
        text("content", _("处罚内容"), 4000, "CF_NR", required=True),
        amount("fine", _("罚款金额(万元)"), "CF_NR_FK"),
        amount("confiscated", _("没收违法所得、没收非法财物的金额(万元)"), "CF_NR_WFFF"),
        text("revoked_license", _("暂扣或吊销证照名称及编号"), 200, "CF_NR_ZKDX"),
        date_of("valid_until", _("处罚有效期"), "CF_YXQ", may_lie_ahead=True),
        text("source_unit", _("数据来源单位"), 200, "CF_SJLY"),
        text("source_unit_code", _("数据来源单位统一社会信用代码"), 18, "CF_SJLYDM"),
    ),
    adverse_fields(),
    showing_fields("CF_GSJZQ", prefix="CF_"),
)

DISHONESTY = _dataset(
    "dishonesty",
    _("严重失信主体名单"),
    "basedb_creditdishonesty",
    subject_fields(),
    decision_fields(number=_("列入决定文书号"), decided=_("列入日期")),
    (
        text("list_title", _("名单名称"), 200, required=True),
        text("facts", _("列入事由"), 4000, required=True),
        text("basis", _("列入依据"), 2000, required=True),
        text("lifting_authority", _("作出移出决定机关"), 200),
        text("lifting_reason", _("移出事由"), 2000),
    ),
    adverse_fields(),
    showing_fields(),
)

ABNORMAL = _dataset(
    "abnormal",
    _("经营异常名录"),
    "basedb_creditabnormal",
    subject_fields(),
    decision_fields(number=_("列入决定文书号"), decided=_("列入日期")),
    (
        text("facts", _("列入经营异常名录原因"), 2000, required=True),
        text("lifting_reason", _("移出经营异常名录原因"), 2000),
    ),
    adverse_fields(),
    showing_fields(),
)

COMMITMENT = _dataset(
    "commitment",
    _("信用承诺信息"),
    "basedb_creditcommitment",
    subject_fields(),
    decision_fields(number=_("承诺书编号"), decided=_("作出承诺日期")),
    (
        code("commitment_kind", _("承诺类型"), "commitment_kind", 10, required=True),
        text("matter", _("承诺事由"), 500, required=True),
        text("content", _("承诺内容"), 4000, required=True),
        date_of("valid_to", _("承诺有效期至"), may_lie_ahead=True),
        code("performance", _("履约状态"), "commitment_performance", 3),
        date_of("judged_on", _("履约认定日期")),
        text("breach", _("违诺事实"), 2000),
    ),
    showing_fields(),
)

EVALUATION = _dataset(
    "evaluation",
    _("公共信用评价结果"),
    "basedb_creditevaluation",
    subject_fields(),
    decision_fields(number=_("评价批次号"), decided=_("评价日期")),
    (
        text("evaluation_title", _("评价名称"), 200, required=True),
        text("level", _("评价等级"), 20, required=True),
        amount("score", _("评价得分")),
        date_of("valid_to", _("有效期至"), may_lie_ahead=True),
    ),
    showing_fields(),
    row_fields=(*_ROW, "item_code"),
)

MEASURE = _dataset(
    "measure",
    _("信用奖惩措施"),
    "basedb_creditmeasure",
    subject_fields(),
    decision_fields(number=_("措施决定文书号"), decided=_("措施决定日期")),
    (
        code("measure_kind", _("措施类别"), "measure_kind", 2, required=True),
        text("content", _("措施内容"), 2000, required=True),
        text("basis", _("措施依据"), 2000, required=True),
        date_of("valid_to", _("措施有效期至"), may_lie_ahead=True),
    ),
    showing_fields(),
    row_fields=(*_ROW, "item_code"),
)

DATASETS = (PERMIT, PENALTY, DISHONESTY, ABNORMAL, COMMITMENT, EVALUATION, MEASURE)
