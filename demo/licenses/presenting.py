"""Presenting in the demo (演示亮证): titles of citizens, a desk with its grant, a pretend identity application, rounds made.

The identity application is marked as pretended wherever it shows; its page is `demo.identity`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from basedb.masking import Mask
from basedb.models import LegalEntity, License, LicenseType, Person
from catalog import mounting
from core.audit import PLATFORM, Actor
from core.calendar import SHANGHAI
from core.models import Department
from demo import credit, story
from demo.entries import ASSESSED, PERSONAL, Listing
from exchange.aggregation import plans, runs
from exchange.models import AggregationPlan, ConnectorKind, ConsumerSystem
from exchange.presenting import desk, entering
from exchange.requests.workflow import Command
from licenses.models import LicenseUse, TypeUse
from licenses.presenting import codes, holders, sessions

LAND: Final = "市规划和自然资源局"
TITLE_TYPE: Final = "不动产权证书"
TITLES: Final = "不动产权证书归集"
PRESENTED: Final = "电子证照亮证信息"
IDENTITY: Final = story.IDENTITY_SYSTEM
CITIZENS: Final = 12
FOLDER: Final = "land-titles"
ITEMS: Final = ("title", "number", "holder_name", "issuer", "issued_on", "valid_to", "license_state", "face")
WHY: Final = {
    "purpose": "窗口当面核验持证人出示的电子证照",
    "legal_basis": "《国务院关于在线政务服务的若干规定》第七条",
    "scenario": "持证人在窗口出示亮证码，同意后读取事项所需的照面信息。",
}
BUILT_IN: Final = ["license.number", "license.holder_names", "license.issuer_name", "license.valid_to"]
USES: Final = (
    (TITLE_TYPE, "不动产转移登记窗口核验", "核对权利人和坐落", ["location", "building_area"], "《不动产登记暂行条例》第二十四条"),
    ("食品经营许可证", "食品经营单位变更备案", "核对许可信息", [], "《中华人民共和国食品安全法》第三十五条"),
    ("营业执照", "食品经营单位变更备案", "核对主体登记信息", [], "《中华人民共和国市场主体登记管理条例》第二十一条"),
)


def listing() -> Listing:
    """Return the entry a desk's grant is made of: the face is not hidden, since its holder agrees each time."""
    entry = mounting.draft_from("license.license")
    shown = tuple(replace(item, mask=str(Mask.NONE)) if item.name in ("face", "holder_name") else item for item in entry.items)
    entry = replace(
        entry,
        title=PRESENTED,
        items=shown,
        summary="持证人当面出示并逐次同意后，按用证清单提供的电子证照照面信息。",
        keywords="证照 亮证 苏服码",
        share_conditions="只用于窗口亮证：持证人逐次同意，按用证清单提供，不得转提供。",
        sharing_modes=("QUERY",),
        secrecy_assessment=ASSESSED,
        personal_information_assessment=PERSONAL,
    )
    return Listing("市政务服务管理办公室", entry, "license.license")


