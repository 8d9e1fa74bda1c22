"""Rules of rows with a place: what is wrong is named, and nothing broken stops a batch."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.dictionary.geography import (
    ADDRESS,
    BUILDING,
    DIVISION,
    OWNERSHIP,
    PARCEL,
    PLACE,
    PLANNING_ZONE,
    REAL_ESTATE_UNIT,
)
from basedb.identifiers import generate_citizen_id
from basedb.ingest import broken_rule
from basedb.rules import rule_named
from basedb.rules.geography import SHIFTED_KEPT
from tests.factories import City

TODAY = date(2026, 1, 1)
PARCEL_CODE = "320102001001GB00001"
SQUARE = "POLYGON((118.78 32.04,118.781 32.04,118.781 32.041,118.78 32.041,118.78 32.04))"  # 94.4 m by 110.9 m


def parcel(**values: str | None) -> dict[str, str | None]:
    return {
        "parcel_code": PARCEL_CODE,
        "region_code": "320102",
        "area": "10470",
        "parcel_state": "1",
        "registered_on": "20200101",
        "outline": SQUARE,
    } | values


def place(**values: str | None) -> dict[str, str | None]:
    return {
        "place_code": "PL0001",
        "region_code": "320102",
        "name": "某公园",
        "place_kind": "27",
        "location": "POINT(118.78 32.04)",
    } | values


def test_good_rows_break_no_rule(city: City) -> None:
    assert broken_rule(PARCEL, parcel(), today=TODAY) is None
    assert broken_rule(PLACE, place(), today=TODAY) is None


@pytest.mark.parametrize(
    ("outline", "rule"),
    [
        ("这不是几何", "outline.unreadable"),
        ("POLYGON((118 32", "outline.unreadable"),
        ('{"type":"Polygon"}', "outline.unreadable"),
        ('{"type":"Polygon","coordinates":"x"}', "outline.unreadable"),
        ("POLYGON EMPTY", "outline.empty"),
        ("POINT(118.78 32.04)", "outline.type"),
        ("LINESTRING(118 32,119 32)", "outline.type"),
        ("POLYGON((118.78 32.04,118.781 32.04,118.781 32.041,118.78 32.041))", "outline.unclosed"),
        ("POLYGON((118.78 32.04,118.781 32.041,118.781 32.04,118.78 32.041,118.78 32.04))", "outline.crossing"),
        ("POLYGON((32.04 118.78,32.04 118.781,32.041 118.781,32.041 118.78,32.04 118.78))", "outline.swapped"),
        ("POLYGON((2 48,2.1 48,2.1 48.1,2 48.1,2 48))", "outline.outside"),
        ("POLYGON((500000 3500000,500100 3500000,500100 3500100,500000 3500100,500000 3500000))", "outline.outside"),
        ("SRID=4214;" + SQUARE, "outline.old_datum"),
        ("SRID=4610;" + SQUARE, "outline.old_datum"),
        ("SRID=2437;" + SQUARE, "outline.old_datum"),
        ("SRID=3857;" + SQUARE, "outline.srid"),
        (
            "POLYGON((118.78 32.04,118.781 32.04,118.781 32.041,118.78 32.041,118.78 32.04),"
            "(118.79 32.05,118.791 32.05,118.791 32.051,118.79 32.051,118.79 32.05))",
            "outline.hole",
        ),
    ],
)
def test_broken_outline_is_rejected_by_name(city: City, outline: str, rule: str) -> None:
    assert broken_rule(PARCEL, parcel(outline=outline), today=TODAY) == rule
    assert rule_named(PARCEL, rule).text()


def test_swapped_point_is_told_so(city: City) -> None:
    assert broken_rule(PLACE, place(location="POINT(32.04 118.78)"), today=TODAY) == "location.swapped"
    assert "经纬度颠倒" in rule_named(PLACE, "location.swapped").text()
    assert broken_rule(PLACE, place(location="POINT(nan nan)"), today=TODAY) in ("location.empty", "location.outside")
    assert broken_rule(PLACE, place(location="MULTIPOINT(118.78 32.04)"), today=TODAY) == "location.type"


@pytest.mark.parametrize(
    ("datum", "rule"),
    [
        ("GCJ02", "datum.shifted"),
        ("bd-09", "datum.shifted"),
        ("BEIJING54", "datum.old"),
        ("XIAN80", "datum.old"),
        ("火星", "datum.code"),
        ("WGS84", None),
        ("CGCS2000", None),
        (None, None),
    ],
)
def test_unknown_and_shifted_datums_are_refused(city: City, datum: str | None, rule: str | None) -> None:
    assert broken_rule(PLACE, place(datum=datum), today=TODAY) == rule


def test_shifted_coordinates_are_let_in_only_for_a_source_that_may_keep_them(city: City) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [SHIFTED_KEPT])
    assert broken_rule(PLACE, place(datum="GCJ02"), today=TODAY) is None
    assert broken_rule(PLACE, place(datum="XIAN80"), today=TODAY) == "datum.old"


@pytest.mark.parametrize(("area", "rule"), [("10470", None), ("10300", None), ("10000", "area.mismatch"), ("1", "area.mismatch")])
def test_recorded_area_agrees_with_the_outline_within_a_fiftieth(city: City, area: str, rule: str | None) -> None:
    assert broken_rule(PARCEL, parcel(area=area), today=TODAY) == rule


def test_projected_outline_lands_where_it_was_measured(city: City) -> None:
    """EPSG 4549 has its meridian at 120 degrees: false easting 500 km, northing along the ellipsoid of CGCS2000."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH p AS (SELECT basedb_read_geometry('SRID=4549;POINT(384803.6 3546548.7)') AS g)"
            " SELECT ST_SRID(g), round(ST_X(g)::numeric, 4), round(ST_Y(g)::numeric, 4),"
            " ST_Distance(g::geography, ST_Transform(ST_SetSRID(ST_MakePoint(118.78, 32.04), 4490), 4490)::geography) FROM p"
        )
        srid, longitude, latitude, _metres = cursor.fetchone()
        assert (srid, round(float(longitude), 2), round(float(latitude), 2)) == (4490, 118.78, 32.04)
        cursor.execute("SELECT ST_AsText(basedb_read_geometry('SRID=4549;POINT(500000 0)'))")
        x, y = cursor.fetchone()[0].removeprefix("POINT(").removesuffix(")").split()
        assert (round(float(x), 6), round(float(y), 6)) == (120, 0)


