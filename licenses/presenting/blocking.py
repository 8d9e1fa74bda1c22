"""Stopping a holder's codes and sessions (停用亮证), as after the loss of a phone: by the holder, or by the hotline on their word.

A stop ends everything at once and keeps new sessions out until a person at the data centre has checked who asks to lift it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from licenses.models import BlockedBy, HolderBlock
from licenses.presenting import sessions

LONGEST_REASON = 200


@transaction.atomic
def block_holder(*, subject_key: bytes, by: BlockedBy, reason: str, actor: Actor, now: datetime) -> HolderBlock:
    """Stop all codes and sessions of a holder; a second stop is refused."""
    if by is BlockedBy.HOTLINE:
        _check_hotline(actor)
    reason = _checked(reason)
    try:
        with transaction.atomic():
            block = HolderBlock.objects.create(
                subject_key=subject_key, by=by, reason=reason, actor_id=actor.user_id, blocked_at=now
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("presenting.already_blocked", _("该主体的亮证已经停用。")) from None
    ended, stopped = sessions.end_all_of(subject_key, now=now)
    audit.record(actor, "holder.blocked", block, at=now, by=by.value, sessions=ended, codes=stopped, subject=subject_key.hex())
    return block


@transaction.atomic
def lift_block(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> HolderBlock:
    """Let a holder present again; `reason` says how the identity was checked."""
    _check_hotline(actor)
    reason = _checked(reason)
    block = HolderBlock.objects.select_for_update().filter(uid=uid).first()
    if block is None:
        raise NotFound("presenting.block_not_found", _("没有这条停用记录。"))
    if block.lifted_at is not None:
        raise Conflict("presenting.not_blocked", _("该主体的亮证已经恢复。"))
    block.lifted_at, block.lifted_by_id, block.lifted_reason = now, actor.user_id, reason
    block.save(update_fields=["lifted_at", "lifted_by_id", "lifted_reason"])
    audit.record(actor, "holder.unblocked", block, at=now, subject=bytes(block.subject_key).hex())
    return block


def may_block(actor: Actor) -> bool:
    """Return whether an actor sits at the hotline: the data centre's reviewers."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


def _check_hotline(actor: Actor) -> None:
    if not may_block(actor):
        raise Forbidden("role.required", _("停用和恢复亮证由数据中心审核员（热线）办理。"), {"roles": [Role.REVIEWER.value]})


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = _("请写明原因，最多 %(count)s 个字。") % {"count": LONGEST_REASON}
        raise Invalid("presenting.reason", text, {"reason": [text]})
    return reason
