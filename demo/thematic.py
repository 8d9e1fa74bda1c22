"""The demo's thematic databases (演示主题库): what the two that come with the platform need, and their way into force.

The federation of the disabled, the medical insurance and the power supplier know some households to be at risk; the environment
office permits, fines and licenses some enterprises. All of it is invented and seeded, and comes in through real plans.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from basedb.credit.tiers import months_later
from basedb.identifiers import citizen_id_valid
from basedb.models import LicenseType, RefreshState, ThematicDataset, ThematicRefresh
from basedb.thematic import definitions, refreshing
from basedb.thematic.shipped import shipped
from core.audit import PLATFORM
from core.calendar import SHANGHAI
from core.models import Department
from demo import credit, story
from demo.facts import MEDICAL
from demo.people import PersonRow
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind
from exchange.zones import measuring

SEED = 52
FOLDER = "thematic"
AGRICULTURE, ENVIRONMENT, CONSTRUCTION, CIVIL = "市农业农村局", "市生态环境局", "市城乡建设委员会", "市民政局"
ENTERPRISES = 160
Row = dict[str, str]

# Title of the plan, who delivers in which capacity, kind of attribute, share of people, values with their weights.
ATTRIBUTES = (
    (
        "残疾人基本信息归集",
        CIVIL,
        "DISABLED_FEDERATION",
        "DISABILITY",
        0.03,
        {"11": 1, "12": 1, "23": 2, "42": 2, "43": 3, "44": 3},
    ),
    ("医疗支出档次归集", MEDICAL, "MEDICAL_INSURANCE", "MEDICAL_SPENDING", 0.20, {"1": 14, "2": 6, "3": 3, "4": 2}),
    ("居民用电档次归集", CONSTRUCTION, "POWER", "POWER_USE", 0.15, {"0": 2, "1": 12, "2": 5, "3": 1}),
)
_VIOLATIONS = ("超过许可排放浓度排放污染物", "未按规定开展自行监测", "危险废物贮存不符合要求", "扬尘防治措施未落实")
OWNERS: Mapping[str, str] = {"poverty_relapse": "agri_op", "environment_supervision": "eco_op"}


def attributes_of(people: Sequence[PersonRow]) -> dict[str, list[Row]]:
    """Return the rows of every series of attributes by its title; people must be faultless."""
    rng = random.Random(SEED)
    rows: dict[str, list[Row]] = {}
    for title, _who, _collector, kind, share, weights in ATTRIBUTES:
        rows[title] = [
            {
                "citizen_id": person.citizen_id, "attribute_kind": kind, "valid_from": "20250101",
                "attribute_value": rng.choices(list(weights), list(weights.values()))[0],
            }
            for person in people
            if person.birth_on < "20200101" and rng.random() < share
        ]  # fmt: skip
    return rows


def environment_of(about: Sequence[credit.Subject], bureau: Department, today: date) -> dict[str, list[Row]]:
    """Return permits, penalties and licenses of the environment office by dataset."""
    rng = random.Random(SEED)
    rows: dict[str, list[Row]] = {"credit.permit": [], "credit.penalty": [], "license.license": []}
    type_code = LicenseType.objects.get(name="排污许可证").code
    for number, subject in enumerate(about, 1):
        if rng.random() < 0.6:
            rows["credit.permit"].append(
                _decision(subject, bureau, f"演环许〔{today.year}〕{number}号", today - timedelta(days=rng.randint(20, 900)))
                | {"item_code": "0201", "permit_category": "核准", "content": "排污许可", "certificate_title": "排污许可证"}
            )
        for turn in range(rng.choice((0, 0, 0, 1, 1, 2))):
            decided = today - timedelta(days=rng.randint(20, 700))
            rows["credit.penalty"].append(
                _decision(subject, bureau, f"演环罚〔{decided.year}〕{number * 10 + turn}号", decided)
                | {
                    "item_code": "0202", "violation": rng.choice(_VIOLATIONS), "facts": "经现场检查发现。",
                    "basis": "《中华人民共和国大气污染防治法》第九十九条", "penalty_category": "罚款", "content": "罚款",
                    "fine": f"{rng.randint(200, 3000) / 100:.2f}", "severity": "2",
                    "publish_until": f"{months_later(decided, 12):%Y%m%d}",
                    "repair_notice_on": f"{decided + timedelta(days=3):%Y%m%d}",
                }
            )  # fmt: skip
        if rng.random() < 0.7:
            rows["license.license"].append(
                _license(subject, bureau, number, type_code, today + timedelta(days=rng.randint(-60, 900)))
            )
    return rows


def _decision(subject: credit.Subject, bureau: Department, document: str, decided: date) -> Row:
    return {
        "subject_name": subject.name, "subject_category": "个体工商户" if subject.code.startswith("92") else "法人及非法人组织",
        "subject_code": subject.code, "document_number": document, "decided_on": f"{decided:%Y%m%d}",
        "authority": bureau.name, "authority_code": bureau.code, "published_on": f"{decided + timedelta(days=3):%Y%m%d}",
        "record_state": "0", "region_code": subject.region_code,
    }  # fmt: skip


def _license(subject: credit.Subject, bureau: Department, number: int, type_code: str, ends: date) -> Row:
    issued = ends.replace(day=1) - timedelta(days=5 * 365)
    return {
        "type_code": type_code, "title": "排污许可证", "number": f"PW{number:08d}", "holder_name": subject.name,
        "holder_code": subject.code, "holder_code_type": "001", "issuer": bureau.name, "issuer_code": bureau.code,
        "issued_on": f"{issued:%Y%m%d}", "valid_from": f"{issued:%Y%m%d}", "valid_to": f"{ends:%Y%m%d}",
        "region_code": subject.region_code, "license_state": "01", "license_version": "001",
    }  # fmt: skip


def aggregate(departments: dict[str, Department], people: Sequence[PersonRow], now: datetime) -> int:
    """Drop the files, lay down a plan each and run it once; return how many rows came in."""
    if AggregationPlan.objects.filter(title=ATTRIBUTES[0][0]).exists():
        return 0
    good = [person for person in people if citizen_id_valid(person.citizen_id) and person.birth_on == person.citizen_id[6:14]]
    rows, taken = attributes_of(good), 0
    for title, who, collector, kind, _share, _weights in ATTRIBUTES:
        taken += _run(
            "population.attribute",
            rows[title],
            kind.lower(),
            title=title,
            department=departments[who],
            now=now,
            collector=collector,
        )
    bureau = departments[ENVIRONMENT]
    today = now.astimezone(SHANGHAI).date()
    titles = {"credit.permit": "环境行政许可归集", "credit.penalty": "环境行政处罚归集", "license.license": "排污许可证归集"}
    for dataset, found in environment_of(credit.subjects(ENTERPRISES), bureau, today).items():
        taken += _run(dataset, found, dataset.replace(".", "_"), title=titles[dataset], department=bureau, now=now)
    return taken


def _run(dataset: str, rows: list[Row], folder: str, **about: Any) -> int:
    name = f"{FOLDER}_{folder}"
    plan = plans.create_plan(
        dataset=dataset,
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": name, "pattern": "*.csv"},
        columns=credit.drop_file(Path(settings.DROP_DIR) / name, dataset, rows, "utf-8-sig"),
        key_column="",
        every_minutes=1440,
        actor=PLATFORM,
        **about,
    )
    run = plans.queue(plan, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run.accepted_count


def build(now: datetime) -> int:
    """Draft what comes with the platform, approve and refresh it; measure the zones. Return how many rows stand."""
    reviewer = story.actor("reviewer")
    for code, draft in shipped().items():
        if not ThematicDataset.objects.filter(code=code).exists():
            made = definitions.propose(draft=draft, actor=story.actor(OWNERS[code]), now=now)
            definitions.approve(uid=made.uid, actor=reviewer, now=now)
    refreshing.queue_due(now=timezone.now())
    for refresh in ThematicRefresh.objects.filter(state=RefreshState.QUEUED):
        refreshing.work(refresh_uid=refresh.uid, clock=timezone.now)
    measuring.measure(now=timezone.now())
    return sum(ThematicRefresh.objects.filter(state=RefreshState.DONE).values_list("row_count", flat=True))
