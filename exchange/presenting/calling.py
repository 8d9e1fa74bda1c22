"""Presenting by systems that sign (系统扫码): the two operations of the call door, decided where every call is decided.

Signature, standing, grant, matter, address, nonce and quota are `exchange.calls.answering`'s; here the body is read and the
statement run. `operation` names: presenting.scan, presenting.read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from basedb.lookup import Selection
from exchange.calls import connections
from exchange.calls.company import Found, Row
from exchange.calls.context import read_context
from exchange.calls.operations import Lookup, Served
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Context, Incoming, Question, Signed, Terms
from exchange.calls.trip import Trips
from exchange.calls.values import read_object, text
from exchange.presenting import needs, scanning
from exchange.presenting.scanning import Desk, Wanted, body_of
from licenses.presenting.code_text import read_code

SCAN_PARTS: Final = frozenset({"code", "matter", "grant", "officer", "case"})
MATTER_AT_MOST: Final = 64
READ_PARTS: Final = frozenset({"grant", "officer", "case"})

_SCANS: Final = Trips()
_READINGS: Final = Trips()


class ScanCode(Lookup):
    """POST /openapi/v1/presentations: take a code over for a matter."""

    is_order = True
    trips = _SCANS

    def __init__(self, call: Incoming) -> None:
        self._code = ""
        self._wanted: Wanted | None = None
        self._by: tuple[Signed, Desk] | None = None

    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question: which items of which types, for which matter."""
        given = _parts(body, SCAN_PARTS)
        self._code = read_code(given["code"]) if isinstance(given.get("code"), str) else ""
        if not self._code:
            raise Refusal("presenting.code_malformed", {"code": "malformed"})
        matter = text(given.get("matter"), "matter", MATTER_AT_MOST)
        self._wanted = wanted_of(matter, selection)  # a matter somebody listed: no text of the caller's own is recorded
        return Question(selection, None, context=replace(_context(given), matter=matter))

    def row(self, signed: Signed, terms: Terms, question: Question, quota_left: int) -> Row:
        """Return what the call brings to its statement."""
        if self._wanted is None:
            raise Refusal("presenting.matter_unknown", {"matter": "required"})
        desk = Desk(terms, connections.rows, datetime.now(tz=UTC))
        self._by = signed, desk
        return scanning.scan_row(self._code, self._wanted, signed, desk)

    def served(self, found: Found) -> Served:
        """Return what the desk is told."""
        if self._wanted is None or self._by is None:
            raise Refusal("platform.unavailable")
        body, digest = body_of(scanning.scanned(found, self._code, self._wanted, *self._by))
        return Served(body, status=201, digest=digest)


class ReadPresentation(Lookup):
    """POST /openapi/v1/presentations/<uid>/read: the items the holder agreed to, once."""

    is_order = False
    trips = _READINGS

    def __init__(self, call: Incoming) -> None:
        self._presentation = call.place[0]
        self._by: tuple[Signed, Desk] | None = None

    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question; what is read was settled by the scan and the holder."""
        needs.check_dataset(selection)
        return Question(selection, None, context=_context(_parts(body, READ_PARTS)))

    def row(self, signed: Signed, terms: Terms, question: Question, quota_left: int) -> Row:
        """Return what the call brings to its statement."""
        desk = Desk(terms, connections.rows, datetime.now(tz=UTC))
        self._by = signed, desk
        return scanning.read_row(self._presentation, question, signed, desk, quota_left)

    def served(self, found: Found) -> Served:
        """Return the items, recorded and committed."""
        if self._by is None:
            raise Refusal("platform.unavailable")
        body, digest = scanning.handed_over(found, self._presentation, *self._by)
        return Served(body, digest=digest)


def wanted_of(matter: str, selection: Selection) -> Wanted:
    """Return what a matter may ask for under a grant, or refuse."""
    needs.check_dataset(selection)
    return check_wanted(needs.remembered.get(matter), selection)


def check_wanted(need: needs.Need | None, selection: Selection) -> Wanted:
    """Return a need narrowed to a grant; refuse an unknown matter and one of which nothing is left."""
    if need is None:
        raise Refusal("presenting.matter_unknown", {"matter": "not_in_the_list_of_uses"})
    types = needs.asked_of(need, selection)
    if not types:
        raise Refusal("presenting.nothing_allowed", {"grant": "covers_nothing_the_matter_may_use"})
    return Wanted(need, types)


def _parts(body: bytes, known: frozenset[str]) -> Mapping[str, Any]:
    given = read_object(body)
    if set(given) - known:
        raise Refusal("call.invalid_parameter", dict.fromkeys(sorted(str(name)[:40] for name in set(given) - known), "unknown"))
    return given


def _context(given: Mapping[str, Any]) -> Context:
    return read_context({name: given[name] for name in ("officer", "case") if name in given})
