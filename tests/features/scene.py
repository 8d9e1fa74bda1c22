"""A small city with layers: parcels of a hundred metres in two districts, addresses, and systems that hold grants on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection

from basedb.dictionary import DATASETS
from catalog.models import Binding, DataItem, Resource
from core.models import Department
from exchange.models import Grant
from settings.wsgi import is_layer_call
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner, Reply

PARCEL_ITEMS = ["parcel_code", "region_code", "seat", "land_use", "area", "registered_on", "outline"]
ADDRESS_ITEMS = ["address_code", "region_code", "full_address", "community", "location"]
ZONE_ITEMS = ["zone_code", "region_code", "name", "valid_from", "valid_to", "outline"]
NORTH, SOUTH = "320102", "320104"
POINT = (118.78, 32.04)

# Forty parcels a row, half of them in one district; codes and places follow from the number alone.
PARCELS = """
INSERT INTO basedb_parcel (subject_key, parcel_code, region_code, seat, land_use, area, registered_on, parcel_state, outline,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5('parcel' || n), 'hex'), '320102001001GB' || lpad(n::text, 5, '0'),
    CASE WHEN mod(n, 2) = 0 THEN '320102' ELSE '320104' END, '测试路' || n || '号',
    CASE WHEN mod(n, 5) = 0 THEN '0701' ELSE '0501' END,
    1000 + n, date '2020-01-01' + n::int, '1',
    ST_Multi(ST_MakeEnvelope(118.70 + mod(n, 40) * 0.001, 32.00 + n / 40 * 0.001, 118.7008 + mod(n, 40) * 0.001,
        32.0008 + n / 40 * 0.001, 4490)), %s, 1, 1, 1
FROM generate_series(%s, %s) AS n"""
ADDRESSES = """
INSERT INTO basedb_address (subject_key, address_code, region_code, full_address, community, address_state, location,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5('address' || n), 'hex'), 'A' || lpad(n::text, 8, '0'), '320102', '测试市测试区测试路' || n || '号',
    '第一社区', '1',
    ST_SetSRID(ST_MakePoint(118.78 + mod(n, 100) * 0.0005, 32.04 + n / 100 * 0.0005), 4490), %s, 1, 1, 1
FROM generate_series(%s, %s) AS n"""
ZONES = """
INSERT INTO basedb_planningzone (subject_key, zone_code, region_code, zone_kind, name, valid_from, valid_to, outline,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5('zone' || n), 'hex'), 'Z' || lpad(n::text, 8, '0'), '320102', '01', '管控区' || n, make_date(2018 + n, 1, 1),
    make_date(2018 + n, 12, 31), ST_Multi(ST_MakeEnvelope(118.7 + n * 0.01, 32, 118.71 + n * 0.01, 32.01, 4490)), %s, 1, 1, 1
FROM generate_series(%s, %s) AS n"""


def fill(statement: str, department: Department, first: int, last: int) -> None:
    """Add rows by number."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [department.pk, first, last])


def make_layer(provider: Department, dataset: str, items: list[str], **values: Any) -> Resource:
    """Return a published resource whose items are columns of a dataset with a geometry."""
    number = Resource.objects.count() + 1
    given = {
        "title": f"图层{number}",
        "base_database": "GEOSPATIAL",
        "sharing_modes": ["QUERY", "FEATURES"],
        "grade": "L2",
    } | values
    resource = factories.make_resource(provider, published=False, **given)
    resource.items.all().delete()
    known = DATASETS[dataset]
    for position, name in enumerate(items, start=1):
        found = known.field(name)
        DataItem.objects.create(
            resource=resource, position=position, name=name, title=str(found.title), data_type=found.data_type,
            grade=given["grade"], is_key=position == 1,
        )  # fmt: skip
    now = datetime.now().astimezone()
    Resource.objects.filter(pk=resource.pk).update(state="PUBLISHED", code=f"101004/{number:06d}", version=1, published_at=now)
    resource.refresh_from_db()
    Binding.objects.create(resource=resource, dataset=dataset, columns={name: name for name in items}, mounted_at=now)
    return resource


@dataclass
class Scene:
    """The cast of map services."""

    city: factories.City
    parcels: Resource
    addresses: Resource
    zones: Resource
    partner: Partner
    resource: Resource = field(init=False)

    def __post_init__(self) -> None:
        self.resource = self.parcels

    def grant(self, resource: Resource | None = None, **values: Any) -> Grant:
        """Return a grant of a layer with all of its items."""
        layer = resource or self.parcels
        given = {"mode": "FEATURES", "fields": [item.name for item in layer.items.all()], "masks": {}} | values
        given = {"quota_per_day": 100_000, "quota_per_second": 10_000} | given
        return partners.grant_to(self.partner, layer, self.city, **given)

    def get(self, grant: Grant, what: str = "items", *, headers: dict[str, str] | None = None, **parameters: Any) -> Reply:
        """Make one signed request below a layer."""
        return self.follow(path_of(grant, what), urlencode(parameters), headers=headers)

    def follow(self, path: str, query: str = "", *, headers: dict[str, str] | None = None) -> Reply:
        """Make one signed request of a path."""
        signed = self.partner.headers(f"{path}?{query}" if query else path, b"", method="GET")
        assert is_layer_call({"PATH_INFO": path, "HTTP_X_GOV_KEY": "shown"})
        return partners.send(path, signed | (headers or {}), b"", method="GET", query=query)


def path_of(grant: Grant, what: str) -> str:
    return f"/openapi/v1/ogc/collections/{grant.uid}/{what}"


@pytest.fixture(scope="module")
def scene(db: None) -> Scene:
    """Eight hundred parcels, five hundred addresses, four zones."""
    city = factories.make_city()
    fill(PARCELS, city.police, 0, 799)
    fill(ADDRESSES, city.police, 0, 499)
    fill(ZONES, city.police, 1, 4)
    return Scene(
        city,
        make_layer(city.police, "geo.parcel", PARCEL_ITEMS),
        make_layer(city.police, "geo.address", ADDRESS_ITEMS),
        make_layer(city.police, "geo.planning_zone", ZONE_ITEMS),
        partners.make_partner(city.education),
    )
