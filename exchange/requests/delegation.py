"""Delegation while away (外出委托): a role left to a colleague of the same department for a time, revoked at once.

A delegation counts at the desks of access requests and nowhere else; in which capacity somebody acts there is
`capacities`. Nobody hands on what was handed to him, and administrators and auditors delegate nothing (GB/T 22239).
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor, StandIn
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import RoleAssignment, User
from core.notifications import notify_users
from core.roles import ADMINISTRATORS, Role
from exchange.models import Delegation
from exchange.models.desk_work import DELEGABLE

LONGEST = timedelta(days=90)
PAGE = "/requests/delegations/"


def with_delegations(actor: Actor, *, now: datetime) -> Actor:
    """Return the actor with the colleagues he stands in for now (one query, for people with a business role only)."""
    if actor.user_id is None or actor.department_id is None or not actor.has(*DELEGABLE):
        return actor
    rows = in_force(now).filter(delegate_id=actor.user_id, department_id=actor.department_id).order_by("id")
    found = tuple(StandIn(row.giver_id, row.giver.display_name, row.role) for row in rows.select_related("giver"))
    return replace(actor, stands_in_for=found)


def in_force(now: datetime) -> QuerySet[Delegation]:
    """Return the delegations that count now: the giver still holds the role there, and the colleague could hold it."""
    holds = RoleAssignment.objects.filter(user_id=OuterRef("giver_id"), role=OuterRef("role"))
    administers = RoleAssignment.objects.filter(user_id=OuterRef("delegate_id"), role__in=sorted(ADMINISTRATORS))
    here = Q(giver__is_active=True, delegate__is_active=True)
    for side in ("giver", "delegate"):
        here &= Q(**{f"{side}__department_id": OuterRef("department_id")})
    people = Delegation.objects.filter(here, pk=OuterRef("pk"))
    return Delegation.objects.filter(
        Exists(people), Exists(holds), ~Exists(administers), revoked_at=None, valid_from__lte=now, valid_to__gt=now
    ).exclude(~Q(role=Role.OPERATOR), delegate__is_contractor=True)


def delegations_visible_to(actor: Actor) -> QuerySet[Delegation]:
    """Return the own delegations on either side; a head sees the department's, the auditor all."""
    if actor.has(Role.AUDIT_ADMINISTRATOR):
        return Delegation.objects.all()
    seen = Q(giver_id=actor.user_id) | Q(delegate_id=actor.user_id)
    if actor.has(Role.HEAD):
        seen |= Q(department_id=actor.department_id)
    return Delegation.objects.filter(seen)


def colleagues(actor: Actor) -> QuerySet[User]:
    """Return who may stand in for the actor: active people of the same department with a business role."""
    roles = RoleAssignment.objects.filter(user_id=OuterRef("pk"))
    business = [role.value for role in DELEGABLE]
    here = Q(department_id=actor.department_id, is_active=True) & ~Q(pk=actor.user_id)
    people = User.objects.filter(here, Exists(roles.filter(role__in=business)))
    return people.filter(~Exists(roles.filter(role__in=sorted(ADMINISTRATORS)))).order_by("id")


@transaction.atomic
def give(
    *, actor: Actor, delegate_uid: UUID, roles: Set[str], valid_from: datetime, valid_to: datetime, now: datetime
) -> list[Delegation]:
    """Leave own roles to a colleague for a time; one row a role. Both people are locked: chains are checked for good."""
    giver_id, department_id = _may_give(actor, roles)
    list(User.objects.select_for_update().filter(Q(pk=giver_id) | Q(uid=delegate_uid)).order_by("pk"))
    delegate = colleagues(actor).filter(uid=delegate_uid).first()
    if delegate is None:
        text = _("只能委托给本部门在岗的同事，请重新选择。")
        raise Invalid("delegation.colleague", text, {"delegate": text})
    _check_period(valid_from, valid_to, now)
    if delegate.is_contractor and roles - {Role.OPERATOR}:
        text = _("外包人员只能受托经办，不能受托审批。")
        raise Invalid("delegation.contractor", text, {"delegate": text})
    _check_alone(giver_id, delegate.pk, roles, valid_from, valid_to)
    made = [
        Delegation.objects.create(
            giver_id=giver_id,
            delegate=delegate,
            department_id=department_id,
            role=role,
            valid_from=max(valid_from, now),
            valid_to=valid_to,
            created_at=now,
        )
        for role in sorted(roles)
    ]
    for row in made:
        until = valid_to.isoformat()
        owners = [department_id]
        audit.record(actor, "delegation.given", delegate, at=now, department_ids=owners, role=row.role, until=until)
    title = _("%(name)s委托您代办共享申请，期限内可在待办中办理") % {"name": actor.name}
    notify_users([delegate.pk], title=title, path=PAGE, now=now)
    return made


