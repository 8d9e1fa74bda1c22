"""Claims (认领) and handing over (转办): who of a desk takes care of a request, so that colleagues need not ask.

A claim is a notice, not a lock: whoever sits at the desk may still decide, and is warned. It ends when the ball moves.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import RoleAssignment, User
from core.notifications import notify_users
from core.roles import Role
from exchange.models import AccessRequest, Claim
from exchange.querysets import access_requests_visible_to
from exchange.requests.capacities import seats_held
from exchange.requests.desks import ROLE_OF, departments_of, path_of
from exchange.requests.workflow import Seat


@transaction.atomic
def claim(*, request_uid: UUID, actor: Actor, now: datetime) -> Claim:
    """Take care of a request that lies on the own desk; a colleague's claim stands in the way until it is released."""
    access_request = _locked(request_uid, actor)
    if access_request.desk not in seats_held(actor, access_request) or actor.user_id is None:
        raise Forbidden("claim.not_your_desk", _("这项申请不在您的办理岗位上，不能认领。"))
    held = open_claim(access_request)
    if held is not None and held.claimed_by_id == actor.user_id:
        return held
    if held is not None:
        text = _("%(name)s已认领这项申请。需要时请其释放，或由本部门负责人转办。") % {"name": held.claimed_by.display_name}
        raise Conflict("claim.taken", text, {"claimed_by": held.claimed_by.display_name})
    return _write(access_request, actor.user_id, None, actor=actor, now=now)


@transaction.atomic
def release(*, request_uid: UUID, actor: Actor, now: datetime) -> None:
    """Give the own claim back to the desk; the head of the desk's department may do it for somebody else."""
    access_request = _locked(request_uid, actor)
    held = open_claim(access_request)
    if held is None:
        raise Conflict("claim.none", _("这项申请目前没有人认领。"))
    if held.claimed_by_id != actor.user_id and not may_reassign(actor, access_request):
        raise Forbidden("claim.not_yours", _("只有认领人本人或本部门负责人可以释放。"))
    end(access_request, now=now)
    _record(actor, "claim.released", access_request, now, held.claimed_by.display_name)


@transaction.atomic
def reassign(*, request_uid: UUID, colleague_uid: UUID, actor: Actor, now: datetime) -> Claim:
    """Hand a request to a colleague of the same desk: by the head of the desk's department, or by who claimed it."""
    access_request = _locked(request_uid, actor)
    held = open_claim(access_request)
    own = held is not None and held.claimed_by_id == actor.user_id
    if not own and not may_reassign(actor, access_request):
        raise Forbidden("claim.not_yours", _("转办由认领人本人或本部门负责人办理。"))
    colleague = colleagues_at(access_request).filter(uid=colleague_uid).first()
    if colleague is None:
        text = _("只能转给同一岗位的在岗同事，请重新选择。")
        raise Invalid("claim.colleague", text, {"colleague": text})
    if held is not None and held.claimed_by_id == colleague.pk:
        return held
    end(access_request, now=now)
    made = _write(access_request, colleague.pk, actor.user_id, actor=actor, now=now)
    title = _("%(name)s将一项申请转给您办理：%(title)s") % {"name": actor.name, "title": access_request.resource.title}
    notify_users([colleague.pk], title=title, body=access_request.number, path=path_of(access_request), now=now)
    return made


def end(access_request: AccessRequest, *, now: datetime) -> None:
    """End the open claim of a request, if there is one: its ball moves."""
    Claim.objects.filter(access_request=access_request, released_at=None).update(released_at=now)


def open_claim(access_request: AccessRequest) -> Claim | None:
    """Return who takes care of a request now."""
    return Claim.objects.filter(access_request=access_request, released_at=None).select_related("claimed_by").first()


def may_reassign(actor: Actor, access_request: AccessRequest) -> bool:
    """Return whether the actor heads the department whose desk has the ball."""
    if not actor.has(Role.HEAD) or actor.department_id is None or access_request.desk not in ROLE_OF:
        return False
    return actor.department_id in departments_of(Seat(access_request.desk), access_request)


def colleagues_at(access_request: AccessRequest) -> QuerySet[User]:
    """Return the people appointed to the role of the desk that has the ball."""
    desk = Seat(access_request.desk)
    role = ROLE_OF.get(desk)
    if role is None:
        return User.objects.none()
    holds = RoleAssignment.objects.filter(user_id=OuterRef("pk"), role=role)
    departments = list(departments_of(desk, access_request))
    return User.objects.filter(Exists(holds), department_id__in=departments, is_active=True).order_by("id")


def _locked(request_uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource", "requester")
    found = rows.filter(uid=request_uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _write(access_request: AccessRequest, user_id: int, assigned_by_id: int | None, *, actor: Actor, now: datetime) -> Claim:
    made = Claim.objects.create(
        access_request=access_request,
        desk=access_request.desk,
        claimed_by_id=user_id,
        assigned_by_id=assigned_by_id,
        claimed_at=now,
    )
    event = "claim.taken" if assigned_by_id is None else "claim.reassigned"
    _record(actor, event, access_request, now, made.claimed_by.display_name)
    return made


def _record(actor: Actor, event: str, access_request: AccessRequest, now: datetime, name: str) -> None:
    audit.record(actor, event, access_request, at=now, department_ids=[actor.department_id], person=name)
