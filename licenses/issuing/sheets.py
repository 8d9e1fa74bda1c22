"""The columns of a table of licenses to issue (批量导入表): what a template asks for and how a line becomes a row of a batch. Pure.

Refused rows go out with two columns more, their line and what is wrong, and may come back with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.texts import cell_as_it_was
from licenses.models import IssuingRow, TypeVersion, ValidityKind
from licenses.types.rulebook import Item, ItemKind, Rulebook

OWN: Final = ("行号", "问题")
NUMBER, REGION, PAPER = "证照编号", "管辖属地", "发放纸质证照"
STARTS, ENDS = "有效期起", "有效期止"
NAME, CODE = "持证主体", "持证主体代码"
YES: Final = ("是", "1", "Y", "y", "true")
MOST_HOLDERS: Final = 6


def header_of(version: TypeVersion) -> list[str]:
    """Return the columns of a type's table, in their order."""
    ends = [] if version.validity_kind == ValidityKind.UNLIMITED else [ENDS]
    holders = [name for number in range(1, _holders(version) + 1) for name in _holder_columns(number)]
    return [NUMBER, *holders, STARTS, *ends, REGION, PAPER, *(item.title for item in Rulebook.of(version.rulebook).items)]


def row_of(version: TypeVersion, items: Sequence[Item], line: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a line as a row of a batch; codes may be written as their labels."""
    texts = {name: cell_as_it_was((value or "").strip()) for name, value in line.items()}
    holders = []
    for number in range(1, _holders(version) + 1):
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
        "face": {item.name: _value(item, texts[item.title]) for item in items if texts.get(item.title)},
    }


def line_of(version: TypeVersion, row: IssuingRow) -> list[object]:
    """Return a refused row as a line: where it stood, what is wrong, and what was delivered."""
    content, items = row.content, Rulebook.of(version.rulebook).items
    holders = list(content.get("holders") or [])
    shown: dict[str, object] = {
        NUMBER: content.get("number"),
        STARTS: content.get("valid_from"),
        ENDS: content.get("valid_to"),
        REGION: content.get("region_code"),
        PAPER: "是" if content.get("has_paper") else "",
    }
    for number, holder in enumerate(holders[:MOST_HOLDERS], start=1):
        shown |= dict(zip(_holder_columns(number), (holder.get("name"), holder.get("code")), strict=True))
    shown |= {item.title: (content.get("face") or {}).get(item.name) for item in items}
    wrong = "；".join(str(fault["message"]) for fault in row.faults)
    return [row.place, wrong, *(shown.get(column) for column in header_of(version))]


def rows_of(version: TypeVersion, header: Sequence[str], lines: Iterator[Sequence[str | None]]) -> Iterator[dict[str, Any]]:
    """Turn the lines of a table into rows of a batch."""
    items = Rulebook.of(version.rulebook).items
    for values in lines:
        yield row_of(version, items, dict(zip(header, values, strict=False)))


def _holders(version: TypeVersion) -> int:
    return min(version.holders_at_most, MOST_HOLDERS)


def _holder_columns(number: int) -> tuple[str, str]:
    mark = "" if number == 1 else str(number)
    return f"{NAME}{mark}", f"{CODE}{mark}"


def _value(item: Item, text: str) -> str:
    if item.kind is ItemKind.CODE and text not in item.labels:
        return next((code for code, label in item.labels.items() if label == text), text)
    return text
