"""What sample rows show of columns nothing is known of."""

from __future__ import annotations

import pytest

from basedb.masking import Mask, mask_value
from exchange.aggregation.column_hints import cautious_mask
from exchange.aggregation.connectors.terms import Column
from tests.exchange.aggregation_sources import person


@pytest.mark.parametrize("value", ["01", "2026-11-23", "2026-11-23 10:00:00", "320102", "A-17"])
def test_codes_numbers_and_days_of_an_unknown_column_are_shown(value: str) -> None:
    assert cautious_mask(Column("F01"), value) is Mask.NONE


@pytest.mark.parametrize("text", ["张三丰", "已故，家属李四", "zhang.sanfeng.1950", "备注：{id}本人", "tel 13800000000 x"])
def test_texts_of_an_unknown_column_are_never_shown_whole(text: str) -> None:
    value = text.format(id=person(1)["GMSFHM"])
    shown = mask_value(cautious_mask(Column("F01"), value), value) or ""
    assert shown != value
    assert person(1)["GMSFHM"] not in shown
