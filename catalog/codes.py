"""Codes of catalogued resources (政务信息资源代码): their grammar, and nothing but the grammar.

A code is class (类, 1 digit), item (项, 2), category (目, 3), optional detail (细目, up to 20), a slash, and a sequence of six to
twelve digits (发改高技〔2017〕1272号). Handing out the next sequence, and never reusing one, is `catalog.publishing`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

# Detail and sequence are bounded so that a whole code fits a column of 40 characters.
_PREFIX = "(?P<class>[1-3])(?P<item>[0-9]{2})(?P<category>[0-9]{3})(?P<detail>[0-9]{0,20})"
_PREFIX_RE = re.compile(_PREFIX)
_CODE_RE = re.compile(f"{_PREFIX}/(?P<sequence>[0-9]{{6,12}})")
_SEQUENCE_DIGITS = 6


class ResourceClass(StrEnum):
    """The first digit: where a resource belongs (基础, 主题, 部门)."""

    BASE = "1"
    THEME = "2"
    DEPARTMENT = "3"


# Items of class 1: the base databases in the order of the guide.
BASE_DATABASE_ITEMS = {
    "population": "01",
    "legal_entity": "02",
    "geospatial": "03",
    "credit": "04",
    "license": "05",
}


@dataclass(frozen=True, kw_only=True)
class ResourceCode:
    """The parts of a code, checked when it is built. The sequence is compared as a number, written with six digits."""

    resource_class: ResourceClass
    item: str
    category: str
    detail: str = ""
    sequence: int

    def __post_init__(self) -> None:
        if self.sequence < 1 or _PREFIX_RE.fullmatch(self.prefix) is None or (len(self.item), len(self.category)) != (2, 3):
            raise ValueError("not a catalogue code")

    @property
    def prefix(self) -> str:
        """The front part (前段码): class, item, category and detail."""
        return f"{self.resource_class}{self.item}{self.category}{self.detail}"

    def __str__(self) -> str:
        return f"{self.prefix}/{self.sequence:0{_SEQUENCE_DIGITS}d}"


def parse_code(text: str) -> ResourceCode:
    """Read a code; ValueError when it breaks the grammar or its sequence is not written in the standard way."""
    found = _CODE_RE.fullmatch(text)
    if found is None:
        raise ValueError("not a catalogue code")
    code = ResourceCode(
        resource_class=ResourceClass(found["class"]),
        item=found["item"],
        category=found["category"],
        detail=found["detail"],
        sequence=int(found["sequence"]),
    )
    if str(code) != text:
        raise ValueError("not a catalogue code")
    return code


def code_valid(text: str) -> bool:
    """Tell whether a text is a catalogue code."""
    try:
        parse_code(text)
    except ValueError:
        return False
    return True


def prefix_valid(text: str) -> bool:
    """Tell whether a text is a front part: what a drafter chooses before a sequence is assigned."""
    return _PREFIX_RE.fullmatch(text) is not None


def format_code(prefix: str, sequence: int) -> str:
    """Join a front part and a sequence number; ValueError when either breaks the grammar."""
    return str(parse_code(f"{prefix}/{sequence:0{_SEQUENCE_DIGITS}d}"))
