"""Drawing a layout as SVG (版式预览): what the PDF and OFD will look like, for the editor and for pages that show a license.

Only presentation attributes, so that the strict content policy holds. The seal is an outline with the issuer's name, no signature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import segno
from django.utils.safestring import SafeString, mark_safe

from licenses.types.facts import TypeFacts
from licenses.types.layout import INK, MM_PER_POINT, Align, Element, ElementKind, Layout, Line, place, words_of
from licenses.types.printed import sample_of
from licenses.types.rulebook import Rulebook

SEAL_RED = "#c8161d"
FONTS = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"
SAMPLE_QR = "SAMPLE 1.2.156.3005.2"
ANCHORS = {Align.LEFT: "start", Align.CENTER: "middle", Align.RIGHT: "end"}


def sample(facts: TypeFacts, rulebook: Rulebook, issuer: str) -> dict[str, str]:
    """Return made-up values of everything a layout may show: items by their examples, the rest about nobody."""
    months = facts.validity_months if facts.validity_kind == "MONTHS" else None
    is_person = facts.holder_kind != "LEGAL_ENTITY"
    built_in = sample_of(code=facts.code, name=facts.name, is_person=is_person, months=months, issuer=issuer)
    return {**rulebook.shown(rulebook.example()), **built_in}


def svg(
    layout: Layout,
    values: Mapping[str, str],
    *,
    title: str,
    qr_text: str = SAMPLE_QR,
    watermark: str = "",
    highlighted: int | None = None,
) -> SafeString:
    """Draw a layout with values (`Rulebook.shown`, `BUILT_IN`); `highlighted` marks one element, `watermark` crosses the page."""
    parts = [
        f'<svg viewBox="0 0 {layout.width:g} {layout.height:g}" role="img" '
        f'class="license-preview" font-family="{FONTS}"><title>{escape(title)}</title>',
        f'<rect width="{layout.width:g}" height="{layout.height:g}" fill="{layout.background}"/>',
    ]
    parts += [_drawn(element, values, qr_text) for element in layout.elements]
    if watermark:
        parts.append(_watermark(layout, watermark))
    if highlighted is not None and 0 <= highlighted < len(layout.elements):
        one = layout.elements[highlighted]
        parts.append(
            f'<rect x="{one.x:g}" y="{one.y:g}" width="{max(one.w, 0.6):g}" height="{max(one.h, 0.6):g}" fill="none" '
            'stroke="#206bc4" stroke-width="0.6" stroke-dasharray="1.6 0.8"/>'
        )
    return mark_safe("".join([*parts, "</svg>"]))  # noqa: S308 - every word is escaped where it is drawn


def _drawn(element: Element, values: Mapping[str, str], qr_text: str) -> str:
    match element.kind:
        case ElementKind.RULE:
            return (
                f'<line x1="{element.x:g}" y1="{element.y:g}" x2="{element.x + element.w:g}" y2="{element.y + element.h:g}" '
                f'stroke="{element.color}" stroke-width="{element.stroke or 0.2:g}"/>'
            )
        case ElementKind.BOX:
            border = f'stroke="{element.color}" stroke-width="{element.stroke:g}"' if element.stroke else ""
            return f'<rect {_frame(element)} fill="{element.fill or "none"}" {border}/>'
        case ElementKind.QR:
            return _qr(element, qr_text)
        case ElementKind.SEAL:
            return _seal(element, values.get("license.issuer_name", ""))
    return "".join(_line(element, line) for line in place(element, words_of(element, values)))


def _line(element: Element, line: Line) -> str:
    if not line.text:
        return ""
    weight = ' font-weight="700"' if element.bold else ""
    return (
        f'<text x="{line.x:g}" y="{line.y:g}" font-size="{line.size * MM_PER_POINT:.3f}" text-anchor="{ANCHORS[line.align]}" '
        f'fill="{element.color}"{weight}>{escape(line.text)}</text>'
    )


def _frame(element: Element) -> str:
    return f'x="{element.x:g}" y="{element.y:g}" width="{element.w:g}" height="{element.h:g}"'


def _qr(element: Element, text: str) -> str:
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=2)]
    side = min(element.w, element.h)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    scale = side / len(rows)
    return (
        f'<g transform="translate({element.x:g} {element.y:g}) scale({scale:.5f})">'
        f'<rect width="{len(rows)}" height="{len(rows)}" fill="#ffffff"/><path d="{path}" fill="{INK}"/></g>'
    )


def _seal(element: Element, issuer: str) -> str:
    """A round seal: a circle, a star, and the issuer's name on the upper arc, each character turned on its own."""
    radius = min(element.w, element.h) / 2
    x, y = element.x + element.w / 2, element.y + element.h / 2
    corners = [(math.sin(turn * math.pi * 0.8) * radius * 0.3, -math.cos(turn * math.pi * 0.8) * radius * 0.3) for turn in range(5)]
    star = "M" + "L".join(f"{x + across:.2f} {y + down:.2f}" for across, down in corners) + "z"
    words = issuer[:24]
    span = min(240.0, 22.0 * max(1, len(words) - 1))
    size = min(radius * 0.27, radius * 4.0 / max(1, len(words)))
    letters = []
    for number, character in enumerate(words):
        angle = -span / 2 + (span * number / (len(words) - 1) if len(words) > 1 else span / 2)
        letters.append(
            f'<text x="{x:g}" y="{y - radius * 0.68:.2f}" font-size="{size:.2f}" text-anchor="middle" fill="{SEAL_RED}" '
            f'transform="rotate({angle:.2f} {x:g} {y:g})">{escape(character)}</text>'
        )
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="{radius - 0.5:.2f}" fill="none" stroke="{SEAL_RED}" stroke-width="0.9"/>'
    return f'<g opacity="0.82">{circle}<path d="{star}" fill="{SEAL_RED}"/>{"".join(letters)}</g>'


def _watermark(layout: Layout, words: str) -> str:
    x, y, size = layout.width / 2, layout.height / 2, min(layout.width, layout.height) / 6
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="middle" fill="#8a8a8a" opacity="0.16" '
        f'transform="rotate(-24 {x:g} {y:g})">{escape(words)}</text>'
    )
