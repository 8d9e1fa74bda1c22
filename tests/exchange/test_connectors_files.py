"""Files of every kind from the exchange node: how they are read, resumed and checked, and what is refused before it is loaded."""

from __future__ import annotations

import json
import sqlite3
import tracemalloc
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2

import pytest
from django.utils import timezone

from basedb.staging import RawRow
from core.errors import Invalid
from exchange.aggregation import checking, plans
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.connectors.terms import place_of
from exchange.models import AggregationPlan, AggregationRun, DropFile, SchemaChange
from tests.exchange import dropped_files
from tests.exchange.aggregation_sources import COLUMNS, csv_plan, csv_text, drop, person
from tests.exchange.dropped_files import BOW_TIE, SQUARE, features, geopackage, packed, shapefile, workbook
from tests.factories import City

HEAD = list(COLUMNS.values())
PLACE_COLUMNS = {"place_code": "code", "name": "name", "region_code": "region", "location": "geometry", "datum": "datum"}


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    return tmp_path / "drop" / "police"


def plan_of(city: City, connector: str, **values: Any) -> AggregationPlan:
    return csv_plan(city.police, timezone.now(), connector=connector, **values)


def geo_plan(city: City, columns: dict[str, str], **settings: Any) -> AggregationPlan:
    """A plan that maps no more than a test needs: what must be mapped is judged elsewhere."""
    plan = plan_of(city, "GEO_DROP", settings={"folder": "police", **settings})
    plan.dataset, plan.columns, plan.key_column = "geo.place", columns, ""
    plan.save()
    return plan


def run_of(plan: AggregationPlan, **checkpoint: Any) -> AggregationRun:
    AggregationRun.objects.filter(plan=plan).update(state="FAILED")
    return AggregationRun.objects.create(plan=plan, queued_at=timezone.now(), checkpoint=checkpoint)


def read(plan: AggregationPlan, size: int = 1000, **checkpoint: Any) -> tuple[list[RawRow], Any]:
    reading = CONNECTORS[plan.connector].open(plan, run_of(plan, **checkpoint))
    try:
        reading.begin()
        return list(reading.batch(size)), reading
    finally:
        reading.close()


def left_behind(folder: Path) -> list[Path]:
    return list((folder.parent.parent / "uploads" / "aggregation").iterdir())


def test_excel_rows_are_read_as_people_see_them(city: City, folder: Path) -> None:
    born = person(1) | {"CSRQ": ""}
    rows = [[], HEAD, list(person(1).values()), [], [*list(born.values())[:3], date(1950, 1, 2), 0, 320102.0, "=HYPERLINK(1)"]]
    drop(folder, "a.xlsx", workbook(rows))
    found, reading = read(plan_of(city, "EXCEL_DROP"))
    assert [row.line_number for row in found] == [3, 5]
    assert found[0].values == list(person(1).values())
    assert found[1].values[3:] == ["1950-01-02", "0", "320102", "=HYPERLINK(1)"]
    assert reading.expected == 2
    assert not left_behind(folder)


def test_excel_is_resumed_after_its_row(city: City, folder: Path) -> None:
    drop(folder, "a.xlsx", workbook([HEAD, *(list(person(n).values()) for n in range(1, 6))]))
    plan = plan_of(city, "EXCEL_DROP")
    _rows, reading = read(plan, size=2)
    assert reading.state["line"] == 3
    again, _reading = read(plan, **reading.state)
    assert [row.source_key for row in again] == [person(n)["GMSFHM"] for n in (3, 4, 5)]


def test_number_a_spreadsheet_cut_is_a_reject(city: City, folder: Path) -> None:
    drop(folder, "a.xlsx", workbook([HEAD, [990101195001020011, *list(person(1).values())[1:]]]))
    rows, _reading = read(plan_of(city, "EXCEL_DROP"))
    assert rows[0].fault == "row.lost_digits"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (dropped_files.bomb(), "file.zip_bomb"),
        (packed({"[Content_Types].xml": b"<Types/>"}, ZIP_BZIP2), "file.zip_method"),
        (packed({"../evil.xml": b"x"}), "file.zip_path"),
        (packed({"a.txt": b"x"}), "file.xlsx_broken"),
        (workbook([HEAD])[:300], "file.zip_broken"),
        (b"\xd0\xcf\x11\xe0old", "file.not_xlsx"),
        (b"GMSFHM,XM\n", "file.not_xlsx"),
        (b"", "file.not_xlsx"),
        (workbook([[]]), "file.empty"),
        (workbook([HEAD]), "file.empty"),
        (workbook([["x", "y"]]), "file.header"),
    ],
)
def test_workbook_that_cannot_be_taken_is_refused_by_code(city: City, folder: Path, content: bytes, code: str) -> None:
    drop(folder, "a.xlsx", content)
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "EXCEL_DROP"))
    assert refused.value.code == code
    assert str(refused.value.message).startswith("文件「a.xlsx」：")
    assert not left_behind(folder)


