"""Grants (授权): issued when a request is approved; suspended, resumed and revoked with a reason, each time a new version.

The call path reads the row: its SQL checks the version, so a change holds for the very next call and nothing has to be
told to other processes. Deciding on requests is in `access_requests`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.masking import Mask
from catalog.models import DataItem, Grade
from core import audit
from core.audit import Actor
from core.audit_trail import last_hand
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, NotFound
from core.models import Department
from core.notifications import notify_role
from core.roles import Role
from exchange.models import AccessRequest, Grant, GrantState
from exchange.origins import first_moment
from exchange.querysets import grants_visible_to, seats_on_grant
from exchange.request_terms import text_fault
from exchange.workflow import GrantCommand, GrantStanding, Seat, allowed_on_grant, decide_grant

LONGEST_REASON = 500
EVENTS = {GrantCommand.SUSPEND: "suspended", GrantCommand.RESUME: "resumed", GrantCommand.REVOKE: "revoked"}


def issue_grant(*, access_request: AccessRequest, actor: Actor, now: datetime) -> Grant:
    """Issue the grant of a request that was just approved, in the caller's transaction."""
    resource = access_request.resource
    if not hasattr(resource, "binding"):
        raise Conflict("resource.not_mounted", _("资源尚未挂接，请提供方挂接后再授权。"))
    items = DataItem.objects.filter(resource=resource, name__in=access_request.fields)
    grant = Grant.objects.create(
        access_request=access_request,
        system=access_request.system,
        resource=resource,
        mode=access_request.mode,
        fields=access_request.fields,
        masks=masks_of(items),
        region_prefix=access_request.region_prefix,
        purpose=access_request.purpose,
        quota_per_day=access_request.quota_per_day,
        valid_from=max(first_moment(access_request), now),
        valid_to=datetime.combine(access_request.term_to + timedelta(days=1), time.min, tzinfo=SHANGHAI),
        state_desk=Seat.DATA_CENTRE,
    )
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


def masks_of(items: Iterable[DataItem]) -> dict[str, str]:
    """Return item -> mask: the item's own, none for public items, and hidden for highly sensitive ones that name none."""
    masks = {}
    for item in items:
        mask = Mask.NONE if item.grade == Grade.L1 else Mask(item.mask)
        if item.grade == Grade.L4 and mask is Mask.NONE:
            mask = Mask.HIDDEN
        if mask is not Mask.NONE:
            masks[item.name] = mask.value
    return masks


@transaction.atomic
def change_state(
    *, grant_uid: UUID, command: GrantCommand, reason: str, actor: Actor, now: datetime, revision: int | None = None
) -> Grant:
    """Suspend, resume or revoke a grant (Order 809 art. 25 and 27). Both departments are told; the reason is kept."""
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
    seats = seats_on_grant(actor, grant)
    standing, seat = decide_grant(GrantStanding(grant.state), command, seats, state_desk=grant.state_desk)
    grant.state_reason = _reason(reason)
    grant.state, grant.state_desk = standing, seat
    grant.version += 1
    grant.revision += 1
    grant.save()
    owners = [grant.system.department_id, grant.resource.provider_id]
    audit.record(
        actor, f"grant.{EVENTS[command]}", grant, at=now, department_ids=owners, reason=grant.state_reason, version=grant.version
    )
    _tell(grant, actor, now)
    return grant


def commands_for(grant: Grant, actor: Actor) -> tuple[GrantCommand, ...]:
    """Return what the actor may do with the grant now."""
    return allowed_on_grant(GrantStanding(grant.state), seats_on_grant(actor, grant), state_desk=grant.state_desk)


def standing_of(grant: Grant, now: datetime) -> str:
    """Return the state as people see it: an active grant outside its term is PENDING or EXPIRED."""
    if grant.state == GrantState.ACTIVE and now >= grant.valid_to:
        return "EXPIRED"
    if grant.state == GrantState.ACTIVE and now < grant.valid_from:
        return "PENDING"
    return grant.state


def _reason(reason: str) -> str:
    reason = reason.replace("\r\n", "\n").strip()
    fault = text_fault(reason, longest=LONGEST_REASON)
    if fault:
        message = _("请说明理由，双方部门都会看到。") if not reason else fault
        raise Invalid("grant.reason", message, {"reason": message})
    return reason


def _tell(grant: Grant, actor: Actor, now: datetime) -> None:
    title = _("授权%(state)s:%(grant)s") % {"state": grant.get_state_display(), "grant": grant}
    path = f"/grants/{grant.uid}/"
    told = {(grant.system.department_id, Role.OPERATOR), (grant.resource.provider_id, Role.OPERATOR)}
    centres = Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True)
    told |= {(pk, Role.REVIEWER) for pk in centres if not actor.is_data_centre}
    for department_id, role in sorted(told):
        notify_role(role, department_id=department_id, title=title, body=grant.state_reason, path=path, now=now)
