"""The way of a call (调用受理): authenticate, grant, shape, admission, read + record, sign; and what a refusal leaves behind.

A malformed call burns no quota. No answer with data leaves before its record is committed; no record, no data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from core.ids import uuid7
from exchange.calls import (
    admission,
    authentication,
    batch_statement,
    bulk,
    company,
    conditions,
    joint,
    quota,
    records,
    registry,
    shape,
    signatures,
    statement,
    tokens,
    trip,
)  # fmt: skip
from exchange.calls.admission import Allowance, OverQuota
from exchange.calls.attempts import record_limit, tally
from exchange.calls.company import Found
from exchange.calls.dispatch import operation_of
from exchange.calls.joint import Read
from exchange.calls.operations import Lookup, Operation, Served
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Answer, Incoming, Question, Signed, Terms
from exchange.sources import answering as sources
from exchange.sources import asking

Outcome = TypeVar("Outcome")

JSON: Final = "application/json; charset=utf-8"


class Progress:
    """How far a call got: what its record can say when it is refused."""

    __slots__ = ("operation", "question", "terms")

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self.question: Question | None = None
        self.operation: Operation | Lookup | None = None


def answer(call: Incoming, *, now: datetime, authenticate: Callable[[Incoming], Signed] = authentication.authenticate) -> Answer:
    """Return the answer to one call; every refusal is an answer, too. Another convention brings its own `authenticate`."""
    try:
        signed = authenticate(call)
    except Refusal as refusal:
        tally.count(refusal.code, call.key, call.client_ip)
        return refuse(refusal)
    progress = Progress()
    try:
        return _served(call, signed, progress, now)
    except Refusal as refusal:
        return refuse(_recorded(refusal, signed, progress), signed)


def _served(call: Incoming, signed: Signed, progress: Progress, now: datetime) -> Answer:
    authentication.check_standing(signed, now)
    at_most = shape.BATCH_AT_MOST.get(signed.mode, shape.BODY_AT_MOST)
    body = call.read(at_most + 1)
    shape.check_size(body, at_most)
    authentication.check_digest(signed, body)
    if call.translate:
        body = call.translate(body)
    progress.operation = operation_of(call)
    _learn_remembered(progress, call.grant_uid, signed, body, now)
    if isinstance(progress.operation, Lookup):
        return _looked_up(progress.operation, signed, progress, body, now)
    if progress.operation is not None:
        return _operated(progress.operation, signed, progress, body, now)
    if signed.mode == "BULK":
        bulk.take_place(signed.caller.credential_id)
        try:
            return _opened(signed, progress, body, now)
        except BaseException:
            bulk.give_place(signed.caller.credential_id)
            raise
    return _single(signed, progress, body, now)


def _learn_remembered(progress: Progress, uid: str, signed: Signed, body: bytes, now: datetime) -> None:
    """Check what is remembered of the grant; before it refuses, ask the database whether that still holds."""
    remembered = registry.grants.get(uid)
    try:
        _learn(progress, remembered, signed, body, now)
    except Refusal as refusal:
        renewed = registry.grants.renew(uid) if refusal.code.startswith(("grant.", "platform.")) else remembered
        if renewed is remembered:
            raise
        _learn(progress, renewed, signed, body, now)


def _learn(progress: Progress, found: Terms | None, signed: Signed, body: bytes, now: datetime) -> None:
    """Check grant and question; the terms of another system's grant are never learnt."""
    if found is not None and found.system_id == signed.caller.system_id:
        progress.terms = found
    terms, selection = shape.check_terms(found, signed.caller.system_id, signed.mode, now)
    conditions.check_origin(terms.conditions, signed.client_ip)
    operation = progress.operation
    if operation is not None:
        progress.question = operation.read(body, selection)
    elif terms.remote:
        progress.question = asking.read_question(body, signed.mode, selection, terms.remote)
    else:
        progress.question = tokens.resolved(shape.read_question(body, signed.mode, selection), terms.grant_id)
    if operation is None or operation.is_order:
        conditions.check_context(terms.conditions, progress.question.context)


