"""From a rule to SQL (规则编译): what a rule asks of a row, as one expression or one statement.

An expression over alias `b` is true when the row passes, false when it fails, and null when the rule does not apply to it; null is
not counted as checked. Names come from the field contract, values of parameters are quoted literals. A rule that cannot be
compiled is Invalid, naming the parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, Dataset, DataType, Field, Kind
from basedb.identifiers import citizen_id_check_sql, sex_matches_sql, uscc_check_sql, uscc_organization_valid_sql
from basedb.models import QualityRule, RuleKind
from basedb.rules.conditions import matches_sql
from basedb.sql_text import quote
from core.errors import Invalid
from core.texts import listed

ROW: Final = "b"
OPERATORS: Final = ("=", "<>", "<", "<=", ">", ">=")
TODAY: Final = "today"
IS_DOUBTFUL: Final = f"{ROW}.doubtful <> '[]'"
LONGEST_LIST: Final = 500
# Tables a value may have to stand in beside those of the contract: name -> (table, column).
REGISTERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({"region": ("core_region", "code")})

_CHECKS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"citizen_id": citizen_id_check_sql, "uscc": uscc_check_sql, "organization": uscc_organization_valid_sql}
)


def _birth_agrees(column: str, identifier: str) -> str:
    return f"(to_char({column}, 'YYYYMMDD') = substr({identifier}, 7, 8))"


def _sex_agrees(column: str, identifier: str) -> str:
    return f"CASE WHEN {identifier} IS NOT NULL AND {column} IS NOT NULL THEN {sex_matches_sql(identifier, column)} END"


def _kind_agrees(column: str, identifier: str) -> str:
    return f"({column} = left({identifier}, 2))"


_AGREEMENTS: Final[Mapping[str, Callable[[str, str], str]]] = MappingProxyType(
    {"birth": _birth_agrees, "sex": _sex_agrees, "kind": _kind_agrees}
)


def wrong(parameter: str, text: str) -> Invalid:
    """Return the error of a rule that cannot be carried out."""
    return Invalid("quality.rule_invalid", _("规则不能执行：%(what)s") % {"what": text}, {parameter: text})


def column_of(dataset: Dataset, name: str, parameter: str = "field") -> str:
    """Return the column of a field; Invalid when the contract has none of that name."""
    return f"{ROW}.{field_of(dataset, name, parameter).name}"


def field_of(dataset: Dataset, name: str, parameter: str = "field") -> Field:
    """Return a field of the contract; Invalid when it has none of that name."""
    try:
        return dataset.field(name)
    except KeyError:
        raise wrong(parameter, _("没有字段「%(name)s」") % {"name": str(name)[:60]}) from None


def looks_apart(rule: QualityRule) -> bool:
    """Return whether a rule looks beyond one row, other than into a register, and is carried out by itself."""
    return rule.kind in (RuleKind.UNIQUE, RuleKind.MUTUAL) or (rule.kind == RuleKind.REFERENCE and not _names_register(rule))


def _names_register(rule: QualityRule) -> bool:
    return rule.parameters.get("register") is not None


def passes_sql(dataset: Dataset, rule: QualityRule, *, today: date) -> str:
    """Return the expression of a rule that looks at one row at a time."""
    compiler = _ROW_RULES.get(rule.kind)
    if compiler is None:
        raise wrong("kind", _("该类规则不逐行检查"))
    passes = compiler(dataset, rule, today)
    when = _when(dataset, rule)
    return f"(CASE WHEN {when} THEN {passes} END)" if when else f"({passes})"


def applies_sql(dataset: Dataset, rule: QualityRule, *, filled: Collection[str] = ()) -> str:
    """Return whether a rule applies to a row: to every row where it is empty. `filled` are columns that are never null."""
    needed = [name for name in _needed(rule) if name not in filled]
    present = [f"{column_of(dataset, name, 'fields')} IS NOT NULL" for name in needed]
    when = _when(dataset, rule)
    return " AND ".join([when, *present] if when else present)


def _needed(rule: QualityRule) -> list[str]:
    """Return the fields without which a rule says nothing of a row."""
    if rule.kind == RuleKind.REQUIRED:
        return []
    if rule.kind in (RuleKind.COMPARE, RuleKind.AGREES):
        return [rule.field, str(rule.parameters.get("other", ""))]
    return _fields(rule) if rule.kind in (RuleKind.UNIQUE, RuleKind.MUTUAL) else [rule.field]


def _when(dataset: Dataset, rule: QualityRule) -> str:
    """Return the condition a rule is limited to, empty when it is not."""
    when = rule.parameters.get("when")
    if when is None:
        return ""
    if not isinstance(when, dict):
        raise wrong("when", _("须写明字段 field 和取值 in"))
    column = column_of(dataset, str(when.get("field", "")), "when")
    return f"{column} IN ({_listed(when.get('in'), 'when')})"


def _fields(rule: QualityRule) -> list[str]:
    """Return the fields that are unique together, or the same on both sides."""
    names = rule.parameters.get("fields") or [rule.field]
    if not isinstance(names, list):
        raise wrong("fields", _("须为字段的列表"))
    return [str(name) for name in names]


def failing_sql(dataset: Dataset, rule: QualityRule, rows: str) -> str:
    """Return the query of the rows that fail a rule that looks beyond one row: id, version, department.

    `rows` is the condition that limits the rows checked.
    """
    if rule.kind == RuleKind.UNIQUE:
        return _twice(dataset, rule, rows)
    failing = _one_sided if rule.kind == RuleKind.MUTUAL else _unknown
    return (
        f"SELECT {ROW}.id, {ROW}.version, {ROW}.source_department_id AS department_id FROM {dataset.table} {ROW} "
        f"WHERE {rows} AND {applies_sql(dataset, rule)} AND {failing(dataset, rule)}"
    )


def _required(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    return f"{column_of(dataset, rule.field)} IS NOT NULL"


def _form(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    """Length, pattern and closed code list as the contract has them; typed columns are of the right form by themselves."""
    field = field_of(dataset, rule.field)
    column = f"{ROW}.{field.name}"
    if field.data_type is not DataType.TEXT:
        raise wrong("field", _("「%(name)s」不是文本字段") % {"name": field.title})
    code_set = CODE_SETS[field.code_set] if field.code_set else None
    if code_set and code_set.closed:
        return f"{column} IN ({', '.join(quote(code) for code in code_set.labels)})"
    if field.pattern:
        return matches_sql(field.pattern, column)
    return f"char_length({column}) <= {field.length}"


def _codes(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    return f"{column_of(dataset, rule.field)} IN ({_listed(rule.parameters.get('codes'), 'codes')})"


def _listed(values: Any, parameter: str) -> str:
    if not isinstance(values, list) or not 0 < len(values) <= LONGEST_LIST:
        raise wrong(parameter, _("须为 1 至 %(most)s 个取值的列表") % {"most": LONGEST_LIST})
    if not all(str(value).isprintable() for value in values):
        raise wrong(parameter, _("取值含有不可见字符"))
    return ", ".join(quote(str(value)) for value in values)


def _range(dataset: Dataset, rule: QualityRule, today: date) -> str:
    field = field_of(dataset, rule.field)
    bounds = [
        f"{ROW}.{field.name} {operator} {_bound(field, rule.parameters[name], name, today)}"
        for name, operator in (("least", ">="), ("most", "<="))
        if rule.parameters.get(name) is not None
    ]
    if not bounds:
        raise wrong("least", _("须给出下限 least 或上限 most"))
    return " AND ".join(bounds)


def _bound(field: Field, value: Any, parameter: str, today: date) -> str:
    text = str(value)
    if field.data_type is DataType.DATE:
        if text == TODAY:
            return f"date {quote(today.isoformat())}"
        try:
            return f"date {quote(date.fromisoformat(text).isoformat())}"
        except ValueError:
            raise wrong(parameter, _("不是日期")) from None
    if field.data_type is DataType.NUMBER and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,6})?", text):
        return text
    raise wrong(parameter, _("范围只用于日期和数值字段"))


def _compare(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    operator = rule.parameters.get("operator")
    if operator not in OPERATORS:
        raise wrong("operator", _("须为 %(operators)s 之一") % {"operators": " ".join(OPERATORS)})
    field, other = field_of(dataset, rule.field), field_of(dataset, str(rule.parameters.get("other", "")), "other")
    if field.data_type is not other.data_type:
        raise wrong("other", _("两个字段的类型不同"))
    days = rule.parameters.get("within_days")
    if days is None:
        return f"{ROW}.{field.name} {operator} {ROW}.{other.name}"
    if field.data_type is not DataType.DATE or not isinstance(days, int):
        raise wrong("within_days", _("天数只用于日期字段，须为整数"))
    return f"{ROW}.{field.name} {operator} {ROW}.{other.name} + {days}"


def _agrees(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    agreement = _AGREEMENTS.get(str(rule.parameters.get("as")))
    if agreement is None:
        raise wrong("as", _("须为 %(names)s 之一") % {"names": listed(_AGREEMENTS)})
    return agreement(column_of(dataset, rule.field), column_of(dataset, str(rule.parameters.get("other", "")), "other"))


def _check_digit(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    check = _CHECKS.get(str(rule.parameters.get("scheme")))
    if check is None:
        raise wrong("scheme", _("须为 %(names)s 之一") % {"names": listed(_CHECKS)})
    return check(column_of(dataset, rule.field))


def _not_doubtful(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    column = column_of(dataset, rule.field)
    return f"CASE WHEN {column} IS NOT NULL THEN NOT ({IS_DOUBTFUL} AND {_doubts(dataset, rule)}) END"


def _doubts(dataset: Dataset, rule: QualityRule) -> str:
    """Whether a row of `IS_DOUBTFUL` is so in the field of a rule of kind NOT_DOUBTFUL."""
    if dataset.kind is not Kind.MASTER:
        raise wrong("kind", _("只有融合数据集有多源一致规则"))
    field = field_of(dataset, rule.field)
    return f"({ROW}.{field.name} IS NOT NULL AND {ROW}.doubtful @> {quote(json.dumps([field.name]))})"


def _in_register(dataset: Dataset, rule: QualityRule, _today: date) -> str:
    column, register = column_of(dataset, rule.field), str(rule.parameters.get("register"))
    if register not in REGISTERS:
        raise wrong("register", _("须为 %(names)s 之一") % {"names": listed(REGISTERS)})
    table, target = REGISTERS[register]
    return f"CASE WHEN {column} IS NOT NULL THEN {column} IN (SELECT t.{target} FROM {table} t) END"


def _one_sided(dataset: Dataset, rule: QualityRule) -> str:
    """The other side says the same of this one: a marriage of A with B is one of B with A."""
    partner, *same = _fields(rule)
    alike = "".join(f" AND t.{field_of(dataset, name, 'fields').name} = {column_of(dataset, name, 'fields')}" for name in same)
    return (
        f"NOT EXISTS (SELECT FROM {dataset.table} t WHERE t.withdrawn_at IS NULL AND t.subject_key = {column_of(dataset, partner)} "
        f"AND t.{partner} = {ROW}.subject_key{alike})"
    )


def _unknown(dataset: Dataset, rule: QualityRule) -> str:
    column = column_of(dataset, rule.field)
    other = DATASETS.get(str(rule.parameters.get("dataset")))
    if other is None:
        raise wrong("dataset", _("没有这个数据集"))
    target = field_of(other, str(rule.parameters.get("target", "")), "target").name
    return f"NOT EXISTS (SELECT FROM {other.table} t WHERE t.withdrawn_at IS NULL AND t.{target} = {column})"


def once_a_row_sql(number: str) -> str:
    """Return an expression of type bigint, in a subquery, that is computed once a row instead of wherever its column is used.

    The branch never taken names a volatile function, for which the planner leaves the subquery as it is. OFFSET 0 would do that
    too, but keep the scan from being shared by parallel workers.
    """
    return f"CASE WHEN false THEN extract(epoch FROM clock_timestamp())::bigint ELSE {number} END"


def _twice(dataset: Dataset, rule: QualityRule, rows: str) -> str:
    """Equal values are looked for by their digest, which is far cheaper to group by; the few rows of equal digests are compared.

    Two workers can have half of the values each: what is equal lies in the same half.
    """
    fields = [field_of(dataset, name, "fields") for name in _fields(rule)]
    digest = "0"
    for field in fields:
        digest = _DIGESTS[field.data_type].format(column=f"{ROW}.{field.name}", seed=digest)
    plain = ", ".join(f"{ROW}.{field.name}" for field in fields)
    day = next((field.name for field in fields if field.data_type is DataType.DATE), "")
    half = f"({ROW}.{day} - date '2000-01-01') & 1" if day else f"({digest}) & 1"
    living = f"{dataset.table} {ROW} WHERE {ROW}.withdrawn_at IS NULL AND {applies_sql(dataset, rule)}"
    halves = [
        # Written as a case, a condition is taken by the planner for what it is: true of every other row.
        f"SELECT {digest} AS digest FROM {living} AND CASE {half} WHEN 0 THEN {side} END GROUP BY 1 HAVING count(*) > 1"
        for side in ("true ELSE false", "false ELSE true")
    ]
    return (
        f"WITH alike AS MATERIALIZED ({' UNION ALL '.join(halves)}) "
        f"SELECT t.id, t.version, t.department_id FROM (SELECT {ROW}.id, {ROW}.version, "
        f"{ROW}.source_department_id AS department_id, ({rows}) AS is_asked, count(*) OVER (PARTITION BY {plain}) AS times "
        f"FROM {living} AND {digest} IN (SELECT a.digest FROM alike a)) t WHERE t.times > 1 AND t.is_asked"
    )


_DIGESTS: Final[Mapping[DataType, str]] = MappingProxyType(
    {
        DataType.TEXT: "hashtextextended({column}, {seed})",
        DataType.DATE: "hashint4extended({column} - date '2000-01-01', {seed})",
        DataType.NUMBER: "hash_numeric_extended({column}, {seed})",
        DataType.OBJECT: "jsonb_hash_extended({column}, {seed})",
        DataType.GEOMETRY: "hashtextextended(ST_AsText({column}), {seed})",
    }
)
_ROW_RULES: Final[Mapping[str, Callable[[Dataset, QualityRule, date], str]]] = MappingProxyType(
    {
        RuleKind.REQUIRED: _required,
        RuleKind.FORM: _form,
        RuleKind.CODES: _codes,
        RuleKind.RANGE: _range,
        RuleKind.COMPARE: _compare,
        RuleKind.AGREES: _agrees,
        RuleKind.CHECK_DIGIT: _check_digit,
        RuleKind.NOT_DOUBTFUL: _not_doubtful,
        RuleKind.REFERENCE: _in_register,
    }
)
