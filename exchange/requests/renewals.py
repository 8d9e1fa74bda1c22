"""Asking again (再次申请): copying an earlier request as a new draft, and the next term of a grant before it ends (续期).

The operators are reminded 30 and 7 days before a grant ends. What a renewal must keep to is in `origins`; the grant that
follows is issued by `grants`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, NotFound
from core.notifications import notify_role
from core.roles import Role
from exchange.models import AccessRequest, Grant, GrantEndReminder, GrantState, RequestState
from exchange.querysets import access_requests_visible_to, grants_visible_to, systems_usable_by
from exchange.requests import access_requests
from exchange.requests.closing import lock_case
from exchange.requests.origins import Origin, check_renewable, first_day_after
from exchange.requests.request_terms import Terms, last_day_of_term

REMINDED_BEFORE = (30, 7)
AT_ONCE = 500
OVER = (RequestState.REFUSED, RequestState.WITHDRAWN, "CLOSED")


@dataclass(frozen=True, slots=True)
class Copied:
    """A new draft and what of the earlier request is not offered any more: titles of items, the mode, the system."""

    access_request: AccessRequest
    dropped: tuple[str, ...]


@transaction.atomic
def copy_as_new(*, request_uid: UUID, actor: Actor, now: datetime) -> Copied:
    """Write a new draft with the answers of an earlier request of the own department.

    Items, mode and system that are not offered any more are left out and named; the term begins today and is as long as
    before. When none of the items is offered any more, Conflict is raised.
    """
    source = access_requests_visible_to(actor).select_related("resource", "system", "renews").filter(uid=request_uid).first()
    if source is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    if source.requester_id != actor.department_id or not actor.has(Role.OPERATOR):
        raise Forbidden("access_request.not_yours", _("只有申请部门的经办人可以复制本部门的申请。"))
    if source.state == RequestState.DRAFTED:
        raise Conflict("access_request.still_draft", _("草稿可以直接修改，不必复制。"))
    first = now.astimezone(SHANGHAI).date()
    values, dropped = _still_offered(source, actor)
    terms = Terms(**values, term_from=first, term_to=_usual_end(source, first))
    made = access_requests.draft(
        resource_uid=source.resource.uid, terms=terms, actor=actor, now=now, origin=Origin(copied_from=source)
    )
    return Copied(made, tuple(dropped))


@transaction.atomic
def renew(*, grant_uid: UUID, actor: Actor, now: datetime) -> Copied:
    """Write a draft for the next term of a grant that is usable and ends within 60 days; it begins where the grant ends."""
    lock_case(grant_uid)
    rows = grants_visible_to(actor).select_for_update(of=("self",)).select_related("system", "resource")
    grant = rows.filter(uid=grant_uid).first()
    if grant is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    if not _is_operator_of(grant, actor):
        raise Forbidden("grant.not_yours", _("授权由使用部门的经办人申请续期。"))
    check_renewable(grant, now)
    under_way = open_renewal(grant)
    if under_way is not None:
        text = _("该授权已有续期申请 %(number)s 正在办理。") % {"number": under_way.number}
        raise Conflict("grant.renewal_under_way", text, {"access_request": str(under_way.uid)})
    source = AccessRequest.objects.select_related("resource", "system").get(pk=grant.access_request_id)
    first = first_day_after(grant)
    values, dropped = _still_offered(source, actor, grant)
    terms = Terms(**values, term_from=first, term_to=_usual_end(source, first))
    made = access_requests.draft(
        resource_uid=source.resource.uid, terms=terms, actor=actor, now=now, origin=Origin(copied_from=source, renews=grant)
    )
    return Copied(made, tuple(dropped))


def open_renewal(grant: Grant) -> AccessRequest | None:
    """Return the renewal of a grant that is being written, decided or was approved."""
    return grant.renewals.exclude(state__in=OVER).order_by("-id").first()


def may_renew(grant: Grant, actor: Actor, now: datetime) -> bool:
    """Return whether the actor may ask for the next term now."""
    if not _is_operator_of(grant, actor) or open_renewal(grant) is not None:
        return False
    try:
        check_renewable(grant, now)
    except Conflict:
        return False
    return True


@transaction.atomic
def remind_of_ends(now: datetime) -> int:
    """Tell the operators of a grant that it ends within 30, then within 7 days, each once; return how many were told."""
    count = 0
    for days in sorted(REMINDED_BEFORE):
        told = GrantEndReminder.objects.filter(grant=OuterRef("pk"), days__lte=days)
        under_way = AccessRequest.objects.filter(renews=OuterRef("pk")).exclude(state__in=[*OVER, RequestState.DRAFTED])
        ending = Grant.objects.filter(
            ~Exists(told),
            ~Exists(under_way),
            state=GrantState.ACTIVE,
            renewed_by=None,
            valid_to__gt=now,
            valid_to__lte=now + timedelta(days=days),
        ).select_related("resource", "system")
        for grant in ending.order_by("valid_to", "id")[:AT_ONCE]:
            _made, is_new = GrantEndReminder.objects.get_or_create(grant=grant, days=days, defaults={"at": now})
            if is_new:
                _tell(grant, days, now)
                count += 1
    return count


def _tell(grant: Grant, days: int, now: datetime) -> None:
    left = (grant.valid_to - now).days + 1
    notify_role(
        Role.OPERATOR,
        department_id=grant.system.department_id,
        title=_("授权将在 %(days)s 天内到期：%(title)s") % {"days": min(left, days), "title": grant.resource.title},
        body=_("如需继续使用，请在授权页申请续期；到期后调用即被拒绝。"),
        path=f"/grants/{grant.uid}/",
        now=now,
    )


def _is_operator_of(grant: Grant, actor: Actor) -> bool:
    return actor.has(Role.OPERATOR) and actor.department_id == grant.system.department_id


def _usual_end(source: AccessRequest, first: date) -> date:
    return min(first + (source.term_to - source.term_from), last_day_of_term(first))


def _still_offered(source: AccessRequest, actor: Actor, grant: Grant | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return the answers of a request (as its grant has them) that can be given again, and what had to be left out."""
    said = grant or source
    resource = source.resource
    offered = set(resource.items.filter(is_withheld=False).values_list("name", flat=True))
    titles = dict(resource.items.values_list("name", "title"))
    kept = tuple(name for name in said.fields if name in offered)
    if not kept:
        raise Conflict(
            "access_request.nothing_left", _("原申请的信息项都已不再提供，请打开资源页重新选择。"), {"fields": list(said.fields)}
        )
    dropped = [titles.get(name, name) for name in said.fields if name not in offered]
    values = {field.name: getattr(source, field.name) for field in fields(Terms) if hasattr(source, field.name)}
    if grant is not None:
        values |= {name: getattr(grant, name) for name in values if hasattr(grant, name)}
    if said.mode not in resource.sharing_modes:
        dropped.append(said.get_mode_display())
        values["mode"] = next(iter(resource.sharing_modes), "")
    system = source.system
    if not systems_usable_by(actor).filter(pk=system.pk).exists():
        dropped.append(system.name)
        system = systems_usable_by(actor).order_by("name").first() or system
    values |= {"fields": kept, "system": str(system.uid)}
    return {name: value for name, value in values.items() if name not in ("term_from", "term_to")}, dropped
