"""The columns of a table of licenses to issue (批量导入表): what a template asks for and how a line becomes a row of a batch. Pure.

Refused rows go out with two columns more, their line and what is wrong, and may come back with them. A table may have columns for
more holders than the template has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from core.texts import cell_as_it_was
from licenses.models import IssuingRow, TypeVersion, ValidityKind
from licenses.types.facts import MOST_HOLDERS
from licenses.types.rulebook import Item, ItemKind, Rulebook

OWN: Final = ("行号", "问题")
NUMBER, REGION, PAPER = "证照编号", "管辖属地", "发放纸质证照"
STARTS, ENDS = "有效期起", "有效期止"
NAME, CODE = "持证主体", "持证主体代码"
FACE: Final = "照面"
YES: Final = ("是", "1", "Y", "y", "true")
TEMPLATE_HOLDERS: Final = 6
_HOLDER = re.compile(rf"(?:{NAME}|{CODE})([2-9]|[1-9][0-9]{{1,2}})?")


def header_of(version: TypeVersion, *, holders: int = 0) -> list[str]:
    """Return the columns of a type's table, in their order, with room for so many holders, at least the template's."""
    ends = [] if version.validity_kind == ValidityKind.UNLIMITED else [ENDS]
    count = max(holders, min(version.holders_at_most, TEMPLATE_HOLDERS))
    named = [name for number in range(1, count + 1) for name in _holder_columns(number)]
    return [NUMBER, *named, STARTS, *ends, REGION, PAPER, *(_column(item) for item in Rulebook.of(version.rulebook).items)]


def holders_in(header: Iterable[str]) -> int:
    """Return how many holders a line under this header may name."""
    return max((int(found[1] or 1) for name in header if (found := _HOLDER.fullmatch(name))), default=0)


def rows_of(version: TypeVersion, header: Sequence[str], lines: Iterator[Sequence[str | None]]) -> Iterator[dict[str, Any]]:
    """Turn the lines of a table into rows of a batch."""
    face = {_column(item): item for item in Rulebook.of(version.rulebook).items}
    count = holders_in(header)
    for values in lines:
        yield row_of(face, count, dict(zip(header, values, strict=False)))


def row_of(face: Mapping[str, Item], count: int, line: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a line with columns for so many holders as a row of a batch; codes may be written as their labels."""
    texts = {name: cell_as_it_was((value or "").strip()) for name, value in line.items()}
    holders = []
    for number in range(1, count + 1):
        name, code = (texts.get(column, "") for column in _holder_columns(number))
        if name or code:
            holders.append({"name": name, "code": code})
    return {
        "number": texts.get(NUMBER, ""),
        "holders": holders,
        "valid_from": texts.get(STARTS, ""),
        "valid_to": texts.get(ENDS, ""),
        "region_code": texts.get(REGION, ""),
        "has_paper": texts.get(PAPER, "") in YES,
        "face": {item.name: _value(item, texts[column]) for column, item in face.items() if texts.get(column)},
    }


def room_for(holders: int) -> int:
    """Return for how many holders a table of refused rows has columns when a row names so many: no type has more."""
    return min(holders, MOST_HOLDERS)


def line_of(version: TypeVersion, row: IssuingRow, *, holders: int = 0) -> list[object]:
    """Return a refused row as a line: where it stood, what is wrong, and what was delivered.

    Holders that do not fit the columns are left out together: coming back, the line is no license of fewer holders.
    """
    content, items = row.content, Rulebook.of(version.rulebook).items
    header = header_of(version, holders=holders)
    shown: dict[str, object] = {
        NUMBER: content.get("number"),
        STARTS: content.get("valid_from"),
        ENDS: content.get("valid_to"),
        REGION: content.get("region_code"),
        PAPER: "是" if content.get("has_paper") else "",
    }
    named = list(content.get("holders") or [])
    for number, holder in enumerate(named if len(named) <= holders_in(header) else (), start=1):
        shown |= dict(zip(_holder_columns(number), (holder.get("name"), holder.get("code")), strict=True))
    shown |= {_column(item): (content.get("face") or {}).get(item.name) for item in items}
    wrong = "；".join(str(fault["message"]) for fault in row.faults)
    return [row.place, wrong, *(shown.get(column) for column in header)]


def _holder_columns(number: int) -> tuple[str, str]:
    mark = "" if number == 1 else str(number)
    return f"{NAME}{mark}", f"{CODE}{mark}"


def _column(item: Item) -> str:
    """Return the column of an item: its title, told apart where the table has a column of that name already."""
    taken = (*OWN, NUMBER, REGION, PAPER, STARTS, ENDS)
    return f"{FACE}{item.title}" if item.title in taken or _HOLDER.fullmatch(item.title) else item.title


def _value(item: Item, text: str) -> str:
    if item.kind is ItemKind.CODE and text not in item.labels:
        return next((code for code, label in item.labels.items() if label == text), text)
    return text
