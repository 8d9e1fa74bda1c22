"""The figure `bulk.csv`: all rows of a grant streamed as CSV, rows a second, against the same COPY through the same pipe.

The platform checks the call, digests what leaves and writes two records; the yardstick only copies. `bulk.csv.masked` is the
same under masks, which both then have in their COPY. Peak memory is that of the largest server process after one answer, at
100,000 and at 1,000,000 rows.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection

from bench import call_query, frame, load

FEWER = 100_000
ROWS = 1_000_000
RECEIVED = 1_048_576
Call = tuple[str, Callable[[], dict[str, str]]]
FILL = """
INSERT INTO basedb_person (subject_key, citizen_id, name, sex, ethnicity, birth_on, person_status, region_code, address, phone,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5(n::text), 'hex'), '99010119800517' || lpad((n %% 10000)::text, 4, '0'), '测试' || n, '1', '01', '1980-05-17', '0',
    '320102', '江苏省南京市玄武区测试路' || n || '号', '13800000000', %s, 1, 1, 1 FROM generate_series(%s, %s) n"""


def run() -> Iterable[dict[str, object]]:
    """Yield the peaks and the two figures."""
    from tests import factories

    police = factories.make_city().police.pk
    calls: dict[str, Call] = {}
    begin = 1
    for rows in (FEWER, ROWS):
        frame.say(f"Filling the table up to {rows:,} rows ...")
        with connection.cursor() as cursor:
            cursor.execute(FILL, [police, begin, rows])
            cursor.execute("VACUUM ANALYZE basedb_person")
        begin = rows + 1
        calls = calls or _granted()
        with load.serving(load.APPLICATION) as port:
            before = _peak(port)
            _take(port, *calls["bulk.csv"], rows)
            yield frame.figure(f"bulk.memory.{rows}", _peak(port), "MB") | {"before": before}
    with contextlib.ExitStack() as servers:
        ports = {
            "bulk": servers.enter_context(load.serving(load.APPLICATION)),
            "copy": servers.enter_context(load.serving("bench.bulk_yardstick:copy")),
        }
        for name, call in calls.items():
            rates = frame.in_turn({kind: partial(_take, port, *call, ROWS) for kind, port in ports.items()}, rounds=5)
            yield frame.figure(name, rates["bulk"], "rows/s", copy=rates["bulk"] / rates["copy"]) | {"rows": ROWS}


def _granted() -> dict[str, Call]:
    """Return figure -> path and signing of a bulk grant on the table: one that copies plainly, one under masks."""
    from catalog.models import Binding
    from core.models import Department, User
    from tests import factories
    from tests.hotpath.partner import make_partner, path_of

    call_query.forget_counters()
    fields = call_query.FIELDS
    resource = factories.make_resource(Department.objects.get(name="市公安局"), grade="L2")
    Binding.objects.filter(resource=resource).update(columns={name: name for name in fields})
    partner = make_partner(Department.objects.get(name="市教育局"))
    user = User.objects.get(username="education_operator")
    calls: dict[str, Call] = {}
    for name, masks in {"bulk.csv": {}, "bulk.csv.masked": {"citizen_id": "CITIZEN_ID", "name": "NAME"}}.items():
        grant = factories.make_grant(resource, partner.system, user, mode="BULK", fields=fields, masks=masks)
        path = path_of(grant, "bulk")
        calls[name] = path, partial(partner.headers, path, b"{}")
    return calls


def _take(port: int, path: str, sign: Callable[[], dict[str, str]], rows: int) -> float:
    """Fetch one whole answer and return its rows a second."""
    for _attempt in range(20):
        started = time.perf_counter()
        head, lines, end = _fetch(port, path, sign())
        if head.startswith(b"HTTP/1.1 200"):
            if lines < rows or not end.endswith(b"0\r\n\r\n"):
                raise RuntimeError(f"{lines} lines of {rows}")
            return rows / (time.perf_counter() - started)
        time.sleep(0.3)  # an empty Redis tells the first caller to wait
    raise RuntimeError(head[:300].decode(errors="replace"))


def _fetch(port: int, path: str, headers: dict[str, str]) -> tuple[bytes, int, bytes]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    asked = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n{lines}\r\n{{}}"
    buffer = bytearray(RECEIVED)
    head, end, count = b"", b"", 0
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
        line.sendall(asked.encode())
        while size := line.recv_into(buffer):
            head = head or bytes(buffer[:size])
            count += buffer.count(b"\n", 0, size)
            end = (end + bytes(buffer[max(0, size - 8) : size]))[-8:]
    return head, count, end


def _peak(port: int) -> float:
    """Return the peak memory of the largest process of the server behind a port, in MB."""
    mark = f"GRANIAN_PORT={port}".encode()
    peaks: list[Any] = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0") and int(place.name) != os.getpid():
                peaks.append(int((place / "status").read_text().split("VmHWM:")[1].split()[0]) / 1024)
    return float(f"{max(peaks):.4g}")
