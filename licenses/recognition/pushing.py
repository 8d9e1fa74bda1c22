"""Pushing all licenses of ours to the node above (向上推送): changed rows in the order of their transactions, in signed batches.

Only what lies below the horizon of running transactions is read, so nothing can appear behind the place noted. A batch and that
place are written together; the batch is then sent as often as it takes (`sending`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from core.errors import Conflict
from licenses.issuing.signing import ensure_signed
from licenses.models import License, NodePosition, NodeRelation, OutBatch, TrustedNode
from licenses.recognition import envelopes, judging, trust
from licenses.recognition.receiving import FORM
from licenses.sealing.canonical import canonical, data_of

ROWS: Final = 200
BATCHES_A_TURN: Final = 50
WAITING_AT_MOST: Final = 100  # batches for a node that does not answer; the licenses wait in their table
_CHANGED: Final = """
    SELECT l.id, l.changed_xid::text::bigint AS xid, l.type_code, coalesce(l.identifier, '') AS identifier, l.title, l.number,
        l.holder_name, l.holder_code, l.holder_code_type, l.issuer, coalesce(l.issuer_code, '') AS issuer_code, l.issued_on,
        l.valid_from, l.valid_to, l.region_code, l.license_state, l.license_version, l.face, l.withdrawn_at IS NOT NULL AS gone
    FROM basedb_license l WHERE (l.changed_xid, l.id) > (%s::text::xid8, %s)
        AND l.changed_xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY l.changed_xid, l.id LIMIT %s"""


def make_batches(*, now: datetime) -> int:
    """Put what has changed into batches for every node above that is trusted and reached; return how many batches were made."""
    return sum(_make_for(node, now) for node in trust.reached(now).filter(relation=NodeRelation.ABOVE))


def _make_for(node: TrustedNode, now: datetime) -> int:
    made = 0
    while made < BATCHES_A_TURN and make_batch(node=node, now=now) is not None:
        made += 1
    return made


@transaction.atomic
def make_batch(*, node: TrustedNode, now: datetime) -> OutBatch | None:
    """Make the next batch for a node; None when there is nothing new, or enough waits already."""
    position = NodePosition.objects.select_for_update().get(node=node)
    waiting = OutBatch.objects.filter(node=node).exclude(state="ACKNOWLEDGED")
    if waiting.count() >= WAITING_AT_MOST:
        return None
    named: list[dict[str, Any]] = []
    while not named and (changed := _changed(position)):
        # What has no identifier has no name another node knows it by; its department gives it one first.
        named = [line for line in changed if line["identifier"]]
        position.sent_xid, position.sent_id = changed[-1]["xid"], changed[-1]["id"]
    batch = _batch(node, position, _rows(named), now) if named else None
    position.save()
    return batch


def _batch(node: TrustedNode, position: NodePosition, rows: list[dict[str, Any]], now: datetime) -> OutBatch:
    number = position.sent_number + 1
    told = {
        "form": FORM,
        "number": number,
        "previous": position.sent_digest,
        "made_at": now.isoformat(timespec="seconds"),
        "rows": rows,
    }
    envelope = envelopes.seal(told, to=node.code)
    position.sent_number, position.sent_digest = number, envelopes.digest_of(envelope["content"])
    return OutBatch.objects.create(
        node=node, number=number, rows=len(rows), envelope=json.dumps(envelope, ensure_ascii=False),
        digest=position.sent_digest, made_at=now, next_attempt_at=now,
    )  # fmt: skip


def _changed(position: NodePosition) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, [str(position.sent_xid), position.sent_id, ROWS])
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _rows(changed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows as they travel: those issued here with their issuer's data and signature, others as they were delivered."""
    issued = {
        license.identifier: license
        for license in License.objects.filter(identifier__in=[line["identifier"] for line in changed])
        .select_related("type_version", "key")
        .prefetch_related("holders")
    }
    rows = []
    for line in changed:
        license = issued.get(line["identifier"])
        signed = signed_part(license) if license is not None and not line["gone"] else None
        data, key, signature = signed or (delivered_data(line), "", "")
        rows.append(
            judging.row_of(data, title=line["title"], state=line["license_state"], key=key, signature=signature, gone=line["gone"])
        )
    return rows


def signed_part(license: License) -> tuple[dict[str, Any], str, str] | None:
    """Return the data of a license issued here as they are signed (now, if a batch left that out), the key's id, the signature."""
    try:
        license = ensure_signed(license)
    except Conflict:  # somebody changed its data
        return None
    if license.key is None or license.signature is None:
        return None
    data = json.loads(canonical(data_of(license)))
    return data, envelopes.id_of(license.key), envelopes.encoded(bytes(license.signature))


def delivered_data(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a license as its department delivered it, in the form of those issued here."""
    version = line["license_version"] or ""
    face = line["face"] if isinstance(line["face"], dict) else json.loads(line["face"] or "{}")
    return {
        "form": "license/1",
        "identifier": line["identifier"],
        "type": line["type_code"],
        "type_version": 0,
        "issuer": {"code": line["issuer_code"], "name": line["issuer"]},
        "serial": "",
        "version": int(version) if version.isdigit() else 0,
        "number": line["number"],
        "region": line["region_code"],
        "holders": [{"name": line["holder_name"], "code": line["holder_code"], "code_type": line["holder_code_type"]}],
        "issued_on": line["issued_on"].isoformat(),
        "valid_from": line["valid_from"].isoformat() if line["valid_from"] else "",
        "valid_to": line["valid_to"].isoformat() if line["valid_to"] else "",
        "face": {str(name): str(value) for name, value in face.items()},
    }
