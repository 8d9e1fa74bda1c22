"""Sending batches to the node above (发送批次): one at a time and in order, again with growing pauses until it has signed for them.

A batch is claimed for two minutes, sent outside any transaction, and settled by its receipt. Killed in between it is sent again:
the other side takes it once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, notifications
from core.audit import PLATFORM
from core.errors import DomainError, Unavailable
from core.models import Department
from core.roles import Role
from licenses.models import OutBatch, OutState, TrustedNode
from licenses.recognition import envelopes, transport, trust
from licenses.recognition.receiving import RECEIPT_FORM
from licenses.recognition.transport import BATCHES

logger = logging.getLogger(__name__)

CLAIM: Final = timedelta(minutes=2)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
A_TURN: Final = 50
OK: Final = 200
CREATED: Final = 201
CONFLICT: Final = 409
LONGEST_FAULT: Final = 100


def send_due(*, now: datetime) -> int:
    """Send what is due, to each node in the order of the numbers; return how many batches were signed for."""
    done = 0
    for node_id in OutBatch.objects.filter(state=OutState.PENDING).order_by().values_list("node_id", flat=True).distinct():
        for _number in range(A_TURN):
            if not send_next(node_id=node_id, now=now):
                break
            done += 1
    return done


def send_next(*, node_id: int, now: datetime) -> bool:
    """Send the first batch of a node that is not signed for yet; return whether it is now."""
    batch = _claim(node_id, now)
    if batch is None:
        return False
    try:
        status, answer = transport.current().post(batch.node, BATCHES, json.loads(batch.envelope))
    except Unavailable as error:
        _failed(batch, error.code, now)
        return False
    if status in (OK, CREATED):
        return _signed_for(batch, answer, now)
    code = str(answer.get("code", "")) if isinstance(answer, Mapping) else ""
    if status == CONFLICT and code == "license_batch.gap" and _resend_from(batch, answer, now):
        return False
    if status == CONFLICT:
        _stop(batch, code or f"http_{status}", now)
    else:
        _failed(batch, code or f"http_{status}", now)
    return False


@transaction.atomic
def _claim(node_id: int, now: datetime) -> OutBatch | None:
    """Take the first batch not signed for, unless it is stopped, waits, is in somebody's hand or nobody trusts the node."""
    rows = OutBatch.objects.select_for_update(of=("self",)).select_related("node")
    batch = rows.filter(node_id=node_id).exclude(state=OutState.ACKNOWLEDGED).order_by("number").first()
    if batch is None or batch.state != OutState.PENDING or batch.next_attempt_at > now:
        return None
    if not trust.reached(now).filter(pk=node_id).exists():
        return None
    if batch.claimed_until is not None and batch.claimed_until > now:
        return None
    batch.claimed_until = now + CLAIM
    batch.save(update_fields=["claimed_until"])
    return batch


def _signed_for(batch: OutBatch, answer: Any, now: datetime) -> bool:
    """Settle a batch by its receipt; one that does not hold is no receipt."""
    try:
        opened = envelopes.open_envelope(answer, form=RECEIPT_FORM, now=now)
        told = opened.content
        if opened.node.pk != batch.node_id or told.get("number") != batch.number or told.get("digest") != batch.digest:
            raise Unavailable("receipt.other_batch", _("回执不是这一批的。"))
        rejected = told.get("rejected")
        rejected_count = len(rejected) if isinstance(rejected, list) else 0
    except DomainError as error:
        _failed(batch, error.code, now)
        return False
    with transaction.atomic():
        OutBatch.objects.filter(pk=batch.pk).update(
            state=OutState.ACKNOWLEDGED, acknowledged_at=now, rejected_count=rejected_count, receipt=json.dumps(answer),
            claimed_until=None, attempts=batch.attempts + 1, fault="",
        )  # fmt: skip
        audit.record(
            PLATFORM, "license_batch.acknowledged", batch, at=now, node=batch.node.code, number=batch.number, rows=batch.rows,
            rejected=rejected_count,
        )  # fmt: skip
    return True


def _failed(batch: OutBatch, code: str, now: datetime) -> None:
    """Try again later, after twice the pause of the last time."""
    logger.warning("batch %s for node %s was not taken: %s", batch.number, batch.node.code, code)
    pause = min(FIRST_PAUSE * 2 ** min(batch.attempts, 10), LONGEST_PAUSE)
    OutBatch.objects.filter(pk=batch.pk).update(
        attempts=batch.attempts + 1, next_attempt_at=now + pause, claimed_until=None, fault=code[:LONGEST_FAULT]
    )


@transaction.atomic
def _resend_from(batch: OutBatch, answer: Mapping[str, Any], now: datetime) -> bool:
    """Send again from the number the other side lacks; whether that is one that was signed for."""
    details = answer.get("details")
    expected = details.get("expected") if isinstance(details, Mapping) else None
    if not isinstance(expected, int) or not 1 <= expected < batch.number:
        return False
    rows = OutBatch.objects.filter(node_id=batch.node_id, number__gte=expected, number__lte=batch.number)
    rows.update(state=OutState.PENDING, next_attempt_at=now, claimed_until=None, fault="license_batch.gap")
    audit.record(PLATFORM, "license_batch.gap_reported", batch, at=now, node=batch.node.code, expected=expected)
    return True


@transaction.atomic
def _stop(batch: OutBatch, code: str, now: datetime) -> None:
    """Stop at a batch the other side will never take; people have to look."""
    OutBatch.objects.filter(pk=batch.pk).update(
        state=OutState.STOPPED, attempts=batch.attempts + 1, claimed_until=None, fault=code[:LONGEST_FAULT]
    )
    audit.record(PLATFORM, "license_batch.stopped", batch, at=now, node=batch.node.code, number=batch.number, code=code)
    tell_centre(batch.node, _("向“%(node)s”推送第 %(number)s 批被拒，已停止，请处理") % words_of(batch), now)


def words_of(batch: OutBatch) -> dict[str, Any]:
    """Return the words messages about a batch are filled with."""
    return {"node": batch.node.name, "number": batch.number}


def tell_centre(node: TrustedNode, title: str, now: datetime) -> None:
    """Tell the reviewers of the data centre."""
    for pk in Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True):
        path = f"/recognition/nodes/{node.uid}/"
        notifications.notify_role(Role.REVIEWER, department_id=pk, title=title, path=path, now=now)
