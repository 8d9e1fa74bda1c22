"""Settling after a load run: does every answer that arrived have its one record, and does no record say more than it may?"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.load_run.books import BROKEN, OPERATIONS, SINGLE, Entry
from ops.places import ROOT
from tests.kills.whole_stack import WholeStack

# What may be refused while stores come and go, and what this scene provokes by itself.
EXPECTED = frozenset(
    {"platform.unavailable", "platform.recovering", "platform.busy", "auth.before_restart", "call.replayed", "quota.day_exceeded",
     "job.running", "job.not_ready", "feed.timepoint_too_old", "auth.clock_skew"}
)  # fmt: skip
AFTERGLOW = 1.0
# Of all calls, so many may be refused by the platform although nothing was away: what breaks must not stay broken.
REFUSED_IN_CALM = 0.001
RECORDS = """SELECT call_id::text, parent_call_id::text, outcome, encode(answer_digest, 'hex') FROM exchange_callrecord"""
TWICE = """
    SELECT count(*) FROM (SELECT 1 FROM exchange_callrecord WHERE outcome IN ('call.answered', 'call.opened')
    GROUP BY credential_id, nonce HAVING count(*) > 1) AS twice"""


@dataclass
class Accounts:
    """What was found. `wrong` must stay empty."""

    wrong: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)


def settle(
    stack: WholeStack, entries: Sequence[Entry], quotas: dict[str, int], troubled: Sequence[tuple[float, float]]
) -> Accounts:
    """Compare what clients wrote down with what the platform recorded."""
    found = Accounts()
    records: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    closings: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for call_id, parent, outcome, digest in stack.rows(RECORDS):
        records[call_id].append((outcome, digest))
        if parent:
            closings[parent].append((outcome, digest))
    doubles = sum(len(one) > 1 for one in records.values()) + sum(len(one) > 1 for one in closings.values())
    nonces = stack.one(TWICE)
    if doubles or nonces:
        found.wrong.append(f"{doubles} calls and {nonces} nonces are recorded twice")
    found.told["records"] = sum(len(one) for one in records.values())
    found.told["streams without a closing record"] = 0
    for entry in entries:
        if entry.status != BROKEN:
            _compare(found, entry, records.get(entry.call_id, []), closings.get(entry.call_id, []), troubled)
    delivered = {entry.call_id for entry in entries}
    answered = {call_id for call_id, one in records.items() if one[0][0] in ("call.answered", "call.opened")}
    found.told["recorded answers that did not arrive"] = len(answered - delivered)
    calm = [entry for entry in entries if entry.status == 503 and not _is_within(entry, troubled)]
    found.told["refused with 503 while all was well"] = len(calm)
    if len(calm) > REFUSED_IN_CALM * len(entries):
        found.wrong.append(f"refused while all was well: {Counter((entry.kind, entry.code) for entry in calm)}")
    _check_quotas(found, stack, quotas)
    return found


def _is_within(entry: Entry, spans: Iterable[tuple[float, float]]) -> bool:
    """Whether a call was under way while something was away, or just after."""
    return any(start - AFTERGLOW < entry.at and entry.at - entry.took / 1000 < end + AFTERGLOW for start, end in spans)


def _compare(
    found: Accounts,
    entry: Entry,
    records: list[tuple[str, str | None]],
    closings: list[tuple[str, str | None]],
    troubled: Iterable[tuple[float, float]],
) -> None:
    """Check one answer that arrived against what is recorded of it."""
    if entry.status >= 300:
        if entry.code not in EXPECTED:
            found.wrong.append(f"an unexpected refusal: {entry}")
        if entry.status != 503 and [outcome for outcome, _ in records] != [entry.code]:
            found.wrong.append(f"a refusal recorded otherwise: {entry} {records}")
        return
    if entry.kind in SINGLE:
        if entry.kind == "sent again":
            found.wrong.append(f"a request was answered a second time: {entry}")
        if records != [("call.answered", entry.digest)]:
            found.wrong.append(f"no such record of an answer: {entry} {records}")
        return
    if [outcome for outcome, _ in records] != ["call.opened"]:
        found.wrong.append(f"never opened in the records: {entry} {records}")
    if not closings and entry.kind not in OPERATIONS:  # its last bytes went out before the closing record could be written
        found.told["streams without a closing record"] += 1
        if not _is_within(entry, troubled):
            found.wrong.append(f"never closed, and nothing was away: {entry}")
    elif entry.is_cut:
        if [outcome for outcome, _ in closings] != ["call.aborted"]:
            found.wrong.append(f"cut short and recorded otherwise: {entry} {closings}")
    elif closings != [("call.closed", entry.digest)]:
        found.wrong.append(f"closed otherwise: {entry} {closings}")


def _check_quotas(found: Accounts, stack: WholeStack, quotas: dict[str, int]) -> None:
    used: Counter[str] = Counter()
    sql = """
        SELECT g.uid::text, sum(coalesce(r.subject_count, 1)) FROM exchange_callrecord r JOIN exchange_grant g ON g.id = r.grant_id
        WHERE r.outcome IN ('call.answered', 'call.opened') GROUP BY g.uid"""
    used.update({uid: int(count) for uid, count in stack.rows(sql)})
    spent = {uid: used[uid] for uid, quota in quotas.items() if used[uid] >= quota}
    found.told["grants that used up their quota"] = len(spent)
    for uid, count in spent.items():
        if count > quotas[uid]:
            found.wrong.append(f"a grant got {count} answers of {quotas[uid]}")


def seals_verify(stack: WholeStack) -> str:
    """Return what the verifier of evidence says of everything sealed."""
    done = subprocess.run(
        [str(stack.places.python), "manage.py", "verify_evidence"],
        env=stack.stack.environment("migrator"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"BAD: {done.stdout} {done.stderr}"
