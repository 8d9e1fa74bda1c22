"""Seeing at a glance that a row is right (快速判别): one cheap condition that only rows right by every rule fulfil.

A row that does not fulfil it is not wrong: each rule is then asked of it exactly, as `compiling` has it. Nearly all rows of a base
are right, and what is said of them together costs a fraction of what each rule says by itself: a citizen id is read as one number
instead of character by character, a code with a list of codes instead of a pattern, doubt once for all fields.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from basedb.code_sets import CODE_SETS
from basedb.dictionary import Dataset
from basedb.identifiers import CITIZEN_ID_PATTERN
from basedb.models import QualityRule, RuleKind
from basedb.quality.compiling import IS_DOUBTFUL, REGISTERS, ROW, once_a_row_sql
from basedb.rules.conditions import matches_sql
from basedb.sql_text import quote

_DIGITS: Final = "'\\x30313233343536373839'::bytea"
_CHECKS: Final = "10X98765432"
# What three digits of an id add to its weighed sum, by where they stand: the last three first.
_WEIGHED: Final = [
    [
        sum(int(digit) * 2 ** (3 * group + 4 - place) for place, digit in enumerate(f"{digits:03d}", 1)) % 11
        for digits in range(1000)
    ]
    for group in range(6)
]
# Days every year has, as month * 100 + day; somebody born on 29 February is looked at closely.
_DAYS: Final = [month * 100 + day for month in range(1, 13) for day in range(1, monthrange(2001, month)[1] + 1)]


@dataclass(frozen=True, slots=True)
class Glance:
    """`columns` (name -> expression over the row `b`) are computed once a row; `condition` is over them and the row."""

    columns: Mapping[str, str]
    condition: str

    def suspects_sql(self, table: str, rows: str) -> str:
        """Return the FROM clause of the rows, as `b`, that do not pass at a glance."""
        if not self.columns:
            return f"FROM {table} {ROW} WHERE {rows} AND ({self.condition}) IS NOT TRUE"
        more = "".join(f", {expression} AS {name}" for name, expression in self.columns.items())
        return f"FROM (SELECT {ROW}.*{more} FROM {table} {ROW} WHERE {rows}) {ROW} WHERE ({self.condition}) IS NOT TRUE"


def glance_of(dataset: Dataset, rules: Mapping[QualityRule, str], *, filled: Collection[str]) -> Glance:
    """Return the glance for rules with their exact expressions; `filled` are columns the database keeps from being null."""
    columns: dict[str, str] = {}
    conditions: dict[str, None] = {}
    rest = dict(rules)
    for identifier, group in _about_citizen_ids(dataset, rules).items():
        number = f"number_of_{identifier}"
        columns[number] = _number_sql(f"{ROW}.{identifier}")
        conditions[_identifier_sql(identifier, f"{ROW}.{number}", group, filled)] = None
        for rule in group:
            del rest[rule]
    for rule, forms in _about_registers(dataset, rules).items():
        conditions[_registered_sql(dataset, rule)] = None
        for one in (rule, *forms):
            rest.pop(one, None)
    for rule, exact in rest.items():
        conditions[_condition(dataset, rule, exact, filled)] = None
    conditions.pop("", None)
    return Glance(columns, " AND ".join(conditions) or "true")


def _condition(dataset: Dataset, rule: QualityRule, exact: str, filled: Collection[str]) -> str:
    """Return what one rule asks at a glance; nothing where the database itself promises it."""
    is_plain = "when" not in rule.parameters
    if rule.kind == RuleKind.REQUIRED and is_plain and rule.field in filled:
        return ""
    if rule.kind == RuleKind.NOT_DOUBTFUL and is_plain:
        return f"NOT {IS_DOUBTFUL}"
    if rule.kind == RuleKind.FORM and is_plain:
        field = dataset.field(rule.field)
        if characters := _only_of(field.pattern):
            column = f"{ROW}.{field.name}"
            return f"({column} <> '' AND ltrim(textsend({column}), {characters}) = '\\x') IS NOT FALSE"
        code_set = CODE_SETS[field.code_set] if field.code_set else None
        if code_set and not code_set.closed and field.pattern:
            usual = [quote(code) for code in code_set.labels if re.fullmatch(field.pattern, code)]
            if usual:
                return f"({ROW}.{field.name} IN ({', '.join(usual)})) IS NOT FALSE"
    return f"{exact} IS NOT FALSE"


def _only_of(pattern: str) -> str:
    """Return the characters of a pattern that asks for some of them alone, as bytes, which are far cheaper to look for."""
    found = re.fullmatch(r"\[([A-Za-z0-9+.-]+)\]\+", pattern)
    if found is None:
        return ""
    any_of = re.compile(f"[{found[1]}]")
    return f"'\\x{''.join(f'{code:02x}' for code in range(128) if any_of.match(chr(code)))}'::bytea"


def _about_citizen_ids(dataset: Dataset, rules: Mapping[QualityRule, str]) -> dict[str, list[QualityRule]]:
    """Return the rules that look into a citizen id, by its column."""
    found: dict[str, list[QualityRule]] = {}
    for rule in rules:
        if "when" in rule.parameters:
            continue
        is_form = rule.kind == RuleKind.FORM and dataset.field(rule.field).pattern == CITIZEN_ID_PATTERN
        if is_form or (rule.kind == RuleKind.CHECK_DIGIT and rule.parameters.get("scheme") == "citizen_id"):
            found.setdefault(rule.field, []).append(rule)
        elif rule.kind == RuleKind.AGREES and rule.parameters.get("as") in ("birth", "sex"):
            found.setdefault(rule.parameters["other"], []).append(rule)
    return found


def _about_registers(dataset: Dataset, rules: Mapping[QualityRule, str]) -> dict[QualityRule, list[QualityRule]]:
    """Return the rules that ask for a value in a register, with those of the form of the same field."""
    plain = [rule for rule in rules if "when" not in rule.parameters and dataset.field(rule.field).pattern]
    forms = [rule for rule in plain if rule.kind == RuleKind.FORM and not dataset.field(rule.field).code_set]
    return {rule: [form for form in forms if form.field == rule.field] for rule in plain if rule.kind == RuleKind.REFERENCE}


def _registered_sql(dataset: Dataset, rule: QualityRule) -> str:
    """Whether a value is one of those in the register that have its form."""
    table, target = REGISTERS[str(rule.parameters["register"])]
    known = f"SELECT t.{target} FROM {table} t WHERE {matches_sql(dataset.field(rule.field).pattern, f't.{target}')}"
    return f"({ROW}.{rule.field} IN ({known})) IS NOT FALSE"


def _number_sql(column: str) -> str:
    """The first seventeen characters of an id as a number, null unless they are digits and the last is one or an X."""
    form = f"octet_length({column}) = 18 AND ltrim(textsend({column}), {_DIGITS}) IN ('\\x', '\\x58')"
    return once_a_row_sql(f"CASE WHEN {form} THEN left({column}, 17)::bigint END")


def _identifier_sql(identifier: str, number: str, rules: Collection[QualityRule], filled: Collection[str]) -> str:
    parts = [f"{number} >= 10000000000000000"]
    births = [rule.field for rule in rules if rule.parameters.get("as") == "birth"]
    if births or any(rule.kind == RuleKind.FORM for rule in rules):
        parts += [_day_sql(number, born and f"{ROW}.{born}", is_filled=born in filled) for born in births or [""]]
    for rule in rules:
        if rule.kind == RuleKind.CHECK_DIGIT:
            parts.append(_check_sql(f"{ROW}.{identifier}", number))
        elif rule.parameters.get("as") == "sex":
            odd = f"mod({number}, 2)"
            parts.append(f"CASE {ROW}.{rule.field} WHEN '1' THEN {odd} = 1 WHEN '2' THEN {odd} = 0 ELSE true END")
    sure = " AND ".join(parts)
    return f"({sure})" if identifier in filled else f"({ROW}.{identifier} IS NULL OR {sure})"


def _day_sql(number: str, born: str, *, is_filled: bool) -> str:
    """Whether the day inside is one of the calendar and, where the row has a birth date, that one."""
    year, month, day = (f"mod({number} / {10**place}, {size})::integer" for place, size in ((7, 10_000), (5, 100), (3, 100)))
    exists = f"mod({number} / 1000, 10000) = ANY ('{{{','.join(map(str, _DAYS))}}}'::bigint[])"
    if is_filled:
        is_of_age = f"{born} >= date '1800-01-01' AND {born} < date '2100-01-01'"
        return f"CASE WHEN {exists} AND {is_of_age} THEN {born} = make_date({year}, {month}, {day}) END"
    exists = f"{exists} AND {year} BETWEEN 1800 AND 2099"
    return f"CASE WHEN {exists} THEN coalesce({born} = make_date({year}, {month}, {day}), true) END" if born else exists


def _check_sql(column: str, number: str) -> str:
    """Whether the last character is the one the digits call for (ISO 7064 MOD 11-2); a look at a list weighs three of them."""
    weighed = "+".join(
        f"('{{{','.join(map(str, weights))}}}'::smallint[])[mod({number} / {1000**group}, 1000)::integer + 1]"
        for group, weights in enumerate(_WEIGHED)
    )
    wanted = ",".join(str(ord(_CHECKS[remainder])) for remainder in range(11))
    return f"ascii(right({column}, -17)) = ('{{{wanted}}}'::smallint[])[mod({weighed}, 11) + 1]"
