"""Reading the books afterwards: do records, counters, rows and receipts agree with what was delivered?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tests.kills.bureau import PREFIX
from tests.kills.callers import Delivered
from tests.kills.killer import Kill
from tests.kills.whole_stack import WholeStack

REFUSED_WITHOUT_RECORD = {503}  # says itself that it could not be recorded, or that the platform is away


def check_answers(stack: WholeStack, delivered: Iterable[Delivered]) -> None:
    """Every answer with data, and every refusal but 503, has exactly one record that says the same; nothing is there twice."""
    records: dict[str, list[tuple[str, str]]] = {}
    for call_id, outcome, digest in stack.rows("SELECT call_id, outcome, encode(answer_digest, 'hex') FROM exchange_callrecord"):
        records.setdefault(str(call_id), []).append((outcome, digest))
    assert {call_id for call_id, found in records.items() if len(found) > 1} == set()
    for one in delivered:
        if one.status in REFUSED_WITHOUT_RECORD:
            continue
        found = records.get(one.call_id)
        assert found, f"no record of {one}"
        outcome, digest = found[0]
        if one.status != 200:
            assert outcome == one.code
        elif one.mode == "BULK":
            assert outcome == "call.opened"
        else:
            assert (outcome, digest) == ("call.answered", one.digest)
    twice = (
        "SELECT nonce FROM exchange_callrecord WHERE outcome IN ('call.answered', 'call.opened') "
        "GROUP BY credential_id, nonce HAVING count(*) > 1"
    )
    assert stack.rows(twice) == []


def check_bulk(stack: WholeStack, delivered: Iterable[Delivered], kills: list[Kill]) -> None:
    """A delivered bulk answer has one closing record over the very bytes, unless web or PostgreSQL died as it ended."""
    closings: dict[str, list[tuple[str, str]]] = {}
    sql = "SELECT parent_call_id, outcome, encode(answer_digest, 'hex') FROM exchange_callrecord WHERE parent_call_id IS NOT NULL"
    for parent, outcome, digest in stack.rows(sql):
        closings.setdefault(str(parent), []).append((outcome, digest))
    assert Counter(len(found) for found in closings.values()).keys() <= {1}
    for one in delivered:
        if one.mode != "BULK" or one.status != 200:
            continue
        found = closings.get(one.call_id, [])
        if not found:
            assert any(kill.at - 1 < one.at < kill.at + kill.recovered_in for kill in kills), f"never closed: {one}"
            continue
        assert found == [("call.closed", one.digest)]


def check_quota(stack: WholeStack, grant: str, *, quota: int, in_flight: int) -> None:
    """No more than the quota was answered, but for the calls under way whenever Redis lost its memory."""
    sql = """
        SELECT count(*) FROM exchange_callrecord r JOIN exchange_grant g ON g.id = r.grant_id
        WHERE g.uid = %s AND r.outcome IN ('call.answered', 'call.opened')"""
    assert stack.one(sql, [grant]) <= quota + in_flight


def check_runs(stack: WholeStack, plan_id: int) -> None:
    """Every run succeeded, each of its rows accounted for once: in the counts, the batches and the rejected rows."""
    runs = stack.rows(
        """
        SELECT r.state, r.read_count, r.accepted_count, r.changed_count, r.rejected_count, r.expected_count,
            (SELECT row(count(*), max(sequence))::text FROM exchange_aggregationbatch b WHERE b.run_id = r.id),
            (SELECT array[sum(read_count), sum(accepted_count), sum(changed_count), sum(rejected_count)]
             FROM exchange_aggregationbatch b WHERE b.run_id = r.id),
            (SELECT array[count(*), count(DISTINCT source_key)] FROM exchange_rejectedrow x WHERE x.run_id = r.id)
        FROM exchange_aggregationrun r WHERE r.plan_id = %s ORDER BY r.id""",
        [plan_id],
    )
    for state, read, accepted, changed, rejected, expected, numbers, batches, rows in runs:
        assert state == "SUCCEEDED"
        assert read == accepted + rejected == expected
        count, highest = numbers.strip("()").split(",")
        assert count == highest
        assert batches == [read, accepted, changed, rejected]
        kept, keys = rows
        assert kept == keys <= rejected, (kept, keys, rejected)  # a row that was rejected by an earlier run is not kept again


def check_rejects(stack: WholeStack, plan_id: int, source_count: int) -> None:
    """Over all runs every row of the source that is no person is among the rejected; the same state of a row once."""
    sql = """
        SELECT array[count(DISTINCT source_key), count(*) - count(DISTINCT (source_key, rule, raw))]
        FROM exchange_rejectedrow WHERE plan_id = %s"""
    found = stack.one(sql, [plan_id])
    missing = source_count - stack.one("SELECT count(*) FROM basedb_person")
    assert found == [missing, 0], (found, missing)


def check_versions(stack: WholeStack) -> None:
    """Every version of a person of ours has its source record, and no person is there twice."""
    assert stack.one("SELECT count(*) - count(DISTINCT citizen_id) FROM basedb_person") == 0
    sql = """
        SELECT count(*) FROM basedb_person p WHERE p.citizen_id LIKE %s AND p.version <> (
            SELECT count(*) FROM basedb_sourcerecord s JOIN basedb_datasource d ON d.id = s.source_id
            WHERE s.subject_key = p.subject_key AND d.dataset = 'population.person' AND s.received_at = lower(s.known))"""
    assert stack.one(sql, [f"{PREFIX}%"]) == 0


def check_logs(stack: WholeStack) -> None:
    """However things went wrong, nobody's number got into a log."""
    for log in stack.places.log.glob("*.log"):
        assert not re.search(r"(?<!\d)9901\d{13}[\dX]", log.read_text(errors="replace")), log.name
