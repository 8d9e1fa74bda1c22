"""Policy: what is copied in bulk is counted, digested and traceable to its receiver, and stops with its grant."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from exchange.bulk_jobs import writing
from exchange.bulk_jobs.marks import marks_in
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state
from exchange.models import BulkJob, BulkPart
from tests.hotpath.jobs import order, part, show
from tests.hotpath.partner import make_person
from tests.hotpath.records import records_of
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]


def test_consumer_copies_in_parts_and_resumes(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BULK_DIR", tmp_path / "bulk")
    monkeypatch.setattr(settings, "BULK_ROWS_A_PART", 10)
    monkeypatch.setattr(settings, "BULK_FREE_BYTES", 0)
    for number in range(23):
        make_person(scene.city.police, 201 + 2 * number)
    grant = scene.grant(mode="BULK", fields=["name", "sex"])

    ordered: dict[str, Any] = order(scene.partner, grant).json
    assert (ordered["state"], ordered["expected_rows"]) == ("QUEUED", 25)
    writing.work(job_uid=BulkJob.objects.get(uid=ordered["job"]).uid, clock=timezone.now)
    told = show(scene.partner, grant, ordered["job"]).json
    assert (told["state"], [line["rows"] for line in told["parts"]]) == ("READY", [10, 10, 5])

    copy = tmp_path / "copy.csv"
    first = part(scene.partner, grant, told["job"], 1, Range="bytes=0-99")  # the line broke
    rest = part(scene.partner, grant, told["job"], 1, Range=f"bytes={len(first.body)}-", If_Range=first.headers["ETag"])
    copy.write_bytes(first.body + rest.body)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == told["parts"][0]["sha256"]

    reviewer, now = scene.city.actor("reviewer"), timezone.now()
    change_state(grant_uid=grant.uid, command=GrantCommand.SUSPEND, reason="超出用途", actor=reviewer, now=now)
    assert part(scene.partner, grant, told["job"], 2).code == "grant.suspended"
    assert [record.row_count for record in records_of(grant) if record.outcome == "call.closed"] == [0, 0, 10, 10]

    [mark] = marks_in(copy)
    assert BulkPart.objects.get(mark=mark).job.grant == grant
