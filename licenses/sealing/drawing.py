"""What is drawn on the page of a license (版面): marks in millimetres, the same for PDF and OFD.

The fixed words, lines and boxes of a layout are marks of its template; the items, the code and the seal are marks of one license.
Where lines break is the layout's own rule (`licenses.types.layout`). How marks become a file is `pdf`'s and `ofd`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

import segno

from licenses.sealing import fonts, printed
from licenses.types.layout import MM_PER_POINT, Align, Element, ElementKind, Layout, Line, place, words_of

RED: Final = "#c8161d"
THINNEST: Final = 0.2  # a rule that says no width
MASK: Final = 2  # every mask can be read; weighing all eight takes longer than drawing the page
Step = tuple[str, tuple[float, ...]]  # M x y, L x y, C x1 y1 x2 y2 x y, Z: as in a picture, y downwards


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text: the left end of its baseline, in points; `stretch` below 1 makes it narrower to fit."""

    text: str
    x: float
    y: float
    size: float
    bold: bool
    color: str
    stretch: float = 1.0
    turned: float = 0.0  # degrees anticlockwise about its left end


@dataclass(frozen=True, slots=True)
class Area:
    """A box with a border, a color inside, or both; a rule is a box without height or width."""

    x: float
    y: float
    w: float
    h: float
    stroke: float
    color: str
    fill: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A filled shape in one color, its points counted from its own corner; where it overlaps itself stays empty if `holes`."""

    steps: tuple[Step, ...]
    color: str
    x: float
    y: float
    w: float
    h: float
    holes: bool = False


Mark = Words | Area | Picture


def fixed_marks(layout: Layout) -> list[Mark]:
    """Return what every license of a layout shows."""
    marks: list[Mark] = []
    if layout.background.lower() != "#ffffff":
        marks.append(Area(0, 0, layout.width, layout.height, 0, "", layout.background))
    for element in layout.elements:
        if element.kind in (ElementKind.RULE, ElementKind.BOX):
            stroke = element.stroke or (THINNEST if element.kind is ElementKind.RULE else 0.0)
            marks.append(Area(element.x, element.y, element.w, element.h, stroke, element.color, element.fill))
        elif element.kind is ElementKind.TEXT:
            marks.extend(_lines(element, place(element, element.text)))
    return marks


def own_marks(layout: Layout, values: Mapping[str, str], code: str) -> list[Mark]:
    """Return what one license shows beside that: the values of its items and its code; the seal is `seal_marks`."""
    marks: list[Mark] = []
    for element in layout.elements:
        if element.kind is ElementKind.ITEM:
            marks.extend(_lines(element, place(element, words_of(element, values))))
        elif element.kind is ElementKind.QR:
            marks.append(_code(element, code))
    return marks


def seal_element(layout: Layout) -> Element | None:
    """Return where the seal stands."""
    return next((element for element in layout.elements if element.kind is ElementKind.SEAL), None)


def _lines(element: Element, lines: Iterable[Line]) -> Iterator[Words]:
    face = fonts.face(bold=element.bold)
    for line in lines:
        if not line.text.strip():
            continue
        known = "".join(character if face.has(character) else "□" for character in line.text)
        width = face.width(known) / fonts.EM * line.size * MM_PER_POINT
        stretch = min(1.0, element.w / width) if width else 1.0
        left = {Align.LEFT: 0.0, Align.CENTER: width * stretch / 2, Align.RIGHT: width * stretch}[line.align]
        yield Words(known, line.x - left, line.y, line.size, element.bold, element.color, stretch)


def _code(element: Element, text: str) -> Picture:
    """Return a QR code with the quiet zone of four modules inside its element."""
    matrix = segno.make_qr(text, error="m", boost_error=False, mask=MASK).matrix
    side = min(element.w, element.h)
    module = side / (len(matrix) + 8)
    left, top = (element.w - side) / 2 + 4 * module, (element.h - side) / 2 + 4 * module
    steps: list[Step] = []
    for row, bits in enumerate(matrix):
        for start, end in _runs(bits):
            x, y = left + start * module, top + row * module
            steps += _rectangle(x, y, (end - start) * module, module)
    return Picture(tuple(steps), "#000000", element.x, element.y, element.w, element.h)


def _runs(bits: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = None
    for place_, bit in enumerate([*bits, 0]):
        if bit and start is None:
            start = place_
        elif not bit and start is not None:
            yield start, place_
            start = None


def _rectangle(x: float, y: float, w: float, h: float) -> list[Step]:
    return [("M", (x, y)), ("L", (x + w, y)), ("L", (x + w, y + h)), ("L", (x, y + h)), ("Z", ())]


@lru_cache(maxsize=512)
def seal_marks(issuer: str, side: float) -> tuple[Picture, ...]:
    """Return an office's round seal of so many millimetres: a ring, a star, the office along the ring, the kind of seal below."""
    middle, radius = side / 2, side / 2
    steps = [*_circle(middle, middle, radius * 0.985), *_circle(middle, middle, radius * 0.935)]
    steps += _star(middle, middle, radius * 0.30)
    arc = radius * 0.76
    size = min(radius * 0.28, math.radians(230) * arc / max(len(issuer), 1) / 1.06)
    step = math.degrees(size * 1.06 / arc)
    for place_, character in enumerate(issuer):
        angle = -90 + (place_ - (len(issuer) - 1) / 2) * step
        steps += _turned(character, middle, arc, angle, size)
    below, kind = radius * 0.155, printed.SEAL_KIND
    for place_, character in enumerate(kind):
        left, bottom = middle + (place_ - len(kind) / 2) * below, middle + radius * 0.62
        steps += _glyph(character, partial(_upright, left, bottom, below))
    return (Picture(tuple(steps), RED, 0, 0, side, side, holes=True),)


