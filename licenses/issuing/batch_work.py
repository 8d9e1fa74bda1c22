"""Working on a batch (批次办理): its rows checked, then issued, some thousand a transaction, by whoever holds the lease.

A row's state and its license are written together: a worker that dies leaves whole rows behind, and the next one goes on with the
rest once the lease has run out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import Error, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core.accounts import actor_of
from core.calendar import SHANGHAI
from core.errors import DomainError
from licenses.issuing import batches, candidates, checking, desks, many, writing
from licenses.issuing.candidates import Candidate
from licenses.models import BatchState, IssuingBatch, IssuingRow, IssuingRowState
from licenses.reissue.checking import complete_for
from licenses.types.faults import Fault
from licenses.types.rulebook import Rulebook

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
CHUNK: Final = 4_000
LEASE: Final = timedelta(seconds=60)
AT_WORK: Final = (BatchState.CHECKING, BatchState.ISSUING)
_UPDATE = """
UPDATE licenses_issuingrow r SET state = u.state, faults = u.faults::jsonb, license_id = u.license_id
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS u (id, state, faults, license_id) WHERE r.id = u.id"""
# The same number twice in one batch, wherever the rows stand.
_TWICE = """
UPDATE licenses_issuingrow r SET state = 'REFUSED', faults = jsonb_build_array(jsonb_build_object(
    'field', 'number', 'code', 'number.twice', 'message', replace(%s, '{line}', d.first::text)))
FROM (SELECT id, place, min(place) OVER (PARTITION BY content->>'number') AS first FROM licenses_issuingrow
    WHERE batch_id = %s AND state = 'GOOD' AND content->>'number' <> '') d
WHERE d.id = r.id AND d.first < d.place"""


def unattended(*, now: datetime) -> list[UUID]:
    """Return the batches that are to be worked on and nobody has in hand."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return list(IssuingBatch.objects.filter(free, state__in=AT_WORK).order_by("id").values_list("uid", flat=True))


def work(*, batch_uid: UUID, clock: Clock) -> None:
    """Carry a batch as far as it goes without people; one that another worker has in hand is left to it."""
    token = _claim(batch_uid, clock())
    try:
        while token is not None and _step(batch_uid, token, clock):
            pass
    except (Error, DomainError) as error:
        log.error("issuing batch %s: %s", batch_uid, type(error).__name__)  # a database error's text may quote a row
    finally:
        if token is not None:
            IssuingBatch.objects.filter(uid=batch_uid, lease_token=token).update(lease_token=None, lease_until=clock() + LEASE / 4)


def _claim(uid: UUID, now: datetime) -> UUID | None:
    token = uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_token=None)
    taken = IssuingBatch.objects.filter(free, uid=uid, state__in=AT_WORK).update(lease_token=token, lease_until=now + LEASE)
    return token if taken else None


@transaction.atomic
def _step(uid: UUID, token: UUID, clock: Clock) -> bool:
    """Do some rows in one transaction; False when there is nothing left to do or the lease is lost."""
    held = IssuingBatch.objects.select_for_update(of=("self",)).select_related("type_version", "department__region", "decided_by")
    batch = held.filter(uid=uid, lease_token=token, state__in=AT_WORK).first()
    if batch is None:
        return False
    now = clock()
    is_checking = batch.state == BatchState.CHECKING
    wanted = IssuingRowState.WAITING if is_checking else IssuingRowState.GOOD
    rows = list(batch.rows.filter(state=wanted).order_by("place")[:CHUNK])
    if not rows:
        _finish_checking(batch, now) if is_checking else _finish(batch, now)
        return False
    _check(batch, rows, now) if is_checking else _issue(batch, rows, now)
    batch.lease_until = clock() + LEASE
    batch.save()
    return True


def _read(batch: IssuingBatch, rows: Sequence[IssuingRow], now: datetime) -> tuple[list[Candidate], dict[int, list[Fault]]]:
    """Return the rows in due form, and what is wrong with the others by their place."""
    version, today = batch.type_version, now.astimezone(SHANGHAI).date()
    rulebook = Rulebook.of(version.rulebook)
    formal, wrong = [], {}
    for row in rows:
        candidate, faults = candidates.read(row.content, version, place=row.place, today=today)
        faults += candidates.face_faults(candidate, rulebook)
        if faults:
            wrong[row.place] = faults
        else:
            formal.append(candidate)
    return formal, wrong


def _check(batch: IssuingBatch, rows: Sequence[IssuingRow], now: datetime) -> None:
    formal, faults = _read(batch, rows, now)
    today = now.astimezone(SHANGHAI).date()
    known = checking.known_faults(formal, version=batch.type_version, issuer_code=batch.department.code, today=today)
    refused = {**faults, **known}
    _settle(rows, {row.place: IssuingRowState.REFUSED if row.place in refused else IssuingRowState.GOOD for row in rows}, refused)
    batch.refused_count += len(refused)
    batch.good_count += len(rows) - len(refused)


def _issue(batch: IssuingBatch, rows: Sequence[IssuingRow], now: datetime) -> None:
    formal, faults = _read(batch, rows, now)
    if batch.decided_by is None:
        raise ValueError("nobody signed the batch")
    signer = actor_of(batch.decided_by)
    order = many.Order(batch.type_version, batch.department, signer, now, batch)
    issued = many.issue_many(candidates=formal, order=order)
    refused = {**faults, **issued.refused}
    states = {row.place: IssuingRowState.ISSUED if row.place in issued.licenses else IssuingRowState.REFUSED for row in rows}
    _settle(rows, states, refused, {place: new.id for place, new in issued.licenses.items()})
    batch.issued_count += len(issued.licenses)
    batch.good_count -= len(refused)
    batch.refused_count += len(refused)
    for license in writing.missed_of(type_code=batch.type_version.code, ids=[new.id for new in issued.licenses.values()]):
        complete_for(license, actor=signer, now=now)
    writing.deliver_soon()
    writing.sign_soon()


def _settle(
    rows: Sequence[IssuingRow],
    states: Mapping[int, IssuingRowState],
    faults: Mapping[int, Sequence[Fault]],
    licenses: Mapping[int, int] | None = None,
) -> None:
    """Write down what became of the rows, in one statement."""
    ids = [row.pk for row in rows]
    written = [json.dumps([asdict(fault) for fault in faults.get(row.place, ())], ensure_ascii=False) for row in rows]
    made: list[Any] = [(licenses or {}).get(row.place) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [ids, [states[row.place].value for row in rows], written, made])


def _finish_checking(batch: IssuingBatch, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TWICE, [_("证照编号与本批第 {line} 行重复。"), batch.pk])
        doubles = cursor.rowcount
    batch.good_count -= doubles
    batch.refused_count += doubles
    is_on = batch.is_submitted and batch.good_count > 0
    batch.state = BatchState.TO_SIGN if is_on else BatchState.CHECKED
    batch.revision += 1
    batch.save()
    if is_on:
        desks.tell_signers(batch.department_id, title=_("有一批证照待签发"), path=batches.path_of(batch), now=now)
    else:
        desks.tell_maker(batch, title=_("批量导入已校验，请查看结果"), path=batches.path_of(batch), now=now)


def _finish(batch: IssuingBatch, now: datetime) -> None:
    batch.state, batch.finished_at = BatchState.DONE, now
    batch.revision += 1
    batch.save()
    desks.tell_maker(batch, title=_("批量签发已办结"), path=batches.path_of(batch), now=now)
