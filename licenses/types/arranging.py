"""A first layout out of the items alone (自动排版): a table under the title, then code, issuer and seal. Pure.

A department starts from it and moves what it wants elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from licenses.types.layout import Align, Element, ElementKind, Layout
from licenses.types.rulebook import Item, Rulebook

WIDTH, HEIGHT = 210.0, 297.0
LEFT, TOP, BOTTOM = 24.0, 62.0, 238.0
TABLE, LABEL = 162.0, 42.0
COLOR, SOFT = "#1d4f91", "#eef3fa"
LONG_TEXT, SHORT_ROW, LONG_ROW = 60, 10.0, 20.0


def arranged(name: str, rulebook: Rulebook) -> Layout:
    """Return a page with the type's name, a row for every item, the code for verification, the issuer and its seal."""
    heights = [LONG_ROW if item.length > LONG_TEXT and len(item.example) > LONG_TEXT else SHORT_ROW for item in rulebook.items]
    scale = min(1.0, (BOTTOM - TOP) / sum(heights)) if heights else 1.0
    size = 10.5 if scale > 0.7 else 7.5
    elements = [*_head(name)]
    y = TOP
    for item, height in zip(rulebook.items, heights, strict=True):
        elements += _row(item, round(y, 2), round(height * scale, 2), size)
        y += height * scale
    if rulebook.items:
        elements.append(Element(ElementKind.BOX, LEFT, TOP, TABLE, round(y - TOP, 2), color=COLOR, stroke=0.6))
    return Layout(WIDTH, HEIGHT, "#ffffff", (*elements, *_foot()))


def _head(name: str) -> Iterator[Element]:
    yield Element(ElementKind.BOX, 6, 6, WIDTH - 12, HEIGHT - 12, color=COLOR, stroke=1.2)
    yield Element(ElementKind.BOX, 8.5, 8.5, WIDTH - 17, HEIGHT - 17, color=COLOR, stroke=0.3)
    size = 26.0 if len(name) <= 12 else 18.0
    yield Element(ElementKind.TEXT, 20, 22, WIDTH - 40, 16, text=name, size=size, align=Align.CENTER, bold=True, color=COLOR)
    yield Element(ElementKind.TEXT, LEFT, 50, 20, 7, text="证照编号", color=COLOR)
    yield Element(ElementKind.ITEM, LEFT + 22, 50, 120, 7, item="license.number", bold=True)


def _row(item: Item, y: float, height: float, size: float) -> Iterator[Element]:
    yield Element(ElementKind.BOX, LEFT, y, LABEL, height, fill=SOFT)
    yield Element(ElementKind.TEXT, LEFT + 1, y, LABEL - 2, height, text=item.title, size=size, align=Align.CENTER)
    yield Element(ElementKind.ITEM, LEFT + LABEL + 3, y, TABLE - LABEL - 5, height, item=item.name, size=size)
    yield Element(ElementKind.RULE, LEFT + LABEL, y, 0, height, color=COLOR, stroke=0.2)
    yield Element(ElementKind.RULE, LEFT, y, TABLE, 0, color=COLOR, stroke=0.2)


def _foot() -> Iterator[Element]:
    yield Element(ElementKind.QR, LEFT, 243, 30, 30)
    for y, label, item in (
        (245.0, "颁发机构", "license.issuer_name"),
        (254.0, "颁发日期", "license.issued_on"),
        (263.0, "有效期", "license.validity"),
    ):
        yield Element(ElementKind.TEXT, 62, y, 20, 7, text=label, color=COLOR)
        yield Element(ElementKind.ITEM, 83, y, 62, 7, item=item)
    yield Element(ElementKind.SEAL, 146, 240, 40, 40)
    yield Element(ElementKind.ITEM, LEFT, 280, TABLE, 4, item="license.identifier", size=7, color="#6b6b6b")
