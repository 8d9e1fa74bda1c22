"""`kill -9` of every process at random moments while calls, an aggregation and a backflow are under way.

KILLS_SEED repeats an order of victims and pauses, KILLS_COUNT chooses how many; see README.md.
"""

from __future__ import annotations

import os
import random

from tests.kills import books
from tests.kills.bureau import Bureau
from tests.kills.callers import Caller, Delivered, Office, callers_of
from tests.kills.district import District
from tests.kills.killer import DISTURBS_THE_FLOWS, Killer
from tests.kills.whole_stack import WholeStack, wait_until

COUNT = int(os.environ.get("KILLS_COUNT", "12"))
PEOPLE = 60_000
AGGREGATED_AT_ONCE, HANDED_BACK_AT_ONCE = 500, 500
MOVING = 4_000
SMALL_QUOTA = 200
SETTLED_WITHIN = 90.0


def test_however_often_processes_are_killed_what_is_delivered_is_recorded_and_no_row_is_lost_or_doubled(stack: WholeStack) -> None:
    seed = int(os.environ.get("KILLS_SEED") or random.randrange(10**6))
    print(f"\nKILLS_SEED={seed} KILLS_COUNT={COUNT}", flush=True)
    bureau, district = Bureau(stack, seed), District(stack)
    wait_until("the demo's own work is done", lambda: bureau.is_idle() and district.is_up_to_date(), 90)
    callers = callers_of(stack.demo, stack.web_address)
    set_quotas(stack, callers)
    offices = staff(stack, callers)
    district.set_batch_size(HANDED_BACK_AT_ONCE)
    killer = Killer(stack, seed, offices[0].answers_since)
    for office in offices:
        office.start()
    try:
        work_while_shot_at(killer, bureau, district)
        wait_until("the last run is over", bureau.is_idle, SETTLED_WITHIN)
        district.ask()
        wait_until("the district has everything", district.is_up_to_date, SETTLED_WITHIN)
    finally:
        for office in offices:
            office.send_home()
    delivered = [answer for office in offices for answer in office.delivered]
    calls_agree(stack, callers, delivered, killer)
    rows_agree(stack, bureau, district)
    books.check_logs(stack)


def set_quotas(stack: WholeStack, callers: dict[str, Caller]) -> None:
    """Let the queries never end, and the verifications end in the middle of the killing."""
    for mode, quota in (("QUERY", 1_000_000), ("BULK", 1_000_000), ("VERIFY", SMALL_QUOTA)):
        sql = "UPDATE exchange_grant SET quota_per_day = %s, version = version + 1 WHERE uid = %s"
        assert stack.change(sql, [quota, callers[mode].grant]) == 1


def staff(stack: WholeStack, callers: dict[str, Caller]) -> list[Office]:
    """Put people on the telephone: about forty calls a second in all."""
    people = stack.rows("SELECT citizen_id, name FROM basedb_person ORDER BY id LIMIT 200")
    queries = [{"key": {"citizen_id": citizen_id}} for citizen_id, _ in people]
    of_many = [{"keys": [question["key"] for question in queries[start : start + 40]]} for start in range(0, len(queries), 40)]
    verifications = [{"key": {"citizen_id": citizen_id}, "attributes": {"name": name}} for citizen_id, name in people]
    return [
        *(Office(callers["QUERY"], queries[start:], 12) for start in (0, 70, 140)),
        *(Office(callers["VERIFY"], verifications[start:], 4) for start in (0, 100)),
        Office(callers["QUERY"], of_many, 1),
        Office(callers["BULK"], [{}], 1),
    ]


def work_while_shot_at(killer: Killer, bureau: Bureau, district: District) -> None:
    """Start one big run and kill one process after the other; whenever a run is over people move, and the next one starts."""

    def keep_flowing() -> None:
        if bureau.is_idle():
            bureau.move_some(MOVING)
            bureau.start_run(batch_size=AGGREGATED_AT_ONCE)
        district.ask()

    bureau.enter(PEOPLE)
    rows, before = bureau.count(), len(bureau.runs())
    bureau.start_run(batch_size=AGGREGATED_AT_ONCE, from_the_start=True)
    victims = killer.victims(COUNT)
    for place, victim in enumerate(victims, start=1):
        keep_flowing()
        if victim in DISTURBS_THE_FLOWS:
            progress = bureau.progress() + district.progress()
            wait_until("rows flow", lambda known=progress: bureau.progress() + district.progress() > known)
        killer.wait_a_while()
        killer.shoot(victim)
        forget_the_dead(killer.stack, is_last=place == len(victims))
    assert len(killer.kills) == COUNT
    big = bureau.runs()[before]
    wait_until("the big run is over", lambda: bureau.state_of(big) != "RUNNING", SETTLED_WITHIN)
    assert bureau.read_by(big) == rows


def forget_the_dead(stack: WholeStack, *, is_last: bool) -> None:
    """Let leases run out at once: to wait after each kill would leave little to disturb. A run's last one is waited for."""
    stack.change_surely("UPDATE exchange_backflowsubscription SET lease_until = now() WHERE lease_until > now()")
    if not is_last:
        stack.change_surely("UPDATE exchange_aggregationrun SET lease_until = now() WHERE lease_until > now()")


def calls_agree(stack: WholeStack, callers: dict[str, Caller], delivered: list[Delivered], killer: Killer) -> None:
    """Every answer that was delivered has its record, and the small quota held."""
    assert sum(1 for one in delivered if one.status == 200) > 500
    refusals = {one.code for one in delivered if one.status not in (200, 503)}
    assert {"quota.day_exceeded"} <= refusals <= {"quota.day_exceeded", "auth.before_restart"}
    books.check_answers(stack, delivered)
    books.check_bulk(stack, delivered, killer.kills)
    books.check_quota(stack, callers["VERIFY"].grant, quota=SMALL_QUOTA, in_flight=2)


def rows_agree(stack: WholeStack, bureau: Bureau, district: District) -> None:
    """What the bureau holds is what we hold, and what we hold of the district's people is what the district holds."""
    books.check_runs(stack, bureau.plan_id)
    books.check_rejects(stack, bureau.plan_id, bureau.count())
    books.check_versions(stack)
    assert bureau.arrived() == bureau.wanted()
    district.check(bureau.wanted)
