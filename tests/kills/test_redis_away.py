"""Fail closed: without the Redis of nonces and quotas nobody gets data, and everybody does again once it is back."""

from __future__ import annotations

import time

from tests.kills.callers import callers_of
from tests.kills.whole_stack import WholeStack, wait_until


def test_calls_are_refused_with_503_while_redis_is_stopped_and_answered_again_afterwards(stack: WholeStack) -> None:
    caller = callers_of(stack.demo, stack.web_address)["QUERY"]
    question = {"key": {"citizen_id": stack.one("SELECT min(citizen_id) FROM basedb_person")}}
    assert caller.call_once(question).status == 200

    stack.stop("redis-calls")
    stopped_at = time.time()
    try:
        refused = [caller.call_once(question) for _ in range(40)]
        assert {(one.status, one.code) for one in refused} == {(503, "platform.unavailable")}
        assert stack.stack.health()[0] == 503
        answered = "SELECT count(*) FROM exchange_callrecord WHERE outcome = 'call.answered' AND recorded_at > to_timestamp(%s)"
        assert stack.one(answered, [stopped_at]) == 0
        recorded = {
            str(call_id)
            for (call_id,) in stack.rows("SELECT call_id FROM exchange_callrecord WHERE outcome = 'platform.unavailable'")
        }
        assert {one.call_id for one in refused} <= recorded
    finally:
        stack.start("redis-calls")
    wait_until("a call is answered again", lambda: caller.call_once(question).status == 200)
    wait_until("the stack is well", stack.is_well)


def test_calls_are_answered_while_the_broker_is_stopped(stack: WholeStack) -> None:
    caller = callers_of(stack.demo, stack.web_address)["QUERY"]
    question = {"key": {"citizen_id": stack.one("SELECT min(citizen_id) FROM basedb_person")}}
    stack.stop("redis-broker")
    try:
        assert {caller.call_once(question).status for _ in range(10)} == {200}
    finally:
        stack.start("redis-broker")
    wait_until("the stack is well", stack.is_well)