def test_zip_that_lies_about_its_sizes_is_refused(city: City, folder: Path) -> None:
    drop(folder, "a.zip", dropped_files.lying(b"x" * 100_003))
    with pytest.raises(Invalid) as refused:
        read(geo_plan(city, PLACE_COLUMNS))
    assert refused.value.code == "file.zip_broken"


def test_json_lines_keep_their_digits_and_name_their_broken_lines(city: City, folder: Path) -> None:
    lines = [json.dumps(person(n), ensure_ascii=False) for n in range(1, 5)]
    lines[1:1] = ["{", "[1]", '{"GMSFHM": NaN}', "", '{"a":' * 5000]
    lines.append(json.dumps(person(9) | {"XM": "张\x00"}))
    lines.append('{"GMSFHM": 990101195001020011, "XM": {"x": 1.10}}')
    drop(folder, "a.jsonl", b"\xef\xbb\xbf" + "\n".join(lines).encode())
    rows, reading = read(plan_of(city, "JSON_DROP"))
    assert [(row.line_number, row.fault) for row in rows if row.fault] == [
        (2, "row.json"), (3, "row.json"), (4, "row.json"), (6, "row.json"), (10, "row.nul"),
    ]  # fmt: skip
    assert [row.damaged for row in rows[1:4]] == ["{", "[1]", '{"GMSFHM": NaN}']
    assert rows[-1].values[:3] == ["990101195001020011", '{"x": "1.10"}', None]
    assert reading.state["line"] == 11


def test_json_lines_are_resumed_at_their_byte(city: City, folder: Path) -> None:
    drop(folder, "a.jsonl", "\n".join(json.dumps(person(n)) for n in range(1, 8)))
    plan = plan_of(city, "JSON_DROP")
    _rows, reading = read(plan, size=3)
    rows, _reading = read(plan, **reading.state)
    assert [row.source_key for row in rows] == [person(n)["GMSFHM"] for n in range(4, 8)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b'{"GMSFHM": 1}\n', "file.header"),
        (json.dumps(person(1)).encode() + b"\n\x00", "file.nul"),
        (json.dumps(person(1), ensure_ascii=False).encode("gb18030"), "file.encoding"),
        (b'{"GMSFHM": "' + b"x" * (5 << 20) + b'"}', "file.line_too_long"),
    ],
)
def test_json_that_cannot_be_taken_is_refused_by_code(city: City, folder: Path, content: bytes, code: str) -> None:
    drop(folder, "a.jsonl", content)
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "JSON_DROP"))
    assert refused.value.code == code


def test_geojson_geometry_goes_on_with_its_datum(city: City, folder: Path) -> None:
    drop(folder, "a.geojson", features(SQUARE, BOW_TIE, None, name="地块", region="320102"))
    rows, _reading = read(geo_plan(city, PLACE_COLUMNS))
    values = [dict(zip(("name", "region", "code", "shape", "datum"), row.values, strict=True)) for row in rows]
    assert len(rows) == 3
    assert any(str(value).startswith("SRID=4326;POLYGON") for value in rows[0].values)
    assert "WGS84" in values[0].values()
    assert rows[1].fault == ""  # a crossing is for the rules, which name it
    assert not any(str(value).startswith("SRID") for value in rows[2].values)


def test_geojson_the_plan_calls_cgcs2000_is_taken_as_such(city: City, folder: Path) -> None:
    drop(folder, "a.geojson", features(SQUARE, name="地块", region="320102"))
    rows, _reading = read(geo_plan(city, PLACE_COLUMNS, srid=4490))
    assert any(str(value).startswith("SRID=4490;POLYGON") for value in rows[0].values)


def test_encoding_of_a_shapefile_is_told_by_its_records_not_by_the_bytes_of_its_head(city: City, folder: Path) -> None:
    points = [(118.75, 32.05, f"湖{number}") for number in range(130)]  # a count that is no UTF-8
    drop(folder, "a.zip", shapefile(points, encoding="utf-8"))
    rows, _reading = read(geo_plan(city, {"place_code": "NAME", "location": "geometry"}))
    assert [row.values[0] for row in rows] == [name for _x, _y, name in points]


