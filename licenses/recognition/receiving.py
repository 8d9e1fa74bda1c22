"""Receiving the licenses of a node (接收报送): batches in their order, each taken once, every row judged, a signed receipt.

The same batch again gets the same receipt; the same number with other content and a batch out of order are refused, and what
is missing is noted. What was taken in waits for the worker (`delivering`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.signing import PublicKey, pem_blocks
from licenses.models import ExchangeRow, InBatch, NodePosition, NodeRelation, RowState, TrustedNode
from licenses.recognition import envelopes, judging, trust
from licenses.recognition.envelopes import Envelope, Opened

FORM: Final = "license-batch/1"
RECEIPT_FORM: Final = "license-receipt/1"
ROWS_AT_MOST: Final = 500


def receive(*, envelope: Any, client_ip: str | None, now: datetime) -> Envelope:
    """Take a batch in and return the signed receipt."""
    opened = envelopes.open_envelope(envelope, form=FORM, now=now)
    if opened.node.relation != NodeRelation.BELOW:
        raise Forbidden("recognition.not_below", _("只有下级节点向本节点报送证照。"))
    number, rows = _read(opened)
    actor = Actor(name=opened.node.name[:60], client_ip=client_ip)
    with transaction.atomic():
        receipt = _take(opened, number, rows, actor, now)
    if receipt is None:
        raise _gap(opened.node, number)
    return receipt


def _take(opened: Opened, number: int, rows: list[Any], actor: Actor, now: datetime) -> Envelope | None:
    """Take the batch whose turn it is; None for one out of order, which is noted. One batch of a node at a time."""
    position = NodePosition.objects.select_for_update().get(node=opened.node)
    known = InBatch.objects.filter(node=opened.node, number=number).first()
    if known is not None:
        if known.digest != opened.digest:
            raise Conflict(
                "license_batch.number_taken",
                _("第 %(number)s 批已收到过，内容不同，没有采用。更正请另发新批次。") % {"number": number},
                {"number": number, "digest": known.digest},
            )
        return dict(json.loads(known.receipt))
    if number != position.received_number + 1:
        position.gap_number, position.gap_at = position.received_number + 1, now
        position.save(update_fields=["gap_number", "gap_at"])
        return None
    if opened.content["previous"] != position.received_digest:
        raise Conflict(
            "license_batch.chain_broken",
            _("第 %(number)s 批与上一批不衔接，请核对上一批的摘要。") % {"number": number},
            {"expected": position.received_digest},
        )
    return _keep(opened, position, rows, actor, now)


def _keep(opened: Opened, position: NodePosition, rows: list[Any], actor: Actor, now: datetime) -> Envelope:
    node, number = opened.node, position.received_number + 1
    checks, prefix = checks_of(node, now), trust.prefix_of(node)
    faults = [judging.fault_of(row, prefix=prefix, is_genuine=checks) for row in rows]
    rejected = [
        {"row": place, "code": fault, "message": str(judging.MESSAGES[fault])} for place, fault in enumerate(faults, 1) if fault
    ]
    told = {
        "form": RECEIPT_FORM,
        "number": number,
        "digest": opened.digest,
        "accepted": len(rows) - len(rejected),
        "rejected": rejected,
        "received_at": now.isoformat(timespec="seconds"),
    }
    receipt = envelopes.seal(told, to=node.code)
    batch = InBatch.objects.create(
        node=node, number=number, digest=opened.digest, key=opened.key, rows=len(rows), rejected=len(rejected),
        receipt=json.dumps(receipt), received_at=now,
    )  # fmt: skip
    ExchangeRow.objects.bulk_create(
        ExchangeRow(
            batch=batch, row_number=place, identifier=judging.identifier_of(row), code=fault,
            state=RowState.REJECTED if fault else RowState.WAITING, document=None if fault else {n: row[n] for n in judging.PARTS},
        )
        for place, (row, fault) in enumerate(zip(rows, faults, strict=True), 1)
    )  # fmt: skip
    position.received_number, position.received_digest, position.received_at = number, opened.digest, now
    position.gap_number = position.gap_at = None
    position.save()
    audit.record(
        actor, "license_batch.received", batch, at=now, node=node.code, key=opened.key.key_id, number=number, rows=len(rows),
        rejected=len(rejected),
    )  # fmt: skip
    return receipt


def checks_of(node: TrustedNode, now: datetime) -> judging.Checks:
    """Return what tells whether a key of the node that counts now made a signature."""
    counting = {
        key.key_id: PublicKey.from_der(pem_blocks(key.public_key)[0][1]) for key in node.keys.all() if not trust.key_fault(key, now)
    }

    def is_genuine(key: str, message: bytes, signature: bytes) -> bool:
        return key in counting and bool(signature) and counting[key].verifies(message, signature)

    return is_genuine


def _read(opened: Opened) -> tuple[int, list[Any]]:
    content: Mapping[str, Any] = opened.content
    number, rows, previous = content.get("number"), content.get("rows"), content.get("previous")
    is_number = isinstance(number, int) and not isinstance(number, bool) and 1 <= number < 1 << 50
    if not is_number or not isinstance(previous, str) or not isinstance(rows, list) or not 1 <= len(rows) <= ROWS_AT_MOST:
        text = _("批次须有从 1 起的批次号、上一批的摘要，以及 1 至 %(most)s 行数据。") % {"most": ROWS_AT_MOST}
        raise Invalid("license_batch.invalid", text, {"content": [text]})
    return int(number or 0), rows


def _gap(node: TrustedNode, number: int) -> Conflict:
    expected = NodePosition.objects.values_list("received_number", flat=True).get(node=node) + 1
    text = _("收到第 %(number)s 批，但第 %(expected)s 批还没有收到，请从第 %(expected)s 批起重新发送。")
    words = {"number": number, "expected": expected}
    return Conflict("license_batch.gap", text % words, words)
