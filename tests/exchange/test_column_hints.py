"""What sample rows show of columns nothing is known of, and which field a column is suggested for."""

from __future__ import annotations

import pytest

from basedb.dictionary import DATASETS
from basedb.masking import Mask, mask_value
from exchange.aggregation.column_hints import cautious_mask
from exchange.aggregation.connectors.terms import Column
from exchange.aggregation.mapping import suggest
from exchange.aggregation.reverse_cataloging import entry_of
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


def test_columns_of_the_national_field_lists_are_suggested_for_their_fields() -> None:
    names = ("CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_XDR_ZJHM", "CF_WSH", "CF_NR_FK", "CF_GSJZQ", "cf_jdrq")
    found = suggest(DATASETS["credit.penalty"], [Column(name) for name in names])
    wanted = ("subject_name", "subject_category", "subject_code", "document_number", "fine", "publish_until", "decided_on")
    assert [found.get(field) for field in wanted] == [name for name in names if name != "CF_XDR_ZJHM"]


def test_entry_drafted_of_a_very_wide_table_says_what_it_leaves_out() -> None:
    wide = entry_of("宽表", [Column(f"F{number}") for number in range(201)])
    assert (len(wide.items), "201 个字段，只编入前 200 个" in wide.summary) == (200, True)
    assert "只编入" not in entry_of("窄表", [Column("F1")]).summary
