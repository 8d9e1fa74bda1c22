"""The issuing desk of the demo (演示签发): permits issued, changed, suspended, drafts at every desk, batches on their way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from basedb.models import LegalEntity, Person
from basedb.models import License as CityLicense
from core.audit import Actor
from core.calendar import SHANGHAI
from demo import story
from demo.licenses.types import DRIVING, FOOD
from licenses.issuing import batch_work, batches, drafts, states
from licenses.issuing.workflow import BatchCommand, PaperAct
from licenses.models import BatchSource, DraftKind, IssuingBatch, IssuingDraft, License, LicenseHolder, TypeVersion, ValidityKind
from licenses.types.reading import in_force
from licenses.types.rulebook import Rulebook

PERMITS: Final = 9
CARDS: Final = 12
OLD_ENOUGH: Final = date(1990, 1, 1)  # to have first been licensed on the day the type's example says
YEARS: Final = timedelta(days=5 * 365)


def issue(now: datetime) -> int:
    """Let the bureaus issue, once; return how many licenses there are afterwards."""
    if not IssuingDraft.objects.exists():
        _permits(now)
        _cards(now)
    return License.objects.count()


def _permits(now: datetime) -> None:
    operator, head = story.actor("market_op"), story.actor("market_head")
    version = in_force(FOOD, _today(now))
    holders = free(LegalEntity.objects.filter(registration_state="1"), FOOD, PERMITS)
    made = [submitted(version, holder, operator, now, has_paper=place < 4) for place, holder in enumerate(holders)]
    issued = [drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now) for draft in made[:6]]
    if len(issued) == 6:
        _carry_on(version, issued, operator, head, now)
    for draft in made[6:7]:
        remark = "经营项目与现场核查意见不一致，请核对后重新提交。"
        drafts.return_to_maker(uid=draft.uid, revision=draft.revision, remark=remark, actor=head, now=now)
    gone = LegalEntity.objects.filter(registration_state="4", withdrawn_at=None).order_by("id").first()
    if gone is not None:
        draft = drafts.make(type_code=version.code, values=_values(version, gone), actor=operator, now=now)
        drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)


def _carry_on(version: TypeVersion, issued: list[License], operator: Actor, head: Actor, now: datetime) -> None:
    """Paper handed out, one permit changed to a new version; one suspended, one cancelled with its paper outside, one revoked."""
    for number, license in enumerate((issued[0], issued[3]), start=1):
        printed = f"苏A{number:08d}"
        states.register_paper(
            license_uid=license.uid, act=PaperAct.HAND_OUT, paper_number=printed, reason="", actor=operator, now=now
        )
    values = drafts.values_of(issued[1])
    draft = drafts.make_next(
        license_uid=issued[1].uid, kind=DraftKind.CHANGE, values=values, reason="经营者申请变更经营项目。",
        basis="《食品经营许可和备案管理办法》第二十七条", actor=operator, now=now,
    )  # fmt: skip
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)
    basis = "《中华人民共和国行政处罚法》第九条第三项"
    states.suspend(license_uid=issued[2].uid, reason="检查发现后厨不符合规范，责令整改。", basis=basis, actor=head, now=now)
    basis = "《中华人民共和国行政许可法》第七十条"
    states.cancel(license_uid=issued[3].uid, reason="经营者申请停业注销。", basis=basis, actor=head, now=now)
    basis = "《中华人民共和国食品安全法》第一百二十三条，行政处罚决定书宁市监处罚〔2026〕第0017号（演示）"
    states.revoke(license_uid=issued[5].uid, reason="以非食品原料加工食品，情节严重。", basis=basis, actor=head, now=now)


def _cards(now: datetime) -> None:
    """One batch issued, another waiting for the head, with a row that was refused."""
    operator, head = story.actor("police_op"), story.actor("police_head")
    version = in_force(DRIVING, _today(now))
    people = free(Person.objects.filter(person_status="0", died_on=None, birth_on__lt=OLD_ENOUGH), DRIVING, CARDS)
    half = len(people) // 2
    batch = _checked(version, people[:half], operator, now)
    if batch is not None and batch.good_count:
        batches.advance(uid=batch.uid, revision=batch.revision, command=BatchCommand.SIGN, actor=head, now=now)
        batch_work.work(batch_uid=batch.uid, clock=timezone.now)
    dead = Person.objects.filter(person_status="9", withdrawn_at=None).order_by("id")[:1]
    _checked(version, [*people[half:], *dead], operator, now)


def _checked(version: TypeVersion, people: list[Any], operator: Actor, now: datetime) -> IssuingBatch | None:
    if not people:
        return None
    rows = [{**_values(version, person), "valid_from": _today(now).isoformat(), "valid_to": ""} for person in people]
    batch = batches.take_in(
        type_code=version.code, rows=rows, source=BatchSource.PAGE, file_name="换证名单.csv", actor=operator, now=now
    )
    batch_work.work(batch_uid=batch.uid, clock=timezone.now)
    batch.refresh_from_db()
    if batch.good_count:
        batch = batches.advance(uid=batch.uid, revision=batch.revision, command=BatchCommand.SUBMIT, actor=operator, now=now)
    return batch


def submitted(version: TypeVersion, holder: Any, operator: Actor, now: datetime, **more: Any) -> IssuingDraft:
    draft = drafts.make(type_code=version.code, values=_values(version, holder) | more, actor=operator, now=now)
    return drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)


def _values(version: TypeVersion, holder: Any) -> dict[str, Any]:
    """Return what is typed in for a holder: the items' examples on the face, what the base says where an item comes from it."""
    code = holder.citizen_id if isinstance(holder, Person) else holder.uscc
    rulebook = Rulebook.of(version.rulebook)
    face = {name: value for name, value in rulebook.example().items() if value}
    for item in rulebook.items:
        known = getattr(holder, item.source.rpartition(".")[2], None) if item.source else None
        if known not in (None, ""):
            face[item.name] = known.isoformat() if isinstance(known, date) else str(known)
    face = {name: face[name] for name in face if not rulebook.by_name[name].fault(face[name])}
    values: dict[str, Any] = {"holders": [{"name": holder.name, "code": code}], "region_code": holder.region_code[:6], "face": face}
    if version.validity_kind == ValidityKind.STATED:
        values["valid_to"] = (_today(timezone.now()) + YEARS).isoformat()
    return values


def free(rows: Any, type_code: str, count: int) -> list[Any]:
    """Return subjects of the base that hold no license of the type, here or in the city."""
    held = CityLicense.objects.filter(type_code=type_code).values("subject_key")
    here = LicenseHolder.objects.filter(license__type_code=type_code).values("subject_key")
    return list(rows.filter(withdrawn_at=None).exclude(subject_key__in=held).exclude(subject_key__in=here).order_by("id")[:count])


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
