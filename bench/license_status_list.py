"""The figure `license.status_list`: the states of 2.19 million licenses as a published list: read, compressed, signed, kept.

The yardstick `scan` reads the same states once and adds nothing up but what it touched. `bytes` is the size of the document.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bench import frame, license_rows

ROWS = int(os.environ.get("LICENSE_ROWS", "2190000"))
SCAN = "SELECT count(license_state), count(valid_to), count(withdrawn_at), max(id) FROM basedb_license"


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    from django.conf import settings
    from django.utils import timezone

    from licenses.sealing import keys
    from tests import factories

    frame.say(f"Filling {ROWS:,} licenses ...")
    license_rows.aggregate(factories.make_city().police, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        settings.LICENSE_KEYS_DIR = Path(folder)
        settings.LICENSE_PASSPHRASE_FILE = Path(folder) / "passphrase"
        settings.LICENSE_PASSPHRASE_FILE.write_text("a passphrase for a measurement")
        settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
        now = timezone.now()
        keys.prepare(now=now)
        medians = frame.in_turn({"list": lambda: _published(now), "scan": _scan})
        size, counts = _last()
    ratio = medians["list"] / medians["scan"]
    yield frame.figure("license.status_list", medians["list"], "licenses/s", scan=ratio) | {"bytes": size, "counts": counts}


def _published(now: datetime) -> float:
    from core.audit import PLATFORM
    from licenses.models import ListName, StatusList
    from licenses.status import publishing

    StatusList.objects.all().delete()
    started = time.perf_counter()
    if publishing.publish(name=ListName.AGGREGATED, actor=PLATFORM, now=now) is None:
        raise RuntimeError("no list was published")
    return ROWS / (time.perf_counter() - started)


def _scan() -> float:
    from django.db import connection

    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(SCAN)
        cursor.fetchone()
    return ROWS / (time.perf_counter() - started)


def _last() -> tuple[int, dict[str, int]]:
    from licenses.models import StatusList

    last = StatusList.objects.defer("document").get()
    return last.size, last.counts
