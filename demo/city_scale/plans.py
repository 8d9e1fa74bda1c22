"""Plans of the whole city (归集任务): which department delivers what into which dataset, from which table or folder.

Each is laid down by the platform's own `create_plan`. A dataset this node does not know is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from basedb.dictionary import DATASETS
from core.audit import PLATFORM
from core.models import Department
from demo.city_scale import credit, entities, files, licenses, people, places
from demo.city_scale.counts import Counts
from exchange.aggregation.connectors.drops import PATTERNS
from exchange.aggregation.connectors.geo_files import CGCS2000, DATUM, GEOMETRY
from exchange.aggregation.plans import create_plan
from exchange.models import AggregationPlan, ConnectorKind

KEY, CURSOR, SINCE = "row_id", "updated_at", "effective_on"
PARTS = 2  # shares of a table, one for each of two workers
DEPARTMENTS = {
    "PUBLIC_SECURITY": "市公安局",
    "CIVIL_AFFAIRS": "市民政局",
    "MARKET_REGULATION": "市市场监督管理局",
    "HEALTH": "市卫生健康委员会",
    "SOCIAL_SECURITY": "市人力资源和社会保障局",
    "EDUCATION": "市教育局",
    "TAX": "市税务局",
    "CREDIT": "市大数据管理中心",
    "NATURAL_RESOURCES": "市规划和自然资源局",
    "HOUSING": "市住房保障和房产局",
    "TRANSPORT": "市交通运输局",
    "ENVIRONMENT": "市生态环境局",
    "AGRICULTURE": "市农业农村局",
    "DISABLED_FEDERATION": "市民政局",
    "OTHER": "市应急管理局",
}


@dataclass(frozen=True)
class Delivery:
    """What one department delivers: a table of its own, or files in a folder of the exchange node."""

    title: str
    collector: str
    dataset: str
    columns: Mapping[str, str] = field(hash=False)  # field -> column
    table: str = ""
    folder: str = ""
    connector: str = ConnectorKind.CSV_DROP  # of a folder
    is_lead: bool = True
    order: int = 1  # those of a lower order are taken in first; datasets of one order go side by side


def deliveries(counts: Counts) -> Iterator[Delivery]:
    """Yield every delivery of the city whose dataset this node knows."""
    for delivery in (*_people(), *_entities(), *_places(), *_licenses(counts), *_credit(counts)):
        if delivery.dataset in DATASETS:
            yield delivery


def _same(columns: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in columns}


def _people() -> Iterator[Delivery]:
    person = "population.person"
    yield Delivery("全市人口基础信息", "PUBLIC_SECURITY", person, _same(people.COLUMNS), "public_security_resident")
    marriage = _same(("citizen_id", "name", "marital_status"))
    yield Delivery("婚姻登记信息", "CIVIL_AFFAIRS", person, marriage, "civil_affairs_marriage", is_lead=False, order=2)
    death = _same(("citizen_id", "name", "person_status", "died_on"))
    yield Delivery("死亡医学登记信息", "HEALTH", person, death, "health_death", is_lead=False, order=2)
    insured = _same(("citizen_id", "name", "phone", "address"))
    yield Delivery("社会保险参保人员信息", "SOCIAL_SECURITY", person, insured, "social_security_insured", is_lead=False, order=2)


def _entities() -> Iterator[Delivery]:
    entity = "legal_entity.enterprise"
    titles = files.titles(entity, entities.COLUMNS)
    yield Delivery("全市法人登记信息", "MARKET_REGULATION", entity, titles, folder=files.ENTITY_FOLDER)
    taxpayer = _same(("uscc", "name", "legal_representative", "address"))
    yield Delivery("税务登记信息", "TAX", entity, taxpayer, "tax_taxpayer", is_lead=False, order=2)


def _places() -> Iterator[Delivery]:
    feature = _same(places.FEATURE_COLUMNS) | {"location": GEOMETRY, "datum": DATUM}
    geojson = ConnectorKind.GEO_DROP
    yield Delivery("标准地址", "PUBLIC_SECURITY", "geo.address", feature, folder=files.ADDRESS_FOLDER, connector=geojson)
    yield Delivery("宗地信息", "NATURAL_RESOURCES", "geo.parcel", _same(places.PARCEL_COLUMNS), "natural_resources_parcel")


def _licenses(counts: Counts) -> Iterator[Delivery]:
    dataset = "license.license"
    if dataset not in DATASETS:
        return
    for department in licenses.DEPARTMENTS:
        title = f"电子证照（{DEPARTMENTS[department]}）"
        if department == licenses.IN_FILES:
            titles = files.titles(dataset, licenses.COLUMNS)
            yield Delivery(title, department, dataset, titles, folder=files.LICENSE_FOLDER, order=2)
        else:
            yield Delivery(title, department, dataset, _same(licenses.COLUMNS), licenses.table_of(department), order=2)


def _credit(counts: Counts) -> Iterator[Delivery]:
    for kind in credit.kinds(counts):
        title = f"信用信息（{credit.TITLES[kind.name]}）"
        columns = _same(kind.columns)
        if kind.name in credit.IN_FILES:
            lines = {"folder": files.CREDIT_FOLDER, "connector": ConnectorKind.JSON_DROP}
            yield Delivery(title, "CREDIT", f"credit.{kind.name}", columns, **lines)
        else:
            yield Delivery(title, "CREDIT", f"credit.{kind.name}", columns, kind.table)


def lay_down(delivery: Delivery, departments: Mapping[str, Department], *, schema: str = "city", **values: Any) -> AggregationPlan:
    """Create the plan of a delivery; `values` are columns of the plan, such as `batch_size`."""
    source = urlsplit(os.environ["DEMO_SOURCE_URL"])
    if delivery.folder:
        where = {"connector": delivery.connector, "settings": {"folder": delivery.folder, "pattern": PATTERNS[delivery.connector]}}
        if delivery.connector == ConnectorKind.CSV_DROP:
            where["key_column"] = delivery.columns[DATASETS[delivery.dataset].key_field] if _is_master(delivery) else ""
        else:
            where |= {"key_column": KEY, "valid_from_column": SINCE}
        if delivery.connector == ConnectorKind.GEO_DROP:
            where["settings"]["srid"] = CGCS2000
    else:
        target = {"host": source.hostname, "port": source.port, "database": source.path[1:], "user": source.username}
        where = {
            "connector": ConnectorKind.POSTGRESQL,
            "settings": {**target, "table": f"{schema}.{delivery.table}"},
            "password": source.password or "",
            "key_column": KEY,
            "cursor_column": CURSOR,
            "valid_from_column": SINCE,
            "parts": PARTS,
        }
    return create_plan(
        title=delivery.title,
        department=departments[DEPARTMENTS[delivery.collector]],
        dataset=delivery.dataset,
        columns=delivery.columns,
        collector=delivery.collector,
        is_lead=delivery.is_lead,
        actor=PLATFORM,
        now=timezone.now(),
        **(where | values),
    )


def _is_master(delivery: Delivery) -> bool:
    return not DATASETS[delivery.dataset].row_fields
