"""What fusion cannot decide alone in the demo (演示归并): a hospital's register without identity numbers, and what clerks propose.

Most rows of the register say exactly what the base knows and are linked by rule; some were misheard or mistyped and wait for the
reviewer. One proposal to merge waits for its second person, one to keep a record apart was sent back.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from basedb.dictionary import PERSON
from basedb.fusion import merging
from basedb.fusion.reading import is_standing
from basedb.identifiers import citizen_id_valid
from basedb.matching.running import match_records
from basedb.models import Crosswalk, FusionDecision
from core.audit import PLATFORM
from core.models import Department
from demo import disagreements, story
from demo.people import PersonRow
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind
from exchange.systems import key_ring

TITLE = "门诊登记人员归集"
FOLDER = "outpatients"
PEOPLE = 60
NUMBER = "门诊登记号"
COLUMNS = {"name": "姓名", "sex": "性别", "birth_on": "出生日期", "region_code": "户籍区划", "address": "住址", "phone": "联系电话"}
_MISHEARD, _MISTYPED = 6, 7  # every so many rows


def rows_of(people: Sequence[PersonRow]) -> list[dict[str, str]]:
    """Return the rows of the register; people must be faultless."""
    rows = []
    for place, person in enumerate(people, 1):
        row = {name: getattr(person, name) for name in COLUMNS}
        if place % _MISHEARD == 0:
            row["name"] = person.name[:-1] + ("华" if person.name[-1] != "华" else "明")
        if place % _MISTYPED == 0:
            row["birth_on"] = f"{int(person.birth_on[:4]) - 26}{person.birth_on[4:]}"
        rows.append(row)
    return rows


def aggregate(departments: dict[str, Department], people: Sequence[PersonRow]) -> int:
    """Drop the register, take it in and look whose rows they are; return how many rows came in."""
    if AggregationPlan.objects.filter(title=TITLE).exists():
        return 0
    good = [person for person in people if citizen_id_valid(person.citizen_id) and person.birth_on == person.citizen_id[6:14]]
    _drop(rows_of(good[:: max(1, len(good) // PEOPLE)][:PEOPLE]))
    plan = plans.create_plan(
        title=TITLE,
        department=departments[disagreements.HEALTH],
        dataset=PERSON.code,
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": FOLDER, "pattern": "*.csv"},
        columns=COLUMNS,
        key_column=NUMBER,
        every_minutes=1440,
        actor=PLATFORM,
        now=timezone.now(),
        collector="HEALTH",
        is_lead=False,
        is_keyless=True,
    )
    run = plans.queue(plan, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    match_records(clock=timezone.now)
    run.refresh_from_db()
    return run.accepted_count


def _drop(rows: Sequence[dict[str, str]]) -> None:
    path = Path(settings.DROP_DIR) / FOLDER / "outpatients_01.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([NUMBER, *COLUMNS.values()])
        writer.writerows([f"MZ{number:06d}", *row.values()] for number, row in enumerate(rows, 1))
    os.replace(part, path)


def propose(people: Sequence[PersonRow], now: datetime) -> int:
    """Let the police propose a merge, which waits, and to keep a record apart, which is sent back; return how many were made."""
    if FusionDecision.objects.exists():
        return 0
    police, key = story.actor("police_op"), key_ring().subject_key
    namesakes: dict[tuple[str, str], str] = {}
    for person in people:
        if not citizen_id_valid(person.citizen_id):
            continue
        first = namesakes.setdefault((person.name, person.sex), person.citizen_id)
        if first != person.citizen_id and all(is_standing(PERSON, key(number)) for number in (first, person.citizen_id)):
            reason = "同名同性别，经户籍窗口核实为一人两号，保留在用号码。"
            merging.merge_entities(
                dataset=PERSON.code, entity_key=key(first), other_key=key(person.citizen_id), reason=reason, actor=police, now=now
            )
            break
    link = Crosswalk.objects.filter(dataset=PERSON.code, tier="EXACT", linked__upper_inf=True).order_by("chain").first()
    if link is not None:
        held = merging.hold(chain=link.chain, reason="来信反映号码登记有误，待核实。", actor=police, now=now)
        merging.refuse(uid=held.uid, actor=story.actor("reviewer"), now=now)
    return FusionDecision.objects.count()
