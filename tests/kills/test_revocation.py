"""A revoked grant is refused by every web process within five seconds (in fact: by the very next statement)."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

from tests.kills.callers import Delivered, callers_of
from tests.kills.whole_stack import WholeStack

REVOKE = """
import django; django.setup()
import sys
from django.utils import timezone
from core.accounts import actor_of
from core.models import User
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
reviewer = actor_of(User.objects.select_related("department").get(username="reviewer"))
grants.change_state(grant_uid=sys.argv[1], command=GrantCommand.REVOKE, reason="使用已经结束", actor=reviewer, now=timezone.now())
"""


def cpu_ticks(pid: int) -> int:
    """Return how much a process has worked so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_revoked_grant_is_refused_by_every_web_process_within_five_seconds(stack: WholeStack) -> None:
    caller = callers_of(stack.demo, stack.web_address)["VERIFY"]
    people = stack.rows("SELECT citizen_id, name FROM basedb_person ORDER BY id LIMIT 500")  # not too often about one of them
    questions = itertools.cycle([{"key": {"citizen_id": key}, "attributes": {"name": name}} for key, name in people])
    stack.change("UPDATE exchange_grant SET quota_per_day = 1000000, version = version + 1 WHERE uid = %s", [caller.grant])
    answers: list[tuple[float, Delivered]] = []
    done = threading.Event()

    def keep_calling() -> None:
        while not done.wait(0.02):
            asked_at = time.time()
            answers.append((asked_at, caller.call_once(next(questions))))

    threads = [threading.Thread(target=keep_calling) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    worked = {pid: cpu_ticks(pid) for pid in stack.children("web")}
    stack.stack.run("-c", REVOKE, caller.grant, role="web")
    revoked_at = time.time()
    time.sleep(6)
    done.set()
    for thread in threads:
        thread.join()
    assert sum(1 for _, one in answers if one.status == 200) > 20
    assert max(one.at for _, one in answers if one.status == 200) < revoked_at + 5
    assert len(worked) >= 2
    assert all(cpu_ticks(pid) > before for pid, before in worked.items()), "a web process got no calls"
    late = [one for asked_at, one in answers if asked_at > revoked_at + 5]
    assert len(late) > 20
    assert {(one.status, one.code) for one in late} == {(403, "grant.revoked")}
