"""Counted attempts (未逐条留痕的调用): what the call path only counts by minute, for those who watch over security.

These are attempts of nobody we know, and refusals of a known key beyond the limit of a minute. Of the key only a digest
was kept; where the key exists, the digest tells whose system it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import SHA256, Left
from django.utils.translation import gettext as _

from core import audit, keyset
from core.audit import Actor
from core.errors import Forbidden
from core.roles import Role
from exchange.models import Credential, RejectedAttempt
from exchange.querysets import is_auditor, is_reviewer

ORDER = ("-minute", "-id")
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """Attempts of one minute, reason, key and address; `system` is empty when no such key exists."""

    attempt: RejectedAttempt
    key_digest: str
    system: str


def may_read_attempts(actor: Actor) -> bool:
    """Return whether the actor watches over security: auditor, security administrator, reviewer of the data centre."""
    return is_auditor(actor) or is_reviewer(actor) or actor.has(Role.SECURITY_ADMINISTRATOR)


@transaction.atomic
def read_attempts(*, actor: Actor, now: datetime, cursor: str = "") -> tuple[keyset.Page[RejectedAttempt], list[AttemptLine]]:
    """Return a page of counted attempts, newest first. That an auditor read is recorded."""
    if not may_read_attempts(actor):
        raise Forbidden("call_attempts.forbidden", _("此页面仅限审计管理员、安全管理员和数据中心审核员使用。"))
    page = keyset.page(RejectedAttempt.objects.all(), order=ORDER, cursor=cursor)
    if is_auditor(actor):
        audit.record(actor, "call_log.read", None, at=now, rows=len(page.items), section="attempts")
    systems = _systems({bytes(attempt.key_digest).hex() for attempt in page.items})
    lines = [(attempt, bytes(attempt.key_digest).hex()) for attempt in page.items]
    return page, [AttemptLine(attempt, digest, systems.get(digest, "")) for attempt, digest in lines]


def _systems(digests: set[str]) -> Mapping[str, str]:
    """Return the names of the systems behind those digests that are of a key that exists."""
    known = Credential.objects.annotate(key_digest=Left(SHA256("key"), DIGEST_LENGTH)).filter(key_digest__in=digests)
    return {str(digest): str(name) for digest, name in known.values_list("key_digest", "system__name")}
