"""Who is told of life events (生命事件通知): subscriptions the data centre lays down, notices a department acknowledges.

The names and numbers behind a notice are masked here already: the department finds the person in its own system.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb import holdings_of
from basedb.masking import Mask, mask_value
from basedb.models import LegalEntity, LifeEventNotice, LifeEventSubscription, Person, ReviewMark
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, NotFound
from core.models import Department
from core.roles import Role


@dataclass(frozen=True, slots=True)
class Told:
    """Whom an event is about, masked, and what of them has to be looked at again: names of the kinds."""

    name: str
    number: str
    holdings: tuple[str, ...]


def notices_visible_to(actor: Actor) -> QuerySet[LifeEventNotice]:
    """Return the notices of the actor's department; all of them for the data centre's reviewers and the auditors."""
    rows = LifeEventNotice.objects.select_related("event", "event__source_department", "department", "seen_by")
    if actor.has(Role.AUDIT_ADMINISTRATOR) or (actor.has(Role.REVIEWER) and actor.is_data_centre):
        return rows
    return rows.filter(department_id=actor.department_id or 0)


def told_of(notices: Iterable[LifeEventNotice]) -> dict[int, Told]:
    """Return, by the id of the notice, whom it is about; three queries for a page."""
    events = {notice.pk: notice.event for notice in notices}
    keys = {bytes(event.subject_key) for event in events.values()}
    about: dict[bytes, tuple[str, str]] = {}
    for key, name, number in Person.objects.filter(subject_key__in=keys).values_list("subject_key", "name", "citizen_id"):
        about[bytes(key)] = (mask_value(Mask.NAME, name) or "", mask_value(Mask.CITIZEN_ID, number) or "")
    for key, name, number in LegalEntity.objects.filter(subject_key__in=keys).values_list("subject_key", "name", "uscc"):
        about[bytes(key)] = (name, number)
    marks: dict[int, set[str]] = {}
    open_marks = ReviewMark.objects.filter(event__in=[event.pk for event in events.values()], closed_at=None)
    for event_id, holding in open_marks.values_list("event_id", "holding"):
        marks.setdefault(event_id, set()).add(holdings_of.title_of(holding))
    return {
        pk: Told(*about.get(bytes(event.subject_key), ("", "")), tuple(sorted(marks.get(event.pk, ()))))
        for pk, event in events.items()
    }


@transaction.atomic
def acknowledge(*, event_uid: UUID, actor: Actor, now: datetime) -> LifeEventNotice:
    """Say that the department has taken note (签收); only its own operators and heads do. Twice is once."""
    notice = (
        LifeEventNotice.objects.select_for_update(of=("self",))
        .filter(event__uid=event_uid, department_id=actor.department_id or 0)
        .select_related("event")
        .first()
    )
    if notice is None:
        raise NotFound("life_event.not_found", _("没有这条通知，或您无权查看。"))
    if not actor.has(Role.OPERATOR, Role.HEAD):
        raise Forbidden("life_event.operator_only", _("只有本部门的业务员或负责人可以签收。"))
    if notice.seen_at is None:
        notice.seen_at, notice.seen_by_id = now, actor.user_id
        notice.save(update_fields=["seen_at", "seen_by"])
        audit.record(actor, "life_event.acknowledged", notice.event, at=now, department_ids=[notice.department_id])
    return notice


def subscriptions() -> QuerySet[LifeEventSubscription]:
    """Return who is told of what."""
    return LifeEventSubscription.objects.filter(is_active=True).select_related("department").order_by("kind", "department_id")


@transaction.atomic
def subscribe(*, department: Department, kind: str, legal_basis: str, actor: Actor, now: datetime) -> LifeEventSubscription:
    """Have a department told of a kind of event from now on; only the data centre's reviewers decide that."""
    _require_reviewer(actor)
    row = LifeEventSubscription.objects.select_for_update().filter(department=department, kind=kind).first()
    if row is not None and row.is_active:
        raise Conflict("life_event.subscribed", _("该部门已订阅这类事件。"), {"kind": _("已订阅")})
    try:
        with transaction.atomic():
            row = row or LifeEventSubscription(department=department, kind=kind)
            row.created_at, row.created_by_id = now, actor.user_id
            row.legal_basis, row.is_active = legal_basis, True
            row.save()
    except IntegrityError as error:
        raise Conflict("life_event.subscribed", _("该部门已订阅这类事件。"), {"kind": _("已订阅")}) from error
    audit.record(actor, "life_event_subscription.created", row, at=now, department_ids=[department.pk], kind=kind)
    return row


@transaction.atomic
def unsubscribe(*, uid: UUID, actor: Actor, now: datetime) -> LifeEventSubscription:
    """Tell a department no longer; what it was told stays."""
    _require_reviewer(actor)
    row = LifeEventSubscription.objects.select_for_update().filter(uid=uid, is_active=True).first()
    if row is None:
        raise NotFound("life_event.not_subscribed", _("没有这项订阅。"))
    row.is_active = False
    row.save(update_fields=["is_active"])
    audit.record(actor, "life_event_subscription.ended", row, at=now, department_ids=[row.department_id], kind=row.kind)
    return row


def _require_reviewer(actor: Actor) -> None:
    if not actor.has(Role.REVIEWER):
        raise Forbidden("life_event.reviewer_only", _("只有数据中心审核员可以办理订阅。"))
