"""Rulebooks: what they refuse by field, what faces they take, and that JSON gives the same rulebook back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basedb.code_sets import CODE_SETS
from core.errors import Invalid
from licenses.types.rulebook import MASKS, NAME_PATTERN, ItemKind, Rulebook, read
from tests.licenses.types_scene import ITEMS

BOOK = Rulebook.of(ITEMS)
GOOD = {"name": "张示例", "sex": "1", "level": "2", "issued_first_on": "2024-02-29", "fee": "1200.50", "area": "-3.25"}

names = st.from_regex(NAME_PATTERN, fullmatch=True)
words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), min_size=1, max_size=20).filter(str.strip)


@st.composite
def items(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from([kind.value for kind in ItemKind]))
    record = {
        "name": draw(names),
        "title": draw(words),
        "kind": kind,
        "length": draw(st.integers(1, 4000)),
        "required": draw(st.booleans()),
        "grade": draw(st.sampled_from(["L1", "L2", "L3", "L4"])),
        "mask": draw(st.sampled_from(MASKS)),
    }
    if kind == "CODE" and draw(st.booleans()):
        record["codes"] = draw(st.sampled_from(sorted(CODE_SETS)))
    elif kind == "CODE":
        codes = draw(st.lists(words, min_size=1, max_size=4, unique=True))
        record["choices"] = [[code, draw(words)] for code in codes]
    return record


books = st.lists(items(), max_size=6, unique_by=(lambda item: item["name"], lambda item: item["title"]))


@settings(max_examples=40, deadline=None)
@given(books)
def test_json_gives_the_same_rulebook_back_and_its_example_has_no_faults(records: list[dict[str, Any]]) -> None:
    book = Rulebook.of(records)
    assert Rulebook.of(json.loads(json.dumps(book.to_json()))) == book
    assert book.faults(book.example()) == []
    assert set(book.shown({})) == {record["name"] for record in records}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | names, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(anything | st.lists(st.fixed_dictionaries({"name": anything, "choices": anything, "kind": anything}), max_size=3))
def test_reading_anything_at_all_tells_faults_and_never_breaks(given_json: Any) -> None:
    book, faults = read(given_json)
    assert faults or Rulebook.of(book.to_json()) == book
    for fault in faults:
        fault.message.encode()
        fault.field.encode()


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "unknown"]), st.text(max_size=12) | st.integers(), max_size=7))
def test_a_face_without_faults_is_exactly_one_that_keeps_the_rules(face: dict[str, Any]) -> None:
    faulty = {fault.field for fault in BOOK.faults(face)}
    assert faulty <= {*BOOK.by_name, "unknown"}
    for item in BOOK.items:
        value = face.get(item.name, "")
        if not isinstance(value, str) or (item.required and not value.strip()):
            assert item.name in faulty
        elif item.kind is ItemKind.CODE and value.strip():
            assert (item.name in faulty) == (value not in item.labels)


def test_a_good_face_is_taken_and_shown_as_printed() -> None:
    assert BOOK.faults(GOOD) == []
    shown = BOOK.shown(GOOD)
    assert (shown["sex"], shown["level"], shown["issued_first_on"], shown["fee"]) == ("男", "二级", "2024年02月29日", "1,200.50")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "value.missing"),
        ({"name": "  "}, "name", "value.missing"),
        ({"name": "字" * 51}, "name", "value.too_long"),
        ({"name": "张\x00"}, "name", "value.control_characters"),
        ({"name": 5}, "name", "value.not_a_text"),
        ({"sex": "男"}, "sex", "value.unknown_code"),
        ({"issued_first_on": "2023-02-29"}, "issued_first_on", "value.not_a_date"),
        ({"issued_first_on": "20230228"}, "issued_first_on", "value.not_a_date"),
        ({"fee": "12.345"}, "fee", "value.not_an_amount"),
        ({"fee": "-1"}, "fee", "value.not_an_amount"),
        ({"area": "1e5"}, "area", "value.not_a_number"),
        ({"citizen": "x"}, "citizen", "item.unknown"),
    ],
)
def test_a_wrong_value_is_named_by_its_item(change: dict[str, Any], field: str, code: str) -> None:
    assert [(fault.field, fault.code) for fault in BOOK.faults(GOOD | change)] == [(field, code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": "Name"}, "items[0].name", "item.name_form"),
        ({"name": "level"}, "items[2].name", "item.duplicate_name"),
        ({"title": "性别"}, "items[1].title", "item.duplicate_title"),
        ({"kind": "CODE", "codes": "nowhere"}, "items[0].codes", "item.unknown_code_set"),
        ({"kind": "CODE"}, "items[0].codes", "item.codes_missing"),
        ({"kind": "CODE", "codes": "sex", "choices": [["1", "一"]]}, "items[0].codes", "item.codes_missing"),
        ({"codes": "sex"}, "items[0].codes", "item.codes_unused"),
        ({"kind": "CODE", "choices": [["1", "一"], ["1", "二"]]}, "items[0].choices", "item.choices_wrong"),
        ({"source": "population.person.nothing"}, "items[0].source", "item.unknown_source"),
        ({"length": 0}, "items[0].length", "number.wrong"),
        ({"mask": "SNAP_1KM"}, "items[0].mask", "choice.unknown"),
        ({"kind": "DATE", "example": "2026-13-01"}, "items[0].example", "value.not_a_date"),
        ({"colour": "red"}, "items[0].colour", "field.unknown"),
    ],
)
def test_a_wrong_rulebook_is_refused_naming_the_field(change: dict[str, Any], field: str, code: str) -> None:
    _book, faults = read([ITEMS[0] | change, *ITEMS[1:]])
    assert (field, code) in [(fault.field, fault.code) for fault in faults]
    with pytest.raises(Invalid) as refused:
        Rulebook.of([ITEMS[0] | change, *ITEMS[1:]])
    assert field in refused.value.details
