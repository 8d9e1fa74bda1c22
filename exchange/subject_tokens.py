"""Tokens in place of identifiers (对象令牌): HMAC-SM3(token key, identifier), for grants whose clients are registered.

The key is the grant's own, shown once to the consumer's operator and kept sealed. Tokens are computed when a list of clients
is loaded, so that a new key counts from the next list on; resolving them in a call is `exchange.calls.tokens`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import SharingMode
from core import audit
from core.audit import Actor
from core.crypto import HmacAlgorithm, Sealed, hmac_digest
from core.errors import Conflict
from exchange.granting.grant_workflow import GrantCommand, decide_grant
from exchange.granting.grants import locked_grant, standing_within_term
from exchange.models import Grant, GrantTokenKey
from exchange.querysets import seats_on_grant
from exchange.systems import key_ring

MODES = (SharingMode.VERIFY, SharingMode.QUERY)


@transaction.atomic
def issue_token_key(*, grant_uid: UUID, actor: Actor, now: datetime) -> str:
    """Make a key for tokens and return it, which nobody can do again. The list that is loaded next is under it."""
    grant = locked_grant(grant_uid, actor)
    decide_grant(standing_within_term(grant, now), GrantCommand.LOAD_CLIENTS, seats_on_grant(actor, grant))
    if not any(rule.get("kind") == "own_clients" for rule in grant.row_filter) or grant.mode not in MODES:
        raise Conflict("grant.no_tokens", _("只有按服务对象清单过滤的核验或查询授权可以使用对象令牌。"))
    key = secrets.token_urlsafe(32)
    sealed = key_ring().seal(key.encode(), _place(grant))
    row, _is_new = GrantTokenKey.objects.get_or_create(grant=grant, defaults={"issued_at": now})
    row.secret_key_id, row.secret_nonce, row.secret_ciphertext = sealed
    row.issued_at = now
    row.save()
    owners = [grant.system.department_id, grant.resource.provider_id]
    audit.record(actor, "grant.token_key_issued", grant, at=now, department_ids=owners)
    return key


def tokens_of(grant: Grant) -> Callable[[str], bytes | None]:
    """Return what makes the token of an identifier: None for all of them when the grant has no key."""
    row = GrantTokenKey.objects.filter(grant=grant).first()
    if row is None or row.secret_key_id is None or row.secret_nonce is None or row.secret_ciphertext is None:
        return lambda _identifier: None
    key = key_ring().open(Sealed(row.secret_key_id, bytes(row.secret_nonce), bytes(row.secret_ciphertext)), _place(grant))
    return lambda identifier: hmac_digest(HmacAlgorithm.SM3, key, identifier.encode())


def _place(grant: Grant) -> bytes:
    return f"grant_token:{grant.uid}".encode()
