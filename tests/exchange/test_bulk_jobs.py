"""Copies in parts: digests, resuming, the grant asked again at each part, expiry, the receiver's mark, a killed worker."""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from basedb.parts import MARK
from core.errors import NotFound
from exchange.bulk_jobs import files, jobs, writing
from exchange.models import BulkFetch, BulkJob, BulkPart, Grant, JobState
from tests.exchange.killing import finish, kill_when
from tests.hotpath.jobs import ask, order, part, show
from tests.hotpath.partner import make_partner, path_of, send
from tests.hotpath.records import records_of
from tests.hotpath.scene import Scene, db, scene, web_role
from tests.hotpath.server import Exchange, exchange

__all__ = ["db", "exchange", "scene", "web_role"]

MANY = 20_000


@pytest.fixture(scope="module")
def crowd(scene: Scene) -> int:
    """Many rows of nobody, with what a table sheet would take for a formula."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO basedb_person (subject_key, citizen_id, name, sex, birth_on, person_status, region_code, address,
                   source_department_id, source_record_id, run_id, version)
               SELECT decode(md5(n::text), 'hex'), '990101' || n, '=1+' || n, '1', '1980-05-17', '0', '320102',
                   '路,"' || n || '"' || chr(10) || '号', %s, 1, 1, 1 FROM generate_series(1, %s) n""",
            [scene.city.police.id, MANY],
        )
    return MANY + len(scene.people)


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of these tests stand in a folder of their own, for killed workers and servers, too."""
    place = tmp_path_factory.mktemp("bulk")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settings, "BULK_DIR", place)
        patched.setenv("BULK_DIR", str(place))
        patched.setattr(settings, "BULK_FREE_BYTES", 0)
        yield place


def granted(scene: Scene, **values: Any) -> Grant:
    return scene.grant(**{"mode": "BULK", "fields": ["name", "address"], "masks": {}} | values)


def opened(scene: Scene, grant: Grant, *, rows_a_part: int = 6_000, **body: Any) -> str:
    reply = order(scene.partner, grant, **body)
    assert reply.status == 202, reply.body
    job = str(reply.json["job"])
    if body.get("format") != "xlsx":
        BulkJob.objects.filter(uid=job).update(rows_a_part=rows_a_part)
    return job


def write(job: str, clock: Callable[[], datetime] = timezone.now) -> BulkJob:
    row = BulkJob.objects.get(uid=job)
    writing.work(job_uid=row.uid, clock=clock)
    row.refresh_from_db()
    return row


def test_parts_hold_every_row_once_and_are_what_the_manifest_says(scene: Scene, crowd: int, folder: Path) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    assert write(job).state == JobState.READY
    told = show(scene.partner, grant, job).json
    assert (told["state"], told["rows"], told["expected_rows"], len(told["parts"])) == ("READY", crowd, crowd, 4)
    assert told["receiver"] == f"{scene.partner.system.department.name} {scene.partner.system.name}"
    addresses = []
    for line in told["parts"]:
        reply = part(scene.partner, grant, job, line["number"])
        assert (reply.status, len(reply.body)) == (200, line["bytes"])
        assert hashlib.sha256(reply.body).hexdigest() == line["sha256"]
        assert hashlib.new("sm3", reply.body).hexdigest() == line["sm3"]
        rows = list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))
        assert rows[0].keys() == {"name", "address", MARK}
        assert {row[MARK] for row in rows} == {line["mark"]}
        assert len(rows) == line["rows"]
        addresses += [row["address"] for row in rows]
    assert len(addresses) == crowd
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(address, '') FROM basedb_person ORDER BY subject_key")
        assert addresses == [row[0] for row in cursor.fetchall()]
    assert {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*.csv")} == {"0o600"}
    assert oct((folder / job).stat().st_mode & 0o777) == "0o700"


def test_broken_transfer_resumes_by_range_to_the_byte(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    write(job)
    whole = part(scene.partner, grant, job, 1)
    size, etag = len(whole.body), whole.headers["ETag"]
    head = part(scene.partner, grant, job, 1, Range="bytes=0-9999")
    assert (head.status, head.headers["Content-Range"]) == (206, f"bytes 0-9999/{size}")
    rest = part(scene.partner, grant, job, 1, Range="bytes=10000-", If_Range=etag)
    assert (rest.status, head.body + rest.body) == (206, whole.body)
    assert part(scene.partner, grant, job, 1, Range="bytes=-5").body == whole.body[-5:]
    assert part(scene.partner, grant, job, 1, Range="bytes=10000-", If_Range='"another"').status == 200
    outside = part(scene.partner, grant, job, 1, Range=f"bytes={size}-")
    assert (outside.status, outside.code) == (416, "job.range_not_satisfiable")
    spans = [(fetch.first_byte, fetch.byte_count) for fetch in BulkFetch.objects.filter(part__job__uid=job).order_by("id")]
    assert spans == [(0, size), (0, 10_000), (10_000, size - 10_000), (size - 5, 5), (0, size)]


def test_every_part_handed_over_is_recorded_before_and_after(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    write(job)
    reply = part(scene.partner, grant, job, 4)
    *ordered, first, last = records_of(grant)
    assert [record.outcome for record in ordered] == ["call.opened", "call.closed"]
    assert (first.outcome, last.outcome, last.parent_call_id) == ("call.opened", "call.closed", first.call_id)
    assert last.row_count == BulkPart.objects.get(job__uid=job, number=4).row_count
    assert bytes(last.answer_digest) == hashlib.sha256(reply.body).digest()
    assert BulkFetch.objects.get(part__job__uid=job).call_id == first.call_id


def test_grant_revoked_midway_stops_writing_within_one_part(scene: Scene, crowd: int, folder: Path) -> None:
    grant = granted(scene)
    job = opened(scene, grant, rows_a_part=2_000)

    def clock() -> datetime:
        if BulkPart.objects.filter(job__uid=job).count() == 2:
            Grant.objects.filter(pk=grant.pk, state="ACTIVE").update(state="REVOKED", version=2)
        return timezone.now()

    row = write(job, clock)
    assert (row.state, row.reason) == (JobState.STOPPED, "grant.revoked")
    assert row.part_count <= 3
    assert not (folder / job).exists()


def test_grant_revoked_midway_stops_handing_over_within_one_part(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    write(job)
    assert part(scene.partner, grant, job, 1).status == 200
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    reply = part(scene.partner, grant, job, 2)
    assert (reply.status, reply.code) == (403, "grant.revoked")
    assert BulkFetch.objects.filter(part__job__uid=job).count() == 1


def test_terms_that_changed_end_the_job_whatever_else_they_allow(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    write(job)
    Grant.objects.filter(pk=grant.pk).update(masks={"name": "NAME"}, version=2)
    reply = part(scene.partner, grant, job, 1)
    assert (reply.status, reply.code) == (410, "job.terms_changed")
    Grant.objects.filter(pk=grant.pk).update(masks={}, version=3)
    other = opened(scene, grant)
    Grant.objects.filter(pk=grant.pk).update(fields=["name"], version=4)
    assert (write(other).state, BulkJob.objects.get(uid=other).reason) == (JobState.STOPPED, "job.terms_changed")


def test_files_are_removed_when_their_time_is_over(scene: Scene, crowd: int, folder: Path) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    row = write(job)
    assert row.expires_at - row.finished_at == timedelta(hours=settings.BULK_KEPT_HOURS)
    jobs.expire_due(now=row.expires_at - timedelta(seconds=1))
    assert (folder / job).exists()
    jobs.expire_due(now=row.expires_at)
    assert not (folder / job).exists()
    assert show(scene.partner, grant, job).json["state"] == "EXPIRED"
    reply = part(scene.partner, grant, job, 1)
    assert (reply.status, reply.code) == (410, "job.gone")


def test_killed_workers_leave_the_same_files_as_an_undisturbed_one(scene: Scene, crowd: int, folder: Path) -> None:
    grant = granted(scene)
    calm = opened(scene, grant, rows_a_part=500)
    write(calm)
    job = opened(scene, grant, rows_a_part=500)
    code = f"from exchange.bulk_jobs import writing; writing.work(job_uid='{job}', clock=timezone.now)"
    killed = 0
    for count in (3, 11, 23):
        killed += kill_when(code, lambda count=count: BulkPart.objects.filter(job__uid=job).count() >= count, 0.02)  # type: ignore[misc]
        BulkJob.objects.filter(uid=job).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert killed >= 2
    (folder / job / "000001.0.partial").write_bytes(b"half")
    finish(code)
    rows = [list(BulkPart.objects.filter(job__uid=uid).values_list("number", "row_count", "byte_count")) for uid in (calm, job)]
    assert rows[0] == rows[1]
    for number, _, _ in rows[0]:
        marks = [BulkPart.objects.get(job__uid=uid, number=number).mark.encode() for uid in (calm, job)]
        first, second = (files.path_of(uid, number, "csv").read_bytes() for uid in (calm, job))  # type: ignore[arg-type]
        assert first.replace(*marks) == second
    assert {path.suffix for path in (folder / job).iterdir()} == {".csv"}


def test_json_lines_hold_what_the_table_holds(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant, format="jsonl", fields=["address"])
    assert write(job).state == JobState.READY
    lines = b"".join(part(scene.partner, grant, job, number).body for number in range(1, 5)).decode().split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    assert len(rows) == crowd
    assert rows[0].keys() == {"address", MARK}
    assert sum(row["address"] is None for row in rows) == 1


def test_excel_takes_nothing_for_a_formula_and_names_the_receiver(scene: Scene, crowd: int, tmp_path: Path) -> None:
    grant = granted(scene)
    job = opened(scene, grant, format="xlsx")
    assert write(job).state == JobState.READY
    reply = part(scene.partner, grant, job, 1)
    book = openpyxl.load_workbook(io.BytesIO(reply.body))
    sheet = book.active
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert sheet.max_row == crowd + 1
    assert scene.partner.system.name in book.properties.creator
    assert book.properties.description == BulkPart.objects.get(job__uid=job).mark


def test_sheet_too_long_for_excel_is_refused_with_advice(scene: Scene, crowd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "EXCEL_ROWS", crowd - 1)
    reply = order(scene.partner, granted(scene), format="xlsx")
    assert (reply.status, reply.code, reply.json["details"]) == (422, "job.too_many_rows", {"format": "use_csv_or_jsonl"})


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_mark_in_a_file_leads_to_its_receiver(
    scene: Scene, crowd: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    grant = granted(scene)
    job = opened(scene, grant, format=form)
    write(job)
    body = part(scene.partner, grant, job, 1).body
    found = tmp_path / f"found.{form}"
    found.write_bytes(body if form == "xlsx" else b"\n".join(body.split(b"\n")[7:9]))  # a few lines are enough
    call_command("trace_watermark", str(found))
    said = capsys.readouterr().out
    assert job in said
    assert scene.partner.system.name in said


def test_one_job_at_a_time_and_an_order_sent_twice_is_one(scene: Scene, crowd: int, folder: Path) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    assert opened(scene, grant) == job
    reply = order(scene.partner, grant, fields=["name"])
    assert (reply.status, reply.code) == (409, "job.running")
    assert part(scene.partner, grant, job, 1).code == "job.not_ready"
    cancelled = ask(scene.partner, "DELETE", path_of(grant, f"jobs/{job}"))
    assert (cancelled.status, cancelled.json["state"]) == (200, "CANCELLED")
    assert write(job).state == JobState.CANCELLED
    assert part(scene.partner, grant, job, 1).code == "job.gone"
    assert opened(scene, grant, fields=["name"]) != job


def test_thread_whose_connection_was_lost_answers_about_jobs_again(
    scene: Scene, crowd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)  # as on a server: connections are kept
    grant = granted(scene)
    job = opened(scene, grant)
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            own = cursor.fetchone()[0]
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [own])
        other.close()
        with pytest.raises(OperationalError):
            connection.cursor().execute("SELECT 1")
        assert show(scene.partner, grant, job).status == 200


def test_jobs_of_others_are_not_found(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    other = granted(scene)
    assert show(scene.partner, other, job).code == "job.not_found"
    stranger = make_partner(scene.city.market)
    assert show(stranger, grant, job).code == "grant.not_found"
    assert ask(stranger, "DELETE", path_of(grant, f"jobs/{job}")).code == "grant.not_found"
    with pytest.raises(NotFound):
        jobs.cancel(job_uid=BulkJob.objects.get(uid=job).uid, actor=scene.city.actor("market_operator"), now=timezone.now())
    assert BulkJob.objects.get(uid=job).state == JobState.QUEUED


def test_signature_is_good_for_its_method_alone(scene: Scene, crowd: int) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    path = path_of(grant, f"jobs/{job}")
    signed_for_post = scene.partner.headers(path, b"")
    assert send(path, signed_for_post, b"", method="DELETE").code == "auth.bad_signature"
    assert send(path, signed_for_post, b"", method="PUT").status == 405
    assert send(f"{path}/parts/0", signed_for_post, b"", method="GET").status == 404


def test_real_server_hands_over_ranges(scene: Scene, crowd: int, exchange: Exchange) -> None:
    grant = granted(scene)
    job = opened(scene, grant)
    write(job)
    asking = http.client.HTTPConnection("127.0.0.1", exchange.port, timeout=30)
    path = path_of(grant, f"jobs/{job}/parts/2")
    bodies = []
    for wanted in ("bytes=0-4095", "bytes=4096-"):
        until = time.monotonic() + 10
        while True:  # an empty Redis tells the first caller to wait
            asking.request("GET", path, headers=_signed(scene, "GET", path) | {"Range": wanted})
            answer = asking.getresponse()
            body = answer.read()
            if answer.status == 206 or time.monotonic() > until:
                break
            time.sleep(0.2)
        assert answer.status == 206, body
        bodies.append(body)
    assert b"".join(bodies) == files.path_of(BulkJob.objects.get(uid=job).uid, 2, "csv").read_bytes()
    until = time.monotonic() + 5
    while records_of(grant)[-1].outcome != "call.closed" and time.monotonic() < until:
        time.sleep(0.05)
    assert [record.outcome for record in records_of(grant)][-1] == "call.closed"


def _signed(scene: Scene, method: str, path: str) -> dict[str, str]:
    headers = scene.partner.headers(path, b"")
    text = "\n".join([method, path, headers["X-Gov-Timestamp"], headers["X-Gov-Nonce"], headers["X-Gov-Digest"]])
    return headers | {"X-Gov-Signature": scene.partner.sign(text)}
