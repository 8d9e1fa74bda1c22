"""Search: what must be found, in which order, and what the facets count."""

from __future__ import annotations

import pytest

from catalog import search
from catalog.models import DataItem, Resource
from catalog.search import Filters
from core.errors import Invalid
from tests.factories import City, make_resource


def indexed(city: City, title: str, **values: object) -> Resource:
    resource = make_resource(city.police, title=title, **{"summary": "说明。"} | values)
    search.index(resource)
    return resource


def titles(text: str, **filters: str) -> list[str]:
    return [r.title for r in search.find(text, Filters(**filters)).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["户籍", "市区", "区户", "户", "息", "基本信息", "人口 户籍", "户口", "籍人口基", "户籍!", "户籍'; --"]
)
def test_a_piece_of_the_title_hits(city: City, text: str) -> None:
    indexed(city, "市区户籍人口基本信息")
    assert titles(text) == ["市区户籍人口基本信息"]


@pytest.mark.parametrize("text", ["蓝鲸", "鲸数", "数码鑫淼", "鑫", "ab12", "AB", "ＡＢ"])
def test_words_no_dictionary_knows_are_found(city: City, text: str) -> None:
    indexed(city, "蓝鲸数码鑫淼 AB12 目录")
    assert titles(text) == ["蓝鲸数码鑫淼 AB12 目录"]


@pytest.mark.parametrize("text", ["社保", "社会保险"])
def test_synonyms_find_each_other(city: City, text: str) -> None:
    indexed(city, "社会保险参保信息")
    indexed(city, "社保缴费记录")
    assert set(titles(text)) == {"社会保险参保信息", "社保缴费记录"}


def test_items_provider_code_and_abstract_are_found(city: City) -> None:
    resource = indexed(city, "甲目录", summary="反映孤寡老人情况")
    DataItem.objects.create(resource=resource, position=9, name="blood_type", title="血型", data_type="C", grade="L3")
    search.index(resource)
    for text in ("血型", "blood", "孤寡", "公安", str(resource.code), "身份证"):
        assert titles(text) == ["甲目录"], text


def test_what_does_not_contain_it_is_not_found(city: City) -> None:
    indexed(city, "市区户籍人口基本信息")
    assert titles("渔业") == []
    assert titles("户籍 渔业") == []


def test_a_hit_in_the_title_comes_first(city: City) -> None:
    in_title = indexed(city, "婚姻登记信息")
    indexed(city, "家庭情况", summary="婚姻、婚姻登记、婚姻状况、婚姻登记信息等婚姻情况。", keywords="婚姻")
    assert search.find("婚姻", Filters()).items[0] == in_title


def test_nothing_asked_shows_the_latest_published_first(city: City) -> None:
    indexed(city, "旧的")
    indexed(city, "新的")
    for text in ("", "   ", "，。"):
        assert titles(text) == ["新的", "旧的"]


def test_drafts_and_withdrawn_entries_are_not_found(city: City) -> None:
    make_resource(city.police, published=False, title="户籍草稿")
    indexed(city, "户籍已下线", state="WITHDRAWN")
    assert titles("户籍") == titles("") == []


@pytest.mark.parametrize("text", ["户籍", ""])
def test_pages_follow_each_other_without_gap_or_repetition(city: City, text: str) -> None:
    made = {indexed(city, f"户籍信息{number}", summary="户籍" * (number % 5)).pk for number in range(23)}
    seen: list[int] = []
    cursor = ""
    while True:
        found = search.find(text, Filters(), cursor=cursor, size=5)
        seen += [r.pk for r in found.items]
        cursor = found.next
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == made


def test_a_forged_cursor_is_refused(city: City) -> None:
    indexed(city, "户籍")
    with pytest.raises(Invalid):
        search.find("户籍", Filters(), cursor="x")


def test_a_facet_ignores_its_own_filter_and_obeys_the_others(city: City) -> None:
    indexed(city, "户籍一", grade="L3", base_database="POPULATION")
    indexed(city, "户籍二", grade="L2", base_database="POPULATION", sharing_modes=["BULK"])
    indexed(city, "户籍三", grade="L2", base_database="CREDIT")
    found = search.facets("户籍", Filters(grade="L2"))
    assert {c.value: c.count for c in found["grade"]} == {"L2": 2, "L3": 1}
    assert {c.value: c.count for c in found["base_database"]} == {"POPULATION": 1, "CREDIT": 1}
    assert {c.value: c.count for c in found["mode"]} == {"VERIFY": 1, "QUERY": 1, "BULK": 2}
    assert [c.count for c in found["provider"]] == [2]
    assert titles("户籍", mode="BULK", grade="L2") == ["户籍三", "户籍二"] or set(titles("户籍", mode="BULK", grade="L2")) == {
        "户籍三",
        "户籍二",
    }


def test_a_long_query_is_cut_and_still_answers(city: City) -> None:
    indexed(city, "户籍")
    assert titles("户籍" * 500) in ([], ["户籍"])
