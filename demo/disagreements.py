"""What the health commission knows otherwise (演示校核): a file beside the register of people, with some differing rows.

Most rows agree and add nothing but a telephone; a few give another address, fewer another name under the same number, as happens
when a number was mistyped. The fusion of the base makes verification tasks of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from basedb.identifiers import citizen_id_valid
from core.audit import PLATFORM
from core.models import Department
from demo import credit
from demo.people import PersonRow
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind

TITLE = "家庭医生签约人口归集"
HEALTH = "市卫生健康委员会"
DATASET = "population.person"
FOLDER = "family_doctors"
PEOPLE = 120
_OTHER_ADDRESS, _OTHER_NAME = 10, 35  # every so many rows


def rows_of(people: Sequence[PersonRow]) -> list[dict[str, str]]:
    """Return the file's rows; people must be faultless."""
    rows = []
    for place, person in enumerate(people, 1):
        row = {"citizen_id": person.citizen_id, "name": person.name, "address": person.address}
        if place % _OTHER_ADDRESS == 0:
            row["address"] = people[(place + len(people) // 2) % len(people)].address  # not of the same household
        if place % _OTHER_NAME == 0:
            row["name"] = f"{people[place - 2].name[0]}{person.name[0]}"
        rows.append(row)
    return rows


def aggregate(departments: dict[str, Department], people: Sequence[PersonRow], now: datetime) -> int:
    """Drop the file, lay down its plan and run it once; return how many rows came in."""
    if AggregationPlan.objects.filter(title=TITLE).exists():
        return 0
    good = [person for person in people if citizen_id_valid(person.citizen_id) and person.birth_on == person.citizen_id[6:14]]
    plan = plans.create_plan(
        title=TITLE,
        department=departments[HEALTH],
        dataset=DATASET,
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": FOLDER, "pattern": "*.csv"},
        columns=credit.drop_file(Path(settings.DROP_DIR) / FOLDER, DATASET, rows_of(good[:PEOPLE]), "utf-8-sig"),
        key_column="",
        every_minutes=1440,
        actor=PLATFORM,
        now=now,
        collector="HEALTH",
        is_lead=False,
    )
    run = plans.queue(plan, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run.accepted_count