def aggregate(departments: dict[str, Department], now: datetime) -> int:
    """Let the land bureau deliver titles of some citizens; return how many came in."""
    if AggregationPlan.objects.filter(title=TITLES).exists():
        return 0
    land, type_code = departments[LAND], LicenseType.objects.filter(name=TITLE_TYPE).values_list("code", flat=True).first()
    known = Person.objects.filter(person_status="0", withdrawn_at=None).order_by("id")[:CITIZENS]
    rows = [_title(person, number, land, type_code or "") for number, person in enumerate(known, 1)]
    if not rows or not type_code:
        return 0
    plan = plans.create_plan(
        title=TITLES,
        department=land,
        dataset="license.license",
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": FOLDER, "pattern": "license_license_*.csv"},
        columns=credit.drop_file(Path(settings.DROP_DIR) / FOLDER, "license.license", rows, "utf-8"),
        key_column="",
        every_minutes=1440,
        actor=PLATFORM,
        now=now,
    )
    run = plans.queue(plan, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run.accepted_count


def _title(person: Person, number: int, land: Department, type_code: str) -> dict[str, str]:
    return {
        "type_code": type_code,
        "identifier": "",
        "title": TITLE_TYPE,
        "number": f"苏(2026)南京市不动产权第{number:07d}号",
        "holder_name": person.name,
        "holder_code": person.citizen_id,
        "holder_code_type": "111",
        "issuer": land.name,
        "issuer_code": land.code,
        "issued_on": "2026-03-02",
        "valid_from": "20260302",
        "valid_to": "",
        "region_code": person.region_code,
        "license_state": "01",
        "license_version": "001",
        "face": f'{{"location": "江苏省南京市演示路{number}号", "building_area": "{60 + number * 3}.5"}}',
    }


def prepare(departments: dict[str, Department], owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Publish the entry and the uses, grant the window its reading, trust the identity application."""
    identity = owned[IDENTITY]
    resource = story.publish(listing(), departments, now)
    week = now - timedelta(days=7)
    request = story.submitted(story.Ask(resource, owned[story.WINDOW_SYSTEM], "land", "QUERY", ITEMS, WHY), week)
    story.carry(request, Command.ENDORSE, "land_head", week)
    story.carry(request, Command.APPROVE, "reviewer", week)
    basis = "省政务服务平台统一身份认证接入协议(演示)"
    trusted = entering.propose(system_uid=identity.uid, assurance=3, basis=basis, actor=story.actor("reviewer"), now=week)
    entering.confirm(uid=trusted.uid, actor=story.actor("centre_head"), now=now)
    today = now.astimezone(SHANGHAI).date()
    for name, matter, purpose, items, law in USES:
        type_code = LicenseType.objects.filter(name=name).values_list("code", flat=True).first()
        if type_code and not TypeUse.objects.filter(type_code=type_code, matter=matter).exists():
            TypeUse.objects.create(
                type_code=type_code, matter=matter, purpose=purpose, items=[*BUILT_IN, *items], basis=law,
                department=resource.provider, effective=DateRange(today, None), published_at=now,
            )  # fmt: skip


def present(now: datetime) -> int:
    """Let some holders show their code at the window: one agrees, one refuses; return how many."""
    if LicenseUse.objects.filter(channel="PRESENTED").exists() or not TypeUse.objects.exists():
        return 0
    clerk = story.actor("land_op")
    grant = desk.grants_of(clerk, now).first()
    if grant is None:
        return 0
    shown = citizens()[:3]
    for number, person in enumerate(shown):
        _round(person, clerk, grant.uid, is_agreed=number < 2)
    return len(shown)


def _round(person: Person, clerk: Actor, grant_uid: Any, *, is_agreed: bool) -> None:
    now = timezone.now()
    holder = holders.for_person(citizen_id=person.citizen_id, name=person.name)
    identity = ConsumerSystem.objects.get(name=IDENTITY)
    ticket, _until = sessions.let_in(holder=holder, assurance=2, system_id=identity.pk, actor=Actor(name=IDENTITY), now=now)
    token, _session = sessions.enter(ticket=ticket, now=now)
    code, uid, _until = codes.create(token=token, chosen=[], now=now)
    desk.scan(code=code, matter=USES[0][1], grant_uid=grant_uid, actor=clerk, now=timezone.now())
    if not is_agreed:
        codes.refuse(token=token, uid=uid, now=timezone.now())
        return
    codes.confirm(token=token, uid=uid, given=None, now=timezone.now())
    desk.read(uid=uid, actor=clerk, now=timezone.now())


def citizens() -> list[Person]:
    """Return living citizens who have a title."""
    keys = (
        License.objects.filter(title=TITLE_TYPE, withdrawn_at=None).order_by("id").values_list("subject_key", flat=True)[:CITIZENS]
    )
    return list(Person.objects.filter(subject_key__in=list(keys), person_status="0").order_by("id"))


def enterprises() -> list[tuple[LegalEntity, Person]]:
    """Return enterprises with licenses whose legal representative is in the population."""
    rows = License.objects.filter(holder_code_type="001", license_state="01", withdrawn_at=None).order_by("id")
    keys = list(rows.values_list("subject_key", flat=True)[:200])
    found = LegalEntity.objects.filter(subject_key__in=keys, registration_state="1").exclude(legal_representative_id=None)[:60]
    people = {
        p.citizen_id: p for p in Person.objects.filter(citizen_id__in=[e.legal_representative_id for e in found], person_status="0")
    }
    return [(e, people[e.legal_representative_id]) for e in found if e.legal_representative_id in people][:4]
