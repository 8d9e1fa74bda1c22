"""The layout of a license type (版式): what stands where on the page, in millimetres from the upper left corner.

Pure: `Layout.of` reads what a version of a type holds, `faults` judges it against the rulebook, `place` breaks and places the lines
of an element. Drawing is not here: previews (SVG) and files (PDF, OFD) all draw what `place` says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenses.types.faults import Fault, Reader, refuse
from licenses.types.rulebook import Rulebook

SMALLEST_PAGE, LARGEST_PAGE = 40.0, 600.0
SMALLEST_SIZE, LARGEST_SIZE = 4.0, 72.0
LEAST_QR = 15.0
MOST_ELEMENTS = 300
MM_PER_POINT = 25.4 / 72
LINE_HEIGHT = 1.3
ASCENT = 0.88
INK = "#1f1f1f"

# What stands in every license and may be laid out beside the items of the rulebook.
BUILT_IN = {
    "license.type_name": gettext_lazy("证照类型名称"),
    "license.number": gettext_lazy("证照编号"),
    "license.identifier": gettext_lazy("电子证照标识"),
    "license.holder_names": gettext_lazy("持证主体"),
    "license.holder_codes": gettext_lazy("持证主体代码"),
    "license.issuer_name": gettext_lazy("颁发机构"),
    "license.issued_on": gettext_lazy("颁发日期"),
    "license.valid_from": gettext_lazy("有效期起"),
    "license.valid_to": gettext_lazy("有效期止"),
    "license.validity": gettext_lazy("有效期"),
    "license.version": gettext_lazy("版本号"),
}

_COLOR = re.compile("#[0-9a-f]{6}")
# What stays on one line: a day (年月日), a Latin word or number, or a character; opening marks before it, closing ones behind.
_WORD = r"\d{4}\u5e74\d{1,2}\u6708\d{1,2}\u65e5|[A-Za-z0-9À-ɏ]+(?:[-.,:/'@_+][A-Za-z0-9À-ɏ]+)*"
_PIECE = re.compile(rf"[（《〈「『“‘【〔(\[{{]*(?:{_WORD}|.)[，。、；：？！）》〉」』”’】〕),.;:?!\]}}%％℃]* *", re.DOTALL)
_PART = re.compile(r"[A-Za-z0-9À-ɏ]+[-.,:/'@_+]?|.", re.DOTALL)


class ElementKind(StrEnum):
    """What an element of a layout is."""

    TEXT = "text"
    ITEM = "item"
    RULE = "rule"
    BOX = "box"
    QR = "qr"
    SEAL = "seal"


ELEMENT_TITLES = {
    ElementKind.TEXT: gettext_lazy("固定文字"),
    ElementKind.ITEM: gettext_lazy("照面项目"),
    ElementKind.RULE: gettext_lazy("线"),
    ElementKind.BOX: gettext_lazy("框"),
    ElementKind.QR: gettext_lazy("二维码"),
    ElementKind.SEAL: gettext_lazy("印章"),
}


class Align(StrEnum):
    """How lines stand in their element."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