def _known(progress: Progress) -> tuple[Terms, Question]:
    if progress.terms is None or progress.question is None:
        raise Refusal("grant.not_found")
    return progress.terms, progress.question


def _once_recovered(admit: Callable[[Signed, Terms, Question], Outcome], signed: Signed, progress: Progress) -> Outcome:
    """Admit a call; when Redis had lost its memory, rebuild the quotas and admit it then."""
    try:
        return admit(signed, *_known(progress))
    except Refusal as refusal:
        if refusal.code != "platform.recovering":
            raise
    quota.rebuild()
    return admit(signed, *_known(progress))


def _learn_again(signed: Signed, progress: Progress, body: bytes, now: datetime) -> None:
    """The statement found the grant or the key changed: ask the database for both, once, and decide again."""
    caller = registry.callers.reload(signed.caller.key)
    if caller is None or caller.is_revoked:
        raise Refusal("auth.credential_revoked")
    terms, _ = _known(progress)
    _learn(progress, registry.grants.reload(terms.uid), signed, body, now)


def _read(signed: Signed, terms: Terms, question: Question, quota_left: int) -> Read | None:
    """Read and record where the resource is mounted: the base databases, or a source outside."""
    if question.batch is not None:
        return batch_statement.read_and_record(signed, terms, question, question.batch, quota_left)
    if terms.remote:
        return sources.read_and_record(signed, terms, question, quota_left)
    return joint.read_and_record(signed, terms, question, quota_left)


def _admitted_and_read(signed: Signed, terms: Terms, question: Question) -> tuple[Allowance, Read | None]:
    """Count the call and read; calls about one subject of the base databases share their way there."""
    if question.batch is None and terms.remote is None:
        row_of = partial(joint.call_row, signed, terms, question)
        allowance, found = trip.about_subjects.admit_and_run(signed, terms, question, row_of)
        return allowance, joint.read_in(found)
    allowance = admission.admit(signed, terms, question)
    return allowance, _read(signed, terms, question, allowance.remaining)


def _single(signed: Signed, progress: Progress, body: bytes, now: datetime) -> Answer:
    allowance, result = _once_recovered(_admitted_and_read, signed, progress)
    if result is None:
        _learn_again(signed, progress, body, now)
        result = _read(signed, *_known(progress), allowance.remaining)
    if result is None:
        raise Refusal("platform.unavailable", {"grant": "is_changing"})
    told, digest = result
    return Answer(200, _headers(signed.call_id, signed, 200, JSON, digest) + allowance.headers(), [told])


def _opened(signed: Signed, progress: Progress, body: bytes, now: datetime) -> Answer:
    connection = bulk.connect()
    try:
        allowance = _admitted_and_opened(signed, progress, body, now)
    except BaseException:
        connection.close()
        raise
    headers = _headers(signed.call_id, None, 200, "text/csv; charset=utf-8", "")
    return Answer(200, headers + allowance.headers(), bulk.Transfer(signed, *_known(progress), connection))


def _admitted_and_opened(signed: Signed, progress: Progress, body: bytes, now: datetime) -> Allowance:
    """Count the call and write its opened record."""
    allowance = _once_recovered(admission.admit, signed, progress)
    if not statement.record_opened(signed, *_known(progress), allowance.remaining):
        _learn_again(signed, progress, body, now)
        if not statement.record_opened(signed, *_known(progress), allowance.remaining):
            raise Refusal("platform.unavailable", {"grant": "is_changing"})
    return allowance


