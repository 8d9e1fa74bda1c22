"""Closing a case (办结归档): when a grant ends by expiry, revocation or termination, the request it came from is closed.

Nobody gives this command: the platform does, in the transaction that ends the grant, or hourly for grants that ran out.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit
from core.audit import PLATFORM
from core.notifications import notify_users
from exchange.models import AccessRequest, Grant, GrantState
from exchange.requests import steps
from exchange.requests.desks import path_of
from exchange.requests.snapshots import snapshot
from exchange.requests.workflow import Command, Seat, decide

AT_ONCE = 500


def lock_case(grant_uid: UUID) -> None:
    """Lock the requests of a grant that is about to end and of its renewal: requests before grants (docs/locking.md)."""
    of_both = Q(grant__uid=grant_uid) | Q(grant__renewed__uid=grant_uid)
    list(AccessRequest.objects.select_for_update(of=("self",)).filter(of_both).order_by("id"))


def close_case(grant: Grant, *, why: str, now: datetime) -> None:
    """Close the request of a grant that just ended, in the caller's transaction; a closed one stays as it is."""
    rows = AccessRequest.objects.select_for_update(of=("self",)).select_related("resource__provider__region")
    access_request = rows.get(pk=grant.access_request_id)
    if access_request.state == "APPROVED":
        _close(access_request, why=why, now=now)


@transaction.atomic
def close_ended(now: datetime) -> int:
    """Close the requests whose grants ran out or were ended, and tell who drafted them. Return how many."""
    rows = (
        AccessRequest.objects.filter(Q(grant__valid_to__lte=now) | Q(grant__state=GrantState.REVOKED), state="APPROVED")
        .select_related("resource__provider__region", "grant")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("id")[:AT_ONCE]
    )
    for access_request in rows:
        is_ended = access_request.grant.state == GrantState.REVOKED
        _close(access_request, why=access_request.grant.state_reason if is_ended else _("授权期限届满"), now=now)
        title = _("授权已结束，申请办结归档：%(title)s") % {"title": access_request.resource.title}
        notify_users([access_request.created_by_id], title=title, path=path_of(access_request), now=now)
    return len(rows)


def _close(access_request: AccessRequest, *, why: str, now: datetime) -> None:
    step = decide(snapshot(access_request), Command.CLOSE, {Seat.PLATFORM})
    steps.take(access_request, step, actor=PLATFORM, now=now, reason=why)
    owners = [access_request.requester_id, access_request.resource.provider_id]
    audit.record(PLATFORM, "access_request.closed", access_request, at=now, department_ids=owners, reason=why)
