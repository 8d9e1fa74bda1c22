"""Places over REST: addresses by POST, points and codes by GET, nothing unknown accepted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.test import Client

from basedb.geography import figures
from basedb.models import Address, DataSource
from tests.basedb.test_geography_divisions import box, collection, load
from tests.factories import City

JSON = "application/json"
ROOT = "/openapi/v1/geography"


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["police_operator"])
    return client


def address(city: City) -> Address:
    return Address.objects.create(
        subject_key=b"1", source_department=city.police, source_record_id=1, run_id=1, address_code="DZ000001",
        region_code="320102",
        full_address="南京市玄武区中山路12号", address_state="1", location=Point(118.78, 32.04, srid=4490),
    )  # fmt: skip


def test_addresses_are_matched_in_order(city: City, operator: Client) -> None:
    address(city)
    body: dict[str, Any] = {"texts": ["玄武区中山路十二号", "无此路1号"]}
    items = operator.post(f"{ROOT}/address-matches", body, JSON).json()["items"]
    assert [item["verdict"] for item in items] == ["MATCHED", "NONE"]
    candidate = items[0]["candidates"][0]
    assert (candidate["address_code"], candidate["longitude"], candidate["latitude"]) == ("DZ000001", 118.78, 32.04)
    assert operator.post(f"{ROOT}/address-matches", body | {"division": "320104"}, JSON).json()["items"][0]["candidates"] == []


@pytest.mark.parametrize("body", [{}, {"texts": []}, {"texts": ["x" * 201]}, {"texts": ["x"], "foo": 1}, {"texts": "x"}])
def test_malformed_questions_are_refused(operator: Client, body: dict[str, Any]) -> None:
    assert operator.post(f"{ROOT}/address-matches", body, JSON).status_code == 422


def test_point_names_its_divisions_and_its_nearest_address(city: City, operator: Client, now: datetime) -> None:
    address(city)
    point = {"longitude": "118.7801", "latitude": "32.04"}
    assert operator.get(f"{ROOT}/point-divisions", point).json() == {"items": []}
    load(collection(box("320102", 118.7, 32.0, 118.8, 32.1)), city, now)
    (place,) = operator.get(f"{ROOT}/point-divisions", point).json()["items"]
    assert (place["code"], place["name"], place["approval_number"], place["is_fictive"]) == (
        "320102",
        "玄武区",
        "苏S(2024)001号",
        False,
    )
    (near,) = operator.get(f"{ROOT}/nearest-addresses", point).json()["items"]
    assert near["address_code"] == "DZ000001"
    assert 9 < near["metres"] < 10
    swapped = {"longitude": "32.04", "latitude": "118.78"}
    assert operator.get(f"{ROOT}/point-divisions", swapped).status_code == 422
    assert operator.get(f"{ROOT}/point-divisions", point | {"foo": "1"}).status_code == 422
    assert len(operator.get(f"{ROOT}/point-divisions", point | {"on": "2020-01-01"}).json()["items"]) == 1
    district = city.districts["320102"]
    district.valid_to = date(2025, 1, 1)
    district.save()
    assert operator.get(f"{ROOT}/point-divisions", point).json() == {"items": []}, "it stands no more"
    assert len(operator.get(f"{ROOT}/point-divisions", point | {"on": "2020-01-01"}).json()["items"]) == 1
    assert operator.get(f"{ROOT}/point-divisions", point | {"on": "2020-02-30"}).status_code == 422
    assert operator.get(f"{ROOT}/point-divisions", {"longitude": "nan", "latitude": "32"}).status_code == 422


def test_division_is_told_as_of_a_day(city: City, operator: Client) -> None:
    district = city.districts["320104"]
    district.valid_to = date(2020, 1, 1)
    district.save()
    district.successors.add(city.districts["320102"])
    past = operator.get(f"{ROOT}/divisions/320104", {"on": "2019-12-31"}).json()
    assert (past["is_standing"], past["name"]) == (True, "秦淮区")
    now = operator.get(f"{ROOT}/divisions/320104").json()
    assert (now["is_standing"], now["successors"], now["heirs"]) == (False, ["320102"], ["320102"])
    assert operator.get(f"{ROOT}/divisions/999999").status_code == 404
    for code in ("%00", "1%00", "x", "0", "3201040000000"):
        assert operator.get(f"{ROOT}/divisions/{code}").status_code == 404
    assert operator.get(f"{ROOT}/divisions/320104", {"on": "zzz"}).status_code == 422


def test_figures_are_counts_of_a_division_and_those_below(city: City, operator: Client, now: datetime) -> None:
    address(city)
    figures.recount(now=now)
    items = operator.get(f"{ROOT}/division-figures", {"code": "320100"}).json()["items"]
    assert [(item["division_code"], item["dataset"], item["count"]) for item in items] == [
        ("320100", "geo.address", 1),
        ("320102", "geo.address", 1),
    ]


def rooms(city: City) -> None:
    for number, room in enumerate(("201", "202"), 2):
        Address.objects.create(
            subject_key=bytes([number]), source_department=city.police, source_record_id=number, run_id=1,
            address_code=f"DZ00000{number}", region_code="320102", full_address=f"南京市玄武区中山路12号3栋2单元{room}室",
            building="3栋", unit="2单元", room=f"{room}室", address_state="1", location=Point(118.78, 32.04, srid=4490),
        )  # fmt: skip


def asked_for_rooms(client: Client) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    body = {"texts": ["玄武区中山路12号3栋2单元201室"]}
    (item,) = client.post(f"{ROOT}/address-matches", body, JSON).json()["items"]
    near = client.get(f"{ROOT}/nearest-addresses", {"longitude": "118.78", "latitude": "32.04"}).json()["items"]
    return item["candidates"], near


def test_ordinary_roles_are_answered_with_buildings_never_rooms(city: City, operator: Client) -> None:
    rooms(city)
    for found in asked_for_rooms(operator):
        assert [(one["address_code"], one["full_address"]) for one in found] == [(None, "南京市玄武区中山路12号3栋")]


@pytest.mark.parametrize("who", ["police_operator", "reviewer"])
def test_keepers_of_addresses_and_the_data_centre_see_rooms(city: City, client: Client, who: str) -> None:
    DataSource.objects.create(
        code="addresses", title="标准地址", dataset="geo.address", department=city.police, collector="PUBLIC_SECURITY"
    )
    client.force_login(city.people[who])
    rooms(city)
    candidates, near = asked_for_rooms(client)
    assert candidates[0]["address_code"] == "DZ000002"
    assert {one["address_code"] for one in near} == {"DZ000002", "DZ000003"}


@pytest.mark.parametrize("place", ["point-divisions", "nearest-addresses"])
def test_no_number_is_no_place(operator: Client, place: str) -> None:
    assert operator.get(f"{ROOT}/{place}", {"longitude": "nan", "latitude": "32.04"}).status_code == 422


def test_coordinates_that_are_shifted_do_not_pass_for_measured_ones(city: City, client: Client) -> None:
    Address.objects.filter(pk=address(city).pk).update(datum_note="GCJ02")
    for who in ("police_operator", "reviewer"):
        client.force_login(city.people[who])
        (item,) = client.post(f"{ROOT}/address-matches", {"texts": ["玄武区中山路12号"]}, JSON).json()["items"]
        (candidate,) = item["candidates"]
        assert (candidate["longitude"], candidate["latitude"]) == (None, None), who
