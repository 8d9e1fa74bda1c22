"""The demo's data on the move: sources filled, plans laid down and run once, the district subscribed to its own people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation

from basedb.dictionary import DATASETS, ENTERPRISE
from basedb.models import Person
from core.audit import PLATFORM
from core.models import Department, Region
from demo import city, sources, story
from demo.enterprises import headed
from demo.people import PersonRow
from demo.synthetic import enterprises, legal_entity_csv
from exchange.aggregation import plans, runs
from exchange.backflow import batches, subscriptions
from exchange.models import AggregationPlan, BackflowSubscription, ConnectorKind

POPULATION_PLAN = "人口基础信息归集"
ENTERPRISE_PLAN = "法人登记信息归集"
BACKFLOW = "玄武区人口数据回流"
BACKFLOW_FIELDS = ("citizen_id", "name", "sex", "birth_on", "person_status", "region_code", "address")
FILES = (("legal_entities_01.csv", "gb18030"), ("legal_entities_02.csv", "utf-8-sig"))


def fill_bureau(people: Sequence[PersonRow]) -> bool:
    """Fill the public-security bureau's own database."""
    return sources.fill_bureau(os.environ["DEMO_SOURCE_OWNER_URL"], urlsplit(os.environ["DEMO_SOURCE_URL"]).username or "", people)


def drop_files(count: int, people: Sequence[PersonRow]) -> int:
    """Put the market-regulation bureau's files on the exchange node, one in each encoding offices use."""
    folder = sources.exchange_node_folder(Path(settings.DROP_DIR))
    if any(folder.iterdir()):
        return 0
    rows = headed(enterprises(count), people)
    share = len(rows) * 4 // 5
    for (name, encoding), part in zip(FILES, (rows[:share], rows[share:]), strict=True):
        legal_entity_csv(folder / name, part, encoding=encoding)
    return len(FILES)


def make_plans(departments: dict[str, Department]) -> int:
    """Lay down the two plans, both on a timetable."""
    if AggregationPlan.objects.exists():
        return 0
    source = urlsplit(os.environ["DEMO_SOURCE_URL"])
    plans.create_plan(
        title=POPULATION_PLAN,
        department=departments[city.POLICE],
        dataset="population.person",
        connector=ConnectorKind.POSTGRESQL,
        settings={**_target(source), "table": sources.SOURCE_TABLE},
        columns=sources.SOURCE_COLUMNS,
        key_column=sources.KEY_COLUMN,
        cursor_column=sources.CURSOR_COLUMN,
        every_minutes=10,
        password=source.password or "",
        actor=PLATFORM,
        now=timezone.now(),
    )
    with translation.override(None):
        titles = {field.name: str(field.title) for field in ENTERPRISE.fields}
    plans.create_plan(
        title=ENTERPRISE_PLAN,
        department=departments[city.MARKET],
        dataset="legal_entity.enterprise",
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": sources.DROP_FOLDER, "pattern": "*.csv"},
        columns=titles,
        key_column=titles[ENTERPRISE.key_field],
        every_minutes=1440,
        actor=PLATFORM,
        now=timezone.now(),
    )
    return 2


def run_plans() -> int:
    """Run each plan once, the files one after another, as the timetable would."""
    done = 0
    for plan in AggregationPlan.objects.filter(runs=None):
        for _ in FILES if plan.connector == ConnectorKind.CSV_DROP else (None,):
            runs.work(run_uid=plans.queue(plan, now=timezone.now()).uid, clock=timezone.now)
            done += 1
        AggregationPlan.objects.filter(pk=plan.pk).update(next_run_at=timezone.now())
    return done


def sample_keys() -> dict[str, dict[str, str]]:
    """Return a key of a synthetic person and of a synthetic enterprise, for the call examples."""
    samples = {}
    for name, code in (("person", "population.person"), ("enterprise", "legal_entity.enterprise")):
        dataset = DATASETS[code]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {dataset.key_field} FROM {dataset.table} ORDER BY id LIMIT 1")
            row = cursor.fetchone()
        samples[name] = {dataset.key_field: row[0] if row else ""}
    return samples


def sample_values(fields: Sequence[str]) -> dict[str, str]:
    """Return what is true of the synthetic person of `sample_keys`, for a verification that says yes."""
    person = Person.objects.order_by("id").values("name", "sex", "birth_on").first() or {}
    return {name: str(value) for name, value in person.items() if name in fields}


def _target(url: Any) -> dict[str, Any]:
    return {"host": url.hostname, "port": url.port, "database": url.path.lstrip("/"), "user": url.username}


def subscribe_district(departments: dict[str, Department]) -> int:
    """Subscribe the district to its own people and deliver what there is."""
    if BackflowSubscription.objects.exists():
        return 0
    target = urlsplit(os.environ["DEMO_DISTRICT_URL"])
    subscription = subscriptions.create_subscription(
        title=BACKFLOW,
        department=departments[city.DISTRICT_OFFICE],
        region=Region.objects.get(code=city.BACKFLOW_DISTRICT),
        dataset="population.person",
        fields=BACKFLOW_FIELDS,
        settings={**_target(target), "table": sources.DISTRICT_TABLE},
        password=target.password or "",
        actor=story.actor("reviewer"),
        now=timezone.now(),
        batch_size=500,
    )
    batches.work(subscription_uid=subscription.uid, clock=timezone.now)
    return subscription.batches.count()
