"""`license.issue_batch`: licenses a second issued from a checked batch, without files, against a COPY of what that left.

The yardstick `copy` puts the same licenses, holders, events and audit entries back into the same tables, equally indexed, out of
files prepared beforehand. Issuing also asks the base for every holder, numbers, digests and tells every row. Signatures come later.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench import frame

NAME: Final = "license.issue_batch"
ROWS: Final = int(os.environ.get("BENCH_ROWS") or 20_000)
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS") or 3)
TABLES: Final = ("licenses_license", "licenses_licenseholder", "licenses_licenseevent", "core_auditentry")
TYPE_CODE: Final = "11100000000013338W999"
RULEBOOK: Final = [
    {"name": "trade", "title": "工种", "required": True},
    {"name": "place", "title": "地址", "length": 200},
]


def run() -> Iterable[dict[str, object]]:
    """Yield the figure."""
    frame.say(f"Making a batch of {ROWS:,} licenses ...")
    batch = prepared()
    course = Course(batch)
    course.issue_rate()
    course.prepare_copy()
    medians = frame.in_turn({"issue": course.issue_rate, "copy": course.copy_rate}, rounds=ROUNDS)
    course.clear()
    yield frame.figure(NAME, medians["issue"], "licenses/s", copy=medians["issue"] / medians["copy"]) | {"rows": ROWS}


def prepared() -> Any:
    """Return a batch all of whose rows are about people of the base."""
    from django.db.backends.postgresql.psycopg_any import DateRange

    from basedb.identifiers import generate_citizen_id, generate_uscc
    from basedb.models import Person
    from core.models import Department, Region, User
    from licenses import subject_keys
    from licenses.issuing import batches
    from licenses.models import BatchSource, BatchState, TypeVersion

    region, _made = Region.objects.get_or_create(code="3201", defaults={"name": "南京市", "level": "CITY"})
    code = generate_uscc(990_001, region="320100", kind="11")
    office, _made = Department.objects.get_or_create(
        code=code, defaults={"name": "市证照局", "short_name": "证照局", "region": region}
    )
    signer, _made = User.objects.get_or_create(username="bench_signer", defaults={"display_name": "签发人", "department": office})
    version = TypeVersion.objects.create(
        code=TYPE_CODE, name="试验证", defining_body="试验部", defining_body_code=TYPE_CODE[:18], department=office,
        holder_kind="PERSON", validity_kind="UNLIMITED", rulebook=RULEBOOK, state="PUBLISHED",
        effective=DateRange(date(2020, 1, 1), None),
    )  # fmt: skip
    codes = [generate_citizen_id("990101", date(1930, 1, 1) + timedelta(days=n // 1000), n % 1000) for n in range(ROWS)]
    common = {"sex": "1", "birth_on": date(1980, 1, 1), "person_status": "0", "region_code": "320102"}
    Person.objects.bulk_create(
        (
            Person(
                citizen_id=one, name=f"王{one[-6:]}", subject_key=subject_keys.subject_key(one), source_department=office,
                source_record_id=n, run_id=1, **common,
            )
            for n, one in enumerate(codes)
        ),
        batch_size=5_000,
    )  # fmt: skip
    now = datetime.now(tz=UTC)
    batch = batches.open_batch(version, office, source=BatchSource.PAGE, now=now, made_by_name="经办人")
    batches.keep_rows(batch, (_row(n, one) for n, one in enumerate(codes)))
    batch.state, batch.decided_by, batch.row_count, batch.good_count = BatchState.ISSUING, signer, ROWS, ROWS
    batch.save()
    return batch


def _row(number: int, code: str) -> dict[str, Any]:
    holder = {"name": f"王{code[-6:]}", "code": code, "code_type": "111"}
    face = {"trade": "电工", "place": f"南京市玄武区太平北路 {number} 号"}
    return {"number": f"SY{number:010d}", "holders": [holder], "region_code": "320102", "face": face, "valid_from": "2026-01-01"}


class Course:
    """The same batch issued as often as wanted."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch
        self.folder = Path(os.environ["RUN_DIR"]) / "bench-copies"

    def empty(self) -> None:
        """Take away what was issued and let the batch begin anew."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            cursor.execute("UPDATE licenses_issuingrow SET state = 'GOOD', license_id = NULL WHERE batch_id = %s", [self.batch.pk])
            cursor.execute("VACUUM (ANALYZE) licenses_issuingrow, licenses_license, licenses_licenseholder, basedb_person")
        type(self.batch).objects.filter(pk=self.batch.pk).update(
            state="ISSUING", issued_count=0, good_count=ROWS, refused_count=0, lease_token=None, lease_until=None
        )

    def issue_rate(self) -> float:
        """Empty, issue and return licenses a second."""
        from licenses.issuing import batch_work

        self.empty()
        started = time.perf_counter()
        batch_work.work(batch_uid=self.batch.uid, clock=lambda: datetime.now(tz=UTC))
        seconds = time.perf_counter() - started
        self.batch.refresh_from_db()
        if self.batch.issued_count != ROWS:
            raise RuntimeError(f"only {self.batch.issued_count} of {ROWS} licenses were issued")
        return ROWS / seconds

    def prepare_copy(self) -> None:
        """Write what the last run left in each table to files, as COPY wants it."""
        from django.db import connection

        self.folder.mkdir(parents=True, exist_ok=True)
        with connection.cursor() as cursor:
            for table in TABLES:
                with (self.folder / table).open("wb") as file:
                    cursor.copy_expert(f"COPY {table} TO STDOUT", file)

    def copy_rate(self) -> float:
        """Empty the tables and fill them from the files; return licenses a second."""
        from django.db import connection, transaction

        self.empty()
        started = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in TABLES:
                with (self.folder / table).open("rb") as file:
                    cursor.copy_expert(f"COPY {table} FROM STDIN", file, 256 * 1024)
        return ROWS / (time.perf_counter() - started)

    def clear(self) -> None:
        """Remove the files."""
        for path in self.folder.glob("*"):
            path.unlink()
