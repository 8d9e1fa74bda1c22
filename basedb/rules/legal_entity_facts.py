"""Rules of what is known of legal entities beside their own row (法人扩展信息校验规则)."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.code_sets_legal_entity import (
    BUSINESS_NUMBER,
    INSTITUTION_NUMBER,
    ORGANIZATION_CODE,
    SOCIETY_NUMBER,
    TAX_NUMBER,
)
from basedb.dictionary import Dataset
from basedb.dictionary.legal_entity_facts import (
    ANNUAL_REPORT,
    BRANCH,
    DATASETS,
    INSURANCE_REGISTRATION,
    LEGACY_IDENTIFIER,
    OFFICER,
    QUALIFICATION,
    SHAREHOLDER,
    TAX_REGISTRATION,
)
from basedb.identifiers import uscc_check_sql, uscc_organization_valid_sql
from basedb.rules.conditions import Rule, column, later, ordered, present, rule_of
from basedb.rules.population_facts import in_order
from basedb.sql_text import quote

# The number of the society's or institution's certificate has local forms: only its characters are checked.
_LEGACY_FORMS = {
    BUSINESS_NUMBER: "[0-9]{13}|[0-9]{15}",
    ORGANIZATION_CODE: "[0-9A-Z]{8}[0-9X]",
    TAX_NUMBER: "[0-9A-Z]{15}|[0-9A-Z]{17,18}|[0-9A-Z]{20}",
    INSTITUTION_NUMBER: "[0-9A-Z]{6,20}",
    SOCIETY_NUMBER: "[0-9A-Z]{4,30}",
}
_RANGES = {
    BRANCH.code: ("opened_on", "closed_on"),
    OFFICER.code: ("appointed_on", "left_on"),
    SHAREHOLDER.code: ("contributed_on", "left_on"),
    QUALIFICATION.code: ("valid_from", "valid_to"),
    TAX_REGISTRATION.code: ("registered_on", "ended_on"),
    INSURANCE_REGISTRATION.code: ("registered_on", "ended_on"),
    LEGACY_IDENTIFIER.code: ("valid_from", "valid_to"),
}


def _key_rules(dataset: Dataset) -> Iterator[Rule]:
    uscc = column("uscc")
    yield rule_of(dataset, "uscc.check_digit", _("{field}校验码不正确"), f"NOT {uscc_check_sql(uscc)}")
    yield rule_of(
        dataset, "uscc.organization_code", _("{field}中的组织机构代码校验码不正确"), f"NOT {uscc_organization_valid_sql(uscc)}"
    )


def _annual_report_rules() -> Iterator[Rule]:
    year_end, day = f"({column('report_year')} || '1231')", column("submitted_on")
    yield rule_of(
        ANNUAL_REPORT,
        "submitted_on.before_year_end",
        _("{field}应在年报年度结束之后"),
        f"{present('submitted_on')} AND {later(year_end, day)}",
    )
    yield rule_of(
        ANNUAL_REPORT,
        "report_state.mismatch",
        _("有报送日期时{field}不能为未公示"),
        f"{present('submitted_on')} AND {column('report_state')} = '3'",
    )


def _legacy_rules() -> Iterator[Rule]:
    number, kind, uscc = column("legacy_number"), column("legacy_kind"), column("uscc")
    forms = " ".join(f"WHEN {quote(code)} THEN {number} !~ {quote(f'^(?:{form})$')}" for code, form in _LEGACY_FORMS.items())
    yield rule_of(LEGACY_IDENTIFIER, "legacy_number.form", _("{field}不符合该类标识的格式"), f"CASE {kind} {forms} ELSE false END")
    # GB 32100 took the organization code over into positions 9 to 17.
    yield rule_of(
        LEGACY_IDENTIFIER,
        "legacy_number.not_inside",
        _("组织机构代码应与统一社会信用代码的第9至17位一致"),
        f"{kind} = '{ORGANIZATION_CODE}' AND {number} <> substr({uscc},9,9)",
    )


def _ended_rules(dataset: Dataset, state: str, ended: str) -> Iterator[Rule]:
    """A registration that has ended says so."""
    yield rule_of(
        dataset,
        f"{state}.mismatch",
        _("有注销日期时{field}应为注销"),
        f"{present('ended_on')} AND {column(state)} <> {quote(ended)}",
    )


def _rules(dataset: Dataset) -> Iterator[Rule]:
    yield from _key_rules(dataset)
    if dataset.code in _RANGES:
        yield in_order(dataset, *_RANGES[dataset.code])
    if dataset is ANNUAL_REPORT:
        yield from _annual_report_rules()
    if dataset is LEGACY_IDENTIFIER:
        yield from _legacy_rules()
    if dataset is TAX_REGISTRATION:
        yield from _ended_rules(dataset, "tax_state", "4")
    if dataset is INSURANCE_REGISTRATION:
        yield from _ended_rules(dataset, "insurance_state", "3")


RULES = {dataset.code: ordered(dataset, _rules(dataset)) for dataset in DATASETS}
