"""The demo's credit records and licenses (演示信用与证照): files with national column names and dirt, and cases at the desks.

All decisions are invented; whom they are about are the demo's synthetic entities. The files go through real plans.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from basedb.credit import objections, records, repairs, standing
from basedb.credit.records import with_display
from basedb.credit.tiers import months_later
from basedb.credit.workflow import Command
from basedb.dictionary import DATASETS
from basedb.models import CreditRepair, LegalEntity, LicenseType
from core.audit import PLATFORM
from core.calendar import SHANGHAI, today_in_shanghai
from core.models import Department
from demo import city, story
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind

FOLDER = "credit"
DIRTY_SHARE = 0.03
_LICENSE_TYPES = ("营业执照", "食品经营许可证")
_VIOLATIONS = (
    ("未按期公示年度报告", "《企业信息公示暂行条例》第十七条", "2"),
    ("经营标签不符合规定的食品", "《中华人民共和国食品安全法》第一百二十五条", "2"),
    ("发布虚假广告", "《中华人民共和国广告法》第五十五条", "3"),
    ("未按规定明码标价", "《中华人民共和国价格法》第四十二条", "1"),
)
# Each defect is named by the rule that must refuse it.
DEFECTS: dict[str, dict[str, str]] = {
    "subject_code.uscc": {"subject_code": "91990101000000000X"},
    "item_code.not_in_catalogue": {"item_code": "9901"},
    "decided_on.format": {"decided_on": "20250230"},
    "document_number.required": {"document_number": " "},
    "subject_category.code": {"subject_category": "企业"},
}

Row = dict[str, str]


@dataclass(frozen=True)
class Subject:
    """An entity of the demo."""

    code: str
    name: str
    region_code: str


def subjects(count: int) -> list[Subject]:
    """Return entities that are in the base."""
    found = LegalEntity.objects.filter(withdrawn_at=None).order_by("id").values_list("uscc", "name", "region_code")[:count]
    return [Subject(*line) for line in found]


def rows_of(dataset: str, about: Sequence[Subject], *, bureau: tuple[str, str], today: date, seed: int = 4) -> list[Row]:
    """Return rows of a dataset, one a subject, some of them broken; `bureau` is name and code of who decided."""
    rng = random.Random(f"{dataset} {seed}")
    rows = []
    for number, subject in enumerate(about, 1):
        given: dict[str, Any] = {"bureau": bureau, "today": today, "rng": rng}
        if dataset == "license.license":
            rows.append(_license(subject, number, **given))
            continue
        row = _decision(dataset, subject, number, **given)
        if rng.random() < DIRTY_SHARE:
            row |= DEFECTS[rng.choice(sorted(DEFECTS))]
        rows.append(row)
    return rows


def _decision(dataset: str, subject: Subject, number: int, *, bureau: tuple[str, str], today: date, rng: random.Random) -> Row:
    decided = today - timedelta(days=rng.randint(20, 400))
    published = decided + timedelta(days=rng.choice((1, 2, 3, 5, 8, 9, 14)))
    row = {
        "subject_name": subject.name,
        "subject_category": "个体工商户" if subject.code.startswith("92") else "法人及非法人组织",
        "subject_code": subject.code.lower() if rng.random() < DIRTY_SHARE else subject.code,
        "document_number": f"演市监〔{decided.year}〕{number}号",
        "decided_on": f"{decided:%Y-%m-%d}" if rng.random() < 0.5 else f"{decided:%Y年%m月%d日}",
        "authority": bureau[0],
        "authority_code": bureau[1],
        "published_on": f"{published:%Y%m%d}",
        "record_state": "0",
        "region_code": subject.region_code,
    }
    match dataset:
        case "credit.permit":
            return row | {
                "item_code": "0201",
                "permit_category": "核准",
                "content": "食品销售经营者",
                "certificate_title": "食品经营许可证",
            }
        case "credit.penalty":
            violation, basis, severity = rng.choice(_VIOLATIONS)
            months = {"1": 3, "2": 12, "3": 36}[severity]
            return row | {
                "item_code": "0202", "violation": violation, "facts": f"经查，当事人{violation}。", "basis": basis,
                "penalty_category": "罚款", "content": "罚款", "fine": f"{rng.randint(1, 500) / 100:.2f}",
                "severity": severity, "publish_until": f"{months_later(decided, months):%Y%m%d}",
                "repair_notice_on": f"{published:%Y%m%d}",
            }  # fmt: skip
        case _:
            return row | {"item_code": "0301", "facts": "未依照规定的期限公示年度报告", "severity": "2"}


def _license(subject: Subject, number: int, *, bureau: tuple[str, str], today: date, rng: random.Random) -> Row:
    title = rng.choice(_LICENSE_TYPES)
    issued = today - timedelta(days=rng.randint(30, 2500))
    ends = months_later(issued, 60) if title != "营业执照" else None
    type_code = LicenseType.objects.get(name=title).code
    return {
        "type_code": type_code,
        "identifier": f"1.2.156.3005.2.{type_code}.{bureau[1]}.{number:09d}.001.{rng.choice('0123456789')}",
        "title": title,
        "number": f"YS{number:010d}",
        "holder_name": subject.name,
        "holder_code": subject.code,
        "holder_code_type": "001",
        "issuer": bureau[0],
        "issuer_code": bureau[1],
        "issued_on": f"{issued:%Y-%m-%d}",
        "valid_from": f"{issued:%Y%m%d}",
        "valid_to": f"{ends:%Y%m%d}" if ends else "",
        "region_code": subject.region_code,
        "license_state": "01",
        "license_version": "001",
        "face": '{"经营场所": "演示"}',
    }


# Dataset, title of its plan, encoding of its file.
SERIES = (
    ("credit.permit", "行政许可双公示归集", "gb18030"),
    ("credit.penalty", "行政处罚双公示归集", "utf-8-sig"),
    ("credit.abnormal", "经营异常名录归集", "utf-8"),
    ("license.license", "电子证照目录归集", "gb18030"),
)


def header_of(dataset: str, fields: Iterable[str]) -> dict[str, str]:
    """Return field -> column of the file: the first national name of a field, else its title."""
    with translation.override(None):
        return {name: (DATASETS[dataset].field(name).aliases or (str(DATASETS[dataset].field(name).title),))[0] for name in fields}


def drop_file(folder: Path, dataset: str, rows: Sequence[Row], encoding: str) -> dict[str, str]:
    """Write one file; return the columns by field."""
    columns = header_of(dataset, dict.fromkeys(name for row in rows for name in row))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{dataset.replace('.', '_')}_01.csv"
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.values())
        writer.writerows([row.get(name, "") for name in columns] for row in rows)
    os.replace(part, path)
    return columns


def aggregate(departments: dict[str, Department], count: int, now: datetime) -> int:
    """Drop the files, lay down a plan each and run it once; return how many records came in."""
    if AggregationPlan.objects.filter(title=SERIES[0][1]).exists():
        return 0
    market = departments[city.MARKET]
    about = subjects(count)
    folder = Path(settings.DROP_DIR) / FOLDER
    taken = 0
    for dataset, title, encoding in SERIES:
        rows = rows_of(dataset, about, bureau=(market.name, market.code), today=now.astimezone(SHANGHAI).date())
        if not rows:
            continue
        plan = plans.create_plan(
            title=title,
            department=market,
            dataset=dataset,
            connector=ConnectorKind.CSV_DROP,
            settings={"folder": FOLDER, "pattern": f"{dataset.replace('.', '_')}_*.csv"},
            columns=drop_file(folder, dataset, rows, encoding),
            key_column="",
            every_minutes=1440,
            actor=PLATFORM,
            now=now,
        )
        run = plans.queue(plan, now=timezone.now())
        runs.work(run_uid=run.uid, clock=timezone.now)
        run.refresh_from_db()
        taken += run.accepted_count
    return taken


def work(now: datetime) -> int:
    """Let the desks of credit have something to do: repairs at every desk, an objection, a shield."""
    if CreditRepair.objects.exists():
        return 0
    today = today_in_shanghai(now)
    old_enough = with_display("credit.penalty", today).filter(severity="2", decided_on__lt=months_later(today, -5))
    shown = [record for record in old_enough.order_by("-decided_on")[:40] if record.display == records.SHOWN][:4]  # type: ignore[attr-defined]
    for turn, record in enumerate(shown):
        where = {"dataset": "credit.penalty", "row_key": bytes(record.row_key)}
        if turn == 3:
            objections.raise_objection(**where, reason="处罚决定已被复议机关变更。", actor=story.actor("hr_op"), now=now)
            continue
        repair = repairs.submit_repair(
            **where, reason="已按期缴清罚款并完成整改。", evidence="缴款凭证、整改报告", actor=story.actor("market_op"), now=now
        )
        steps = ((Command.ACCEPT, "reviewer", ""), (Command.CHECK, "market_op", "罚款已缴清，整改到位。"))
        for revision, (command, who, text) in enumerate(steps[:turn], 1):
            repairs.advance_repair(uid=repair.uid, revision=revision, command=command, text=text, actor=story.actor(who), now=now)
    if shown:
        standing.shield(
            subject_key=bytes(old_enough.order_by("decided_on")[0].subject_key),
            court="演示市中级人民法院",
            case_number="(2026)演01破1号",
            first_day=today,
            last_day=months_later(today, 6),
            actor=story.actor("reviewer"),
            now=now,
        )
    return len(shown)
