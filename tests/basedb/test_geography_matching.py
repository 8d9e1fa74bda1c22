"""Address matching: one writing, parts, scores; and back from a point."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.contrib.gis.geos import Point
from django.db import connection

from basedb.geography import figures, matching
from basedb.geography.matching import Verdict
from basedb.models import Address
from tests.factories import City

STORED = (
    ("DZ000001", "320102", "江苏省南京市玄武区中山路12号"),
    ("DZ000002", "320102", "江苏省南京市玄武区中山路12号3栋2单元401室"),
    ("DZ000003", "320102", "江苏省南京市玄武区中山路12号3栋2单元402室"),
    ("DZ000004", "320102", "江苏省南京市玄武区中山路120号"),
    ("DZ000005", "320104", "江苏省南京市秦淮区中山路12号"),
    ("DZ000006", "320102", "江苏省南京市玄武区梅园新村街道长江后街8号"),
    ("DZ000007", "320102", "江苏省南京市玄武区孝陵卫街道紫金小区5号锦绣苑11栋1单元101室"),
    ("DZ000008", "320104", "江苏省南京市秦淮区洪武路88弄6号"),
    ("DZ000009", "320104", "江苏省南京市秦淮区太平南路三条巷15号A栋902室"),
    ("DZ000010", "320104", "江苏省南京市秦淮区瑞金路33号瑞金新村22栋甲单元305室"),
)


@pytest.fixture
def addresses(city: City) -> Iterator[None]:
    Address.objects.bulk_create(
        Address(
            subject_key=code.encode(),
            source_department=city.police,
            source_record_id=number,
            run_id=1,
            address_code=code,
            region_code=region,
            full_address=text,
            address_state="1",
            location=Point(118.78 + number / 1000, 32.04, srid=4490),
        )
        for number, (code, region, text) in enumerate(STORED)
    )
    return


@pytest.mark.parametrize(
    ("raw", "normalized"),
    [
        ("中山路１２号", "中山路12号"),
        ("中山路十二号", "中山路12号"),
        ("中山路一百二十号", "中山路120号"),
        ("中山路二十一号一号楼", "中山路21号1栋"),
        ("中山路一〇二号", "中山路102号"),
        ("中山路 12 号，3幢", "中山路12号3栋"),
        ("中山路12号3号楼", "中山路12号3栋"),
        ("中山路12号3#楼2单元", "中山路12号3栋2单元"),
        ("中山路12号第三栋乙单元", "中山路12号3栋2单元"),
        ("中山路12号3栋401", "中山路12号3栋401室"),
        ("中山路12号3-2-401", "中山路12号3栋2单元401室"),
        ("中山路12号3－401室", "中山路12号3栋401室"),
        ("中山路12号(近地铁口)", "中山路12号"),
        ("中山路012号", "中山路12号"),
        ("太平南路三条巷15号a座902房", "太平南路三条巷15号A栋902室"),
        ("", ""),
    ],
)
@pytest.mark.django_db
def test_writings_of_one_address_become_one(raw: str, normalized: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT basedb_normalize_address(%s), basedb_normalize_address(basedb_normalize_address(%s))", [raw, raw])
        assert cursor.fetchone() == (normalized, normalized)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("江苏省南京市玄武区中山路12号", "DZ000001"),
        ("南京市玄武区中山路十二号", "DZ000001"),
        ("玄武区中山路１２号", "DZ000001"),
        ("玄武区中山路12号3幢2单元401室", "DZ000002"),
        ("玄武区中山路12号3-2-401", "DZ000002"),
        ("玄武区中山路12号三号楼二单元四〇二", "DZ000003"),
        ("玄武区中山路120号", "DZ000004"),
        ("玄武区中山路一百二十号", "DZ000004"),
        ("秦淮区中山路12号", "DZ000005"),
        ("长江后街8号", "DZ000006"),
        ("玄武区梅园新村街道长江后街八号", "DZ000006"),
        ("玄武区长江后街8号", "DZ000006"),
        ("玄武区紫金小区5号锦绣苑11幢1单元101", "DZ000007"),
        ("洪武路88弄6号", "DZ000008"),
        ("秦淮区洪武路八十八弄六号", "DZ000008"),
        ("太平南路三条巷15号A座902", "DZ000009"),
        ("秦淮区太平南路三条巷15号A栋902室", "DZ000009"),
        ("瑞金路33号瑞金新村22幢1单元305室", "DZ000010"),
        ("秦淮区瑞金路33号22栋甲单元305室", "DZ000010"),
        ("中国江苏省南京市秦淮区瑞金路三十三号瑞金新村22#1单元305", "DZ000010"),
    ],
)
def test_free_text_finds_its_address(addresses: None, text: str, code: str) -> None:
    found = matching.match(text)
    assert (found.verdict, found.candidates[0].address_code) == (Verdict.MATCHED, code), found


@pytest.mark.parametrize(
    "text",
    ["玄武区中山路13号", "玄武区北京东路12号", "不存在的地方", "", "；DROP TABLE", "\x00", "%_%", "中", "玄武区"],
)
def test_other_address_is_not_taken_for_a_near_one(addresses: None, text: str) -> None:
    assert matching.match(text).verdict is not Verdict.MATCHED


def test_text_that_fits_two_is_ambiguous_until_a_division_is_named(addresses: None) -> None:
    found = matching.match("中山路12号")
    assert found.verdict is Verdict.AMBIGUOUS
    assert {candidate.address_code for candidate in found.candidates} >= {"DZ000001", "DZ000005"}
    assert matching.match("中山路12号", division="320104").candidates[0].address_code == "DZ000005"


def test_many_are_matched_in_their_order_in_one_statement(addresses: None, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = matching.match_many(["长江后街8号", "无此路1号", "洪武路88弄6号"], to_the_room=True)
    assert [match.verdict for match in found] == [Verdict.MATCHED, Verdict.NONE, Verdict.MATCHED]
    with pytest.raises(ValueError, match="too many"):
        matching.match_many(["x"] * (matching.MOST_AT_ONCE + 1), to_the_room=True)


def test_withdrawn_and_disused_addresses_are_not_offered(addresses: None, now: datetime) -> None:
    Address.objects.filter(address_code="DZ000006").update(withdrawn_at=now)
    Address.objects.filter(address_code="DZ000008").update(address_state="2")
    assert matching.match("长江后街8号").verdict is Verdict.NONE
    assert matching.match("洪武路88弄6号").verdict is Verdict.NONE


def test_nearest_addresses_come_with_metres_and_without_shifted_ones(addresses: None) -> None:
    near = matching.nearest(longitude=118.78, latitude=32.04, most=2, to_the_room=True)
    assert [one.address_code for one in near] == ["DZ000001", "DZ000002"]
    assert near[0].metres == 0
    assert 90 < near[1].metres < 100
    Address.objects.filter(address_code="DZ000001").update(datum_note="GCJ02")
    assert matching.nearest(longitude=118.78, latitude=32.04, most=1, to_the_room=True)[0].address_code == "DZ000002"


def test_figures_count_each_level(addresses: None, now: datetime) -> None:
    figures.recount(now=now)
    below = {(figure.division_code, figure.dataset): figure.count for figure in figures.figures_below("320100")}
    assert below["320100", "geo.address"] == 10
    assert (below["320102", "geo.address"], below["320104", "geo.address"]) == (6, 4)
    assert figures.recount(now=now) == figures.recount(now=now)
