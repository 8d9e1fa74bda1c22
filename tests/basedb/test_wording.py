"""Values as people read them: codes with their words, finer codes by their class, divisions by name."""

from __future__ import annotations

import pytest

from basedb.dictionary import ENTERPRISE, PERSON
from basedb.wording import worded


@pytest.mark.parametrize(
    ("code", "words"),
    [("P", "教育"), ("P83", "教育（P83）"), ("I6510", "信息传输、软件和信息技术服务业（I6510）"), ("Z99", "Z99")],
)
def test_industry_is_told_by_its_class_with_the_finer_code_behind(code: str, words: str) -> None:
    assert worded(ENTERPRISE.field("industry"), code) == words


@pytest.mark.parametrize(("code", "words"), [("02", "户主"), ("21", "子（21）"), ("12", "妻"), ("00", "00")])
def test_relation_nobody_listed_is_told_by_the_one_it_belongs_to(code: str, words: str) -> None:
    assert worded(PERSON.field("household_relation"), code) == words


def test_code_of_a_closed_set_that_is_not_listed_stays_a_code() -> None:
    assert worded(PERSON.field("sex"), "12") == "12"
    assert worded(PERSON.field("region_code"), "320102", {"320102": "玄武区"}) == "玄武区（320102）"
