"""Words in a row and headings are written as the language of the page writes them."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils.translation import override

from basedb.dictionary import ENTERPRISE
from basedb.wording import worded
from core.roles import Role
from core.texts import bracketed, cell_as_it_was, harmless_cell, headed, in_clauses, listed

ROW = Template('{% load portal %}{{ names|listed }}/{{ people|listed:"name" }}/{{ none|listed|default:"—" }}')
GIVEN = {"names": ["<甲>", 2], "people": [{"name": "王小明"}, {"name": "赵六"}], "none": None}


def test_chinese_pages_list_words_with_the_enumeration_comma() -> None:
    assert listed([Role.HEAD.label, "x"]) == f"{Role.HEAD.label}、x"
    assert (in_clauses(["甲", "乙"]), headed("甲", "乙"), listed([])) == ("甲；乙", "甲：乙", "")
    assert bracketed("甲", 1) == "甲（1）"
    assert ROW.render(Context(GIVEN)) == "&lt;甲&gt;、2/王小明、赵六/—"


def test_english_pages_list_words_with_commas() -> None:
    with override("en"):
        assert (listed(["a", "b"]), in_clauses(["a", "b"]), headed("a", "b")) == ("a, b", "a; b", "a: b")
        assert (bracketed("a", 1), worded(ENTERPRISE.field("industry"), "P83")) == ("a (1)", "教育 (P83)")
        assert ROW.render(Context(GIVEN)) == "&lt;甲&gt;, 2/王小明, 赵六/—"


@pytest.mark.parametrize("text", ["=1+1", "-", "\n=1+1", "＝1+1", "＠SUM(A1)"])
def test_cell_a_spreadsheet_would_run_is_made_harmless_and_comes_back(text: str) -> None:
    assert (harmless_cell(text), cell_as_it_was(harmless_cell(text))) == (f"'{text}", text)
    assert harmless_cell("玄武区") == "玄武区"
