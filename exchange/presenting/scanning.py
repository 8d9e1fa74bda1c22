"""Scanning and reading (扫码与读取): one way for systems that sign and for clerks at the desk, each with its own connection.

A code is taken over by whoever scans it first; a second scan is refused and both are told. What is read is read once, with its
records. Signatures, nonces and quotas are decided before (`calling`, `desk`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.ids import uuid7
from exchange.calls.company import Found, Row, parameters_of, values_of
from exchange.calls.refusals import Refusal
from exchange.calls.statement import call_values
from exchange.calls.terms import Question, Signed, Terms
from exchange.presenting.needs import Item, Need
from exchange.presenting.statements import (
    EXPLAIN_READ,
    EXPLAIN_SCAN,
    OF_CODE,
    OF_PRESENTATION,
    TRY,
    TRYING,
    read_sql,
    scan_sql,
)
from licenses.presenting.code_text import digest_of
from licenses.presenting.running import Run
from licenses.presenting.workflow import Command, Standing, decide, is_over

DONE: Final = ("READ", "REFUSED", "BLOCKED")


@dataclass(frozen=True, slots=True)
class Desk:
    """Who scans: on which terms, as which clerk of the portal (None: a system), by which connection, when."""

    terms: Terms
    run: Run
    now: datetime
    actor_id: int | None = None

    @property
    def is_portal(self) -> bool:
        """Whether a clerk scans on a page, without a credential."""
        return self.actor_id is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a holder: the matter's need, and the items by type the grant covers."""

    need: Need
    types: Mapping[str, tuple[Item, ...]]

    def told(self) -> list[dict[str, Any]]:
        """Return it as the answer to a scan says it."""
        return [{"type_code": code, "items": [item.told() for item in items]} for code, items in self.types.items()]


def scan_row(code: str, wanted: Wanted, signed: Signed, desk: Desk) -> Row:
    """Return what taking a code over brings to its statement."""
    values = {
        "command": Command.SCAN,
        "grant_id": desk.terms.grant_id,
        "grant_version": desk.terms.version,
        "region_prefix": desk.terms.region_prefix,
        "credential_id": signed.caller.credential_id,
        "consumer_id": signed.caller.system_id,
        "department_id": signed.caller.department_id,
        "actor_id": desk.actor_id,
        "digest": f"\\x{digest_of(code).hex()}",
        "now": desk.now.isoformat(),
        "matter": wanted.need.matter,
        "matter_title": wanted.need.title,
        "need_purpose": wanted.need.purpose,
        "need_basis": wanted.need.basis,
        "needs": {code: [item.told() for item in items] for code, items in wanted.types.items()},
    }
    return Row(scan_sql(selection_of(desk.terms), is_desk=desk.is_portal), desk.terms.lists, values)


def scanned(found: Found, code: str, wanted: Wanted, signed: Signed, desk: Desk) -> dict[str, Any]:
    """Return what the desk is told; Refusal when the code was not taken over."""
    is_held, uid, until, purpose = found
    if uid is None:
        raise Refusal("presenting.too_many_tries" if is_held else _refused_scan(code, signed, desk))
    return {
        "presentation": _text(uid),
        "state": "SCANNED",
        "matter": {"code": wanted.need.matter, "title": wanted.need.title},
        "purpose": _text(purpose),
        "asked": wanted.told(),
        "answer_until": until.isoformat(),
    }


def _refused_scan(code: str, signed: Signed, desk: Desk) -> str:
    """Return why a code was not taken over; the try is written down, and a code's holder is told of it."""
    rows = desk.run(EXPLAIN_SCAN, OF_CODE, {"digest": digest_of(code), "now": desk.now})
    subject_key = None
    if not rows:
        why = "presenting.code_unknown"
    else:
        *standing, key, is_free = rows[0]
        subject_key = bytes(key)
        why = decide(Command.SCAN, Standing(*standing), desk.now)
        why = why or ("presenting.code_used" if is_free else "presenting.holder_blocked")  # free by now: another was quicker
    who = {"consumer_id": signed.caller.system_id, "actor_id": desk.actor_id}
    desk.run(TRY, TRYING, who | {"code": why, "subject_key": subject_key, "now": desk.now})
    return why


def read_row(presentation: str, question: Question, signed: Signed, desk: Desk, quota_left: int) -> Row:
    """Return what reading a presentation brings to its statement."""
    values = call_values(signed, desk.terms, question, quota_left)
    values |= {"command": Command.READ, "presentation": presentation, "now": desk.now.isoformat(), "subject_count": 1}
    return Row(read_sql(selection_of(desk.terms), is_desk=desk.is_portal), desk.terms.lists, values)


def handed_over(found: Found, presentation: str, signed: Signed, desk: Desk) -> tuple[bytes, str]:
    """Return what the holder agreed to, as JSON, and its digest: recorded and committed, once; Refusal when nothing is."""
    body, digest = found
    if body is None:
        raise Refusal(_refused_read(presentation, signed, desk))
    return _text(body).encode(), _text(digest)


def _refused_read(presentation: str, signed: Signed, desk: Desk) -> str:
    values = {"presentation": presentation, "consumer_id": signed.caller.system_id}
    rows = desk.run(EXPLAIN_READ, OF_PRESENTATION, values)
    if not rows:
        return "presenting.not_found"
    standing, (is_free, is_gone, grant_id) = Standing(*rows[0][:4]), rows[0][4:7]
    why = decide(Command.READ, standing, desk.now)
    if why:
        return why
    if grant_id != desk.terms.grant_id:
        return "presenting.other_grant"
    if not is_free:
        return "presenting.holder_blocked"
    return "presenting.holder_gone" if is_gone else "presenting.license_changed"


def run_alone(row: Row, run: Run) -> Found:
    """Run the statement of scanning or reading for one, on a connection of one's own choice; Refusal when the grant has changed."""
    found = run(row.template, parameters_of(len(row.lists)), values_of([row]))
    if not found:
        raise Refusal("grant.unusable")
    return tuple(found[0][1:])


def state_of(presentation: str, system_id: int, now: datetime, run: Run) -> dict[str, Any]:
    """Return where a presentation stands, without anything about the holder; for whoever scanned it."""
    rows = run(EXPLAIN_READ, OF_PRESENTATION, {"presentation": presentation, "consumer_id": system_id, "now": now})
    if not rows:
        raise Refusal("presenting.not_found")
    return _told(presentation, rows[0], now)


def _told(presentation: str, row: Found, now: datetime) -> dict[str, Any]:
    standing, rescans = Standing(*row[:4]), row[7]
    why = decide(Command.READ, standing, now)
    return {
        "presentation": presentation,
        "state": "EXPIRED" if standing.state not in DONE and is_over(standing, now) else standing.state,
        "may_read": not why,
        "is_over": is_over(standing, now),
        "code": why,
        "answer_until": standing.answer_until.isoformat() if standing.answer_until else None,
        "read_until": standing.read_until.isoformat() if standing.read_until else None,
        "scanned_again": rescans,
    }


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def selection_of(terms: Terms) -> Any:
    """Return what a grant lets a call select."""
    if terms.selection is None:
        raise Refusal("grant.unusable")
    return terms.selection


def body_of(told: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return an answer's bytes and their digest."""
    body = json.dumps(told, ensure_ascii=False).encode()
    return body, hashlib.sha256(body).hexdigest()


def new_call_id() -> str:
    """Return the number of a call made on a page."""
    return str(uuid7())
