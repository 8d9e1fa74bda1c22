"""Keyset pagination (游标分页) for both doors: a page starts after the last row of the one before; nothing is counted.

The cursor is opaque to clients. Order fields must not be null and must end in a unique one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from core.errors import Invalid

M = TypeVar("M", bound=Model)
PAGE_SIZE = 20
LONGEST_CURSOR = 600


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows and where the next ones start (empty: there are no more)."""

    items: list[M]
    next: str
    is_first: bool

    def __bool__(self) -> bool:
        return bool(self.items)


def page(rows: QuerySet[M], *, order: Sequence[str], cursor: str = "", size: int = PAGE_SIZE) -> Page[M]:
    """Return the rows after a cursor; a cursor we did not make raises Invalid."""
    if cursor:
        rows = rows.filter(_after(order, _values(rows, order, cursor)))
    items = list(rows.order_by(*order)[: size + 1])
    more = len(items) > size
    items = items[:size]
    return Page(items=items, next=_cursor(items[-1], order) if more else "", is_first=not cursor)


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition "later in this order than these values"."""
    condition = Q()
    for name, value in reversed(list(zip(order, values, strict=True))):
        field, word = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        later = Q((f"{field}__{word}", value))
        condition = (later | (Q((field, value)) & condition)) if condition else later
    return condition


def _cursor(item: Model, order: Sequence[str]) -> str:
    values = []
    for name in order:
        value: Any = item
        for part in name.lstrip("-").split("__"):
            value = getattr(value, part)
        values.append(value.isoformat() if isinstance(value, date | datetime) else value)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _values(rows: QuerySet[M], order: Sequence[str], cursor: str) -> list[Any]:
    wrong = Invalid("page.cursor_invalid", _("分页位置无效，请从第一页重新开始。"), {"cursor": [_("无效的分页位置")]})
    if len(cursor) > LONGEST_CURSOR:
        raise wrong
    try:
        given = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if (
            not isinstance(given, list)
            or len(given) != len(order)
            or any(isinstance(v, dict | list | None.__class__) for v in given)
        ):
            raise wrong
        return [_typed(rows.model, name.lstrip("-"), value) for name, value in zip(order, given, strict=True)]
    except (ValueError, binascii.Error, ValidationError, OverflowError) as error:
        raise wrong from error


def _typed(model: type[Model], name: str, value: Any) -> Any:
    """Return the value as the field's type; annotations keep what JSON gave."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    if isinstance(value, str) and "\x00" in value:
        raise ValueError(name)
    typed: Any = field.to_python(value) if hasattr(field, "to_python") else value
    if isinstance(typed, int) and abs(typed) >= 2**63:
        raise ValueError(name)
    return typed
