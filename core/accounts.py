"""Accounts (账户): who a signed-in user is when a rule asks; creating users and appointing them to roles.

System administrators keep users and departments, security administrators appoint, unlock and reset; neither does the other's work.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from axes.utils import reset as reset_attempts
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.audit_trail import last_hand
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Department, RoleAssignment, User
from core.roles import ADMINISTRATORS, Role, family

TEMPORARY_PASSWORD_BYTES = 12
LOCK_OUT = timedelta(hours=settings.AXES_COOLOFF_TIME)


def actor_of(user: User, *, client_ip: str | None = None, request_id: str = "") -> Actor:
    """Return the actor a user is: name, department and roles, read afresh for every request (two queries)."""
    department = user.department
    return Actor(
        name=user.display_name,
        user_id=user.pk,
        department_id=department.pk,
        department=department.name,
        roles=frozenset(user.role_assignments.values_list("role", flat=True)),
        is_data_centre=department.is_data_centre,
        client_ip=client_ip,
        request_id=request_id,
    )


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A user with a temporary password, which is shown once and must be changed at the first sign-in."""

    user: User
    password: str


def require(actor: Actor, role: Role) -> None:
    """Raise Forbidden unless the actor holds the role."""
    if not actor.has(role):
        raise Forbidden("role.required", _("此操作仅限%(role)s。") % {"role": role.label}, {"roles": [role.value]})


@transaction.atomic(durable=True)
def record_sign_in(*, actor: Actor, now: datetime) -> None:
    """Write down that somebody signed in."""
    audit.record(actor, "account.signed_in", _locked(actor.user_id), at=now)


@transaction.atomic(durable=True)
def record_lock_out(*, username: str, client_ip: str | None, request_id: str, now: datetime) -> None:
    """Write down that a name was locked out, once a lock-out; names nobody has leave no entry."""
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        return
    known = AuditEntry.objects.filter(object_uid=str(user.uid), action="account.locked_out", at__gt=now - LOCK_OUT)
    if not known.exists():
        somebody = Actor(name=_("未登录"), client_ip=client_ip, request_id=request_id)
        audit.record(somebody, "account.locked_out", user, at=now, department_ids=[user.department_id])