ALIGN_TITLES = {Align.LEFT: gettext_lazy("居左"), Align.CENTER: gettext_lazy("居中"), Align.RIGHT: gettext_lazy("居右")}


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its box in millimetres; `text` for fixed words, `item` for an item's name (or one of `BUILT_IN`).

    `size` is in points; lines stand in the middle of the height, or at its `top`. A rule runs from (x, y) to (x + w, y + h), one
    of which is 0. `stroke` is the width of a line in millimetres (0: a box without border), `fill` the color inside a box ("":
    none), `color` that of text and lines.
    """

    kind: ElementKind
    x: float
    y: float
    w: float
    h: float
    text: str = ""
    item: str = ""
    size: float = 10.5
    align: Align = Align.LEFT
    bold: bool = False
    top: bool = False
    color: str = INK
    fill: str = ""
    stroke: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the element as a version of a type keeps it."""
        record: dict[str, Any] = {"kind": self.kind.value, "x": self.x, "y": self.y, "w": self.w, "h": self.h}
        if self.kind in (ElementKind.TEXT, ElementKind.ITEM):
            key = self.kind.value
            record |= {key: getattr(self, key), "size": self.size, "align": self.align.value, "bold": self.bold}
            record |= {"top": True} if self.top else {}
        if self.kind in (ElementKind.RULE, ElementKind.BOX):
            record["stroke"] = self.stroke
        return record | ({"fill": self.fill} if self.fill else {}) | ({"color": self.color} if self.color != INK else {})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words to draw: the anchor is where it starts, its middle or its end, as `align` says; `y` is the baseline."""

    text: str
    x: float
    y: float
    size: float
    align: Align


@dataclass(frozen=True)
class Layout:
    """A page of so many millimetres and its elements, drawn in their order. `background` is the color of the paper."""

    width: float = 210.0
    height: float = 297.0
    background: str = "#ffffff"
    elements: tuple[Element, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Layout:
        """Read a layout, or raise `Invalid` naming every wrong field."""
        layout, faults = read(given)
        refuse("layout.invalid", _("版式有 %(count)d 处不符合要求，请按所列字段修改。") % {"count": len(faults)}, faults)
        return layout

    def faults(self, rulebook: Rulebook) -> list[Fault]:
        """Return what keeps the layout from being published: items nobody defined, elements over the edge, missing parts."""
        found: list[Fault] = []
        for place, element in enumerate(self.elements):
            path = f"elements[{place}]"
            if element.kind is ElementKind.ITEM and element.item not in rulebook.by_name and element.item not in BUILT_IN:
                text = _("版式引用了照面项目中没有的“%(item)s”，请改选项目或先增加该项目。")
                found.append(Fault(f"{path}.item", "layout.unknown_item", text % {"item": element.item}))
            if element.x + element.w > self.width + 0.01 or element.y + element.h > self.height + 0.01:
                text = _("元素超出页面（页面 %(width)g × %(height)g 毫米），请调整位置或大小。")
                found.append(Fault(path, "layout.off_page", text % {"width": self.width, "height": self.height}))
        kinds = [element.kind for element in self.elements]
        for kind, code, message in (
            (ElementKind.QR, "layout.no_qr", _("版式中要有一个核验用的二维码。")),
            (ElementKind.SEAL, "layout.no_seal", _("版式中要有一个颁发机构印章的位置。")),
        ):
            if kinds.count(kind) != 1:
                found.append(Fault("elements", code, message))
        laid = {element.item for element in self.elements}
        for item in rulebook.items:
            if item.required and item.name not in laid:
                text = _("必填项目“%(title)s”没有排在版式上。")
                found.append(Fault(item.name, "layout.item_not_laid", text % {"title": item.title}))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the layout as a version of a type keeps it."""
        elements = [element.to_json() for element in self.elements]
        return {"width": self.width, "height": self.height, "background": self.background, "elements": elements}


def read(given: Any) -> tuple[Layout, list[Fault]]:
    """Read a layout and return it with everything wrong in its form; an empty object is an empty page."""
    faults: list[Fault] = []
    reader = Reader(given, "", faults)
    width = reader.measure("width", least=SMALLEST_PAGE, most=LARGEST_PAGE, default=210.0)
    height = reader.measure("height", least=SMALLEST_PAGE, most=LARGEST_PAGE, default=297.0)
    background = _color(reader, "background", "#ffffff")
    elements = reader.left.pop("elements", [])
    reader.close()
    if not isinstance(elements, Sequence) or isinstance(elements, str | bytes):
        return Layout(), [*faults, Fault("elements", "shape.wrong", _("版式元素应为一个列表。"))]
    if len(elements) > MOST_ELEMENTS:
        text = _("一个版式最多 %(most)d 个元素，现有 %(count)d 个。") % {"most": MOST_ELEMENTS, "count": len(elements)}
        return Layout(), [*faults, Fault("elements", "elements.too_many", text)]
    laid = tuple(_element(Reader(one, f"elements[{place}]", faults)) for place, one in enumerate(elements))
    return Layout(width, height, background, laid), faults


