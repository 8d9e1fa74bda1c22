"""Masks show what they promise and cut alike in Python and in SQL."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.masking import MASK_TITLES, Mask, mask_sql, mask_value
from tests.basedb.conftest import Evaluate

anything = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
addresses = st.text("省市区县旗州盟路街号江苏南京治*\n 自玄武村小", max_size=40)


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        (Mask.NONE, "张三丰"),
        (Mask.NAME, "张**"),
        (Mask.HIDDEN, "******"),
    ],
)
def test_names_are_masked(mask: Mask, shown: str) -> None:
    assert mask_value(mask, "张三丰") == shown


def test_numbers_keep_their_ends() -> None:
    assert mask_value(Mask.CITIZEN_ID, "99010119491231002X") == "990101********002X"
    assert mask_value(Mask.PHONE, "10012345678") == "100****5678"
    assert mask_value(Mask.USCC, "91990101600037341L") == "91990101*********L"
    assert mask_value(Mask.BIRTH_YEAR, "1949-12-31") == "1949"
    assert mask_value(Mask.COUNTY, "320102002") == "320102"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("江苏省南京市玄武区珠江路1号", "江苏省南京市玄武区******"),
        ("江苏省苏州市姑苏区平江路2号", "江苏省苏州市姑苏区******"),
        ("江苏省昆山市玉山镇前进路3号", "江苏省昆山市******"),
        ("贵州省黔西南布依族苗族自治州兴义市桔山街道", "贵州省黔西南布依族苗族自治州兴义市******"),
        ("珠江路1号", "******"),
        ("", "******"),
    ],
)
def test_addresses_are_kept_to_the_county(address: str, shown: str) -> None:
    assert mask_value(Mask.ADDRESS, address) == shown


def test_short_values_disappear() -> None:
    assert mask_value(Mask.NAME, "张") == "*"
    assert mask_value(Mask.CITIZEN_ID, "990101") == "******"
    assert mask_value(Mask.PHONE, "") == ""


@pytest.mark.parametrize("mask", Mask)
def test_every_mask_has_a_title_and_keeps_null(mask: Mask, evaluate: Evaluate) -> None:
    assert mask in MASK_TITLES
    assert mask_value(mask, None) is None
    assert evaluate(mask_sql(mask, "v"), [None]) == [None]


@pytest.mark.parametrize("mask", Mask)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(anything | addresses, min_size=1, max_size=30))
def test_masks_are_the_same_in_sql(mask: Mask, evaluate: Evaluate, texts: list[str | None]) -> None:
    assert evaluate(mask_sql(mask, "v"), texts) == [mask_value(mask, text) for text in texts]
