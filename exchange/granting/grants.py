"""Grants (授权): issued when a request is approved; suspended, resumed and revoked with a reason, each time a new version.

The call path reads the row: its SQL checks the version, so a change holds for the very next call and nothing has to be
told to other processes. Deciding on requests is in `access_requests`, narrowing in `grant_narrowing`, ending with notice in
`terminations`, the consumer's own limits in `grant_clients`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.masking import Mask, is_as_strict
from catalog.models import DataItem, Grade
from core import audit
from core.audit import Actor
from core.audit_trail import last_hand
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, NotFound
from core.models import Department
from core.notifications import notify_role
from core.roles import Role
from exchange.granting.grant_versions import write_version
from exchange.granting.grant_workflow import GrantCommand, GrantStanding, allowed_on_grant, decide_grant
from exchange.granting.sensitivity import is_verify_only, mode_fault
from exchange.models import AccessRequest, Grant, GrantEvent, GrantState, SuspensionGround
from exchange.querysets import grants_visible_to, seats_on_grant
from exchange.requests import closing
from exchange.requests.origins import first_moment
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat

LONGEST_REASON = 500
EVENTS = {
    GrantCommand.SUSPEND: "suspended",
    GrantCommand.RESUME: "resumed",
    GrantCommand.REVOKE: "revoked",
    GrantCommand.NARROW: "narrowed",
    GrantCommand.TERMINATE: "terminated",
    GrantCommand.LIMIT_ADDRESSES: "addresses_limited",
    GrantCommand.LOAD_CLIENTS: "clients_loaded",
}
STATE_COMMANDS = (GrantCommand.SUSPEND, GrantCommand.RESUME, GrantCommand.REVOKE)


def issue_grant(*, access_request: AccessRequest, actor: Actor, now: datetime, valid_to: datetime | None = None) -> Grant:
    """Issue the grant of a request that was just approved, in the caller's transaction; it ends with the term asked for.

    `valid_to` ends it earlier, to the hour.
    """
    resource = access_request.resource
    if not hasattr(resource, "binding"):
        raise Conflict("resource.not_mounted", _("资源尚未挂接，请提供方挂接后再授权。"))
    items = list(DataItem.objects.filter(resource=resource, name__in=access_request.fields))
    _check_mode(access_request, items)
    grant = Grant.objects.create(
        access_request=access_request,
        system=access_request.system,
        resource=resource,
        mode=access_request.mode,
        fields=access_request.fields,
        masks=masks_of(items, chosen=chosen_masks(access_request)),
        region_prefix=access_request.region_prefix,
        purpose=access_request.purpose,
        row_filter=access_request.row_filter,
        control_parameters=access_request.control_parameters,
        matters=access_request.matters,
        ip_list=access_request.ip_list,
        quota_per_day=access_request.quota_per_day,
        quota_per_second=access_request.quota_per_second,
        valid_from=max(first_moment(access_request), now),
        valid_to=valid_to or datetime.combine(access_request.term_to + timedelta(days=1), time.min, tzinfo=SHANGHAI),
        state_desk=Seat.DATA_CENTRE,
    )
    write_version(grant, event=GrantEvent.ISSUED, actor=actor, now=now)
    if access_request.renews is not None:
        access_request.renews.renewed_by = grant
        access_request.renews.save(update_fields=["renewed_by", "updated_at"])
    audit.record(
        actor,
        "grant.issued",
        grant,
        at=now,
        department_ids=[access_request.requester_id, resource.provider_id],
        request=access_request.number,
        fields=grant.fields,
        mode=grant.mode,
    )
    return grant


def _check_mode(access_request: AccessRequest, items: Iterable[DataItem]) -> None:
    resource, grades = access_request.resource, [item.grade for item in items]
    verify_only = is_verify_only(resource.grade, concerns_minors=resource.concerns_minors, item_grades=grades)
    if fault := mode_fault(access_request.mode, is_verify_only=verify_only):
        raise Conflict("grant.verify_only", fault)


def masks_of(items: Iterable[DataItem], *, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return item -> mask: the item's own, or the stricter one chosen at approval; items without a mask are left out.

    Public items need none; highly sensitive ones that name none are hidden. Nothing chosen makes a mask laxer.
    """
    masks = {}
    for item in items:
        mask = Mask.NONE if item.grade == Grade.L1 else Mask(item.mask)
        if item.grade == Grade.L4 and mask is Mask.NONE:
            mask = Mask.HIDDEN
        wanted = Mask((chosen or {}).get(item.name, mask))
        mask = wanted if is_as_strict(wanted, mask) else mask
        if mask is not Mask.NONE:
            masks[item.name] = mask.value
    return masks