@transaction.atomic
def revoke(*, actor: Actor, uid: UUID, now: datetime) -> Delegation:
    """End a delegation at once: the giver, the colleague, or the head of the department."""
    row = delegations_visible_to(actor).select_for_update(of=("self",)).select_related("delegate").filter(uid=uid).first()
    if row is None:
        raise NotFound("delegation.not_found", _("没有这项委托，或您无权查看。"))
    own = actor.user_id in (row.giver_id, row.delegate_id)
    if not own and not (actor.has(Role.HEAD) and actor.department_id == row.department_id):
        raise Forbidden("delegation.not_yours", _("委托由委托人、受托人或本部门负责人撤销。"))
    if row.revoked_at is not None or row.valid_to <= now:
        raise Conflict("delegation.over", _("这项委托已经结束，无需撤销。"))
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    audit.record(actor, "delegation.revoked", row.delegate, at=now, department_ids=[row.department_id], role=row.role)
    told = {row.giver_id, row.delegate_id} - {actor.user_id}
    notify_users([pk for pk in told if pk], title=_("代办共享申请的委托已撤销"), path=PAGE, now=now)
    return row


def _may_give(actor: Actor, roles: Set[str]) -> tuple[int, int]:
    """Return who gives in which department, or raise."""
    if actor.user_id is None or actor.department_id is None or not actor.has(*DELEGABLE):
        raise Forbidden("delegation.no_role", _("您没有可以委托的业务角色。"))
    if not roles or not roles <= (actor.roles & frozenset(DELEGABLE)):
        text = _("请勾选要委托的角色，只能委托本人担任的角色。")
        raise Invalid("delegation.role", text, {"roles": text})
    return actor.user_id, actor.department_id


def _check_period(valid_from: datetime, valid_to: datetime, now: datetime) -> None:
    if valid_to <= max(valid_from, now):
        text = _("截止日期不能早于开始日期，也不能已经过去。")
        raise Invalid("delegation.period", text, {"valid_to": text})
    if valid_to - max(valid_from, now) > LONGEST:
        text = _("一次委托最长 %(days)s 天，到期后可再次委托。") % {"days": LONGEST.days}
        raise Invalid("delegation.period", text, {"valid_to": text})


def _check_alone(giver_id: int, delegate_id: int, roles: Iterable[str], valid_from: datetime, valid_to: datetime) -> None:
    """Raise Conflict when the role is left to somebody already, or when one of the two takes part in another delegation."""
    meanwhile = Delegation.objects.filter(revoked_at=None, valid_from__lt=valid_to, valid_to__gt=valid_from)
    refused: tuple[tuple[Q, DomainError], ...] = (
        (
            Q(giver_id=giver_id, role__in=list(roles)),
            Conflict("delegation.overlap", _("这段时间内该角色已委托过，请先撤销原有委托。")),
        ),
        (
            Q(giver_id=delegate_id) | Q(delegate_id=giver_id),
            Conflict("delegation.chain", _("委托不能转手：您或对方在这段时间内已有委托或受托，请另选同事或期限。")),
        ),
    )
    for condition, refusal in refused:
        if meanwhile.filter(condition).exists():
            raise refusal
