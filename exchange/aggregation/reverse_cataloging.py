"""From a source table to the catalogue (逆向编目): columns become the items of a draft entry, which people then complete.

Titles come from comments, types and lengths from the database, grade and mask from what a name or comment means. Nothing is
published here: the draft walks the catalogue's own path (`catalog.publishing`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.masking import Mask
from catalog import publishing
from catalog.content import Entry, Item
from catalog.models import Resource
from core.audit import Actor
from core.errors import Invalid
from exchange.aggregation.column_hints import is_identifier, suggested_mask
from exchange.aggregation.connectors.terms import Column, Family

MOST_ITEMS = 200
_LENGTH = re.compile(r"\((\d{1,6})")
_GRADES = {Mask.CITIZEN_ID: "L3", Mask.PHONE: "L3", Mask.NAME: "L3", Mask.ADDRESS: "L3", Mask.HIDDEN: "L3", Mask.NONE: "L2"}


def entry_of(title: str, columns: Sequence[Column]) -> Entry:
    """Return the draft entry a table suggests; pure."""
    items: list[Item] = []
    names: set[str] = set()
    titles: set[str] = set()
    for column in columns[:MOST_ITEMS]:
        item = _item(column, names, titles)
        names.add(item.name)
        titles.add(item.title)
        items.append(item)
    highest = max((item.grade for item in items), default="L2")
    left_out = ""
    if len(columns) > MOST_ITEMS:
        said = _("数源有 %(count)s 个字段，只编入前 %(most)s 个。")
        left_out = said % {"count": len(columns), "most": MOST_ITEMS}
    return Entry(
        title=title,
        summary=_("由数源表逆向编目生成，请补充摘要。") + left_out,
        share_conditions=_("请写明共享范围和使用用途。"),
        sharing_modes=("QUERY",) if any(item.is_key for item in items) else ("BULK",),
        grade=highest,
        items=tuple(items),
    )


def _item(column: Column, names: set[str], titles: set[str]) -> Item:
    mask = suggested_mask(column)
    length = _LENGTH.search(column.data_type)
    return Item(
        name=_distinct(_name(column.name), names, 40),
        title=_distinct((column.comment or column.name).split("\n")[0].strip()[:50] or column.name[:50], titles, 60),
        data_type=_type(column),
        length=int(length[1]) if length and column.family is Family.TEXT else None,
        is_key=is_identifier(column),
        is_sensitive=mask is not Mask.NONE,
        grade=_GRADES.get(mask, "L2"),
        mask=mask,
    )


def _type(column: Column) -> str:
    """Return the letter of the guide: date, date and time, whole number, number, text."""
    base = column.base_type
    match column.family:
        case Family.TIME:
            return "D" if base == "date" else "T"
        case Family.NUMBER:
            return "I" if "int" in base or "serial" in base else "N"
        case Family.GEOMETRY | Family.BINARY:
            return "G"
        case _:
            return "M" if base in ("text", "clob", "longtext", "nclob") else "C"


def _name(text: str) -> str:
    """Return a name as the catalogue wants it: small letters, digits, underscores."""
    name = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")
    return (name if name[:1].isalpha() else f"item_{name}".rstrip("_"))[:40]


def _distinct(text: str, taken: set[str], most: int) -> str:
    if text not in taken:
        return text
    number = 2
    while f"{text[: most - 4]}_{number}" in taken:
        number += 1
    return f"{text[: most - 4]}_{number}"


@transaction.atomic
def draft_entry(*, title: str, columns: Sequence[Column], actor: Actor, now: datetime) -> Resource:
    """Draft an entry of the actor's own department out of a table's columns."""
    if not columns:
        raise Invalid("source.table_gone", _("数源表不存在或已改名，请核对归集任务的表名。"))
    return publishing.draft(entry=entry_of(title, columns), actor=actor, now=now)
