"""What a validation rule is (校验规则), and those that follow from the field contract alone.

A rule is an SQL condition over cleaned text columns of a staging table aliased `s`, true when the row breaks it and never
null. Rules are tried in order and the first broken one rejects the row. Its code is `<field>.<rule>`. Comparison with
other rows (duplicates in a batch) and with stored rows belongs to ingest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.code_sets import CODE_SETS
from basedb.dictionary import Dataset, DataType, Field
from basedb.identifiers import (
    CALENDAR_DAY,
    CITIZEN_ID_PATTERN,
    DIVISION_PATTERN,
    USCC_PATTERN,
    calendar_day_sql,
    citizen_id_format_ok_sql,
    division_sql,
    uscc_format_ok_sql,
)
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Control characters, invisible direction marks and the replacement character of a broken decoding.
CONTROL_CHARACTERS = "[\\u0001-\\u001F\\u007F-\\u009F\\u200B-\\u200F\\u2028-\\u202E\\uFEFF\\uFFFD]"
TODAY = ":today"


@dataclass(frozen=True)
class Rule:
    """One condition that rejects a row, with the Chinese sentence the source department reads.

    Rules with the same `guard` stand together and are tried only where it holds: one look at a costly value for all of them.
    """

    code: str
    title: "_StrPromise"
    message: "_StrPromise"
    condition: str
    guard: str = ""

    @property
    def field(self) -> str:
        """The field the clerk has to look at."""
        return self.code.partition(".")[0]

    def text(self) -> str:
        """The sentence in the language of the reader; it never quotes the value."""
        return str(self.message).format(field=self.title)


def column(name: str) -> str:
    """The cleaned text of a field."""
    return f"s.{name}"


def present(name: str) -> str:
    """Whether the row says anything in a field."""
    return f"coalesce({column(name)},'') <> ''"


def rule_of(dataset: Dataset, code: str, message: "_StrPromise", condition: str) -> Rule:
    """Return a rule over a condition, which may be null; the field it is about stands before the dot of its code."""
    title = dataset.field(code.partition(".")[0]).title
    return Rule(code, title, message, f"(({condition}) IS TRUE)")


def _field_rules(dataset: Dataset, field: Field) -> Iterator[Rule]:
    """The rules that follow from the field contract alone."""
    name, text = field.name, column(field.name)
    if field.required:
        yield rule_of(dataset, f"{name}.required", _("{field}不能为空"), f"coalesce({text},'') = ''")
    code_set = CODE_SETS[field.code_set] if field.code_set else None
    if code_set and code_set.closed:
        codes = ",".join(quote(code) for code in code_set.labels)
        broken = f"{present(name)} AND {text} NOT IN ({codes})"
        yield rule_of(dataset, f"{name}.code", _("{field}不是有效代码"), broken)
    elif field.pattern:
        broken = f"{present(name)} AND NOT {matches_sql(field.pattern, text)}"
        yield rule_of(dataset, f"{name}.format", _("{field}格式不正确"), broken)
    if not (code_set and code_set.closed) and field.pattern not in _CHEAPER_FORMS:
        yield rule_of(dataset, f"{name}.too_long", _("{field}过长"), f"char_length({text}) > {field.length}")
    if not code_set and not field.pattern and field.data_type not in (DataType.GEOMETRY, DataType.OBJECT):
        broken = f"{text} ~ {quote(CONTROL_CHARACTERS)}"
        yield rule_of(dataset, f"{name}.control_character", _("{field}含有控制字符或乱码"), broken)
    if field.data_type is DataType.DATE and not field.may_lie_ahead:
        yield rule_of(dataset, f"{name}.future", _("{field}晚于今天"), later(text, TODAY))


# Counted repetitions make PostgreSQL's regular expressions slow: the forms every row has are checked without.
_CHEAPER_FORMS = {
    CITIZEN_ID_PATTERN: citizen_id_format_ok_sql,
    USCC_PATTERN: uscc_format_ok_sql,
    CALENDAR_DAY: calendar_day_sql,
    DIVISION_PATTERN: division_sql,
}


def matches_sql(pattern: str, column: str) -> str:
    """Whether a text matches the whole of a pattern of the contract."""
    if pattern in _CHEAPER_FORMS:
        return _CHEAPER_FORMS[pattern](column)
    return f"({column} ~ {quote(f'^(?:{pattern})$')})"


def later(left: str, right: str) -> str:
    """Compare two dates written YYYYMMDD; bytewise, so that no language's sorting interferes."""
    return f'{left} > {right} COLLATE "C"'


def ordered(dataset: Dataset, own_rules: Iterator[Rule]) -> tuple[Rule, ...]:
    """The key first, so that a row without a good key is rejected for its key; facts across fields last."""
    of_fields = [rule for field in dataset.fields for rule in _field_rules(dataset, field)]
    rules = of_fields + list(own_rules)
    return tuple(sorted(rules, key=lambda rule: rule.field != dataset.key_field))