def test_attributes_in_another_encoding_than_the_file_names_are_refused(city: City, folder: Path) -> None:
    drop(folder, "a.zip", shapefile([(118.75, 32.05, "玄武湖")], code_page="UTF-8"))
    with pytest.raises(Invalid) as refused:
        read(geo_plan(city, {"place_code": "NAME", "location": "geometry"}))
    assert (refused.value.code, refused.value.details) == ("file.encoding", {"line": 1})
    assert not left_behind(folder)


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_shapefile_without_code_page_is_read_in_its_encoding(city: City, folder: Path, encoding: str) -> None:
    drop(folder, "a.zip", shapefile([(118.75, 32.05, "玄武湖"), (118.76, 32.06, "紫金山")], encoding=encoding))
    rows, _reading = read(geo_plan(city, {"place_code": "NAME", "location": "geometry"}))
    assert [list(row.values) for row in rows] == [
        ["玄武湖", "SRID=4490;POINT (118.75 32.05)"],
        ["紫金山", "SRID=4490;POINT (118.76 32.06)"],
    ]
    assert not left_behind(folder)


def test_geopackage_is_read_and_resumed(city: City, folder: Path, tmp_path: Path) -> None:
    content = geopackage(tmp_path / "made.gpkg", [(118.7 + n / 100, 32.0, f"P{n}") for n in range(5)])
    drop(folder, "a.gpkg", content)
    plan = geo_plan(city, {"place_code": "code", "location": "geometry"})
    _rows, reading = read(plan, size=2)
    rows, _reading = read(plan, **reading.state)
    assert [row.values[0] for row in rows] == ["P2", "P3", "P4"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.zip", shapefile([(1, 2, "x")], prj=dropped_files.XIAN_PRJ), "file.crs_refused"),
        ("a.zip", shapefile([(1, 2, "x")], prj=dropped_files.BEIJING_PRJ), "file.crs_refused"),
        ("a.zip", shapefile([(1, 2, "x")], prj=None), "file.crs_missing"),
        ("a.zip", packed({"a.shp": b"x"}), "file.shapefile_incomplete"),
        ("a.zip", packed({"a.shp": b"x", "a.shx": b"x", "a.dbf": b"x"}), "file.geo_broken"),
        ("a.zip", packed({"../../a.shp": b"x"}), "file.zip_path"),
        ("a.zip", packed({"C:\\a.shp": b"x"}), "file.zip_path"),
        ("a.zip", dropped_files.bomb("a.shp"), "file.zip_bomb"),
        ("a.zip", dropped_files.link(), "file.zip_link"),
        ("a.geojson", features(SQUARE, crs="urn:ogc:def:crs:EPSG::3857"), "file.crs_unknown"),
        ("a.geojson", features(SQUARE, crs="urn:ogc:def:crs:EPSG::4610"), "file.crs_refused"),
        ("a.geojson", features(SQUARE, crs="urn:ogc:def:crs:EPSG::2361"), "file.crs_refused"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "file.geo_broken"),
        ("a.geojson", b"<OGRVRTDataSource/>", "file.geo_unknown"),
        ("a.geojson", features(SQUARE, name="a\x00b"), "file.nul"),
        ("a.geojson", features(SQUARE, NAME="玄武湖").decode().encode("gbk"), "file.encoding"),
        ("a.geojson", b"", "file.geo_unknown"),
        ("a.gpkg", b"SQLite format 3\x00" + b"\x00" * 100, "file.geo_broken"),
    ],
)
def test_geodata_that_cannot_be_taken_is_refused_by_code(city: City, folder: Path, name: str, content: bytes, code: str) -> None:
    drop(folder, name, content)
    with pytest.raises(Invalid) as refused:
        read(geo_plan(city, {"place_code": "NAME", "location": "geometry"}))
    assert refused.value.code == code
    assert not left_behind(folder)


@pytest.mark.parametrize(("delimiter", "named"), [("\t", "制表符"), (";", ";"), ("|", "|"), ("，", "，")])
def test_wrong_delimiter_is_named(city: City, folder: Path, delimiter: str, named: str) -> None:
    drop(folder, "a.csv", csv_text([person(1)]).replace(",", delimiter))
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "CSV_DROP"))
    assert refused.value.code == "file.delimiter"
    assert f"「{named}」" in str(refused.value.message)


def test_encodings_mixed_in_one_file_are_refused_with_the_line(city: City, folder: Path) -> None:
    text = csv_text(person(n) for n in range(1, 30)).encode().splitlines(keepends=True)
    text[20] = "，".join(person(3).values()).encode("gb18030")[:-1] + b"\xff\n"
    drop(folder, "a.csv", b"".join(text))
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "CSV_DROP"))
    assert (refused.value.code, refused.value.details) == ("file.encoding", {"line": 21})


@pytest.mark.parametrize("encodings", [("gb18030", "utf-8"), ("utf-8", "gb18030")])
def test_encodings_of_which_one_passes_for_the_other_are_refused_with_the_line(
    city: City, folder: Path, encodings: tuple[str, str]
) -> None:
    text = csv_text(person(n, XM="张三", HJDZ="玄武区某条路二号") for n in range(1, 30)).splitlines(keepends=True)
    lines = [line.encode(encodings[number == 20]) for number, line in enumerate(text)]
    drop(folder, "a.csv", b"".join(lines))
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "CSV_DROP"))
    assert (refused.value.code, refused.value.details) == ("file.encoding", {"line": 21})


