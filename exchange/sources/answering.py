"""Answering out of a source outside (外部数据源应答): read, then record under the grant as it is now, then answer.

Base data is read and recorded in one statement; here the reading takes as long as others take, so the record's insert checks
grant, version and key again after it: when they changed meanwhile, neither record nor answer is made.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from core.calendar import SHANGHAI
from exchange.calls import statement
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms
from exchange.sources.guard import guard_of
from exchange.sources.interfaces import UpstreamCall
from exchange.sources.tables import DepartmentTable
from exchange.sources.terms import Asked, Interface, Remote, Source


def source_of(remote: Remote) -> Source:
    """Return what can read a source."""
    place = remote.place
    return UpstreamCall(place) if isinstance(place, Interface) else DepartmentTable(place)


def read_and_record(signed: Signed, terms: Terms, question: Question, quota_left: int | None = None) -> tuple[bytes, str] | None:
    """Return the answer's JSON and its SHA-256 in hex, recorded and committed; None when the grant has changed."""
    remote = terms.remote
    if remote is None:
        raise Refusal("grant.unusable")
    asked = Asked(question.selection, question.key, signed.call_id, terms.region_prefix, question.values, terms.lists)
    source = source_of(remote)
    guard = guard_of(remote.side, remote.place.uid)
    told: dict[str, Any] = {"call_id": signed.call_id}
    if signed.mode == "QUERY":
        data = guard.run(lambda: source.read(asked), uid=remote.place.uid, at_once=remote.place.at_once)
        is_found = data is not None
        told |= {"status": "found" if is_found else "not_found", "data": data}
        told |= {"as_of": datetime.now(tz=SHANGHAI).isoformat()}
    else:
        is_found, result = guard.run(lambda: source.verify(asked), uid=remote.place.uid, at_once=remote.place.at_once)
        told |= {"result": result}
    body = json.dumps(told, ensure_ascii=False).encode()
    digest = hashlib.sha256(body).hexdigest()
    is_recorded = statement.record_answered(
        signed,
        terms,
        question,
        quota_left,
        row_count=int(is_found),
        answer_digest=digest,
        answer_bytes=len(body),
    )
    return (body, digest) if is_recorded else None
