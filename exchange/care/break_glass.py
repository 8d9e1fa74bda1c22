"""Break-glass access (应急访问): an existing system is let to a resource for some hours without the workflow.

The node must allow it (deny by default). What is opened is a grant like any other, short and small, recorded and sealed like any
other; both sides are told at once and review it within three working days. An overdue review or a bad verdict is a liability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import DataItem, Resource, ResourceState, ShareAttribute
from core import audit, working_days
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import RoleAssignment
from core.notifications import notify_role, notify_users
from core.roles import Role
from exchange.granting import grants
from exchange.granting.sensitivity import is_verify_only, mode_fault
from exchange.models import (
    AccessRequest,
    BreakGlass,
    BreakGlassReview,
    ConsumerSystem,
    Desk,
    Grant,
    GrantState,
    RequestState,
    Verdict,
)
from exchange.models.material_return import ReturningSide
from exchange.querysets import grants_visible_to, is_reviewer, seats_on_grant
from exchange.requests.desks import data_centres
from exchange.requests.numbering import next_number
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat
from exchange.upstream import authorizations

MODES = ("VERIFY", "QUERY")
LONGEST_HOURS = 24
USUAL_HOURS = 4
REVIEW_DAYS = 3
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Emergency:
    """What is to be opened, as typed in."""

    system: UUID
    mode: str
    fields: Sequence[str]
    incident_number: str
    reason: str
    hours: int = USUAL_HOURS


@transaction.atomic
def open_access(*, resource_uid: UUID, wanted: Emergency, actor: Actor, now: datetime) -> BreakGlass:
    """Open an emergency access; it holds at once and ends by itself. Provider, data centre and auditor are told."""
    opener_id, department_id = _opener(actor)
    resource = _resource(resource_uid)
    system = _system(wanted.system, actor)
    _check(wanted, resource)
    _check_earlier(system, resource, now)
    access_request = _request(wanted, resource, system, opener_id, now)
    authorizations.check_approvable(access_request, now)
    valid_to = now + timedelta(hours=wanted.hours)
    grant = grants.issue_grant(access_request=access_request, actor=actor, now=now, valid_to=valid_to)
    made = BreakGlass.objects.create(
        number=next_number(BreakGlass, "YJ", now),
        grant=grant,
        incident_number=wanted.incident_number.strip(),
        reason=wanted.reason.strip(),
        hours=wanted.hours,
        opened_by_id=opener_id,
        opened_by_name=actor.name,
        opened_by_department_id=department_id,
        opened_at=now,
        review_due_at=working_days.deadline(now, REVIEW_DAYS),
    )
    owners = [system.department_id, resource.provider_id]
    audit.record(
        actor, "break_glass.opened", made, at=now, department_ids=owners, incident=made.incident_number, reason=made.reason,
        hours=made.hours, fields=grant.fields, mode=grant.mode, grant=str(grant.uid),
    )  # fmt: skip
    _tell(made, now)
    return made


@transaction.atomic
def review(*, break_glass_uid: UUID, verdict: str, opinion: str, actor: Actor, now: datetime) -> BreakGlassReview:
    """Say for the own side whether an emergency was justified; once, and not by who opened it."""
    found = break_glass_visible_to(actor).filter(uid=break_glass_uid).first()
    if found is None:
        raise NotFound("break_glass.not_found", _("没有这次应急访问，或您无权查看。"))
    side, reviewer_id = _side(found, actor)
    Grant.objects.select_for_update(no_key=True).get(pk=found.grant_id)
    if found.reviews.filter(side=side).exists():
        raise Conflict("break_glass.reviewed", _("本方已经复核过，请刷新页面。"))
    if _had_a_hand(found, actor):
        raise Forbidden("break_glass.four_eyes", _("开启应急访问的人员不能复核，一人也不能代表双方复核，请由另一位同事复核。"))
    if verdict not in Verdict.values:
        raise Invalid("break_glass.review", _("请选择复核结论。"), {"verdict": _("请选择复核结论。")})
    opinion = _text(opinion, "opinion")
    made = BreakGlassReview.objects.create(
        break_glass=found,
        side=side,
        verdict=verdict,
        opinion=opinion,
        reviewer_id=reviewer_id,
        reviewer_name=actor.name,
        at=now,
    )
    owners = [found.grant.system.department_id, found.grant.resource.provider_id]
    audit.record(actor, "break_glass.reviewed", found, at=now, department_ids=owners, verdict=verdict, side=side, opinion=opinion)
    title = _("应急访问已复核，结论为“%(verdict)s”：%(number)s") % {"verdict": made.get_verdict_display(), "number": found.number}
    notify_users([found.opened_by_id], title=title, body=opinion, path=path_of(found), now=now)
    return made


def break_glass_visible_to(actor: Actor) -> QuerySet[BreakGlass]:
    """Return the emergency accesses whose grants the actor may see."""
    rows = BreakGlass.objects.select_related("grant__system__department", "grant__resource__provider")
    return rows.filter(grant__in=grants_visible_to(actor)).prefetch_related("reviews")


def unreviewed() -> QuerySet[BreakGlass]:
    """Return those a side of which has not reviewed yet, the earliest due first."""
    both = _reviewed_by(ReturningSide.PROVIDER).filter(pk__in=_reviewed_by(ReturningSide.DATA_CENTRE).values("pk"))
    return BreakGlass.objects.exclude(pk__in=both.values("pk")).order_by("review_due_at")


def sides_missing(found: BreakGlass) -> list[ReturningSide]:
    """Return the sides that have the ball."""
    done = {review.side for review in found.reviews.all()}
    return [side for side in ReturningSide if side not in done]


def side_to_review(found: BreakGlass, actor: Actor) -> ReturningSide | None:
    """Return the side the actor may review for now, if any."""
    missing = sides_missing(found)
    own = [side for side in _sides_of(found, actor) if side in missing]
    return own[0] if own and not _had_a_hand(found, actor) else None


def may_open(actor: Actor) -> bool:
    """Return whether the node allows it and the actor is somebody who may open: a head, or a reviewer of the data centre."""
    return settings.BREAK_GLASS_ALLOWED and actor.user_id is not None and (actor.has(Role.HEAD) or is_reviewer(actor))


def path_of(found: BreakGlass) -> str:
    """Return the page of an emergency access in the portal."""
    return f"/break-glass/{found.uid}/"


def _reviewed_by(side: ReturningSide) -> QuerySet[BreakGlass]:
    return BreakGlass.objects.filter(reviews__side=side)


def _opener(actor: Actor) -> tuple[int, int]:
    """Return who opens and of which department; Forbidden for anybody who may not, or on a node that does not allow it."""
    if not settings.BREAK_GLASS_ALLOWED:
        raise Forbidden("break_glass.off", _("本节点没有启用应急访问，请按正常流程申请。"))
    if not may_open(actor) or actor.user_id is None or actor.department_id is None:
        raise Forbidden("break_glass.not_yours", _("应急访问由使用方负责人或数据中心审核员开启。"))
    return actor.user_id, actor.department_id


def _resource(uid: UUID) -> Resource:
    resource = Resource.objects.filter(uid=uid, state=ResourceState.PUBLISHED).select_related("provider").first()
    if resource is None:
        raise NotFound("resource.not_found", _("没有这项资源，或尚未发布。"))
    if resource.share_attribute == ShareAttribute.WITHHELD:
        raise Conflict("break_glass.withheld", _("不予共享的资源不能应急访问。"))
    return resource


def _system(uid: UUID, actor: Actor) -> ConsumerSystem:
    rows = ConsumerSystem.objects.filter(uid=uid, is_active=True).select_related("department")
    rows = rows.select_for_update(of=("self",), no_key=True)
    found = (rows if is_reviewer(actor) else rows.filter(department_id__in=[actor.department_id])).first()
    if found is None:
        text = _("请选择已启用的使用方系统。")
        raise Invalid("break_glass.invalid", text, {"system": text})
    return found


def _check(wanted: Emergency, resource: Resource) -> None:
    items = {item.name: item for item in DataItem.objects.filter(resource=resource, is_withheld=False)}
    chosen = [items[name].grade for name in wanted.fields if name in items]
    verify_only = is_verify_only(resource.grade, concerns_minors=resource.concerns_minors, item_grades=chosen)
    fault = {
        "mode": _mode_fault(wanted, resource) or mode_fault(wanted.mode, is_verify_only=verify_only),
        "fields": "" if len(chosen) == len(set(wanted.fields)) == len(wanted.fields) > 0 else _("请勾选该资源可共享的信息项。"),
        "hours": "" if 1 <= wanted.hours <= LONGEST_HOURS else _("应急访问最长 %(most)s 小时。") % {"most": LONGEST_HOURS},
        "incident_number": text_fault(wanted.incident_number.strip(), longest=64, may_have_lines=False),
        "reason": text_fault(wanted.reason.strip(), longest=LONGEST_TEXT),
    }
    if found := {name: text for name, text in fault.items() if text}:
        raise Invalid("break_glass.invalid", _("应急访问的内容有误，请修改后再提交。"), found)


def _check_earlier(system: ConsumerSystem, resource: Resource, now: datetime) -> None:
    """An emergency is not prolonged by another one: the one before must be over, and reviewed once that is due."""
    running = BreakGlass.objects.filter(grant__system=system, grant__resource=resource, grant__valid_to__gt=now)
    if running.exclude(grant__state=GrantState.REVOKED).exists():
        raise Conflict("break_glass.open_already", _("该系统对此资源的应急访问尚未结束，不能重复开启。"))
    overdue = unreviewed().filter(grant__system=system, review_due_at__lt=now).first()
    if overdue is not None:
        text = _("该系统此前的应急访问（%(number)s）逾期未复核，请提供方和数据中心先完成复核，再开启新的应急访问。")
        raise Conflict("break_glass.review_overdue", text % {"number": overdue.number})


def _mode_fault(wanted: Emergency, resource: Resource) -> str:
    if wanted.mode in MODES and wanted.mode in resource.sharing_modes:
        return ""
    return _("应急访问只能用该资源提供的比对验证或检索查询，不能批量复制或订阅。")


def _request(wanted: Emergency, resource: Resource, system: ConsumerSystem, opener_id: int, now: datetime) -> AccessRequest:
    """Write down the request the grant hangs on: approved by nobody, opened by this person."""
    today = now.astimezone(SHANGHAI).date()
    return AccessRequest.objects.create(
        number=next_number(AccessRequest, "SQ", now),
        resource=resource,
        resource_version=resource.version,
        requester=system.department,
        system=system,
        created_by_id=opener_id,
        mode=wanted.mode,
        fields=list(wanted.fields),
        purpose=_("应急访问：%(incident)s") % {"incident": wanted.incident_number.strip()},
        legal_basis=_("应急处置，事后复核"),
        scenario=wanted.reason.strip(),
        quota_per_day=settings.BREAK_GLASS_QUOTA_PER_DAY,
        quota_per_second=5,
        term_from=today,
        term_to=(now + timedelta(hours=wanted.hours)).astimezone(SHANGHAI).date(),
        state=RequestState.APPROVED,
        desk=Desk.NOBODY,
        submitted_at=now,
        decided_at=now,
    )


def _side(found: BreakGlass, actor: Actor) -> tuple[ReturningSide, int]:
    """Return for which side somebody reviews, and who; Forbidden for those of neither."""
    own = _sides_of(found, actor)
    if not own or actor.user_id is None:
        raise Forbidden("break_glass.not_yours", _("应急访问由数据提供方负责人和数据中心审核员复核。"))
    missing = sides_missing(found)
    return next((side for side in own if side in missing), own[0]), actor.user_id


def _had_a_hand(found: BreakGlass, actor: Actor) -> bool:
    """Return whether the actor opened it, or has reviewed it for a side."""
    return found.opened_by_id == actor.user_id or any(review.reviewer_id == actor.user_id for review in found.reviews.all())


def _sides_of(found: BreakGlass, actor: Actor) -> list[ReturningSide]:
    seats = seats_on_grant(actor, found.grant)
    by_seat = ((Seat.DATA_CENTRE, ReturningSide.DATA_CENTRE), (Seat.PROVIDER_HEAD, ReturningSide.PROVIDER))
    return [side for seat, side in by_seat if seat in seats]


def _text(value: str, field: str) -> str:
    value = value.replace("\r\n", "\n").strip()
    if fault := text_fault(value, longest=LONGEST_TEXT):
        raise Invalid("break_glass.review", fault, {field: fault})
    return value


def _tell(made: BreakGlass, now: datetime) -> None:
    grant = made.grant
    values = {"department": grant.system.department.short_name, "title": grant.resource.title}
    title = _("应急访问已开启，请事后复核：%(department)s使用“%(title)s”") % values
    body, path = f"{made.number} {made.incident_number} {made.reason}"[:500], path_of(made)
    notify_role(Role.HEAD, department_id=grant.resource.provider_id, title=title, body=body, path=path, now=now)
    for centre in data_centres():
        notify_role(Role.REVIEWER, department_id=centre, title=title, body=body, path=path, now=now)
    auditors = RoleAssignment.objects.filter(role=Role.AUDIT_ADMINISTRATOR, user__is_active=True)
    notify_users(auditors.values_list("user_id", flat=True), title=title, body=body, path=path, now=now)
