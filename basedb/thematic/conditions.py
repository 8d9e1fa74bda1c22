"""Which rows of a source count (行条件), as data compiled to SQL. All conditions of a list must hold. Pure.

`{"field": "valid_to", "operator": ">=", "value": {"today": 0}, "or_null": true}`, `{"field": f, "in": [...]}`,
`{"field": f, "contains": "text"}`, `{"field": f, "is": "null"}` or `"not_null"`.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.dictionary import Dataset
from basedb.dictionary.contract import Grade
from basedb.sql_text import quote
from basedb.thematic.values import (
    LONGEST_LIST,
    LONGEST_TEXT,
    OPERATORS,
    Term,
    Type,
    checked,
    field_of,
    items,
    literal,
    not_identifying,
    same_type,
    strictest_grade,
    wrong,
)

MOST: Final = 20
_FORMS: Final = ("operator", "in", "contains", "is")


def conditions_sql(dataset: Dataset, node: Any, row: str, path: str, *, today: date) -> Term:
    """Return the condition on a row of a dataset under the SQL alias `row`, as sensitive as the fields it looks at."""
    found = [_condition(dataset, one, row, f"{path}[{place}]", today) for place, one in enumerate(items(node, path, most=MOST))]
    sql = " AND ".join(term.sql for term in found) or "true"
    return Term(f"({sql})", Type.BOOLEAN, strictest_grade(term.grade for term in found))


def _condition(dataset: Dataset, node: Any, row: str, path: str, today: date) -> Term:
    given = checked(node, path, required=("field",), allowed=(*_FORMS, "value", "or_null"))
    form = [name for name in _FORMS if name in given]
    if len(form) != 1:
        raise wrong(path, _("须有且只有 operator、in、contains、is 之一"))
    field, type_ = field_of(dataset, given["field"], f"{path}.field")
    column = Term(f"{row}.{field.name}", type_, Grade(field.grade), field.mask)
    if form[0] != "is":
        not_identifying(column, f"{path}.field")
    sql = _FORM[form[0]](column, given, path, today)
    if given.get("or_null") is True:
        sql = f"({column.sql} IS NULL OR {sql})"
    return Term(f"({sql})", Type.BOOLEAN, column.grade)


def _operator(column: Term, given: Any, path: str, today: date) -> str:
    if given["operator"] not in OPERATORS:
        raise wrong(f"{path}.operator", _("须为 %(operators)s 之一") % {"operators": " ".join(OPERATORS)})
    value = literal(given.get("value"), f"{path}.value", today=today)
    if value.type is None:
        raise wrong(f"{path}.value", _("缺少此项"))
    same_type(column, value, f"{path}.value")
    return f"{column.sql} {given['operator']} {value.sql}"


def _in(column: Term, given: Any, path: str, today: date) -> str:
    values = [
        literal(value, f"{path}.in[{place}]", today=today)
        for place, value in enumerate(items(given["in"], f"{path}.in", most=LONGEST_LIST, least=1))
    ]
    for place, value in enumerate(values):
        same_type(column, value, f"{path}.in[{place}]")
    return f"{column.sql} IN ({', '.join(value.sql for value in values)})"


def _contains(column: Term, given: Any, path: str, _today: date) -> str:
    text = given["contains"]
    if column.type is not Type.TEXT or not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT or "\x00" in text:
        raise wrong(f"{path}.contains", _("须为文本，且字段为文本"))
    return f"position({quote(text)} in {column.sql}) > 0"


def _is(column: Term, given: Any, path: str, _today: date) -> str:
    if given["is"] not in ("null", "not_null"):
        raise wrong(f"{path}.is", _("须为 null 或 not_null"))
    return f"{column.sql} IS {'NULL' if given['is'] == 'null' else 'NOT NULL'}"


_FORM: Final = {"operator": _operator, "in": _in, "contains": _contains, "is": _is}