@transaction.atomic(durable=True)
def change_password(*, actor: Actor, old_password: str, new_password: str, now: datetime) -> None:
    """Change the own password; a weak one, or the old one again, raises Invalid."""
    user = _locked(actor.user_id)
    if not user.check_password(old_password):
        raise Invalid("password.wrong", _("当前密码不正确。"), {"old_password": [_("当前密码不正确。")]})
    if old_password == new_password:
        raise Invalid("password.same", _("新密码不能与当前密码相同。"), {"new_password": [_("新密码不能与当前密码相同。")]})
    try:
        validate_password(new_password, user)
    except ValidationError as error:
        raise Invalid("password.weak", _("新密码不符合要求。"), {"new_password": error.messages}) from error
    user.set_password(new_password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    audit.record(actor, "password.changed", user, at=now)


@transaction.atomic
def create_user(
    *, actor: Actor, username: str, display_name: str, department_uid: UUID, is_contractor: bool, now: datetime
) -> NewAccount:
    """Create a user without roles and return the temporary password, which nobody can read again (系统管理员)."""
    require(actor, Role.SYSTEM_ADMINISTRATOR)
    department = _department(department_uid)
    if User.objects.filter(username=username).exists():
        raise Invalid("user.username_taken", _("该用户名已存在。"), {"username": [_("该用户名已存在。")]})
    password = secrets.token_urlsafe(TEMPORARY_PASSWORD_BYTES)
    user = User(
        username=username,
        display_name=display_name,
        department=department,
        is_contractor=is_contractor,
        must_change_password=True,
    )
    user.set_password(password)
    user.save()
    audit.record(actor, "user.created", user, at=now, department_ids=[department.pk], username=username)
    return NewAccount(user=user, password=password)


@transaction.atomic(durable=True)
def change_user(
    *,
    actor: Actor,
    uid: UUID,
    revision: int,
    display_name: str,
    department_uid: UUID,
    is_contractor: bool,
    is_active: bool,
    now: datetime,
) -> User:
    """Change name, department or whether the account is open; moving to another department takes the roles away."""
    require(actor, Role.SYSTEM_ADMINISTRATOR)
    user = _by_uid(uid)
    department = _department(department_uid)
    wanted = {
        "display_name": display_name,
        "department_id": department.pk,
        "is_contractor": is_contractor,
        "is_active": is_active,
    }
    if user.revision != revision:
        changed = {name: str(getattr(user, name)) for name, value in wanted.items() if getattr(user, name) != value}
        raise _stale(user, actor, changed)
    if user.pk == actor.user_id and not is_active:
        raise Invalid("user.own_account", _("不能停用自己的账户。"), {"is_active": [_("不能停用自己的账户。")]})
    before = user.department_id
    roles_lost = []
    if before != department.pk:
        roles_lost = sorted(user.role_assignments.values_list("role", flat=True))
        user.role_assignments.all().delete()
    for name, value in wanted.items():
        setattr(user, name, value)
    user.revision += 1
    user.save(update_fields=[*wanted, "revision"])
    audit.record(
        actor,
        "user.changed",
        user,
        at=now,
        department_ids=[before, department.pk],
        is_active=is_active,
        is_contractor=is_contractor,
        roles_lost=roles_lost,
    )
    return user


@transaction.atomic(durable=True)
def appoint(*, actor: Actor, uid: UUID, revision: int, roles: frozenset[str], now: datetime) -> User:
    """Set the roles of a user (安全管理员). Administrators hold one role only; nobody appoints themselves.

    A stale revision raises Conflict with the roles held by now.
    """
    require(actor, Role.SECURITY_ADMINISTRATOR)
    user = _by_uid(uid)
    if user.pk == actor.user_id:
        raise Forbidden("role.own_account", _("不能为自己任命角色。"))
    unknown = roles - set(Role.values)
    if unknown:
        raise Invalid("role.unknown", _("未知的角色。"), {"roles": sorted(unknown)})
    held = set(user.role_assignments.values_list("role", flat=True))
    if user.revision != revision:
        raise _stale(user, actor, {"roles": sorted(held)} if held != roles else {})
    check_together(user, roles)
    user.role_assignments.exclude(role__in=roles).delete()
    RoleAssignment.objects.bulk_create(RoleAssignment(user=user, role=role) for role in sorted(roles - held))
    user.revision += 1
    user.save(update_fields=["revision"])
    audit.record(
        actor,
        "role.appointed",
        user,
        at=now,
        department_ids=[user.department_id],
        added=sorted(roles - held),
        removed=sorted(held - roles),
    )
    return user


def check_together(user: User, roles: frozenset[str]) -> None:
    """Raise Invalid when roles may not be held together, or not by this user."""
    message = ""
    if len({family(role) for role in roles}) > 1:
        message = _("系统、安全、审计三类管理员互斥，且不能兼任业务角色。")
    elif Role.REVIEWER in roles and not user.department.is_data_centre:
        message = _("审核员只能由数据主管部门人员担任。")
    elif user.is_contractor and roles & (ADMINISTRATORS | {Role.HEAD, Role.REVIEWER}):
        message = _("外包人员只能担任部门经办人。")
    if message:
        raise Invalid("role.not_together", message, {"roles": [message]})


@transaction.atomic(durable=True)
def reset_password(*, actor: Actor, uid: UUID, now: datetime) -> NewAccount:
    """Give a user a new temporary password, shown once, and open a lock-out (安全管理员)."""
    require(actor, Role.SECURITY_ADMINISTRATOR)
    user = _by_uid(uid)
    if user.pk == actor.user_id:
        raise Forbidden("password.own_account", _("自己的密码请在“修改密码”中修改。"))
    password = secrets.token_urlsafe(TEMPORARY_PASSWORD_BYTES)
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    reset_attempts(username=user.username)
    audit.record(actor, "password.reset", user, at=now, department_ids=[user.department_id])
    return NewAccount(user=user, password=password)


@transaction.atomic(durable=True)
def unlock(*, actor: Actor, uid: UUID, now: datetime) -> User:
    """Open a lock-out before its half hour is over (安全管理员)."""
    require(actor, Role.SECURITY_ADMINISTRATOR)
    user = _by_uid(uid)
    reset_attempts(username=user.username)
    audit.record(actor, "account.unlocked", user, at=now, department_ids=[user.department_id])
    return user


def _stale(user: User, actor: Actor, changed: dict[str, Any]) -> Conflict:
    text = _("%(who)s修改过这个用户，您的修改没有保存。请核对后再保存。") % {
        "who": last_hand(user, actor, "user.changed", "role.appointed")
    }
    return Conflict("user.stale", text, changed)


def _locked(user_id: int | None) -> User:
    users = User.objects.select_for_update().filter(is_active=True)
    user = None if user_id is None else users.filter(pk=user_id).first()
    if user is None:
        raise NotFound("user.not_found", _("没有这个用户。"))
    return user


def _by_uid(uid: UUID) -> User:
    user = User.objects.select_for_update(of=("self",)).select_related("department").filter(uid=uid).first()
    if user is None:
        raise NotFound("user.not_found", _("没有这个用户。"))
    return user


def _department(uid: UUID) -> Department:
    department = Department.objects.filter(uid=uid, valid_to=None).first()
    if department is None:
        raise Invalid(
            "department.not_found", _("没有这个部门，或该部门已撤销。"), {"department": [_("没有这个部门，或该部门已撤销。")]}
        )
    return department
