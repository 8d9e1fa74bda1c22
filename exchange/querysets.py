"""Who sees what of the exchange (可见范围): visibility is a filter, invisible means not found.

Requester and provider see their own side, reviewers of the data centre and the auditor see all; others see nothing.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.audit import Actor
from core.roles import Role
from exchange.models import (
    AccessRequest,
    AccessRequestStep,
    CallRecord,
    ConsumerSystem,
    Desk,
    Grant,
    RequestState,
    Route,
)
from exchange.requests.workflow import Command, Seat, seats_of

_NOBODY = Q(pk__in=[])


def is_reviewer(actor: Actor) -> bool:
    """Return whether the actor reviews for the data centre."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


def is_auditor(actor: Actor) -> bool:
    """Return whether the actor is the audit administrator."""
    return actor.has(Role.AUDIT_ADMINISTRATOR)


def _sees_all(actor: Actor) -> bool:
    return is_reviewer(actor) or is_auditor(actor)


def _works_in(actor: Actor, department: str) -> Q:
    """Return the filter "belongs to the actor's department", for people with a business role."""
    return Q(**{department: actor.department_id}) if actor.has(Role.OPERATOR, Role.HEAD) else _NOBODY


def desk_roles(actor: Actor) -> frozenset[str]:
    """Return the own roles and those of colleagues the actor stands in for: they count for access requests only."""
    return actor.roles | {away.role for away in actor.stands_in_for}


def access_requests_visible_to(actor: Actor) -> QuerySet[AccessRequest]:
    """Return the requests of the own department, those that reached it as provider, and all but drafts for overseers."""
    roles = desk_roles(actor)
    endorsed = Exists(AccessRequestStep.objects.filter(access_request=OuterRef("pk"), command=Command.ENDORSE))
    reached = Q(state__in=(RequestState.APPROVED, RequestState.CLOSED)) | (Q(route=Route.PROVIDER_FIRST) & Q(endorsed))
    seen = _NOBODY
    if roles & {Role.OPERATOR, Role.HEAD}:
        department = actor.department_id
        seen = Q(requester_id=department) | (Q(resource__provider_id=department) & reached)
    if is_auditor(actor) or (actor.is_data_centre and Role.REVIEWER in roles):
        seen |= ~Q(state=RequestState.DRAFTED)
    if actor.is_data_centre and actor.has(Role.HEAD):
        seen |= Q(desk=Desk.DATA_CENTRE)
    return AccessRequest.objects.filter(seen)


def access_requests_awaiting(actor: Actor) -> QuerySet[AccessRequest]:
    """Return the requests that lie on the actor's desk: somebody else waits for this person (待办).

    The desks of colleagues the actor stands in for are among them; drafts are nobody's work yet.
    """
    department = actor.department_id
    held = [(actor.roles, [actor.user_id])]
    held += [(frozenset({away.role}), [actor.user_id, away.user_id]) for away in actor.stands_in_for]
    mine = _NOBODY
    for roles, user_ids in held:
        if Role.HEAD in roles:
            own_work = Q(created_by_id__in=user_ids)
            mine |= Q(desk=Desk.REQUESTER_HEAD, requester_id=department) & ~own_work
            mine |= Q(desk=Desk.PROVIDER_HEAD, resource__provider_id=department)
        if Role.OPERATOR in roles:
            mine |= Q(desk=Desk.PROVIDER_OPERATOR, resource__provider_id=department)
            mine |= Q(desk=Desk.REQUESTER_OPERATOR, requester_id=department)
        if Role.REVIEWER in roles and actor.is_data_centre:
            mine |= Q(desk=Desk.DATA_CENTRE) & ~(Q(state=RequestState.CONFIRMING) & Q(_approved_by(user_ids)))
    return AccessRequest.objects.filter(mine).exclude(state=RequestState.DRAFTED)


def _approved_by(user_ids: list[int | None]) -> Exists:
    """Return the filter "one of these people was the first to approve": the second reviewer is another person."""
    return Exists(AccessRequestStep.objects.filter(access_request=OuterRef("pk"), command=Command.APPROVE, actor_id__in=user_ids))


def grants_visible_to(actor: Actor) -> QuerySet[Grant]:
    """Return the grants the own department holds or that were given on its data; all for overseers."""
    if _sees_all(actor):
        return Grant.objects.all()
    return Grant.objects.filter(_works_in(actor, "system__department_id") | _works_in(actor, "resource__provider_id"))


def systems_visible_to(actor: Actor) -> QuerySet[ConsumerSystem]:
    """Return the systems of the own department; all for overseers."""
    if _sees_all(actor):
        return ConsumerSystem.objects.all()
    return ConsumerSystem.objects.filter(_works_in(actor, "department_id"))


def systems_usable_by(actor: Actor) -> QuerySet[ConsumerSystem]:
    """Return the systems the actor may ask data for: the own department's that are in use."""
    return ConsumerSystem.objects.filter(_works_in(actor, "department_id"), is_active=True)


def calls_visible_to(actor: Actor) -> QuerySet[CallRecord]:
    """Return the calls of the own systems and those that touched the own data; all for overseers."""
    if _sees_all(actor):
        return CallRecord.objects.all()
    return CallRecord.objects.filter(_works_in(actor, "department_id") | _works_in(actor, "provider_id"))


def calls_of_whom(actor: Actor) -> tuple[bool, int | None]:
    """Return whether the actor sees the calls of all, else whose (used or provided by this department; None: nobody's)."""
    return _sees_all(actor), actor.department_id if actor.has(Role.OPERATOR, Role.HEAD) else None


def seats_on_request(actor: Actor, access_request: AccessRequest) -> frozenset[Seat]:
    """Return who the actor is towards a request."""
    return _seats(actor, access_request.requester_id, access_request.resource.provider_id)


def seats_on_grant(actor: Actor, grant: Grant) -> frozenset[Seat]:
    """Return who the actor is towards a grant."""
    return _seats(actor, grant.system.department_id, grant.resource.provider_id)


def _seats(actor: Actor, requester_id: int | None, provider_id: int) -> frozenset[Seat]:
    return seats_of(
        department_id=actor.department_id,
        roles=actor.roles,
        is_data_centre=actor.is_data_centre,
        requester_id=requester_id,
        provider_id=provider_id,
    )