def _upright(left: float, bottom: float, size: float, px: float, py: float) -> tuple[float, float]:
    return left + px * size, bottom - py * size


def _circle(x: float, y: float, r: float) -> list[Step]:
    k = r * 0.5523
    return [
        ("M", (x + r, y)),
        ("C", (x + r, y + k, x + k, y + r, x, y + r)),
        ("C", (x - k, y + r, x - r, y + k, x - r, y)),
        ("C", (x - r, y - k, x - k, y - r, x, y - r)),
        ("C", (x + k, y - r, x + r, y - k, x + r, y)),
        ("Z", ()),
    ]


def _star(x: float, y: float, r: float) -> list[Step]:
    points = []
    for corner in range(10):
        length, angle = (r if corner % 2 == 0 else r * 0.382), math.radians(-90 + corner * 36)
        points.append((x + length * math.cos(angle), y + length * math.sin(angle)))
    return [("M", points[0]), *(("L", point) for point in points[1:]), ("Z", ())]


def _turned(character: str, middle: float, arc: float, angle: float, size: float) -> list[Step]:
    """Return a character standing on the ring: its middle at `angle`, its head outwards."""
    turn = math.radians(angle + 90)
    cx, cy = middle + arc * math.cos(math.radians(angle)), middle + arc * math.sin(math.radians(angle))

    def at(px: float, py: float) -> tuple[float, float]:
        dx, dy = (px - 0.5) * size, -(py - 0.38) * size
        return cx + dx * math.cos(turn) - dy * math.sin(turn), cy + dx * math.sin(turn) + dy * math.cos(turn)

    return _glyph(character, at)


def _glyph(character: str, at: Callable[[float, float], tuple[float, float]]) -> list[Step]:
    face = fonts.face(bold=True)
    if not face.has(character):
        return []
    steps: list[Step] = []
    for name, points in face.strokes(character):
        flat = tuple(value for px, py in points for value in at(px / fonts.EM, py / fonts.EM))
        match name:
            case "moveTo":
                steps.append(("M", flat))
            case "lineTo":
                steps.append(("L", flat))
            case "curveTo":
                steps.append(("C", flat))
            case "closePath" | "endPath":
                steps.append(("Z", ()))
    return steps


def shown_in(marks: Iterable[Mark]) -> dict[bool, set[str]]:
    """Return the characters of some marks, those in bold apart."""
    found: dict[bool, set[str]] = {False: set(), True: set()}
    for mark in marks:
        if isinstance(mark, Words):
            found[mark.bold].update(mark.text)
    return found
