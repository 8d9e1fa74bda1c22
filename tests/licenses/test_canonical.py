"""The bytes a signature covers: the same for the same license, others for any other."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from licenses.sealing.canonical import HolderData, LicenseData, canonical

DATA = LicenseData(
    identifier="1.2.156.3005.2.11100000MB03271699900.11320100MB0000000X.202600000001.001.X",
    type_code="11100000MB03271699900",
    type_number=1,
    issuer_code="11320100MB0000000X",
    issuer_name="市市场监督管理局",
    serial="202600000001",
    version=1,
    number="JY000000000001",
    region_code="320102",
    holders=(HolderData("甲公司", "91990101MA0000000X", "001"),),
    issued_on=date(2026, 1, 15),
    valid_from=date(2026, 1, 15),
    valid_to=None,
    face={"premises": "太平北路", "scope": "热食"},
)
OTHER: dict[str, Any] = {
    "type_number": 2,
    "version": 2,
    "holders": (HolderData("乙公司", "91990101MA0000000X", "001"),),
    "issued_on": date(2026, 1, 16),
    "valid_from": date(2026, 1, 16),
    "valid_to": date(2030, 1, 1),
    "face": {"premises": "太平南路", "scope": "热食"},
}


def test_every_part_of_a_license_is_signed() -> None:
    for field in fields(LicenseData):
        other = replace(DATA, **{field.name: OTHER.get(field.name, "别的")})
        assert canonical(other) != canonical(DATA), field.name


def test_the_order_items_were_typed_in_does_not_matter() -> None:
    turned = replace(DATA, face={"scope": "热食", "premises": "太平北路"})
    assert canonical(turned) == canonical(DATA)


def test_two_ways_to_write_the_same_character_are_one() -> None:
    assert canonical(replace(DATA, number="\u00e9")) == canonical(replace(DATA, number="e\u0301"))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_moving_text_from_one_item_to_the_next_is_noticed(left: str, right: str) -> None:
    whole = canonical(replace(DATA, face={"premises": left + right, "scope": ""}))
    split = canonical(replace(DATA, face={"premises": left, "scope": right}))
    assert (whole == split) is (right == "")
