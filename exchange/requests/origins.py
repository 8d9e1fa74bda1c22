"""Where a request comes from (申请来源): a bundle it is part of, an earlier one it copies, a grant whose next term it asks for.

What a renewal (续期) must keep to stands here; making copies and renewals is in `renewals`, bundles are in `bundles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from core.calendar import SHANGHAI
from core.errors import Conflict
from exchange.models import AccessRequest, Grant, GrantState, RequestBundle

RENEWABLE_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a new request descends from; nothing for one that was simply written."""

    bundle: RequestBundle | None = None
    copied_from: AccessRequest | None = None
    renews: Grant | None = None


NEW = Origin()


def first_moment(access_request: AccessRequest) -> datetime:
    """Return when the grant of a request begins at the earliest: a renewal where the grant before it ends."""
    if access_request.renews is not None:
        return access_request.renews.valid_to
    return datetime.combine(access_request.term_from, time.min, tzinfo=SHANGHAI)


def renewal_start_fault(renews: Grant | None, term_from: date) -> str:
    """Return what is wrong with a renewal's first day, or the empty string."""
    if renews is None or term_from == first_day_after(renews):
        return ""
    return _("续期从原授权到期时接续，使用期限须自 %(day)s 起。") % {"day": first_day_after(renews).isoformat()}


def first_day_after(grant: Grant) -> date:
    """Return the day on which a grant's successor begins."""
    return grant.valid_to.astimezone(SHANGHAI).date()


def check_renewable(grant: Grant, now: datetime) -> None:
    """Raise Conflict unless the grant is usable and ends within 60 days."""
    check_not_stopped(grant)
    if hasattr(grant, "break_glass"):
        raise Conflict("grant.break_glass", _("应急访问不能续期，请按正常流程申请。"))
    if grant.renewed_by_id is not None:
        raise Conflict("grant.renewed_already", _("该授权已经续期，请在新授权上办理。"))
    if now < grant.valid_from:
        raise Conflict("grant.not_begun", _("该授权尚未生效，生效后才能续期。"))
    if now >= grant.valid_to:
        raise Conflict("grant.ended", _("该授权已到期，不能续期，请重新申请。"))
    if now < grant.valid_to - RENEWABLE_BEFORE:
        first = (grant.valid_to - RENEWABLE_BEFORE).astimezone(SHANGHAI).date().isoformat()
        raise Conflict(
            "grant.renewal_too_early", _("到期前 60 天内才能续期，%(day)s 起可以办理。") % {"day": first}, {"from": first}
        )


def check_not_stopped(grant: Grant) -> None:
    """Raise Conflict for a grant that is suspended, was taken back or is being ended: what is stopped is not prolonged."""
    if hasattr(grant, "termination"):
        raise Conflict("grant.terminated", _("该授权已备案终止，不能续期。"))
    if grant.state != GrantState.ACTIVE:
        raise Conflict(
            "grant.not_renewable",
            _("原授权现为“%(state)s”，不能续期。") % {"state": grant.get_state_display()},
            {"state": grant.state},
        )


def locked_renewed_grant(access_request: AccessRequest) -> Grant | None:
    """Return the grant a request renews, locked, so that nobody stops it meanwhile."""
    if access_request.renews_id is None:
        return None
    access_request.renews = Grant.objects.select_for_update().get(pk=access_request.renews_id)
    return access_request.renews
