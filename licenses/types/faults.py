"""What is wrong with a rulebook, a layout or a face (差错): the field, a stable code and a sentence; and reading of JSON with them.

Nothing here raises for bad input: every fault is collected, so that people mend all of them at once.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.texts import listed, visible

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: which field (an item's name, or a path such as `items[2].name`), a stable code, what to do."""

    field: str
    code: str
    message: str


def refuse(code: str, message: Any, faults: Collection[Fault]) -> None:
    """Raise `Invalid` naming every fault by its field, unless there is none."""
    if faults:
        details: dict[str, list[str]] = {}
        for fault in list(faults)[:MOST_SHOWN]:
            details.setdefault(fault.field, []).append(fault.message)
        raise Invalid(code, message, details)


def readable(text: str) -> bool:
    """Return whether a text is whole Unicode without control characters."""
    return not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)


def quoted(text: Any) -> str:
    """Return what was given, short and harmless enough to be told back."""
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cs") else c for c in str(text)[:40])


class Reader:
    """Reads one JSON object: takes its values one by one, collecting a fault for what is missing, wrong or unknown."""

    def __init__(self, given: Any, path: str, faults: list[Fault]) -> None:
        self.path, self.faults = path, faults
        self.left: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        if not isinstance(given, Mapping):
            self.fault("", "shape.wrong", _("应为一个对象（名称与值的集合）。"))

    def fault(self, name: str, code: str, message: str) -> None:
        """Note a fault of one of the values."""
        self.faults.append(Fault(f"{self.path}.{name}" if self.path and name else name or self.path, code, message))

    def text(self, name: str, *, most: int, required: bool = False, in_lines: bool = False) -> str:
        """Take a text; what is not text, too long or holds control characters is a fault and read as empty."""
        given = self.left.pop(name, "")
        if not isinstance(given, str):
            self.fault(name, "text.wrong", _("应为文字。"))
        elif len(given) > most:
            self.fault(name, "text.too_long", _("最多 %(most)d 个字，现有 %(count)d 个字。") % {"most": most, "count": len(given)})
        elif not readable(given.replace("\n", "") if in_lines else given):
            self.fault(name, "text.control_characters", _("不能含有控制字符。"))
        elif required and not visible(given):
            self.fault(name, "text.missing", _("此项必填。"))
        else:
            return given
        return ""

    def whole(self, name: str, *, least: int, most: int, default: int) -> int:
        """Take a whole number."""
        given = self.left.pop(name, default)
        if isinstance(given, int) and not isinstance(given, bool) and least <= given <= most:
            return given
        self.fault(name, "number.wrong", _("应为 %(least)d 到 %(most)d 之间的整数。") % {"least": least, "most": most})
        return default

    def measure(self, name: str, *, least: float, most: float, default: float = 0.0) -> float:
        """Take a length or size, to a hundredth."""
        given = self.left.pop(name, default)
        if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given) and least <= given <= most:
            return round(float(given), 2)
        self.fault(name, "number.wrong", _("应为 %(least)g 到 %(most)g 之间的数。") % {"least": least, "most": most})
        return default

    def flag(self, name: str) -> bool:
        """Take a yes or no; missing is no."""
        given = self.left.pop(name, False)
        if not isinstance(given, bool):
            self.fault(name, "flag.wrong", _("应为是或否（true 或 false）。"))
        return given is True

    def choice(self, name: str, among: Collection[str], default: str = "") -> str:
        """Take one of some words; without a default it must be given."""
        given = self.left.pop(name, default)
        if isinstance(given, str) and given in among:
            return given
        self.fault(name, "choice.unknown", _("“%(given)s”不在可选范围内：%(among)s。") % {
            "given": quoted(given), "among": listed(sorted(among))
        })  # fmt: skip
        return default or next(iter(among))

    def close(self) -> None:
        """Note what was given and nobody asked for."""
        for name in sorted(self.left, key=str):
            self.fault(quoted(name), "field.unknown", _("没有这个字段，请删除或核对名称。"))
