"""Layouts: what keeps one from publication, that lines stay in their element, and that the drawing is safe and whole."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licenses.types import preview
from licenses.types.arranging import arranged
from licenses.types.facts import TypeFacts
from licenses.types.layout import MM_PER_POINT, Align, Element, ElementKind, Layout, broken, place, read
from licenses.types.load_file import shipped_rows
from licenses.types.rulebook import Rulebook
from tests.licenses.types_scene import ITEMS, LAYOUT, some_facts

BOOK = Rulebook.of(ITEMS)
LAID_OUT = {row.name: row for row in shipped_rows() if row.rulebook.items}


def faults_with(change: object, at: int = 1) -> list[tuple[str, str]]:
    elements = [*LAYOUT["elements"]]
    elements[at] = elements[at] | change  # type: ignore[operator]
    layout, faults = read(LAYOUT | {"elements": elements})
    return [(fault.field, fault.code) for fault in [*faults, *layout.faults(BOOK)]]


def test_a_good_layout_has_no_faults_and_comes_back_out_of_json() -> None:
    layout = Layout.of(LAYOUT)
    assert layout.faults(BOOK) == []
    assert Layout.of(json.loads(json.dumps(layout.to_json()))) == layout


@pytest.mark.parametrize(
    ("change", "at", "expected"),
    [
        ({"item": "nobody"}, 1, ("elements[1].item", "layout.unknown_item")),
        ({"x": 60.0, "w": 60}, 1, ("elements[1]", "layout.off_page")),
        ({"y": 139}, 3, None),
        ({"y": 141}, 3, ("elements[3]", "layout.off_page")),
        ({"h": 4}, 3, ("elements[3].w", "element.rule_form")),
        ({"w": 5, "h": 5}, 4, ("elements[4].w", "element.qr_too_small")),
        ({"kind": "seal"}, 4, ("elements", "layout.no_qr")),
        ({"kind": "qr"}, 5, ("elements", "layout.no_seal")),
        ({"item": "license.number"}, 1, ("name", "layout.item_not_laid")),
        ({"x": float("nan")}, 1, ("elements[1].x", "number.wrong")),
        ({"kind": "picture"}, 1, ("elements[1].kind", "choice.unknown")),
        ({"color": "red"}, 1, ("elements[1].color", "color.wrong")),
    ],
)
def test_a_wrong_layout_is_told_by_its_element(change: object, at: int, expected: tuple[str, str] | None) -> None:
    found = faults_with(change, at)
    assert expected in found if expected else found == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.floats(5, 150), st.floats(3, 60), st.floats(4, 40))
def test_lines_never_leave_their_element_unless_it_holds_not_one(words: str, w: float, h: float, size: float) -> None:
    element = Element(ElementKind.TEXT, 10, 10, w, h, text=words, size=size, align=Align.CENTER)
    lines = place(element, words)
    assert lines
    for line in lines:
        height = line.size * MM_PER_POINT
        assert line.size <= size
        if len(lines) > 1:
            assert line.y - height >= 9.99
            assert line.y <= 10 + h + 0.01
    cut = "…" in lines[-1].text and "…" not in words
    assert cut or "".join(line.text for line in lines) == words.replace("\n", "")


def test_long_words_are_broken_by_width() -> None:
    assert broken("南京市玄武区", 3 * 10 * MM_PER_POINT, 10) == ["南京市", "玄武区"]
    assert broken("一\n二", 100, 10) == ["一", "二"]


@pytest.mark.parametrize(
    ("words", "ems", "expected"),
    [
        ("中华路1388号", 5, ["中华路", "1388号"]),
        ("有效期至2031-11-22", 8, ["有效期至", "2031-11-22"]),
        ("ABC Trading Co., Ltd.", 6, ["ABC ", "Trading ", "Co., Ltd."]),
        ("热食类，冷食类。", 3, ["热食", "类，冷", "食类。"]),
        ("法定代表人(负责人)", 6, ["法定代表人", "(负责人)"]),
        ("1.2.156.3005.2.11100000MB", 9, ["1.2.156.3005.2.", "11100000MB"]),
        ("自2026年02月01日起", 8, ["自", "2026年02月01日", "起"]),
        ("1234567890", 3, ["12345", "67890"]),
    ],
)
def test_a_line_ends_within_no_word_or_number_and_begins_with_no_closing_mark(words: str, ems: float, expected: list[str]) -> None:
    assert broken(words, ems * 10 * MM_PER_POINT, 10) == expected


def drawn(facts: TypeFacts, rulebook: Rulebook, layout: Layout) -> ElementTree.Element:
    text = preview.svg(layout, preview.sample(facts, rulebook, "市公安局"), title="<预览>", watermark="示例", highlighted=0)
    return ElementTree.fromstring(text)  # noqa: S314 - our own drawing


@pytest.mark.parametrize("name", sorted(LAID_OUT))
def test_a_shipped_type_is_whole_and_can_be_drawn(name: str) -> None:
    row = LAID_OUT[name]
    assert row.faults == ()
    assert row.uses
    assert row.rulebook.faults(row.rulebook.example()) == []
    picture = drawn(row.content.facts, row.rulebook, row.layout)
    words = "".join(text.text or "" for text in picture.iter("text"))
    for item in row.layout.elements:
        if item.kind is ElementKind.TEXT:
            assert item.text.split("\n")[0] in words
    assert "…" not in words


def test_values_are_escaped_in_the_drawing() -> None:
    text = preview.svg(Layout.of(LAYOUT), {"name": '<script>&"'}, title="</title><script>")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert " style=" not in text


def test_automatic_layout_of_any_rulebook_can_be_published() -> None:
    for row in LAID_OUT.values():
        layout = arranged(row.name, row.rulebook)
        assert layout.faults(row.rulebook) == []
        assert Layout.of(layout.to_json()) == layout
    drawn(some_facts(), BOOK, arranged("试验证", BOOK))
