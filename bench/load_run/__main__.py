"""The load run: `make load MINUTES=10 SEED=1 RATE=120`. A stack of its own comes up, is called and shot at, and is torn down.

Prints what was killed, then the report in Markdown; status 1 when the books do not agree.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.load_run import accounts, books, report
from bench.load_run.killing import Timetable
from ops.places import ROOT
from tests.kills.callers import Caller, Office
from tests.kills.killer import Killer
from tests.kills.whole_stack import WholeStack, wait_until

PROCESSES = 3
OFFICE_RATE = 5.0
LEAD_SECONDS = 5
SEALED_WITHIN = 180.0
PATIENCE_SECONDS = 120.0  # the run goes on when something takes longer than it may; the report says so


def main() -> int:
    """Run, settle, report."""
    minutes, rate = float(os.environ.get("MINUTES") or 10), float(os.environ.get("RATE") or 120)
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    stack = WholeStack("load")
    try:
        stack.up()
        print(f"SEED={seed} MINUTES={minutes:g} RATE={rate:g}", flush=True)
        return _run(stack, minutes, rate, seed)
    finally:
        stack.down()


def _run(stack: WholeStack, minutes: float, rate: float, seed: int) -> int:
    file = stack.places.stack / "scene.json"
    stack.stack.run("-m", "bench.load_run.scene", str(file))
    scene = json.loads(file.read_text())
    until = time.time() + LEAD_SECONDS + minutes * 60
    clients = _clients(stack, seed, rate - OFFICE_RATE, until)
    office = _office(stack, scene)
    timetable = Timetable(stack, Killer(stack, seed, office.answers_since, patience=PATIENCE_SECONDS), seed)
    office.start()
    try:
        wait_until("calls are answered", lambda: office.answers_since(0))
        timetable.keep_to(until - 15)
        failed = [client for client in clients if client.wait(until - time.time() + 60)]
    finally:
        for client in clients:
            client.kill()
        office.send_home()
    entries = [entry for number in range(PROCESSES) for entry in books.read(_book(stack, number))]
    entries += [books.Entry(one.at, 0.0, "probe", one.status, one.code, one.call_id, one.digest) for one in office.delivered]
    wait_until("the stack is well", stack.is_well)
    wait_until("everything is sealed", lambda: _is_sealed(stack), SEALED_WITHIN, pause=1)
    quotas = {grant["grant"]: grant["quota"] for grant in scene["grants"]}
    found = accounts.settle(stack, entries, quotas, timetable.troubled())
    found.wrong += timetable.too_slow()
    found.wrong += [f"a client ended with {client.returncode}" for client in failed]
    evidence = accounts.seals_verify(stack)
    if evidence.startswith("BAD"):
        found.wrong.append(evidence)
    print(report.written(entries, timetable, found, evidence), flush=True)
    return 1 if found.wrong else 0


def _clients(stack: WholeStack, seed: int, rate: float, until: float) -> list[subprocess.Popen[bytes]]:
    place = [str(stack.places.stack / "scene.json"), str(stack.web_address[1])]
    each: Sequence[str] = (str(PROCESSES), str(rate / PROCESSES), str(until))
    return [
        subprocess.Popen(
            [sys.executable, "-m", "bench.load_run.client", *place, str(_book(stack, number)), str(seed), str(number), *each],
            cwd=ROOT,
        )
        for number in range(PROCESSES)
    ]


def _book(stack: WholeStack, number: int) -> Path:
    return stack.places.stack / f"book.{number}.jsonl"


def _office(stack: WholeStack, scene: dict[str, list[dict[str, str]]]) -> Office:
    """Return the caller whose answers say that the platform answers again."""
    busy = next(grant for grant in scene["grants"] if grant["kind"] == "busy")
    caller = Caller(stack.web_address, busy["key"], busy["secret"], "HMAC-SHA256", busy["grant"], "QUERY")
    return Office(caller, [{"key": {"citizen_id": citizen_id}} for citizen_id in scene["people"][:500]], OFFICE_RATE)


def _is_sealed(stack: WholeStack) -> bool:
    """Whether no record of a call waits for its seal."""
    status, told = stack.stack.health()
    figures = json.loads(told)["figures"] if status == 200 else {}
    return bool(figures.get("seal_lag_calls_seconds", 1) == 0)


if __name__ == "__main__":
    sys.exit(main())
