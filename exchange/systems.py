"""Consumer systems and their credentials (使用方系统与访问凭证): registering, issuing, rotating, revoking.

A secret leaves this module once, as the return value of `issue_credential`; at rest it is sealed under a key outside the
database. Public keys of systems are `public_keys`; checking signatures is the call path's.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.crypto import KeyRing
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from exchange.models import PUBLIC_KEY_ALGORITHMS, ConsumerSystem, Credential, CredentialState, SignatureAlgorithm
from exchange.querysets import systems_visible_to
from exchange.requests.request_terms import text_fault

LONGEST_NAME = 60
LIVE_AT_MOST = 2  # the old and the new one during a rotation
TERM = timedelta(days=365)
SHARED_SECRET_ALGORITHMS = tuple(name for name in SignatureAlgorithm.values if name not in PUBLIC_KEY_ALGORITHMS)


class IssuedCredential(NamedTuple):
    """A fresh credential and its secret, which nobody can read again."""

    credential: Credential
    secret: str


@cache
def key_ring() -> KeyRing:
    """Return the keys of this node, read once a process."""
    return KeyRing.load(settings.KEY_FILE)


@transaction.atomic
def register(*, name: str, actor: Actor, now: datetime) -> ConsumerSystem:
    """Register a system of the actor's own department."""
    if actor.department_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("system.not_yours", _("使用方系统由本部门经办人登记。"))
    name = name.strip()
    fault = text_fault(name, longest=LONGEST_NAME, may_have_lines=False)
    if fault:
        raise Invalid("system.invalid", fault, {"name": fault})
    system, is_new = ConsumerSystem.objects.get_or_create(department_id=actor.department_id, name=name)
    if not is_new:
        taken = _("本部门已有同名系统。")
        raise Conflict("system.name_taken", taken, {"name": taken})
    audit.record(actor, "system.registered", system, at=now, department_ids=[system.department_id])
    return system


@transaction.atomic
def issue_credential(
    *, system_uid: UUID, algorithm: str, actor: Actor, now: datetime, secret: str | None = None
) -> IssuedCredential:
    """Issue a key for a system of the own department. A second live one is the way to rotate; a third is refused.

    A convention whose secrets have a form of their own (`exchange.national`) brings a fresh `secret`.
    """
    system = with_room_for_a_key(system_uid, actor=actor, now=now)
    if algorithm not in SHARED_SECRET_ALGORITHMS:
        fault = _("不支持这种签名算法。")
        raise Invalid("credential.algorithm", fault, {"algorithm": fault})
    key, secret = f"ak{secrets.token_hex(12)}", secret or secrets.token_urlsafe(32)
    sealed = key_ring().seal(secret.encode(), associated_data(key))
    credential = Credential(
        system=system,
        key=key,
        algorithm=algorithm,
        shown_at=now,
        secret_key_id=sealed.key_id,
        secret_nonce=sealed.nonce,
        secret_ciphertext=sealed.ciphertext,
    )
    return IssuedCredential(put_into_force(credential, actor=actor, now=now), secret)


def with_room_for_a_key(system_uid: UUID, *, actor: Actor, now: datetime) -> ConsumerSystem:
    """Return the actor's own system, locked, when it may have one more live key."""
    system = _own_locked(system_uid, actor)
    if not system.is_active:
        raise Conflict("system.inactive", _("系统已停用。"))
    live = system.credentials.filter(state=CredentialState.ACTIVE, valid_to__gt=now).count()
    if live >= LIVE_AT_MOST:
        raise Conflict("credential.too_many", _("已有 %(count)s 个有效凭证，请先吊销不再使用的凭证。") % {"count": live})
    return system


def put_into_force(credential: Credential, *, actor: Actor, now: datetime) -> Credential:
    """Save a fresh credential for its term and note it in the audit trail."""
    credential.valid_from, credential.valid_to, credential.created_by_id = now, now + TERM, actor.user_id
    credential.save(force_insert=True)
    audit.record(
        actor,
        "credential.issued",
        credential,
        at=now,
        department_ids=[credential.system.department_id],
        system=credential.system.name,
        algorithm=credential.algorithm,
    )
    return credential


@transaction.atomic
def revoke_credential(*, credential_uid: UUID, actor: Actor, now: datetime) -> Credential:
    """Revoke a key at once. The own department does it, or a reviewer of the data centre in an emergency."""
    rows = Credential.objects.select_for_update(of=("self",)).select_related("system")
    credential = rows.filter(uid=credential_uid, system__in=systems_visible_to(actor)).first()
    if credential is None:
        raise NotFound("credential.not_found", _("没有这个凭证，或您无权查看。"))
    if not may_revoke(credential.system, actor):
        raise Forbidden("system.not_yours", _("凭证由系统所属部门管理。"))
    if credential.state == CredentialState.REVOKED:
        raise Conflict("credential.revoked", _("凭证已经吊销。"))
    credential.state = CredentialState.REVOKED
    credential.save(update_fields=["state"])
    audit.record(actor, "credential.revoked", credential, at=now, department_ids=[credential.system.department_id])
    return credential


def may_manage(system: ConsumerSystem, actor: Actor) -> bool:
    """Return whether the actor looks after the system."""
    return system.department_id == actor.department_id and actor.has(Role.OPERATOR)


def may_revoke(system: ConsumerSystem, actor: Actor) -> bool:
    """Return whether the actor may revoke the system's keys."""
    own = system.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    return own or (actor.is_data_centre and actor.has(Role.REVIEWER))


def associated_data(key: str) -> bytes:
    """Return what binds a sealed secret to its row."""
    return f"credential:{key}".encode()


def _own_locked(system_uid: UUID, actor: Actor) -> ConsumerSystem:
    system = systems_visible_to(actor).select_for_update(of=("self",)).filter(uid=system_uid).first()
    if system is None:
        raise NotFound("system.not_found", _("没有这个系统，或您无权查看。"))
    if not may_manage(system, actor):
        raise Forbidden("system.not_yours", _("凭证由系统所属部门的经办人申领。"))
    return system