def test_division_of_code_must_stand_on_the_day(city: City) -> None:
    assert broken_rule(PARCEL, parcel(parcel_code="320199001001GB00001"), today=TODAY) == "parcel_code.division"
    assert broken_rule(PARCEL, parcel(region_code="320199"), today=TODAY) == "region_code.unknown"
    district = city.districts["320102"]
    district.valid_from = date(2013, 2, 20)
    district.save()
    assert broken_rule(PARCEL, parcel(registered_on="20130219"), today=TODAY) == "parcel_code.division"
    assert broken_rule(PARCEL, parcel(registered_on="20130220"), today=TODAY) is None
    district.valid_to = date(2025, 6, 1)
    district.save()
    assert broken_rule(PARCEL, parcel(registered_on="20200101", region_code="320104"), today=TODAY) is None
    assert broken_rule(PARCEL, parcel(registered_on="20200101"), today=TODAY) == "region_code.unknown"


def test_unit_belongs_to_a_stored_parcel_and_names_it(city: City) -> None:
    unit = {
        "unit_code": PARCEL_CODE + "F00010001",
        "parcel_code": PARCEL_CODE,
        "region_code": "320102",
        "unit_state": "1",
        "fixture_kind": "F",
    }
    assert broken_rule(REAL_ESTATE_UNIT, unit, today=TODAY) == "parcel_code.unknown"
    assert broken_rule(REAL_ESTATE_UNIT, unit | {"fixture_kind": "W"}, today=TODAY) == "parcel_code.unknown"
    assert broken_rule(REAL_ESTATE_UNIT, unit | {"parcel_code": "320102001001GB00002"}, today=TODAY) == "parcel_code.mismatch"
    assert broken_rule(REAL_ESTATE_UNIT, unit | {"unit_code": PARCEL_CODE}, today=TODAY) == "unit_code.format"


def test_owner_has_a_valid_identifier_of_its_kind(city: City) -> None:
    right = {
        "holder_id": generate_citizen_id("990101", date(1980, 5, 6), 1),
        "holder_kind": "1",
        "holder_name": "张某",
        "certificate_number": "苏(2020)宁玄不动产权第0000001号",
        "unit_code": PARCEL_CODE + "F00010001",
        "region_code": "320102",
        "estate_right": "04",
        "share_kind": "0",
        "registered_on": "20200101",
        "right_state": "1",
    }
    assert broken_rule(OWNERSHIP, right, today=TODAY) == "unit_code.unknown"
    assert broken_rule(OWNERSHIP, right | {"holder_kind": "2"}, today=TODAY) == "holder_id.check_digit"


def test_division_range_runs_forward(city: City) -> None:
    row = {"division_code": "320199", "division_level": "COUNTY", "valid_from": "20100101", "valid_to": "20090101"}
    assert broken_rule(DIVISION, row, today=TODAY) == "valid_to.before_start"
    assert broken_rule(DIVISION, row | {"valid_to": "20110101", "successors": "320102、320104"}, today=TODAY) is None
    assert broken_rule(DIVISION, row | {"valid_to": "20110101", "successors": "玄武区"}, today=TODAY) == "successors.format"


def test_address_may_lack_its_point(city: City) -> None:
    row = {"address_code": "DZ000001", "region_code": "320102", "full_address": "中山路1号", "address_state": "1"}
    assert broken_rule(ADDRESS, row, today=TODAY) is None


_COORDINATES = st.tuples(
    st.one_of(st.floats(118, 119), st.sampled_from([32.0, 0.0, 118.5])),
    st.one_of(st.floats(31, 33), st.sampled_from([118.0, 32.0])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.lists(_COORDINATES, min_size=1, max_size=8), is_closed=st.booleans())
def test_random_ring_is_rejected_or_stored_valid(city: City, points: list[tuple[float, float]], is_closed: bool) -> None:
    ring = points + points[:1] if is_closed else points
    text = f"POLYGON(({','.join(f'{x!r} {y!r}' for x, y in ring)}))"
    row = {"building_code": "JZ000001", "region_code": "320102", "outline": text}
    rule = broken_rule(BUILDING, row, today=TODAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_IsValid(g) AND NOT ST_IsEmpty(g) AND ST_SRID(g) = 4490 AND ST_IsPolygonCCW(g)"
            " FROM (SELECT basedb_read_geometry(%s) AS g) t",
            [text],
        )
        assert (rule is not None and rule.startswith("outline.")) or cursor.fetchone()[0] is True


@pytest.mark.parametrize(("valid_to", "rule"), [("20191231", "valid_to.before_start"), ("20200101", None), (None, None)])
def test_a_zone_does_not_end_before_it_begins(city: City, valid_to: str | None, rule: str | None) -> None:
    zone = {
        "zone_code": "ZONE0001",
        "region_code": "320102",
        "zone_kind": "01",
        "name": "某保护区",
        "valid_from": "20200101",
        "valid_to": valid_to,
        "outline": SQUARE,
    }
    assert broken_rule(PLANNING_ZONE, zone, today=TODAY) == rule
