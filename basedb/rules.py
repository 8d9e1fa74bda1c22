"""Validation rules of the base databases (校验规则): data, evaluated by PostgreSQL over whole staging tables.

A rule is an SQL condition over cleaned text columns of a staging table aliased `s`, true when the row breaks it and never
null. Rules are tried in order and the first broken one rejects the row. Its code is `<field>.<rule>`. Comparison with
other rows (duplicates in a batch) and with stored rows belongs to ingest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, ENTERPRISE, PERSON, Dataset, DataType, Field
from basedb.identifiers import (
    CALENDAR_DAY,
    CITIZEN_ID_PATTERN,
    DIVISION_PATTERN,
    USCC_PATTERN,
    birth_matches_sql,
    calendar_day_sql,
    citizen_id_check_sql,
    citizen_id_format_ok_sql,
    citizen_id_valid_sql,
    division_sql,
    sex_matches_sql,
    uscc_check_sql,
    uscc_format_ok_sql,
    uscc_organization_valid_sql,
)
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Control characters, invisible direction marks and the replacement character of a broken decoding.
CONTROL_CHARACTERS = "[\\u0001-\\u001F\\u007F-\\u009F\\u200B-\\u200F\\u2028-\\u202E\\uFEFF\\uFFFD]"
_TODAY = ":today"


@dataclass(frozen=True)
class Rule:
    """One condition that rejects a row, with the Chinese sentence the source department reads."""

    code: str
    title: "_StrPromise"
    message: "_StrPromise"
    condition: str

    @property
    def field(self) -> str:
        """The field the clerk has to look at."""
        return self.code.partition(".")[0]

    def text(self) -> str:
        """The sentence in the language of the reader; it never quotes the value."""
        return str(self.message).format(field=self.title)


def broken_rule_sql(dataset: Dataset, *, today: date) -> str:
    """Return an SQL expression: the code of the first rule a row of staging table `s` breaks, or null."""
    cases = " ".join(f"WHEN {rule.condition} THEN {quote(rule.code)}" for rule in RULES[dataset.code])
    return f"(CASE {cases} END)".replace(_TODAY, quote(f"{today:%Y%m%d}"))


def rule_named(dataset: Dataset, code: str) -> Rule:
    """Return the rule of that code; KeyError when the dataset has none."""
    for rule in RULES[dataset.code]:
        if rule.code == code:
            return rule
    raise KeyError(code)


def _column(name: str) -> str:
    return f"s.{name}"


def _present(name: str) -> str:
    return f"coalesce({_column(name)},'') <> ''"


def _rule(dataset: Dataset, code: str, message: "_StrPromise", condition: str) -> Rule:
    title = dataset.field(code.partition(".")[0]).title
    return Rule(code, title, message, f"(({condition}) IS TRUE)")


def _field_rules(dataset: Dataset, field: Field) -> Iterator[Rule]:
    """The rules that follow from the field contract alone."""
    name, column = field.name, _column(field.name)
    if field.required:
        yield _rule(dataset, f"{name}.required", _("{field}不能为空"), f"coalesce({column},'') = ''")
    code_set = CODE_SETS[field.code_set] if field.code_set else None
    if code_set and code_set.closed:
        codes = ",".join(quote(code) for code in code_set.labels)
        broken = f"{_present(name)} AND {column} NOT IN ({codes})"
        yield _rule(dataset, f"{name}.code", _("{field}不是有效代码"), broken)
    elif field.pattern:
        broken = f"{_present(name)} AND NOT {_matches_sql(field.pattern, column)}"
        yield _rule(dataset, f"{name}.format", _("{field}格式不正确"), broken)
    if not (code_set and code_set.closed) and field.pattern not in _CHEAPER_FORMS:
        yield _rule(dataset, f"{name}.too_long", _("{field}过长"), f"char_length({column}) > {field.length}")
    if not code_set and not field.pattern:
        broken = f"{column} ~ {quote(CONTROL_CHARACTERS)}"
        yield _rule(dataset, f"{name}.control_character", _("{field}含有控制字符或乱码"), broken)
    if field.data_type is DataType.DATE and name not in _MAY_LIE_AHEAD:
        yield _rule(dataset, f"{name}.future", _("{field}晚于今天"), _later(column, _TODAY))


# Counted repetitions make PostgreSQL's regular expressions slow: the forms every row has are checked without.
_CHEAPER_FORMS = {
    CITIZEN_ID_PATTERN: citizen_id_format_ok_sql,
    USCC_PATTERN: uscc_format_ok_sql,
    CALENDAR_DAY: calendar_day_sql,
    DIVISION_PATTERN: division_sql,
}


def _matches_sql(pattern: str, column: str) -> str:
    if pattern in _CHEAPER_FORMS:
        return _CHEAPER_FORMS[pattern](column)
    return f"({column} ~ {quote(f'^(?:{pattern})$')})"


_MAY_LIE_AHEAD = frozenset({"term_from", "term_to"})


def _later(left: str, right: str) -> str:
    """Compare two dates written YYYYMMDD; bytewise, so that no language's sorting interferes."""
    return f'{left} > {right} COLLATE "C"'


