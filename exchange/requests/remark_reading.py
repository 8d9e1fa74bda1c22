"""Who reads which remarks (备注可见范围): public ones whoever sees the request, private ones the reviewing sides only.

Writing remarks is in `remarks`, files are in `attachments`.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from core.audit import Actor
from core.roles import Role
from exchange.models import AccessRequest, Remark, RequestState
from exchange.querysets import access_requests_visible_to, desk_roles


def remarks_visible_to(actor: Actor) -> QuerySet[Remark]:
    """Return the remarks the actor may read. The requester's own people never read a private one, whatever else they are."""
    reviews = Q(pk__in=[])
    if actor.has(Role.OPERATOR, Role.HEAD):
        reviews |= Q(access_request__resource__provider_id=actor.department_id)
    if _reviews(actor):
        reviews |= Q(pk__isnull=False)
    private = Q(is_private=True) & reviews & ~Q(access_request__requester_id=actor.department_id)
    return Remark.objects.filter(Q(is_private=False) | private, access_request__in=access_requests_visible_to(actor))


def reads_private(access_request: AccessRequest, actor: Actor) -> bool:
    """Return whether the actor is of a reviewing side of this request."""
    if actor.department_id is None or actor.department_id == access_request.requester_id:
        return False
    provides = actor.department_id == access_request.resource.provider_id and actor.has(Role.OPERATOR, Role.HEAD)
    return provides or _reviews(actor)


def _reviews(actor: Actor) -> bool:
    """Return whether the actor reviews for the data centre, or for a colleague who does."""
    return actor.is_data_centre and Role.REVIEWER in desk_roles(actor)


def concerned(access_request: AccessRequest, *, is_private: bool) -> list[int]:
    """Return the departments whose audit pages tell of a deed: never the requester's of what is private."""
    requester, provider = access_request.requester_id, access_request.resource.provider_id
    if is_private:
        return [provider] if provider != requester else []
    return [requester] if access_request.state in (RequestState.DRAFTED, RequestState.SUBMITTED) else [requester, provider]
