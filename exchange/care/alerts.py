"""Alerts (告警): what unusual use was seen, who was told, and what they did about it - dismiss it, or suspend the grant.

What counts as unusual is `unusual_use`. Heads of the provider and reviewers of the data centre decide; the consumer is not told.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import PLATFORM, Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role
from exchange.care.unusual_use import Sighting, look
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import Alert, AlertState, ConsumerSystem, Grant, SuspensionGround
from exchange.models.alert import UNSETTLED
from exchange.querysets import is_auditor, is_reviewer
from exchange.requests.desks import data_centres
from exchange.requests.request_terms import text_fault

PUT_RIGHT_DAYS = 10
LONGEST_REASON = 400  # the reason of a suspension names the alert as well
QUIET = timedelta(hours=24)
LOCK = "exchange.care.alerts"


@transaction.atomic
def look_out(*, now: datetime) -> int:
    """Open an alert for whatever unusual is seen, or bring an open one up to date. Return how many were opened.

    What was settled within a day is left alone until it is twice as much.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    return sum(_raise(sighting, now) for sighting in look(now))


@transaction.atomic
def acknowledge(*, alert_uid: UUID, actor: Actor, now: datetime) -> Alert:
    """Say that somebody is looking into it."""
    alert = _locked(alert_uid, actor)
    if alert.state != AlertState.OPEN:
        raise Conflict("alert.wrong_state", _("告警已有人核查或处置，请刷新页面。"), {"state": alert.state})
    _settle(alert, AlertState.ACKNOWLEDGED, "", actor=actor, now=now)
    return alert


@transaction.atomic
def dismiss(*, alert_uid: UUID, reason: str, actor: Actor, now: datetime) -> Alert:
    """Settle an alert as explained, with the explanation."""
    alert = _locked(alert_uid, actor)
    _check_unsettled(alert)
    _settle(alert, AlertState.DISMISSED, _text(reason), actor=actor, now=now)
    return alert


@transaction.atomic
def suspend(*, alert_uid: UUID, actor: Actor, now: datetime, reason: str = "", put_right_by: date | None = None) -> Alert:
    """Suspend the grant of an alert for misuse, at once: the very next call is refused (Order 809 art. 25)."""
    alert = _locked(alert_uid, actor)
    _check_unsettled(alert)
    if alert.grant is None:
        raise Conflict("alert.no_grant", _("这条告警不涉及某一项授权，请到使用方系统页面停用凭证。"))
    text = _text(reason) if reason.strip() else _("按告警先行暂停，待使用方说明。")
    values = {"kind": alert.get_kind_display(), "measure": alert.measure, "threshold": alert.threshold, "text": text}
    grants.change_state(
        grant_uid=alert.grant.uid,
        command=GrantCommand.SUSPEND,
        reason=_("告警“%(kind)s”（%(measure)s，阈值 %(threshold)s）：%(text)s") % values,
        ground=SuspensionGround.MISUSE,
        put_right_by=put_right_by or usual_day(now),
        actor=actor,
        now=now,
    )
    _settle(alert, AlertState.ACTED, text, actor=actor, now=now)
    return alert


def usual_day(now: datetime) -> date:
    """Return until when misuse is to be put right unless somebody says otherwise."""
    return now.astimezone(SHANGHAI).date() + timedelta(days=PUT_RIGHT_DAYS)


def alerts_visible_to(actor: Actor) -> QuerySet[Alert]:
    """Return the alerts about the own department's data; all for the overseers. The consumer sees none."""
    rows = Alert.objects.select_related("grant__resource__provider", "system", "department")
    if is_reviewer(actor) or is_auditor(actor):
        return rows
    own = Q(grant__resource__provider_id=actor.department_id) if actor.has(Role.OPERATOR, Role.HEAD) else Q(pk__in=[])
    return rows.filter(own)


def may_handle(alert: Alert, actor: Actor) -> bool:
    """Return whether the actor decides on an alert: a reviewer of the data centre, or a head of the provider."""
    if is_reviewer(actor):
        return True
    return actor.has(Role.HEAD) and alert.grant is not None and alert.grant.resource.provider_id == actor.department_id


def _raise(sighting: Sighting, now: datetime) -> bool:
    grant = Grant.objects.select_related("resource").filter(pk__in=[sighting.grant_id]).first()
    same = Alert.objects.filter(kind=sighting.kind, system_id=sighting.system_id, grant=grant)
    known = same.select_for_update().filter(state__in=UNSETTLED).first()
    if known is not None:
        _renew(known, sighting, now)
        return False
    if same.filter(handled_at__gte=now - QUIET, measure__gt=sighting.measure // 2).exists():
        return False
    system = ConsumerSystem.objects.select_related("department").get(pk=sighting.system_id)
    alert = Alert.objects.create(
        kind=sighting.kind,
        system=system,
        grant=grant,
        department=system.department,
        opened_at=now,
        last_seen_at=now,
        measure=sighting.measure,
        threshold=sighting.threshold,
        evidence=dict(sighting.evidence),
    )
    _record(PLATFORM, "alert.opened", alert, now, measure=alert.measure, threshold=alert.threshold)
    _tell(alert, now)
    return True


def _renew(alert: Alert, sighting: Sighting, now: datetime) -> None:
    """Bring an open alert up to date; the worst that was seen stays."""
    if sighting.measure > alert.measure:
        alert.measure, alert.threshold, alert.evidence = sighting.measure, sighting.threshold, dict(sighting.evidence)
    alert.last_seen_at = now
    alert.save(update_fields=["measure", "threshold", "evidence", "last_seen_at", "updated_at"])


def _tell(alert: Alert, now: datetime) -> None:
    title = _("告警：%(kind)s，%(department)s %(system)s") % {
        "kind": alert.get_kind_display(),
        "department": alert.department.short_name,
        "system": alert.system.name,
    }
    path = f"/alerts/{alert.uid}/"
    if alert.grant is not None:
        notify_role(Role.HEAD, department_id=alert.grant.resource.provider_id, title=title, path=path, now=now)
    for centre in data_centres():
        notify_role(Role.REVIEWER, department_id=centre, title=title, path=path, now=now)


def _locked(uid: UUID, actor: Actor) -> Alert:
    alert = alerts_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if alert is None:
        raise NotFound("alert.not_found", _("没有这条告警，或您无权查看。"))
    if not may_handle(alert, actor):
        raise Forbidden("alert.not_yours", _("告警由数据提供方负责人和数据中心审核员处置。"))
    return alert


def _check_unsettled(alert: Alert) -> None:
    if alert.state not in UNSETTLED:
        raise Conflict("alert.settled", _("告警已经处置，请刷新页面。"), {"state": alert.state})


def _settle(alert: Alert, state: AlertState, reason: str, *, actor: Actor, now: datetime) -> None:
    alert.state, alert.reason = state, reason
    alert.handled_by_id, alert.handled_by_name, alert.handled_at = actor.user_id, actor.name, now
    alert.revision += 1
    alert.save()
    _record(actor, f"alert.{state.lower()}", alert, now, reason=reason)


def _record(actor: Actor, action: str, alert: Alert, now: datetime, **detail: object) -> None:
    owners = [alert.grant.resource.provider_id] if alert.grant is not None else []
    audit.record(actor, action, alert, at=now, department_ids=owners, kind=alert.kind, **detail)


def _text(reason: str) -> str:
    reason = reason.replace("\r\n", "\n").strip()
    if fault := text_fault(reason, longest=LONGEST_REASON):
        raise Invalid("alert.reason", fault, {"reason": fault})
    return reason