def chosen_masks(access_request: AccessRequest) -> dict[str, str]:
    """Return the masks chosen for a request; of a renewal at least those its grant was narrowed to meanwhile."""
    chosen = dict(access_request.masks)
    for name, mask in (access_request.renews.masks if access_request.renews is not None else {}).items():
        if is_as_strict(Mask(mask), Mask(chosen.get(name, Mask.NONE))):
            chosen[name] = mask
    return chosen


@transaction.atomic
def change_state(
    *,
    grant_uid: UUID,
    command: GrantCommand,
    reason: str,
    actor: Actor,
    now: datetime,
    revision: int | None = None,
    ground: str = "",
    put_right_by: date | None = None,
) -> Grant:
    """Suspend, resume or revoke a grant (Order 809 art. 25 and 27). Both departments are told; the reason is kept.

    Misuse suspends at once and names the day until which it must be put right (限期整改).
    """
    if command is GrantCommand.REVOKE:
        closing.lock_case(grant_uid)
    grant = locked_grant(grant_uid, actor, revision)
    if command not in STATE_COMMANDS:
        raise Invalid("grant.unknown_command", _("此项操作需要更多内容，请在授权页面上办理。"))
    seats = seats_on_grant(actor, grant)
    standing, seat = decide_grant(standing_within_term(grant, now), command, seats, state_desk=grant.state_desk)
    grant.state_reason = checked_reason(reason)
    is_suspension = command is GrantCommand.SUSPEND
    if is_suspension:
        _check_ground(ground, put_right_by, now)
    follower = _waiting_follower(grant, now)
    grant.state, grant.state_desk = standing, seat
    grant.suspension_ground = ground if is_suspension else ""
    grant.put_right_by = put_right_by if is_suspension else None
    write_change(grant, command, actor=actor, now=now, reason=grant.state_reason)
    if standing is GrantStanding.REVOKED:
        closing.close_case(grant, why=grant.state_reason, now=now)
    tell(grant, actor, now, title=_("授权%(state)s:%(grant)s") % {"state": grant.get_state_display(), "grant": grant})
    if follower is not None:
        change_state(
            grant_uid=follower.uid, command=command, reason=reason, actor=actor, now=now, ground=ground, put_right_by=put_right_by
        )
    return grant


def _waiting_follower(grant: Grant, now: datetime) -> Grant | None:
    """Return the renewal that has not begun and stands as the grant does: what is stopped does not come back by itself."""
    follower = grant.renewed_by
    return follower if follower is not None and follower.valid_from > now and follower.state == grant.state else None


def revoke_follower(grant: Grant, *, reason: str, actor: Actor, now: datetime) -> None:
    """Revoke the renewal of a grant that is ended before the renewal began."""
    follower = grant.renewed_by
    if follower is not None and follower.valid_from > now and follower.state != GrantState.REVOKED:
        change_state(grant_uid=follower.uid, command=GrantCommand.REVOKE, reason=reason, actor=actor, now=now)


