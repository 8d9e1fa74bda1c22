"""The page that loads approved outlines: it checks without keeping, loads whole files only, and once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from basedb.models import BoundaryLoad, DataSource, DivisionOutline
from tests.basedb.test_geography_divisions import box, collection, load
from tests.factories import City

GOOD = collection(box("320102", 118.7, 32.0, 118.8, 32.1), box("320104", 118.8, 32.0, 118.9, 32.1))
BAD = collection(box("320102", 118.7, 32.0, 118.8, 32.1), box("320104", 32.0, 118.8, 32.1, 118.9))


@pytest.fixture
def administrator(city: City, client: Client) -> Client:
    client.force_login(city.people["system_admin"])
    return client


def given(content: bytes, action: str, **values: Any) -> dict[str, Any]:
    return {
        "submission": "a" * 32,
        "source": "省测绘院",
        "approval_number": "苏S(2024)001号",
        "file": SimpleUploadedFile("outlines.geojson", content),
        "action": action,
    } | values


def test_check_shows_what_would_happen_and_keeps_nothing(administrator: Client) -> None:
    page = administrator.post("/boundaries/load/", given(GOOD, "check"))
    assert page.status_code == 200
    assert "玄武区" in page.content.decode()
    assert "新增界线" in page.content.decode()
    page = administrator.post("/boundaries/load/", given(BAD, "check"))
    assert [bool(line.fault) for line in page.context["lines"]] == [True, False], "faults first: a long list is cut"
    assert "经纬度颠倒" in page.content.decode()
    assert not BoundaryLoad.objects.exists()


def test_good_file_is_loaded_once_and_listed(administrator: Client, transactional_db: None) -> None:
    for _time in range(2):
        assert administrator.post("/boundaries/load/", given(GOOD, "load")).status_code == 302
    assert BoundaryLoad.objects.count() == 1
    assert DivisionOutline.objects.count() == 2
    assert "苏S(2024)001号" in administrator.get("/boundaries/").content.decode()


@pytest.mark.parametrize(
    ("content", "values", "word"),
    [
        (BAD, {}, "经纬度颠倒"),
        (b"{}", {}, "FeatureCollection"),
        (GOOD, {"approval_number": "无"}, "审图号"),
        (GOOD, {"foo": "1"}, "未知字段"),
    ],
)
def test_faulty_file_or_number_loads_nothing(
    administrator: Client, transactional_db: None, content: bytes, values: dict[str, str], word: str
) -> None:
    page = administrator.post("/boundaries/load/", given(content, "load", **values))
    assert page.status_code == 422
    assert word in page.content.decode()
    assert not DivisionOutline.objects.exists()


def test_coordinates_of_a_source_are_decided_with_a_reason(city: City, client: Client) -> None:
    DataSource.objects.create(code="geo.place.x", title="地名数源", dataset="geo.place", department=city.police, collector="OTHER")
    client.force_login(city.people["reviewer"])
    url = "/boundaries/coordinates/geo.place.x/"
    assert url in client.get("/boundaries/coordinates/").content.decode()
    assert client.post(url, {"choice": "keep", "reason": ""}).status_code == 422
    assert client.post(url, {"choice": "keep", "reason": "仅供参考"}).status_code == 302
    assert "保留并标注" in client.get("/boundaries/coordinates/").content.decode()
    assert client.get("/boundaries/coordinates/nothing/").status_code == 404


def test_the_map_shows_the_numbers_its_outlines_were_approved_under(city: City, client: Client, now: datetime) -> None:
    client.force_login(city.people["police_operator"])
    assert "审图号：" not in client.get("/map/").content.decode()
    load(GOOD, city, now)
    load(collection(box("320100", 118.6, 31.9, 119.0, 32.2)), city, now, is_fictive=True, approval_number="虚构")
    page = client.get("/map/").content.decode()
    assert "审图号：苏S(2024)001号" in page
    assert "虚构、" not in page
    for division, count in (("", 3), ("320100", 3), ("320102", 1), ("%00", 3), ("abc", 3)):
        told = client.get(f"/map/outlines/?division={division}").json()
        assert len(told["features"]) == count, division


def test_a_layer_that_may_not_be_seen_any_more_is_said_so(city: City, client: Client) -> None:
    client.force_login(city.people["police_operator"])
    page = client.get("/map/", {"layer": "00000000-0000-7000-8000-000000000000"})
    assert page.status_code == 422
    assert "invalid-feedback" in page.content.decode()
