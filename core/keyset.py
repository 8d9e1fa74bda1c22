"""Keyset pagination (游标分页) for both doors: a page starts after the last row of the one before; nothing is counted.

The cursor is opaque and signed. Order fields must not be null and must end in a unique one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from core.errors import Invalid

M = TypeVar("M", bound=Model)
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows and where the next ones start (empty: there are no more)."""

    items: list[M]
    next: str
    is_first: bool

    def __bool__(self) -> bool:
        return bool(self.items)


def page(
    rows: QuerySet[M],
    *,
    order: Sequence[str],
    cursor: str = "",
    size: int = PAGE_SIZE,
    within: tuple[str, Sequence[Any]] | None = None,
) -> Page[M]:
    """Return the rows after a cursor; a cursor we did not make raises Invalid.

    `within` is a field with all its values, for a table too large to be sorted whose index begins with that field: the first
    rows of each value are read by the index, and the page is made of them.
    """
    if cursor:
        rows = rows.filter(_after(order, _values(rows, order, cursor)))
    first = rows if within is None else rows.filter(pk__in=_first_of_each(rows, order, size, *within))
    items = list(first.order_by(*order)[: size + 1])
    more = len(items) > size
    items = items[:size]
    return Page(items=items, next=_cursor(rows, items[-1], order) if more else "", is_first=not cursor)


def _first_of_each(rows: QuerySet[M], order: Sequence[str], size: int, field: str, values: Sequence[Any]) -> list[Any]:
    parts = [rows.filter(**{field: value}).order_by(*order).values_list("pk", flat=True)[: size + 1] for value in values]
    return list(parts[0].union(*parts[1:], all=True)) if parts else []


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition "later in this order than these values"."""
    condition = Q()
    for name, value in reversed(list(zip(order, values, strict=True))):
        field, word = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        later = Q((f"{field}__{word}", value))
        # The bound says nothing new: it lets an index begin at the cursor, however far down the list it is.
        condition = (Q((f"{field}__{word}e", value)) & (later | (Q((field, value)) & condition))) if condition else later
    return condition


def _signer(rows: QuerySet[M], order: Sequence[str]) -> Signer:
    """Return what signs the cursors of this list: one that was tampered with, or belongs to another list, is refused."""
    return Signer(salt=f"{rows.model._meta.label}:{','.join(order)}")


def _cursor(rows: QuerySet[M], item: M, order: Sequence[str]) -> str:
    values = []
    for name in order:
        value: Any = item
        for part in name.lstrip("-").split("__"):
            value = getattr(value, part)
        values.append(value if isinstance(value, int | float) else value.isoformat() if isinstance(value, date) else str(value))
    return _signer(rows, order).sign_object(values)


def _values(rows: QuerySet[M], order: Sequence[str], cursor: str) -> list[Any]:
    """Return the values a cursor stands for, typed as the fields are; annotations keep what JSON gave."""
    try:
        given = _signer(rows, order).unsign_object(cursor)
    except (BadSignature, ValueError) as error:
        text = _("分页位置无效，请从第一页重新开始。")
        raise Invalid("page.cursor_invalid", text, {"after": [text]}) from error
    typed = []
    for name, value in zip(order, given, strict=True):
        try:
            field = rows.model._meta.get_field(name.lstrip("-"))
        except FieldDoesNotExist:
            typed.append(value)
        else:
            typed.append(field.to_python(value))  # type: ignore[union-attr]
    return typed