def locked_grant(grant_uid: UUID, actor: Actor, revision: int | None = None) -> Grant:
    """Return a grant the actor sees, locked; a stale revision raises Conflict with who was there before."""
    rows = grants_visible_to(actor).select_for_update(of=("self",)).select_related("system__department", "resource")
    grant = rows.filter(uid=grant_uid).first()
    if grant is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    if revision is not None and revision != grant.revision:
        raise Conflict(
            "revision.stale",
            _("%(who)s已办理过这项授权，现为“%(state)s”。您的操作没有执行，请核对后再办理。")
            % {"who": last_hand(grant, actor, *(f"grant.{deed}" for deed in EVENTS.values())), "state": grant.get_state_display()},
            {"revision": grant.revision, "state": grant.state, "reason": grant.state_reason},
        )
    return grant


def write_change(grant: Grant, command: GrantCommand, *, actor: Actor, now: datetime, reason: str, **detail: object) -> None:
    """Save a changed grant as its next version, with its audit entry."""
    grant.version += 1
    grant.revision += 1
    grant.save()
    write_version(grant, event=GrantEvent[EVENTS[command].upper()], actor=actor, now=now, reason=reason)
    audit.record(
        actor,
        f"grant.{EVENTS[command]}",
        grant,
        at=now,
        department_ids=[grant.system.department_id, grant.resource.provider_id],
        reason=reason,
        version=grant.version,
        **detail,
    )


def standing_within_term(grant: Grant, now: datetime) -> GrantStanding:
    """Return where a grant stands whose term is not over; what has ended is not changed any more."""
    if now >= grant.valid_to:
        raise Conflict("grant.over", _("授权期限已满，不能再办理；继续使用请重新申请。"))
    return GrantStanding(grant.state)


def commands_for(grant: Grant, actor: Actor, now: datetime) -> tuple[GrantCommand, ...]:
    """Return what the actor may do with the grant now."""
    if now >= grant.valid_to:
        return ()
    return allowed_on_grant(GrantStanding(grant.state), seats_on_grant(actor, grant), state_desk=grant.state_desk)


def standing_of(grant: Grant, now: datetime) -> str:
    """Return the state as people see it: an active grant outside its term is PENDING or EXPIRED."""
    if grant.state == GrantState.ACTIVE and now >= grant.valid_to:
        return "EXPIRED"
    if grant.state == GrantState.ACTIVE and now < grant.valid_from:
        return "PENDING"
    return grant.state


def checked_reason(reason: str) -> str:
    """Return the reason of a change, stripped; Invalid without one."""
    reason = reason.replace("\r\n", "\n").strip()
    fault = text_fault(reason, longest=LONGEST_REASON)
    if fault:
        message = _("请说明理由，双方部门都会看到。") if not reason else fault
        raise Invalid("grant.reason", message, {"reason": message})
    return reason


def _check_ground(ground: str, put_right_by: date | None, now: datetime) -> None:
    today = now.astimezone(SHANGHAI).date()
    fault = {}
    if ground and ground not in SuspensionGround.values:
        fault["ground"] = _("没有这种暂停事由。")
    if ground == SuspensionGround.MISUSE and put_right_by is None:
        fault["put_right_by"] = _("违规使用的，须写明限期整改的截止日期。")
    elif put_right_by is not None and put_right_by < today:
        fault["put_right_by"] = _("限期整改的截止日期不能早于今天。")
    if fault:
        raise Invalid("grant.suspension", _("暂停的事由或期限有误，请修改后再办理。"), fault)


def tell(grant: Grant, actor: Actor, now: datetime, *, title: str, body: str = "") -> None:
    """Tell both departments, and the data centre when it did not act itself."""
    told = {(grant.system.department_id, Role.OPERATOR), (grant.resource.provider_id, Role.OPERATOR)}
    centres = Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True)
    told |= {(pk, Role.REVIEWER) for pk in centres if not actor.is_data_centre}
    for department_id, role in sorted(told):
        notify_role(
            role, department_id=department_id, title=title, body=body or grant.state_reason, path=f"/grants/{grant.uid}/", now=now
        )
