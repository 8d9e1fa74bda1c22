"""Rules of what is known of people beside their own row (人口扩展信息校验规则)."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.code_sets import CODE_SETS
from basedb.code_sets_population import BIRTH, DIVORCE, MARRIAGE
from basedb.dictionary import Dataset
from basedb.dictionary.population_facts import (
    ATTRIBUTE,
    ATTRIBUTES,
    DATASETS,
    HOUSEHOLD,
    HOUSEHOLD_MEMBER,
    IDENTIFIER,
    NAME_USAGE,
    RESIDENCE,
    VITAL_EVENT,
)
from basedb.identifiers import citizen_id_check_sql
from basedb.rules.conditions import Rule, column, later, ordered, present, rule_of
from basedb.sql_text import quote

_BIRTH_IN_ID = f"substr({column('citizen_id')},7,8)"
# How numbers of papers look; what is not listed has no form we can vouch for.
_PAPER_FORMS = {
    "414": "[A-Z][A-Z0-9][0-9]{7}",
    "511": "[0-9]{8}",
    "516": "[HM][0-9]{8}(?:[0-9]{2})?",
    "553": "[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
}


def _person_key(dataset: Dataset) -> Iterator[Rule]:
    yield rule_of(dataset, "citizen_id.check_digit", _("{field}校验码不正确"), f"NOT {citizen_id_check_sql(column('citizen_id'))}")


def _not_before_birth(dataset: Dataset, name: str) -> Rule:
    return rule_of(dataset, f"{name}.before_birth", _("{field}早于公民身份号码中的出生日期"), later(_BIRTH_IN_ID, column(name)))


def in_order(dataset: Dataset, first: str, last: str) -> Rule:
    """A range that ends before it begins."""
    return rule_of(
        dataset, f"{last}.before_start", _("{field}早于起始日期"), f"{present(last)} AND {later(column(first), column(last))}"
    )


def _identifier_rules() -> Iterator[Rule]:
    number, kind = column("paper_number"), column("person_paper")
    own = column("citizen_id")
    yield rule_of(
        IDENTIFIER,
        "paper_number.not_own",
        _("身份证类证件的{field}应与公民身份号码一致"),
        f"{kind} IN ('111','112') AND {number} <> {own}",
    )
    # The old number is the new one without the century and the check character.
    yield rule_of(
        IDENTIFIER,
        "paper_number.not_upgradable",
        _("十五位{field}升位后与公民身份号码不一致"),
        f"{kind} = '119' AND {number} <> left({own},6) || substr({own},9,9)",
    )
    forms = " ".join(f"WHEN {quote(code)} THEN {number} !~ {quote(f'^(?:{form})$')}" for code, form in _PAPER_FORMS.items())
    yield rule_of(IDENTIFIER, "paper_number.form", _("{field}不符合该类证件的格式"), f"CASE {kind} {forms} ELSE false END")
    yield in_order(IDENTIFIER, "issued_on", "expires_on")


def _vital_event_rules() -> Iterator[Rule]:
    kind = column("vital_event")
    yield _not_before_birth(VITAL_EVENT, "occurred_on")
    yield rule_of(
        VITAL_EVENT,
        "occurred_on.birth_mismatch",
        _("出生事件的{field}与公民身份号码不一致"),
        f"{kind} = '{BIRTH}' AND {column('occurred_on')} <> {_BIRTH_IN_ID}",
    )
    yield rule_of(
        VITAL_EVENT,
        "registered_on.before_event",
        _("{field}早于事件发生日期"),
        f"{present('registered_on')} AND {later(column('occurred_on'), column('registered_on'))}",
    )
    yield rule_of(
        VITAL_EVENT,
        "partner_key.missing",
        _("结婚、离婚事件应填写{field}"),
        f"{kind} IN ('{MARRIAGE}','{DIVORCE}') AND NOT {present('partner_key')}",
    )


def _attribute_rules() -> Iterator[Rule]:
    value = column("attribute_value")
    cases = " ".join(
        f"WHEN {quote(kind)} THEN {value} NOT IN ({','.join(quote(code) for code in CODE_SETS[code_set].labels)})"
        for kind, (_source, code_set) in ATTRIBUTES.items()
    )
    yield rule_of(
        ATTRIBUTE,
        "attribute_value.code",
        _("{field}不是该类属性的有效代码"),
        f"CASE {column('attribute_kind')} {cases} ELSE false END",
    )
    yield in_order(ATTRIBUTE, "valid_from", "valid_to")
    yield _not_before_birth(ATTRIBUTE, "valid_from")


def _residence_rules() -> Iterator[Rule]:
    yield _not_before_birth(RESIDENCE, "moved_in_on")
    yield in_order(RESIDENCE, "moved_in_on", "moved_out_on")


_OWN = {
    NAME_USAGE.code: lambda: iter([in_order(NAME_USAGE, "used_from", "used_to")]),
    IDENTIFIER.code: _identifier_rules,
    HOUSEHOLD.code: lambda: iter([in_order(HOUSEHOLD, "set_up_on", "dissolved_on")]),
    HOUSEHOLD_MEMBER.code: lambda: iter([in_order(HOUSEHOLD_MEMBER, "joined_on", "left_on")]),
    RESIDENCE.code: _residence_rules,
    VITAL_EVENT.code: _vital_event_rules,
    ATTRIBUTE.code: _attribute_rules,
}


def _rules(dataset: Dataset) -> Iterator[Rule]:
    if dataset.key_field == "citizen_id":
        yield from _person_key(dataset)
    yield from _OWN[dataset.code]()


RULES = {dataset.code: ordered(dataset, _rules(dataset)) for dataset in DATASETS}