def _person_rules() -> Iterator[Rule]:
    s = _column
    yield _rule(
        PERSON,
        "citizen_id.check_digit",
        _("{field}校验码不正确"),
        f"NOT {citizen_id_check_sql(s('citizen_id'))}",
    )
    yield _rule(
        PERSON,
        "birth_on.mismatch",
        _("{field}与公民身份号码不一致"),
        f"NOT {birth_matches_sql(s('citizen_id'), s('birth_on'))}",
    )
    yield _rule(
        PERSON,
        "sex.mismatch",
        _("{field}与公民身份号码不一致"),
        f"NOT {sex_matches_sql(s('citizen_id'), s('sex'))}",
    )
    yield _rule(
        PERSON,
        "died_on.before_birth",
        _("{field}早于出生日期"),
        f"{_present('died_on')} AND {_later(s('birth_on'), s('died_on'))}",
    )
    yield _rule(
        PERSON,
        "person_status.mismatch",
        _("{field}与死亡日期不一致"),
        f"{_present('died_on')} AND {s('person_status')} NOT IN ('1','9')",
    )


def _enterprise_rules() -> Iterator[Rule]:
    s = _column
    yield _rule(ENTERPRISE, "uscc.check_digit", _("{field}校验码不正确"), f"NOT {uscc_check_sql(s('uscc'))}")
    yield _rule(
        ENTERPRISE,
        "uscc.organization_code",
        _("{field}中的组织机构代码校验码不正确"),
        f"NOT {uscc_organization_valid_sql(s('uscc'))}",
    )
    yield _rule(
        ENTERPRISE,
        "entity_kind.mismatch",
        _("{field}与统一社会信用代码不一致"),
        f"left({s('uscc')},2) <> {s('entity_kind')}",
    )
    representative = s("legal_representative_id")
    yield _rule(
        ENTERPRISE,
        "legal_representative_id.check_digit",
        _("{field}不是有效的公民身份号码"),
        f"{representative} ~ '^[0-9]{{17}}[0-9X]$' AND NOT {citizen_id_valid_sql(representative)}",
    )
    yield _rule(
        ENTERPRISE,
        "currency.required",
        _("填写了注册资本时{field}不能为空"),
        f"{_present('registered_capital')} AND NOT {_present('currency')}",
    )
    yield _rule(
        ENTERPRISE,
        "term_to.before_start",
        _("{field}早于经营期限起始日"),
        f"{_present('term_to')} AND {_later(s('term_from'), s('term_to'))}",
    )
    yield _rule(
        ENTERPRISE,
        "cancelled_on.before_establishment",
        _("{field}早于成立日期"),
        f"{_present('cancelled_on')} AND {_later(s('established_on'), s('cancelled_on'))}",
    )
    yield _rule(
        ENTERPRISE,
        "registration_state.mismatch",
        _("有注销日期时{field}不能为存续"),
        f"{_present('cancelled_on')} AND {s('registration_state')} = '1'",
    )


def _ordered(dataset: Dataset, own_rules: Iterator[Rule]) -> tuple[Rule, ...]:
    """The key first, so that a row without a good key is rejected for its key; facts across fields last."""
    of_fields = [rule for field in dataset.fields for rule in _field_rules(dataset, field)]
    rules = of_fields + list(own_rules)
    return tuple(sorted(rules, key=lambda rule: rule.field != dataset.key_field))


RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        PERSON.code: _ordered(PERSON, _person_rules()),
        ENTERPRISE.code: _ordered(ENTERPRISE, _enterprise_rules()),
    }
)

if RULES.keys() != DATASETS.keys():
    raise RuntimeError("every dataset needs its rules")
