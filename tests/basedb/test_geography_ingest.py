"""Delivered places through the real intake: transformed, marked, kept apart; one broken shape rejects one row."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from basedb.dictionary import DATASETS
from basedb.geography import shifted
from basedb.identifiers import generate_citizen_id
from basedb.models import Address, Division, Ownership, Parcel, Place, RealEstateUnit
from core.errors import Forbidden, Invalid
from tests.basedb.test_ingest import RING, intake, load, numbered, rejects, source_of
from tests.factories import City

__all__ = ["rejects"]


def deliver(city: City, dataset: str, *rows: dict[str, str | None], run: int = 1, **source: Any) -> Any:
    fields = tuple(dict.fromkeys(name for row in rows for name in row))
    given = source_of(city, dataset, **source)
    job = intake(city, dataset=DATASETS[dataset], fields=fields, run_id=run, source=given, now=timezone.now())
    return load(job, numbered(tuple(row.get(name) for name in fields) for row in rows))


def rejected() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT line_number, rule FROM rejects ORDER BY number")
        return list(cursor.fetchall())


def square(west: float, south: float = 32.04, side: float = 0.001) -> str:
    east, north = west + side, south + side
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def parcel(serial: int, west: float, kind: str = "GB", **values: str | None) -> dict[str, str | None]:
    row: dict[str, str | None] = {
        "parcel_code": f"320102001001{kind}{serial:05d}",
        "region_code": "320102",
        "area": "10470",
        "parcel_state": "1",
        "outline": square(west),
    }
    return row | values


def test_good_parcels_are_stored_as_valid_multipolygons(city: City, rejects: None) -> None:
    counts = deliver(city, "geo.parcel", parcel(1, 118.78), parcel(2, 118.781))  # they touch along an edge
    assert (counts.accepted, counts.rejected, Parcel.objects.count()) == (2, 0, 2)
    one = Parcel.objects.get(parcel_code="320102001001GB00001")
    assert (one.outline.geom_type, one.outline.srid, one.outline.valid) == ("MultiPolygon", 4490, True)
    assert bytes(one.subject_key) == RING.subject_key("320102001001GB00001")


def test_one_broken_shape_rejects_one_row_and_never_the_batch(city: City, rejects: None) -> None:
    broken = ("x", "POLYGON((1 2", "POLYGON EMPTY", '{"type":"Polygon","coordinates":[[[1]]]}', "0102", "SRID=1;POINT(1 2)", "NULL")
    rows = [parcel(number, 118.70 + number / 500, outline=text) for number, text in enumerate(broken, start=1)]
    counts = deliver(city, "geo.parcel", *rows, parcel(99, 118.79))
    assert (counts.accepted, counts.rejected) == (1, len(broken))
    assert all(rule.startswith("outline.") for _line, rule in rejected())


def test_later_of_two_overlapping_rows_is_rejected(city: City, rejects: None) -> None:
    counts = deliver(
        city, "geo.parcel", parcel(1, 118.78), parcel(2, 118.7805), parcel(3, 118.7812), parcel(4, 118.7805, kind="JA")
    )
    assert (counts.accepted, counts.rejected) == (3, 1)  # 3 overlaps only the rejected 2; the right of 4 lies in another layer
    assert rejected() == [(3, "outline.overlap")]


def test_row_that_overlaps_a_stored_parcel_is_rejected_but_itself_may_change(city: City, rejects: None) -> None:
    deliver(city, "geo.parcel", parcel(1, 118.78))
    counts = deliver(city, "geo.parcel", parcel(5, 118.7809), run=2)
    assert counts.rejected == 1
    assert rejected() == [(2, "outline.overlap")]
    moved = parcel(1, 118.78003)
    assert deliver(city, "geo.parcel", moved, run=3).changed == 1
    assert Parcel.objects.get().outline.extent[0] == pytest.approx(118.78003)


def test_projected_outline_is_stored_in_degrees_and_marked(city: City, rejects: None) -> None:
    shape = "SRID=4549;POLYGON((500000 3500000,500100 3500000,500100 3500100,500000 3500100,500000 3500000))"
    deliver(city, "geo.parcel", parcel(1, 0, outline=shape, area="10000"))
    one = Parcel.objects.get()
    assert one.outline.extent[0] == pytest.approx(120, abs=1e-9)
    assert (one.outline.srid, one.datum_note) == (4490, "PROJECTED")
    assert deliver(city, "geo.parcel", parcel(1, 0, outline=shape, area="10000"), run=2).changed == 0


def place(serial: int, **values: str | None) -> dict[str, str | None]:
    row: dict[str, str | None] = {"place_code": f"PL{serial:06d}", "region_code": "320102", "name": f"公园{serial}"}
    return row | {"place_kind": "27", "location": "POINT(118.78 32.04)", "datum": None} | values


def test_wgs84_is_marked_and_not_moved(city: City, rejects: None) -> None:
    geojson = '{"type":"Point","coordinates":[118.78,32.04]}'
    deliver(
        city,
        "geo.place",
        place(1),
        place(2, datum="WGS84"),
        place(3, location="SRID=4326;POINT(118.78 32.04)"),
        place(4, location=geojson),
        place(5, location=geojson, datum="CGCS2000"),
        place(6, location="SRID=4490;POINT(118.78 32.04)"),
    )
    rows = Place.objects.order_by("place_code")
    assert [row.datum_note for row in rows] == ["", "BALLPARK", "BALLPARK", "BALLPARK", "", ""]
    assert {tuple(row.location.coords) for row in rows} == {(118.78, 32.04)}


def test_shifted_points_are_refused_or_kept_with_a_mark_as_the_source_is_set(city: City, rejects: None) -> None:
    assert deliver(city, "geo.place", place(1, datum="GCJ02")).rejected == 1
    assert rejected() == [(2, "datum.shifted")]
    source = source_of(city, "geo.place")
    decide = partial(shifted.decide, code=source.code, is_kept=True, now=timezone.now())
    with pytest.raises(Forbidden):
        decide(reason="仅供参考", actor=city.actor("police_head"))
    with pytest.raises(Invalid):
        decide(reason=" ", actor=city.actor("reviewer"))
    decide(reason="互联网地图采集，仅供参考", actor=city.actor("reviewer"))
    assert deliver(city, "geo.place", place(1, datum="GCJ02"), run=2).accepted == 1
    assert Place.objects.get().datum_note == "GCJ02"
    assert deliver(city, "geo.parcel", parcel(1, 118.78, datum="GCJ02"), run=3).rejected == 1  # another source
    decide(is_kept=False, reason="已重新测绘", actor=city.actor("reviewer"))
    assert deliver(city, "geo.place", place(2, datum="GCJ02"), run=4).rejected == 1


def test_units_and_rights_hang_on_parcels_and_holders(city: City, rejects: None) -> None:
    deliver(city, "geo.parcel", parcel(1, 118.78))
    unit = "320102001001GB00001F00010001"
    row = {"unit_code": unit, "parcel_code": unit[:19], "region_code": "320102", "unit_state": "1"}
    assert deliver(city, "geo.real_estate_unit", row, row | {"unit_code": "320102001001GB00009F00010001"}).accepted == 1
    holder = generate_citizen_id("990101", date(1980, 5, 6), 1)
    right = {
        "holder_id": holder,
        "holder_kind": "1",
        "holder_name": "张某",
        "certificate_number": "苏(2020)不动产权第1号",
        "unit_code": unit,
        "region_code": "320102",
        "estate_right": "04",
        "share_kind": "0",
        "registered_on": "2020-01-01",
        "right_state": "1",
    }
    assert deliver(city, "geo.ownership", right).accepted == 1
    assert bytes(Ownership.objects.get().subject_key) == RING.subject_key(holder)
    assert RealEstateUnit.objects.get().outline is None


def test_address_keeps_its_normalized_writing_and_division_its_ranges(city: City, rejects: None) -> None:
    row = {"address_code": "DZ000001", "region_code": "320102", "full_address": "中山路十二号３幢", "address_state": "1"}
    deliver(city, "geo.address", row)
    assert Address.objects.get().normalized == "中山路12号3栋"
    first = {"division_code": "320103", "division_level": "COUNTY", "valid_from": "1955-01-01", "valid_to": "2013-02-20"}
    counts = deliver(city, "geo.division", first, first | {"valid_from": "2013-02-20", "valid_to": None, "predecessors": "320103"})
    assert (counts.accepted, Division.objects.count()) == (2, 2)


def test_a_parcel_kept_in_shifted_coordinates_takes_nobodys_place(city: City, rejects: None) -> None:
    source = source_of(city, "geo.parcel")
    shifted.decide(code=source.code, is_kept=True, reason="仅供参考", actor=city.actor("reviewer"), now=timezone.now())
    rows = [parcel(1, 118.78, datum="GCJ02"), parcel(2, 118.7805, datum=None)]
    counts = deliver(city, "geo.parcel", *rows)
    assert (counts.accepted, counts.rejected) == (2, 0)
    rows += [parcel(3, 118.7795, datum=None), parcel(4, 118.7805, datum="BD09")]
    counts = deliver(city, "geo.parcel", *rows, run=2)
    assert (counts.accepted, counts.rejected) == (4, 0)
    counts = deliver(city, "geo.parcel", *rows, parcel(5, 118.7806, datum=None), run=3)
    assert (counts.accepted, counts.rejected) == (4, 1), "sound ones meet each other as before"