def _element(reader: Reader) -> Element:
    kind = ElementKind(reader.choice("kind", [kind.value for kind in ElementKind]))
    sizes = {name: reader.measure(name, least=0, most=LARGEST_PAGE) for name in ("x", "y", "w", "h")}
    element = Element(
        kind=kind,
        **sizes,
        text=reader.text("text", most=500, required=kind is ElementKind.TEXT, in_lines=True),
        item=reader.text("item", most=60, required=kind is ElementKind.ITEM),
        size=reader.measure("size", least=SMALLEST_SIZE, most=LARGEST_SIZE, default=10.5),
        align=Align(reader.choice("align", [align.value for align in Align], "left")),
        bold=reader.flag("bold"),
        top=reader.flag("top"),
        color=_color(reader, "color", INK),
        fill=_color(reader, "fill", ""),
        stroke=reader.measure("stroke", least=0, most=10),
    )
    reader.close()
    if kind is ElementKind.RULE:
        if (element.w > 0) == (element.h > 0):
            reader.fault("w", "element.rule_form", _("线应为水平或垂直：宽和高一个大于 0，另一个为 0。"))
    elif element.w <= 0 or element.h <= 0:
        reader.fault("w", "element.empty", _("宽和高都要大于 0。"))
    elif kind is ElementKind.QR and min(element.w, element.h) < LEAST_QR:
        reader.fault("w", "element.qr_too_small", _("二维码的边长不能小于 %(least)g 毫米，否则扫不出来。") % {"least": LEAST_QR})
    return element


def _color(reader: Reader, name: str, default: str) -> str:
    given = reader.left.pop(name, default)
    if given == default or (isinstance(given, str) and _COLOR.fullmatch(given)):
        return str(given)
    reader.fault(name, "color.wrong", _("颜色写作 # 加六位十六进制小写字母数字，例如 #b22222。"))
    return default


def place(element: Element, words: str) -> list[Line]:
    """Break words into lines that fit the width of an element, smaller when they are too many.

    What does not fit at the smallest size is cut with an ellipsis, so that a line never leaves its element.
    """
    size = element.size
    lines = broken(words, element.w, size)
    while len(lines) * size * LINE_HEIGHT * MM_PER_POINT > element.h and size > SMALLEST_SIZE and (len(lines) > 1 or size > 6):
        size = max(SMALLEST_SIZE, round(size - 0.5, 2))
        lines = broken(words, element.w, size)
    height = size * LINE_HEIGHT * MM_PER_POINT
    room = max(1, int(element.h / height + 1e-6))
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1][:-1] + "…"]
    top = element.y + (0.0 if element.top else max(0.0, (element.h - len(lines) * height) / 2))
    inset = (height - size * MM_PER_POINT) / 2
    x = {Align.LEFT: element.x, Align.CENTER: element.x + element.w / 2, Align.RIGHT: element.x + element.w}[element.align]
    return [
        Line(line, round(x, 3), round(top + place * height + inset + size * MM_PER_POINT * ASCENT, 3), size, element.align)
        for place, line in enumerate(lines)
    ]


def broken(words: str, width: float, size: float) -> list[str]:
    """Break words into lines of at most `width` millimetres at so many points, within no word, number or day."""
    most = width / (size * MM_PER_POINT) + 1e-6
    lines = []
    for paragraph in words.split("\n"):
        line, used = "", 0.0
        for piece in _pieces(paragraph, most):
            wide = _wide(piece)
            if line and used + wide > most:
                lines.append(line)
                line, used = "", 0.0
            line, used = line + piece, used + wide
        lines.append(line)
    return lines


def _pieces(paragraph: str, most: float) -> Iterator[str]:
    """Return what may not be broken; a word wider than a line is broken after its dots and dashes, or anywhere."""
    for piece in _PIECE.findall(paragraph):
        if _wide(piece) <= most:
            yield piece
            continue
        for part in _PART.findall(piece):
            yield from (part,) if _wide(part) <= most else part


def _wide(text: str) -> float:
    return sum(map(advance, text))


def advance(character: str) -> float:
    """Return about how wide a character is, in ems: Chinese ones are full, most others a little over half."""
    return 1.0 if unicodedata.east_asian_width(character) in ("W", "F", "A") else 0.62 if character.isupper() else 0.56


def words_of(element: Element, values: Mapping[str, str]) -> str:
    """Return what an element says: its fixed words or the value of its item (as `Rulebook.shown` and `BUILT_IN` give them)."""
    return element.text if element.kind is ElementKind.TEXT else values.get(element.item, "")
