"""What is told of a fetching (取数应答): a head and a part for every material, with what is still to be done. Pure.

What the database answered stands in the answer as it was digested for the call record.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from basedb.licenses import EXPIRED
from exchange.matters.parts import Part
from exchange.models import MaterialSource, MatterCase, MatterFetch, MatterPart, PartState


def head_of(made: MatterFetch, case: MatterCase) -> dict[str, Any]:
    """Return what is told of a fetching as a whole."""
    return {
        "case": str(case.uid), "fetch": str(made.uid), "matter": made.matter.code, "version": made.matter.number,
        "case_number": case.case_number, "at": made.at.isoformat(), "kept_until": made.kept_until.isoformat(),
    }  # fmt: skip


def part_of(row: MatterPart) -> dict[str, Any]:
    """Return what is told of a part beside what was answered; all that is left of it later."""
    return {
        "material": row.material, "title": row.title, "party": row.party, "state": row.state, "reason": row.reason,
        "todo": todo(row), "call_id": str(row.call_id) if row.call_id else None, "items": list(row.items),
        "missing_items": list(row.missing_items), "source": row.provider,
    }  # fmt: skip


def answer_text(made: MatterFetch, case: MatterCase, parts: Sequence[Part]) -> str:
    """Return the whole answer as JSON."""
    told = [_with(part_of(part.row), f'"answer": {part.answer or "null"}') for part in parts]
    return _with(head_of(made, case), f'"values_kept": true, "parts": [{", ".join(told)}]')


def _with(head: dict[str, Any], rest: str) -> str:
    return f"{json.dumps(head, ensure_ascii=False)[:-1]}, {rest}}}"


def todo(row: MatterPart) -> str:
    """Return what is to be done about a material that was not fetched; empty when nothing is."""
    if row.state in (PartState.FOUND, PartState.NOT_NEEDED):
        return ""
    if row.state == PartState.REFUSED_NO_GRANT:
        return "ASK_GRANT"
    if row.state == PartState.ERROR:
        return "TRY_AGAIN"
    if row.source == MaterialSource.LICENSE and row.state == PartState.NOT_FOUND:
        return "REPORT_MISSING"
    return "RENEW" if row.reason == EXPIRED else "SUBMIT"
