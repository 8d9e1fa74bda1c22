"""Values of definitions (取值): types, literals and what of sensitivity a column takes over. Pure.

Everything an author writes becomes an SQL literal here or a name of the field contract; nothing passes through as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.dictionary import Dataset, DataType, Field
from basedb.dictionary.contract import Grade
from basedb.masking import Mask, is_as_strict
from basedb.sql_text import quote
from core.errors import Invalid

LONGEST_TEXT: Final = 200
LONGEST_LIST: Final = 200
OPERATORS: Final = ("=", "<>", "<", "<=", ">", ">=")
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,29}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
_FARTHEST: Final = 40_000  # days
# What tells one person from others: such a value may be shown under its mask, but no rows are picked by it.
_IDENTIFYING: Final = frozenset({Mask.NAME, Mask.CITIZEN_ID, Mask.PHONE, Mask.ADDRESS})


class Type(StrEnum):
    """What a column or an expression is."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"


TYPES: Final[Mapping[DataType, Type]] = {DataType.TEXT: Type.TEXT, DataType.NUMBER: Type.NUMBER, DataType.DATE: Type.DATE}


@dataclass(frozen=True, slots=True)
class Term:
    """An SQL expression with its type, how sensitive it is, and which mask the values it shows stand under."""

    sql: str
    type: Type | None  # None: null
    grade: Grade = Grade.L1
    mask: Mask = Mask.NONE


def wrong(path: str, text: str) -> Invalid:
    """Return the error of a definition, naming the place in it."""
    said = _("定义不能执行：%(path)s：%(what)s") % {"path": path, "what": text}
    return Invalid("thematic.definition_invalid", said, {path: text})


def strictest_grade(grades: Iterable[Grade]) -> Grade:
    """Return the highest of some grades."""
    return max(grades, default=Grade.L1, key=list(Grade).index)


def strictest_mask(masks: Iterable[Mask]) -> Mask:
    """Return one mask that hides whatever any of them hides; two that cannot be compared hide everything."""
    found = Mask.NONE
    for mask in masks:
        if is_as_strict(mask, found):
            found = mask
        elif not is_as_strict(found, mask):
            return Mask.HIDDEN
    return found


def checked(node: Any, path: str, *, required: Iterable[str] = (), allowed: Iterable[str] = ()) -> Mapping[str, Any]:
    """Return an object of the definition; Invalid when it lacks or has something it should not."""
    if not isinstance(node, dict):
        raise wrong(path, _("须为 JSON 对象"))
    for name in required:
        if name not in node:
            raise wrong(f"{path}.{name}", _("缺少此项"))
    unknown = sorted(set(node) - {*required, *allowed})
    if unknown:
        raise wrong(f"{path}.{str(unknown[0])[:40]}", _("没有这一项"))
    return node


def items(node: Any, path: str, *, most: int, least: int = 0) -> list[Any]:
    """Return a list of the definition; Invalid when it is none or too long."""
    if not isinstance(node, list) or not least <= len(node) <= most:
        raise wrong(path, _("须为 %(least)s 至 %(most)s 项的列表") % {"least": least, "most": most})
    return node


def name_of(node: Any, path: str) -> str:
    """Return a name the author gives: lower case letters, digits, underscores."""
    if not isinstance(node, str) or not NAME.fullmatch(node):
        raise wrong(path, _("以小写字母开头，只含小写字母、数字和下划线，最多 30 个字符"))
    return node


def field_of(dataset: Dataset, name: Any, path: str) -> tuple[Field, Type]:
    """Return a field of the contract and its type; Invalid when there is none or it holds no plain value."""
    try:
        field = dataset.field(str(name))
    except KeyError:
        raise wrong(path, _("没有字段「%(name)s」") % {"name": str(name)[:60]}) from None
    if field.data_type not in TYPES:
        raise wrong(path, _("「%(name)s」不能用于比较和取值") % {"name": field.title})
    return field, TYPES[field.data_type]


def literal(value: Any, path: str, *, today: date) -> Term:
    """Return a constant of the definition; `{"today": n}` is the day n days after the refresh."""
    match value:
        case None:
            return Term("NULL", None)
        case bool():
            return Term("true" if value else "false", Type.BOOLEAN)
        case int() | float():
            text = str(value)
            if not _NUMBER.fullmatch(text):
                raise wrong(path, _("数值须不超过 18 位整数、6 位小数"))
            return Term(f"({text})::numeric", Type.NUMBER)
        case str():
            if len(value) > LONGEST_TEXT or "\x00" in value:
                raise wrong(path, _("文本最多 %(most)s 个字，不能含有控制字符") % {"most": LONGEST_TEXT})
            return Term(f"{quote(value)}::text", Type.TEXT)
        case {"today": int(days)} if len(value) == 1 and not isinstance(days, bool) and abs(days) <= _FARTHEST:
            return Term(f"date '{(today + timedelta(days=days)).isoformat()}'", Type.DATE)
        case {"date": str(text)} if len(value) == 1:
            return Term(f"date '{_day(text, path).isoformat()}'", Type.DATE)
    raise wrong(path, _('须为文本、数值、true、false、{"date": "2026-01-31"} 或 {"today": 天数}'))


def _day(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong(path, _("不是日期")) from None


def same_type(one: Term, other: Term, path: str) -> None:
    """Refuse to compare things of different types."""
    if one.type and other.type and one.type is not other.type:
        raise wrong(path, _("类型不同：%(one)s 与 %(other)s") % {"one": one.type, "other": other.type})


def not_identifying(term: Term, path: str) -> None:
    """Refuse to pick rows by who somebody is: a thematic database is about a task, not about people somebody names."""
    if term.mask in _IDENTIFYING:
        raise wrong(path, _("姓名、证件号码、电话、住址不能作为条件"))
