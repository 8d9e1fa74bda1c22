"""Delivering what nodes sent into the city's licenses (互认证照入库): by the worker, a batch a transaction, by the base's own door.

Every holder of a license is a row there. What the base rejects is shown with its reason beside what was rejected at the door.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from basedb import ingest
from basedb.dictionary import DATASETS
from basedb.ingest import Intake, RejectSink
from basedb.models import DataSource
from basedb.staging import RawRow
from core.calendar import SHANGHAI
from licenses.delivering import NO_RUN
from licenses.models import ExchangeRow, InBatch, RowState
from licenses.recognition.keeping import SOURCE
from licenses.subject_keys import subject_key

DATASET: Final = DATASETS["license.license"]
FIELDS: Final = DATASET.field_names
HOLDERS_AT_MOST: Final = 100  # what `documents` lets through, and one: a row's number times this names its holders
_REJECTED: Final = (
    "UPDATE licenses_exchangerow x SET state = 'REJECTED', code = left(r.rule, 100), document = NULL"
    " FROM rejected r WHERE x.batch_id = %s AND x.row_number = r.number / 100"
)


def deliver_due(*, now: datetime) -> int:
    """Deliver every batch that waits, the oldest first; return how many. Killed in the middle, the next turn does it whole."""
    count = 0
    while _deliver_next(now):
        count += 1
    return count


@transaction.atomic
def _deliver_next(now: datetime) -> bool:
    waiting = InBatch.objects.filter(delivered_at=None).select_related("node", "key").select_for_update(of=("self",))
    batch = waiting.order_by("id").first()
    if batch is None:
        return False
    unsettled = ExchangeRow.objects.filter(batch=batch, state=RowState.WAITING)
    if batch.key.revoked_at is not None:  # since the batch came in: what it signed is not trusted
        unsettled.update(state=RowState.REJECTED, code="row.signature", document=None)
    rows = list(unsettled.order_by("row_number"))
    if rows:
        source = DataSource.objects.get(code=SOURCE.format(batch.node.code))
        intake = Intake(
            dataset=DATASET, source=source, fields=FIELDS, run_id=NO_RUN, subject_key=subject_key,
            rejects=RejectSink(_REJECTED, (batch.pk,)), today=now.astimezone(SHANGHAI).date(), now=now,
        )  # fmt: skip
        ingest.merge(intake, ingest.stage(intake, f"recognition_{batch.pk}", list(_raw(rows))))
        unsettled.update(state=RowState.DELIVERED, document=None)
    batch.delivered_at = now
    batch.save(update_fields=["delivered_at"])
    return True


def _raw(rows: list[ExchangeRow]) -> Iterator[RawRow]:
    for row in rows:
        document: Any = row.document
        for place, holder in enumerate(document["data"]["holders"]):
            values = _values(document, holder)
            yield RawRow(
                row.row_number * HOLDERS_AT_MOST + place,
                [values.get(name) for name in FIELDS],
                line_number=row.row_number,
                source_key=_key_of(document["data"]["identifier"], holder["code"]),
                gone=document["gone"],
            )


def _values(document: dict[str, Any], holder: dict[str, str]) -> dict[str, str | None]:
    """Return the fields of the base for one holder."""
    data = document["data"]
    return {
        "type_code": data["type"],
        "identifier": data["identifier"],
        "title": document["title"],
        "number": data["number"],
        "holder_name": holder["name"],
        "holder_code": holder["code"],
        "holder_code_type": holder["code_type"],
        "issuer": data["issuer"]["name"],
        "issuer_code": data["issuer"]["code"] or None,
        "issued_on": _day(data["issued_on"]),
        "valid_from": _day(data["valid_from"]),
        "valid_to": _day(data["valid_to"]),
        "region_code": data["region"],
        "license_state": document["state"],
        "license_version": f"{data['version']:03d}" if isinstance(data.get("version"), int) and data["version"] else None,
        "face": json.dumps(data["face"], ensure_ascii=False) if data.get("face") else None,
    }


def _day(text: str) -> str | None:
    return date.fromisoformat(text).strftime("%Y%m%d") if text else None


def _key_of(identifier: str, holder_code: str) -> str:
    return hashlib.sha256(f"{identifier}\x1f{holder_code}".encode()).hexdigest()
