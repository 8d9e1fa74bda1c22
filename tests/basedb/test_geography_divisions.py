"""Divisions through time and their approved outlines."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from basedb.dictionary.geography import PLACE
from basedb.geography import boundaries, divisions, shapes
from basedb.ingest import broken_rule
from basedb.models import BoundaryLoad, Division, DivisionOutline
from core.calendar import SHANGHAI
from core.errors import Forbidden, Invalid
from core.models import AuditEntry, Region
from tests.factories import City

TODAY = date(2026, 1, 1)
NOW = datetime(2026, 1, 1, 12, tzinfo=SHANGHAI)


def delivered(city: City, code: str, start: str, end: str | None = None, **values: Any) -> None:
    Division.objects.create(
        row_key=f"{code}{start}".encode()[:16],
        subject_key=code.encode(),
        source_department=city.police,
        source_record_id=1,
        run_id=1,
        division_code=code,
        division_level="COUNTY",
        valid_from=date.fromisoformat(start),
        valid_to=end and date.fromisoformat(end),
        **values,
    )


def box(code: str, west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def collection(*features: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features} | more).encode()


def load(content: bytes, city: City, now: datetime, **values: Any) -> BoundaryLoad:
    given: dict[str, Any] = {
        "content": content,
        "file_name": "界线.geojson",
        "source": "省测绘院",
        "approval_number": "苏S(2024)001号",
        "actor": city.actor("system_admin"),
        "now": now,
    }
    return boundaries.load(**given | values)


def test_code_stands_for_what_it_was_on_a_past_day(city: City) -> None:
    delivered(city, "320103", "1955-01-01", "2013-02-20", successors="320104", basis="国函〔2013〕24号")
    delivered(city, "320104", "2013-02-20", predecessors="320103、320104")
    past, now = date(2010, 1, 1), date(2026, 1, 1)
    standing = divisions.division_on("320103", past)
    assert standing is not None
    assert standing.valid_to == date(2013, 2, 20)
    assert divisions.division_on("320103", now) is None
    assert divisions.division_on("320103", date(2013, 2, 20)) is None  # the day of the change belongs to the new one
    assert divisions.successors("320103") == ("320104",)
    assert divisions.predecessors("320104") == ("320103", "320104")
    assert divisions.standing_heirs("320103", now) == ("320104",)
    assert divisions.standing_heirs("320103", past) == ("320103",)


def test_table_of_the_node_answers_where_nothing_was_delivered(city: City) -> None:
    for code, short in (("320000", "32"), ("320100", "3201"), ("320102", "320102")):
        standing = divisions.division_on(code, TODAY)
        assert standing is not None
        assert standing.region_code == short == divisions.short_code(code)
        assert divisions.long_code(short) == code
    gone = city.districts["320104"]
    gone.valid_to = date(2020, 1, 1)
    gone.save()
    gone.successors.add(city.districts["320102"])
    assert divisions.division_on("320104", TODAY) is None
    assert divisions.standing_heirs("320104", TODAY) == ("320102",)


def test_approved_outlines_are_laid_down_with_who_and_number(city: City, now: datetime) -> None:
    content = collection(box("320102", 118.7, 32.0, 118.8, 32.1), box("320104", 118.8, 32.0, 118.9, 32.1))
    seen = boundaries.preview(content=content, now=NOW)
    assert [(line.name, line.is_replacing, line.fault) for line in seen.lines] == [("玄武区", False, ""), ("秦淮区", False, "")]
    assert not DivisionOutline.objects.exists()
    kept = load(content, city, now)
    assert (kept.outline_count, kept.approval_number, kept.loaded_by) == (2, "苏S(2024)001号", city.people["system_admin"])
    assert AuditEntry.objects.filter(action="boundary.loaded").count() == 1
    assert [place.name for place in divisions.divisions_at(longitude=118.75, latitude=32.05, day=TODAY)] == ["玄武区"]
    assert divisions.divisions_at(longitude=118.5, latitude=32.05, day=TODAY) == []
    load(collection(box("320102", 118.7, 32.0, 118.75, 32.1)), city, now)
    assert DivisionOutline.objects.filter(superseded_at=None).count() == 2
    assert DivisionOutline.objects.filter(superseded_at=now).count() == 1  # kept, but it counts no more
    assert divisions.divisions_at(longitude=118.78, latitude=32.05, day=TODAY) == []


@pytest.mark.parametrize(
    ("features", "word"),
    [
        ([box("320102", 118.7, 32.0, 118.8, 32.1), box("320104", 118.75, 32.0, 118.9, 32.1)], "重叠"),
        ([box("320199", 118.7, 32.0, 118.8, 32.1)], "没有这个区划代码"),
        ([box("", 118.7, 32.0, 118.8, 32.1)], "没有区划代码"),
        ([box("320102", 118.7, 32.0, 118.8, 32.1)] * 2, "出现两次"),
        ([box("320102", 32.0, 118.7, 32.1, 118.8)], "颠倒"),
        ([box("320100", 118.0, 32.0, 118.5, 32.1), box("320102", 118.4, 32.0, 118.8, 32.1)], "超出上级"),
        (
            [
                {
                    "properties": {"code": "320102"},
                    "geometry": {"type": "Polygon", "coordinates": [[[118, 32], [119, 33], [119, 32], [118, 33], [118, 32]]]},
                }
            ],
            "自相交",
        ),
    ],
)
def test_bad_topology_or_code_loads_nothing(city: City, now: datetime, features: list[dict[str, Any]], word: str) -> None:
    with pytest.raises(Invalid) as caught:
        load(collection(*features), city, now)
    assert word in str(caught.value.details["file"])
    assert not BoundaryLoad.objects.exists()
    assert not DivisionOutline.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"{}",
        b"[]",
        b'{"type":"FeatureCollection","features":[]}',
        b"[" * 100_000,
        collection(box("320102", 1, 1, 2, 2), crs={"properties": {"name": "EPSG:4214"}}),
        collection(box("320102", 1, 1, 2, 2), crs="x"),
    ],
)
def test_file_that_is_no_outline_file_is_refused(city: City, now: datetime, content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        load(content, city, now)
    assert caught.value.code == "boundary.unreadable"


def test_features_without_a_shape_are_named_not_crashed_on(city: City) -> None:
    content = collection({"properties": {"code": "320102"}}, {"properties": None, "geometry": 5}, {"geometry": {"type": "Polygon"}})
    assert all(line.fault for line in boundaries.preview(content=content, now=NOW).lines)


def test_outlines_need_a_number_and_the_right_hands(city: City, now: datetime) -> None:
    content = collection(box("320102", 118.7, 32.0, 118.8, 32.1))
    with pytest.raises(Forbidden):
        load(content, city, now, actor=city.actor("police_operator"))
    with pytest.raises(Invalid) as caught:
        load(content, city, now, approval_number="无")
    assert "approval_number" in caught.value.details
    assert not DivisionOutline.objects.exists()


def test_row_outside_its_division_is_rejected_once_the_outline_is_there(city: City, now: datetime) -> None:
    row = {
        "place_code": "PL0001",
        "region_code": "320102",
        "name": "某公园",
        "place_kind": "27",
        "location": "POINT(118.95 32.05)",
    }
    assert broken_rule(PLACE, row, today=TODAY) is None
    load(collection(box("320100", 118.7, 32.0, 119.0, 32.1), box("320102", 118.7, 32.0, 118.8, 32.1)), city, now)
    assert broken_rule(PLACE, row, today=TODAY) == "location.outside_division"
    assert broken_rule(PLACE, row | {"location": "POINT(118.8003 32.05)"}, today=TODAY) is None  # a step over the line
    assert broken_rule(PLACE, row | {"region_code": "320104"}, today=TODAY) is None  # only its city has an outline


def test_command_line_checks_and_loads(city: City, tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "outlines.json"
    path.write_bytes(collection(box("320102", 118.7, 32.0, 118.8, 32.1)))
    call_command("load_boundaries", str(path), "--source", "省测绘院", "--approval-number", "苏S(2024)001号", "--check")
    assert not DivisionOutline.objects.exists()
    call_command("load_boundaries", str(path), "--source", "省测绘院", "--approval-number", "苏S(2024)001号")
    assert DivisionOutline.objects.get().region == Region.objects.get(code="320102")
    assert "ok" in capsys.readouterr().out
    path.write_bytes(collection(box("320102", 32.0, 118.7, 32.1, 118.8)))
    with pytest.raises(CommandError):
        call_command("load_boundaries", str(path), "--source", "省测绘院", "--approval-number", "苏S(2024)001号")


def test_outline_of_an_ended_division_makes_room_and_is_asked_about_by_day(city: City, now: datetime) -> None:
    load(collection(box("320104", 118.7, 32.0, 118.8, 32.1)), city, now)
    ended = city.districts["320104"]
    ended.valid_to = date(2025, 1, 1)
    ended.save()
    load(collection(box("320102", 118.7, 32.0, 118.8, 32.1)), city, now)
    point = {"longitude": 118.75, "latitude": 32.05}
    assert [place.code for place in divisions.divisions_at(**point, day=TODAY)] == ["320102"]
    assert [place.code for place in divisions.divisions_at(**point, day=date(2024, 12, 31))] == ["320102", "320104"]
    assert [outline.name for outline in shapes.outlines_below("320100", day=TODAY)] == ["玄武区"]
    with pytest.raises(Invalid) as caught:
        load(collection(box("320104", 118.8, 32.0, 118.9, 32.1)), city, now)
    assert "不在使用" in str(caught.value.details["file"])


def test_delivered_range_ends_a_division_for_a_point_as_it_does_for_its_code(city: City, now: datetime) -> None:
    load(collection(box("320104", 118.7, 32.0, 118.8, 32.1)), city, now)
    delivered(city, "320104", "1955-01-01", "2013-02-20")
    assert divisions.divisions_at(longitude=118.75, latitude=32.05, day=date(2013, 2, 20)) == []
    assert len(divisions.divisions_at(longitude=118.75, latitude=32.05, day=date(2013, 2, 19))) == 1


def test_of_two_divisions_with_one_code_the_standing_one_gets_the_outline(city: City, now: datetime) -> None:
    standing = city.districts["320102"]
    given = {"code": "320102", "level": "COUNTY", "parent": standing.parent, "valid_from": date(1955, 1, 1)}
    Region.objects.create(name="旧玄武区", valid_to=date(2000, 1, 1), **given)
    load(collection(box("320102", 118.7, 32.0, 118.8, 32.1)), city, now)
    assert DivisionOutline.objects.get().region == standing


def test_upper_outline_must_cover_those_below_it_that_stay(city: City, now: datetime) -> None:
    load(collection(box("320100", 118.7, 32.0, 119.0, 32.1), box("320102", 118.7, 32.0, 118.8, 32.1)), city, now)
    with pytest.raises(Invalid) as caught:
        load(collection(box("320100", 118.75, 32.0, 119.0, 32.1)), city, now)
    assert "没有盖住已装载的下级区划玄武区" in str(caught.value.details["file"])
    both = collection(box("320100", 118.75, 32.0, 119.0, 32.1), box("320102", 118.75, 32.0, 118.8, 32.1))
    assert load(both, city, now).outline_count == 2


def test_code_with_the_number_of_the_nation_before_it_is_read(city: City) -> None:
    feature = box("", 118.7, 32.0, 118.8, 32.1) | {"properties": {"gb": "156320102", "name": "玄武区"}}
    (line,) = boundaries.preview(content=collection(feature), now=NOW).lines
    assert (line.code, line.fault) == ("320102", "")