def _looked_up(lookup: Lookup, signed: Signed, progress: Progress, body: bytes, now: datetime) -> Answer:
    """Answer an operation whose one statement reads and records, in company where it has some."""

    def admitted_and_run(signed: Signed, terms: Terms, question: Question) -> tuple[Allowance, Found | None]:
        go = lookup.trips.admit_and_run if lookup.trips else trip.admit_and_run_alone
        return go(signed, terms, question, partial(lookup.row, signed, terms, question))

    allowance, found = _once_recovered(admitted_and_run, signed, progress)
    if found is None:
        _learn_again(signed, progress, body, now)
        found = company.run(lookup.row(signed, *_known(progress), allowance.remaining))
    if found is None:
        raise Refusal("platform.unavailable", {"grant": "is_changing"})
    return _handed_over(lookup.served(found), signed, allowance)


def _handed_over(served: Served, signed: Signed, allowance: Allowance) -> Answer:
    """Return the answer of a lookup; its bytes are what was digested and recorded."""
    if not isinstance(served.body, bytes):
        raise Refusal("platform.unavailable")
    own = _headers(signed.call_id, signed, served.status, served.content_type, served.digest, cache=served.cache)
    return Answer(served.status, own + served.headers + allowance.headers(), [served.body])


def _operated(operation: Operation, signed: Signed, progress: Progress, body: bytes, now: datetime) -> Answer:
    """Answer an operation on a bulk job or a feed: opened in the records before anything is handed over, closed after."""
    operation.prepare(signed, *_known(progress), now)
    allowance = _admitted_and_opened(signed, progress, body, now)
    known = _known(progress)
    try:
        served = operation.serve(signed, *known, now)
    except Exception as error:
        records.record_closed(signed, *known, outcome="call.aborted", row_count=None, answer_digest=hashlib.sha256().digest())
        if isinstance(error, Refusal):
            return refuse(error, signed)
        raise
    headers = served.headers + allowance.headers()
    if not isinstance(served.body, bytes):
        return Answer(served.status, _headers(signed.call_id, None, served.status, served.content_type, "") + headers, served.body)
    digest = hashlib.sha256(served.body)
    records.record_closed(signed, *known, outcome="call.closed", row_count=served.row_count, answer_digest=digest.digest())
    own = _headers(signed.call_id, signed, served.status, served.content_type, digest.hexdigest())
    return Answer(served.status, own + headers, [served.body])


def _recorded(refusal: Refusal, signed: Signed, progress: Progress) -> Refusal:
    """Record a refusal and return it; one too many in this minute is counted instead.

    A refusal that could not be recorded is counted as well, and says the platform is away.
    """
    if not record_limit.take(signed.caller.credential_id, refusal.code):
        tally.count(refusal.code, signed.caller.key, signed.client_ip)
        return refusal
    try:
        records.record_refusal(signed, progress.terms, progress.question, refusal.code)
    except Refusal as unavailable:
        tally.count(refusal.code, signed.caller.key, signed.client_ip)
        return unavailable
    return refusal


def refuse(refusal: Refusal, signed: Signed | None = None) -> Answer:
    """Return the answer that says no; signed when we know to whom."""
    verdict = refusal.verdict
    call_id = signed.call_id if signed else str(uuid7())
    body = json.dumps(refusal.told(call_id), ensure_ascii=False).encode()
    headers = _headers(call_id, signed, verdict.status, JSON, hashlib.sha256(body).hexdigest())
    if isinstance(refusal, OverQuota):
        headers += [*refusal.allowance.headers(), ("Retry-After", str(refusal.allowance.reset_seconds))]
    elif verdict.status in (502, 503):
        headers.append(("Retry-After", str(refusal.retry_after)))
    return Answer(verdict.status, headers, [body])


def _headers(
    call_id: str, signed: Signed | None, status: int, content_type: str, digest: str, *, cache: str = "no-store"
) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", content_type),
        ("Cache-Control", cache),
        ("X-Gov-Call-Id", call_id),
        ("X-Request-Id", call_id),
    ]
    if signed is not None:
        headers += signatures.answer_headers(signed, status, digest)
    return headers
