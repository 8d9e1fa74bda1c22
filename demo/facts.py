"""What departments know of the demo's people and entities beside their own rows (演示扩展信息), dropped as files and aggregated.

Households, births, deaths, marriages and attributes follow from the people; officers, reports, old numbers and registrations from
the entities. The same seed gives the same facts. One marriage in fifty is told by one side only, as happens.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from basedb.identifiers import citizen_id_valid
from basedb.legal_entity.verification import verify_entities
from basedb.models import LifeEventKind, LifeEventSubscription
from core.audit import PLATFORM
from core.models import Department
from demo import city, credit
from demo.enterprises import EnterpriseRow
from demo.people import HEAD, HUSBAND, MARRIED, REMARRIED, SURVEY_DAY, WIFE, PersonRow, written
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind
from exchange.systems import key_ring

SEED = 41
FOLDER = "facts"
CIVIL, HEALTH, TAX, MEDICAL = "市民政局", "市卫生健康委员会", "市税务局", "市医疗保障局"
Row = dict[str, str]

# Dataset, who delivers it, in which capacity.
SERIES = (
    ("population.household", "户信息归集", city.POLICE, ""),
    ("population.household_member", "户成员信息归集", city.POLICE, ""),
    ("population.residence", "人口居住信息归集", city.POLICE, ""),
    ("population.vital_event", "出生死亡信息归集", HEALTH, "HEALTH"),
    ("population.vital_event", "婚姻登记信息归集", CIVIL, "CIVIL_AFFAIRS"),
    ("population.attribute", "社会救助信息归集", CIVIL, "CIVIL_AFFAIRS"),
    ("population.attribute", "医疗保险信息归集", MEDICAL, "MEDICAL_INSURANCE"),
    ("legal_entity.officer", "法人主要人员归集", city.MARKET, ""),
    ("legal_entity.annual_report", "法人年报归集", city.MARKET, ""),
    ("legal_entity.legacy_identifier", "法人旧标识对照归集", city.MARKET, ""),
    ("legal_entity.tax_registration", "税务登记信息归集", TAX, ""),
    ("legal_entity.branch", "分支机构信息归集", city.MARKET, ""),
    ("legal_entity.succession", "合并分立信息归集", city.MARKET, ""),
)
# Who is told of deaths, and by which law.
TOLD = (
    (city.SOCIAL_SECURITY, "《社会保险经办条例》第十六条"),
    (city.POLICE, "《户口登记条例》第八条"),
    (MEDICAL, "《社会保险经办条例》第十六条"),
)


def households(people: Sequence[PersonRow]) -> Iterator[tuple[str, list[PersonRow]]]:
    """Yield numbered households: each begins with its head, the members stand behind."""
    number, members = 0, list[PersonRow]()
    for person in people:
        if person.household_relation == HEAD and members:
            number += 1
            yield f"320100{number:09d}", members
            members = []
        members.append(person)


def facts_of(people: Sequence[PersonRow], entities: Sequence[EnterpriseRow]) -> dict[str, list[Row]]:
    """Return the rows of every series by its title; people and entities must be faultless."""
    rng = random.Random(SEED)
    rows: dict[str, list[Row]] = {title: [] for _dataset, title, _who, _collector in SERIES}
    for number, members in households(people):
        _household(rows, rng, number, members)
    for person in people:
        _person(rows, rng, person)
    adults = [person for person in people if "19600101" < person.birth_on < "20000101"]
    for entity in entities:
        _entity(rows, rng, entity, adults)
    _kin(rows, entities)
    return rows


def _household(rows: dict[str, list[Row]], rng: random.Random, number: str, members: Sequence[PersonRow]) -> None:
    head = members[0]
    rows["户信息归集"].append(
        {"household_number": number, "household_kind": "1", "head_key": head.citizen_id, "region_code": head.region_code,
         "address": head.address}
    )  # fmt: skip
    rows["户成员信息归集"] += [
        {"citizen_id": member.citizen_id, "household_number": number, "household_relation": member.household_relation}
        for member in members
    ]
    spouse = next((member for member in members[1:] if member.household_relation in (HUSBAND, WIFE)), None)
    if spouse is None or head.marital_status not in (MARRIED, REMARRIED):
        return
    youngest = max(date.fromisoformat(head.birth_on), date.fromisoformat(spouse.birth_on))
    wedding = written(youngest + timedelta(days=int(22.2 * 365.25) + rng.randrange(90)))
    sides = [(head, spouse), (spouse, head)][: 1 if rng.random() < 0.02 else 2]
    rows["婚姻登记信息归集"] += [
        {"citizen_id": one.citizen_id, "vital_event": "30", "occurred_on": wedding, "partner_key": other.citizen_id}
        for one, other in sides
        if wedding <= written(SURVEY_DAY)
    ]


def _person(rows: dict[str, list[Row]], rng: random.Random, person: PersonRow) -> None:
    rows["人口居住信息归集"].append(
        {"citizen_id": person.citizen_id, "residence_kind": "1", "region_code": person.region_code, "address": person.address,
         "moved_in_on": person.birth_on}
    )  # fmt: skip
    event = {"citizen_id": person.citizen_id, "region_code": person.region_code}
    if person.birth_on > "20150101":
        rows["出生死亡信息归集"].append(event | {"vital_event": "10", "occurred_on": person.birth_on})
    if person.died_on:
        rows["出生死亡信息归集"].append(event | {"vital_event": "20", "occurred_on": person.died_on})
    elif person.birth_on < "19450101" and rng.random() < 0.02:  # the hospital knows first
        rows["出生死亡信息归集"].append(event | {"vital_event": "20", "occurred_on": written(SURVEY_DAY)})
    attribute = {"citizen_id": person.citizen_id, "valid_from": "20200101"}
    if person.birth_on < "20070101" and rng.random() < 0.9 and person.birth_on < "20200101":
        rows["医疗保险信息归集"].append(attribute | {"attribute_kind": "MEDICAL_INSURANCE", "attribute_value": "1"})
    if rng.random() < 0.02 and person.birth_on < "20200101":
        rows["社会救助信息归集"].append(attribute | {"attribute_kind": "HARDSHIP", "attribute_value": rng.choice("123")})


def _entity(rows: dict[str, list[Row]], rng: random.Random, entity: EnterpriseRow, adults: Sequence[PersonRow]) -> None:
    key = {"uscc": entity.uscc}
    for role in ("01", "04") if rng.random() < 0.6 else ("01",):
        officer = adults[rng.randrange(len(adults))]
        rows["法人主要人员归集"].append(
            key | {"person_key": officer.citizen_id, "officer_role": role, "appointed_on": entity.established_on}
        )
    if entity.established_on < "20240101" and entity.registration_state == "1":
        rows["法人年报归集"].append(
            key
            | {"report_year": "2024", "report_state": "1", "submitted_on": "20250415", "employee_count": str(rng.randrange(1, 90))}
        )
    if entity.established_on < "20151001":
        rows["法人旧标识对照归集"] += [
            key | {"legacy_kind": "2", "legacy_number": entity.uscc[8:17]},
            key | {"legacy_kind": "1", "legacy_number": f"3201{int(entity.uscc[8:16]):011d}"},
        ]
    # Some forget to end their tax registration: the check of entities finds them.
    state = "4" if entity.registration_state == "4" and rng.random() < 0.8 else "1"
    rows["税务登记信息归集"].append(key | {"tax_number": entity.uscc, "tax_state": state, "registered_on": entity.established_on})


def _kin(rows: dict[str, list[Row]], entities: Sequence[EnterpriseRow]) -> None:
    """Every fiftieth entity is a branch of the one before it; every second cancelled company has a successor."""
    for parent, branch in zip(entities[::50], entities[1::50], strict=False):
        rows["分支机构信息归集"].append(
            {"uscc": branch.uscc, "parent_key": parent.uscc, "branch_kind": "1", "opened_on": branch.established_on}
        )
    living = [entity for entity in entities if entity.registration_state == "1"]
    gone = [entity for entity in entities if entity.registration_state == "4"][::2]
    rows["合并分立信息归集"] += [
        {"uscc": old.uscc, "successor_key": new.uscc, "succession_kind": "1", "effective_on": old.cancelled_on}
        for old, new in zip(gone, living, strict=False)
    ]


def subscribe(departments: dict[str, Department], now: datetime) -> int:
    """Have the departments told of deaths that must act on them."""
    for name, legal_basis in TOLD:
        LifeEventSubscription.objects.get_or_create(
            department=departments[name], kind=LifeEventKind.DEATH, defaults={"legal_basis": legal_basis, "created_at": now}
        )
    return len(TOLD)


def aggregate(
    departments: dict[str, Department], people: Sequence[PersonRow], entities: Sequence[EnterpriseRow], now: datetime
) -> int:
    """Drop the files, lay down a plan each, run it once, check the entities; return how many rows came in."""
    if AggregationPlan.objects.filter(title=SERIES[0][1]).exists():
        return 0
    subscribe(departments, now)
    good = [person for person in people if citizen_id_valid(person.citizen_id) and person.birth_on == person.citizen_id[6:14]]
    rows = facts_of(good, [entity for entity in entities if len(entity.uscc) == 18 and entity.established_on.isdigit()])
    folder, taken = Path(settings.DROP_DIR), 0
    for place, (dataset, title, department, collector) in enumerate(SERIES):
        plan = plans.create_plan(
            title=title,
            department=departments[department],
            dataset=dataset,
            connector=ConnectorKind.CSV_DROP,
            settings={"folder": f"{FOLDER}_{place}", "pattern": "*.csv"},
            columns=credit.drop_file(folder / f"{FOLDER}_{place}", dataset, rows[title], "utf-8-sig"),
            key_column="",
            every_minutes=1440,
            actor=PLATFORM,
            now=now,
            collector=collector,
        )
        run = plans.queue(plan, now=timezone.now())
        runs.work(run_uid=run.uid, clock=timezone.now)
        run.refresh_from_db()
        taken += run.accepted_count
    verify_entities(keys=None, subject_key=key_ring().subject_key, today=now.date())
    return taken