def test_header_that_ends_as_on_an_old_mac_is_told_apart_from_a_broken_platform(city: City, folder: Path) -> None:
    drop(folder, "a.csv", csv_text([person(1)]).replace("\r\n", "\r"))
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "CSV_DROP"))
    assert refused.value.code == "file.header"


def test_file_above_the_limit_of_its_plan_is_not_read(city: City, folder: Path) -> None:
    drop(folder, "a.csv", csv_text([person(1)]) + "\n" * (2 << 20))
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, "CSV_DROP", settings={"folder": "police", "most_megabytes": 1}))
    assert refused.value.code == "file.too_large"
    assert not left_behind(folder)


def test_memory_does_not_grow_with_the_file(city: City, folder: Path) -> None:
    sizes = []
    for count in (20_000, 80_000):
        drop(folder, "a.csv", csv_text(person(n) for n in range(count)))
        reading = CONNECTORS["CSV_DROP"].open(plan := plan_of(city, "CSV_DROP"), run_of(plan))
        tracemalloc.start()
        reading.begin()
        assert sum(1 for _row in reading.batch(count)) == count
        sizes.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        reading.close()
    assert sizes[1] < sizes[0] * 1.5


def test_new_column_waits_and_the_file_is_read(city: City, folder: Path) -> None:
    plan = plan_of(city, "CSV_DROP")
    drop(folder, "a.csv", csv_text([person(1)]))
    read(plan)
    DropFile.objects.all().delete()
    drop(folder, "a.csv", csv_text([person(1) | {"LXDH": "1"}], [*HEAD, "LXDH"]))
    rows, _reading = read(plan)
    assert len(rows[0].values) == len(COLUMNS)
    assert SchemaChange.objects.get().column == "LXDH"


def test_columns_named_for_people_may_stay_unmapped(city: City, folder: Path) -> None:
    more = {"罚款金额(万元)": "1", "备注 *": ""}
    drop(folder, "a.csv", csv_text([person(1) | more], [*HEAD, *more]))
    rows, _reading = read(plan_of(city, "CSV_DROP"))
    assert rows[0].values == list(person(1).values())


def test_check_of_a_drop_looks_at_the_newest_file_and_masks(city: City, folder: Path) -> None:
    plan = plan_of(city, "CSV_DROP")
    assert checking.check(place_of(plan)).steps[0].code == "file.none"
    drop(folder, "a.csv", csv_text(person(n) for n in range(1, 9)))
    report = checking.check(place_of(plan))
    assert (report.is_good, report.count, len(report.sample)) == (True, 8, 5)
    assert person(1)["GMSFHM"] not in str(report.sample)
    assert not left_behind(folder)


@pytest.mark.parametrize("connector", ["EXCEL_DROP", "JSON_DROP", "GEO_DROP"])
def test_folder_must_lie_below_the_exchange_node(city: City, folder: Path, now: datetime, connector: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan_of(city, connector, settings={"folder": "../elsewhere"})
    assert refused.value.code == "plan.folder_invalid"
    assert plans.queue_due(now=now) == 0


def test_plan_of_workbooks_is_due_when_one_waits(city: City, folder: Path, now: datetime) -> None:
    plan_of(city, "EXCEL_DROP", every_minutes=5)
    assert plans.queue_due(now=now) == 0
    AggregationPlan.objects.update(next_run_at=now)
    drop(folder, "a.xlsx", workbook([HEAD, list(person(1).values())]))
    assert plans.queue_due(now=now) == 1


@pytest.mark.parametrize("named", [2, 9])
def test_geopackage_that_names_another_number_of_features_is_refused(city: City, folder: Path, tmp_path: Path, named: int) -> None:
    geopackage(tmp_path / "made.gpkg", [(118.7 + n / 100, 32.0, f"P{n}") for n in range(5)])
    base = sqlite3.connect(tmp_path / "made.gpkg")
    base.execute("CREATE TABLE gpkg_ogr_contents (table_name TEXT PRIMARY KEY, feature_count INTEGER)")
    base.execute("INSERT INTO gpkg_ogr_contents VALUES ('places', ?)", (named,))
    base.commit()
    base.close()
    drop(folder, "a.gpkg", (tmp_path / "made.gpkg").read_bytes())
    with pytest.raises(Invalid) as refused:
        read(geo_plan(city, {"place_code": "code", "location": "geometry"}))
    assert refused.value.code == "file.geo_broken"
