"""Rules of credit records (社会信用校验规则): the code fits the category, the item is in the catalogue, amounts are in 10,000 yuan.

What lies outside the version of the catalogue in force on the day of collection is refused; the tables of the catalogue and
of the tiers of repair are asked once a statement, not once a row.
"""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import Dataset
from basedb.dictionary.contract import AMOUNT_PATTERN
from basedb.dictionary.credit import (
    ABNORMAL,
    COMMITMENT,
    DATASETS,
    DISHONESTY,
    EVALUATION,
    MEASURE,
    PENALTY,
    PERMIT,
)
from basedb.dictionary.credit_fields import NATURAL_PERSON
from basedb.identifiers import calendar_day_sql, citizen_id_valid_sql, uscc_valid_sql
from basedb.rules.conditions import TODAY, Rule, column, later, ordered, present, rule_of
from basedb.sql_text import quote

MOST_IN_TEN_THOUSANDS = 2_000_000  # 20 billion yuan: nobody was ever fined more, so such a figure is in yuan
SLIGHT = "1"


def _common_rules(dataset: Dataset) -> Iterator[Rule]:
    s = column
    person = f"{s('subject_category')} = {quote(NATURAL_PERSON)}"
    yield rule_of(
        dataset,
        "subject_code.citizen_id",
        _("自然人的{field}不是有效的公民身份号码"),
        f"{person} AND NOT {citizen_id_valid_sql(s('subject_code'))}",
    )
    yield rule_of(
        dataset,
        "subject_code.uscc",
        _("{field}不是有效的统一社会信用代码"),
        f"{present('subject_code')} AND NOT {person} AND NOT {uscc_valid_sql(s('subject_code'))}",
    )
    yield rule_of(
        dataset,
        "item_code.not_in_catalogue",
        _("{field}不在现行《全国公共信用信息基础目录》范围内，不得归集"),
        f"{present('item_code')} AND {s('item_code')} NOT IN ("
        "SELECT i.code FROM basedb_creditcatalogitem i JOIN basedb_creditcatalogversion v ON v.id = i.version_id "
        f"WHERE i.dataset = {quote(dataset.code)} AND v.effective @> {TODAY}::date)",
    )
    yield _not_before(dataset, "published_on", "decided_on", _("{field}早于决定日期"))
    yield _not_before(dataset, "publish_until", "decided_on", _("{field}早于决定日期"))


def _not_before(dataset: Dataset, name: str, earlier: str, message: object) -> Rule:
    broken = f"{present(name)} AND {later(column(earlier), column(name))}"
    return rule_of(dataset, f"{name}.before_{earlier.removesuffix('_on')}", message, broken)  # type: ignore[arg-type]


def _adverse_rules(dataset: Dataset) -> Iterator[Rule]:
    yield _not_before(dataset, "lifted_on", "decided_on", _("{field}早于决定日期"))
    yield _not_before(dataset, "repair_notice_on", "decided_on", _("{field}早于决定日期"))
    yield rule_of(
        dataset,
        "publish_until.too_late",
        _("{field}超过该失信程度的最长公示期"),
        _longer_than_tier(),
    )


def _longer_than_tier() -> str:
    """Whether a record would be shown longer than the tier of its severity allows; without a severity, than any."""
    s = column
    longest = f"SELECT max(t.max_months) FROM basedb_credittier t WHERE t.effective @> {TODAY}::date"
    by_tier = " ".join(f"WHEN {quote(tier)} THEN ({longest} AND t.code = {quote(tier)})" for tier in "123")
    months = f"(CASE {s('severity')} {by_tier} ELSE ({longest}) END)"
    last_day = f"to_date({s('decided_on')},'YYYYMMDD') + make_interval(months => {months})"
    are_days = f"{calendar_day_sql(s('decided_on'))} AND {calendar_day_sql(s('publish_until'))}"
    return f"CASE WHEN {are_days} THEN to_date({s('publish_until')},'YYYYMMDD') > {last_day} END"


def _penalty_rules() -> Iterator[Rule]:
    s = column
    yield from _adverse_rules(PENALTY)
    yield rule_of(
        PENALTY,
        "publish_until.required",
        _("除轻微失信外，{field}不能为空"),
        f"NOT {present('publish_until')} AND coalesce({s('severity')},'') <> {quote(SLIGHT)}",
    )
    yield rule_of(
        PENALTY,
        "fine.required",
        _("处罚类别含罚款时{field}不能为空"),
        f"strpos({s('penalty_category')},{quote('罚款')}) > 0 AND NOT {present('fine')}",
    )
    for name in ("fine", "confiscated"):
        yield _unit_rule(PENALTY, name)
    yield _not_before(PENALTY, "valid_until", "decided_on", _("{field}早于决定日期"))


def _unit_rule(dataset: Dataset, name: str) -> Rule:
    """Long numbers alone are read as numbers; what is none has broken the rule of its form before."""
    text = column(name)
    digits = len(str(MOST_IN_TEN_THOUSANDS))
    is_long = f"char_length(ltrim(split_part({text},'.',1),'0')) >= {digits}"
    is_number = f"{text} ~ {quote(f'^(?:{AMOUNT_PATTERN})$')}"
    broken = f"CASE WHEN {is_long} THEN CASE WHEN {is_number} THEN {text}::numeric > {MOST_IN_TEN_THOUSANDS} END END"
    return rule_of(dataset, f"{name}.unit", _("{field}数额过大，请核对单位是否为万元"), broken)


def _permit_rules() -> Iterator[Rule]:
    yield _not_before(PERMIT, "valid_to", "valid_from", _("{field}早于有效期起"))


def _commitment_rules() -> Iterator[Rule]:
    yield rule_of(
        COMMITMENT,
        "breach.required",
        _("履约状态为违诺时{field}不能为空"),
        f"{column('performance')} = {quote('违诺')} AND NOT {present('breach')}",
    )
    yield _not_before(COMMITMENT, "judged_on", "decided_on", _("{field}早于作出承诺日期"))
    yield _not_before(COMMITMENT, "valid_to", "decided_on", _("{field}早于作出承诺日期"))


def _ending_rules(dataset: Dataset) -> Iterator[Rule]:
    yield _not_before(dataset, "valid_to", "decided_on", _("{field}早于决定日期"))


_OWN = {
    PERMIT.code: _permit_rules(),
    PENALTY.code: _penalty_rules(),
    DISHONESTY.code: _adverse_rules(DISHONESTY),
    ABNORMAL.code: _adverse_rules(ABNORMAL),
    COMMITMENT.code: _commitment_rules(),
    EVALUATION.code: _ending_rules(EVALUATION),
    MEASURE.code: _ending_rules(MEASURE),
}


def _rules(dataset: Dataset) -> Iterator[Rule]:
    yield from _common_rules(dataset)
    yield from _OWN[dataset.code]


RULES = {dataset.code: ordered(dataset, _rules(dataset)) for dataset in DATASETS}
