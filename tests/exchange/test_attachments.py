"""Attachments: what is taken, where it lies, who gets it, and what is left when something goes wrong."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from core.models import AuditEntry
from exchange.models import AccessRequest, Attachment
from exchange.requests import remarks
from exchange.requests.access_requests import carry_out
from exchange.requests.attachments import keeping, kinds, shelf
from exchange.requests.attachments.keeping import MOST, Upload, attachments_visible_to, open_one
from exchange.requests.attachments.serving import headers_of
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.workflow import Command
from tests import factories
from tests.exchange import files
from tests.factories import City

NOTE = Upload("说明.txt", "用途说明".encode())


@pytest.fixture(autouse=True)
def upload_dir(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOAD_DIR = tmp_path
    return tmp_path


@pytest.fixture
def draft(city: City) -> AccessRequest:
    return factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"]
    )


def on_disk() -> list[Path]:
    return [path for path in shelf.root().rglob("*") if path.is_file()]


def attach(made: AccessRequest, city: City, now: datetime, *uploads: Upload, who: str = "education_operator") -> list[Attachment]:
    with Shelf() as place:
        return keeping.attach(request_uid=made.uid, uploads=uploads, actor=city.actor(who), now=now, on=place)


@pytest.mark.parametrize(("name", "content", "kind"), files.TAKEN, ids=[name for name, _content, _kind in files.TAKEN])
def test_files_are_known_by_their_content(name: str, content: bytes, kind: str) -> None:
    assert kinds.examine(name, content) == (kind, "")


@pytest.mark.parametrize(("name", "content"), files.REFUSED.values(), ids=files.REFUSED)
def test_what_is_not_a_plain_document_is_refused(name: str, content: bytes) -> None:
    kind, fault = kinds.examine(name, content)
    assert (kind, bool(fault)) == ("", True)


def test_a_file_lies_outside_the_web_root_under_a_random_name(city: City, draft: AccessRequest, now: datetime) -> None:
    (made,) = attach(draft, city, now, NOTE)
    (path,) = on_disk()
    assert (made.sha256, made.size) == (hashlib.sha256(NOTE.content).hexdigest(), len(NOTE.content))
    assert shelf.PLACE.fullmatch(made.place)
    assert (path.read_bytes(), oct(path.stat().st_mode)[-3:]) == (NOTE.content, "600")
    assert AuditEntry.objects.filter(action="attachment.added", department_ids=[city.education.pk]).count() == 1


@pytest.mark.parametrize(
    "upload",
    [
        Upload("a.txt", b"x" * (keeping.LARGEST + 1)),
        Upload("a<b>.txt", b"x"),
        Upload("", b"x"),
        Upload("n" * 120 + ".txt", b"x"),
        Upload("a\u202etxt.exe", b"x"),
        Upload("a.html", b"<html>"),
    ],
    ids=lambda upload: upload.name[:10],
)
def test_a_refused_file_leaves_nothing(city: City, draft: AccessRequest, now: datetime, upload: Upload) -> None:
    with pytest.raises(Invalid) as refusal:
        attach(draft, city, now, NOTE, upload)
    assert "file" in refusal.value.details
    assert (Attachment.objects.count(), on_disk()) == (0, [])


def test_a_path_in_the_name_is_cut_off(city: City, draft: AccessRequest, now: datetime) -> None:
    names = [made.name for made in attach(draft, city, now, Upload("../../etc/a.txt", b"x"), Upload("C:\\temp\\b.txt", b"x"))]
    assert names == ["a.txt", "b.txt"]


def test_a_request_has_ten_files_at_most(city: City, draft: AccessRequest, now: datetime) -> None:
    attach(draft, city, now, *[NOTE] * (MOST - 1))
    with pytest.raises(Invalid):
        attach(draft, city, now, NOTE, NOTE)
    attach(draft, city, now, NOTE)
    with pytest.raises(Invalid):
        attach(draft, city, now, NOTE)
    assert (Attachment.objects.count(), len(on_disk())) == (MOST, MOST)


def test_the_scanner_of_the_installation_is_asked_and_must_answer(
    city: City, draft: AccessRequest, now: datetime, settings: Any
) -> None:
    settings.ATTACHMENT_SCANNER = "tests.exchange.files.find_eicar"
    attach(draft, city, now, NOTE)
    with pytest.raises(Invalid):
        attach(draft, city, now, Upload("a.txt", files.EICAR))
    settings.ATTACHMENT_SCANNER = "tests.exchange.files.fail"
    with pytest.raises(Unavailable):
        attach(draft, city, now, NOTE)
    assert (Attachment.objects.count(), len(on_disk())) == (1, 1)


def test_nothing_is_left_on_disk_when_the_transaction_rolls_back(city: City, draft: AccessRequest, now: datetime) -> None:
    def fail_late() -> None:
        with Shelf() as place, transaction.atomic():
            keeping.attach(request_uid=draft.uid, uploads=[NOTE], actor=city.actor("education_operator"), now=now, on=place)
            assert len(on_disk()) == 1
            raise Unavailable("test.away", "x")

    with pytest.raises(Unavailable):
        fail_late()
    assert (Attachment.objects.count(), on_disk()) == (0, [])


def test_a_drafts_files_are_its_departments_and_go_with_the_request(city: City, draft: AccessRequest, now: datetime) -> None:
    (made,) = attach(draft, city, now, NOTE)
    for who in ("police_operator", "reviewer", "auditor", "market_operator"):
        with pytest.raises(NotFound):
            open_one(attachment_uid=made.uid, actor=city.actor(who), now=now)
    with pytest.raises(NotFound):
        attach(draft, city, now, NOTE, who="reviewer")
    with pytest.raises(Conflict):
        attach(draft, city, now, NOTE, who="education_head")
    carry_out(request_uid=draft.uid, command=Command.SUBMIT, actor=city.actor("education_operator"), now=now)
    with pytest.raises(NotFound):
        open_one(attachment_uid=made.uid, actor=city.actor("police_operator"), now=now)
    carry_out(request_uid=draft.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    _found, content = open_one(attachment_uid=made.uid, actor=city.actor("police_operator"), now=now)
    assert content == NOTE.content
    assert AuditEntry.objects.get(action="attachment.downloaded").actor_name == city.actor("police_operator").name
    for deed in (lambda: attach(draft, city, now, NOTE), lambda: keeping.remove(
        attachment_uid=made.uid, actor=city.actor("education_operator"), now=now
    )):  # fmt: skip
        with pytest.raises(Conflict):
            deed()
    assert (Attachment.objects.count(), len(on_disk())) == (1, 1)


def test_a_file_leaves_as_a_download_under_its_own_name(city: City, draft: AccessRequest, now: datetime) -> None:
    (made,) = attach(draft, city, now, NOTE)
    headers = headers_of(made)
    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/plain", "nosniff")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_file_changed_on_disk_is_not_handed_out(city: City, draft: AccessRequest, now: datetime) -> None:
    (made,) = attach(draft, city, now, NOTE)
    (path,) = on_disk()
    path.write_bytes(b"other")
    with pytest.raises(Unavailable):
        open_one(attachment_uid=made.uid, actor=city.actor("education_operator"), now=now)
    path.unlink()
    with pytest.raises(Unavailable):
        open_one(attachment_uid=made.uid, actor=city.actor("education_operator"), now=now)
    assert not AuditEntry.objects.filter(action="attachment.downloaded").exists()


def test_removing_from_a_draft_takes_the_content_away_after_commit(
    city: City, draft: AccessRequest, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    (made,) = attach(draft, city, now, NOTE)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        keeping.remove(attachment_uid=made.uid, actor=city.actor("education_operator"), now=now)
        assert len(on_disk()) == 1
    assert (len(callbacks), Attachment.objects.count(), on_disk()) == (1, 0, [])


def test_a_redacted_file_keeps_its_name_and_loses_its_content(
    city: City, draft: AccessRequest, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    (made,) = attach(draft, city, now, NOTE)
    carry_out(request_uid=draft.uid, command=Command.SUBMIT, actor=city.actor("education_operator"), now=now)
    with pytest.raises(Forbidden):
        keeping.redact(attachment_uid=made.uid, reason="含个人信息", actor=city.actor("education_operator"), now=now)
    with pytest.raises(Invalid):
        keeping.redact(attachment_uid=made.uid, reason=" ", actor=city.actor("reviewer"), now=now)
    with django_capture_on_commit_callbacks(execute=True):
        keeping.redact(attachment_uid=made.uid, reason="含个人信息", actor=city.actor("reviewer"), now=now)
    assert on_disk() == []
    kept = attachments_visible_to(city.actor("education_operator")).get()
    assert (kept.name, kept.redaction_reason, kept.sha256) == (made.name, "含个人信息", made.sha256)
    with pytest.raises(Conflict):
        open_one(attachment_uid=made.uid, actor=city.actor("education_operator"), now=now)


def test_the_sweep_removes_what_belongs_to_nothing_once_it_is_a_day_old(
    city: City, draft: AccessRequest, now: datetime, upload_dir: Path
) -> None:
    (kept,) = attach(draft, city, now, NOTE)
    orphan = Shelf().put(b"left by a killed process")
    other = upload_dir / "attachments" / "ab" / "notes.txt"
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"not ours")
    assert keeping.sweep(now=now) == 0
    old = (now - timedelta(days=2)).timestamp()
    for path in on_disk():
        os.utime(path, (old, old))
    assert keeping.sweep(now=now) == 1
    assert {path.name for path in on_disk()} == {kept.place[3:], "notes.txt"}
    assert orphan[3:] not in {path.name for path in on_disk()}


def test_a_private_remarks_files_are_for_the_reviewing_sides(city: City, draft: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.filter(pk=draft.pk).update(state="CLEARED", desk="DATA_CENTRE", route="DATA_CENTRE_ALONE")
    with Shelf() as place:
        remarks.add(
            request_uid=draft.uid, text="内部意见", is_private=True, actor=city.actor("reviewer"), now=now, on=place,
            uploads=[NOTE] * MOST,
        )  # fmt: skip
    made = Attachment.objects.first()
    assert made is not None
    for who in ("education_operator", "education_head", "auditor"):
        assert not attachments_visible_to(city.actor(who)).exists()
        with pytest.raises(NotFound):
            open_one(attachment_uid=made.uid, actor=city.actor(who), now=now)
    assert open_one(attachment_uid=made.uid, actor=city.actor("reviewer"), now=now)[1] == NOTE.content
    # The ten private files do not count against the requester, who would learn of them that way.
    with Shelf() as place:
        remarks.add(
            request_uid=draft.uid, text="补充", is_private=False, actor=city.actor("education_operator"), now=now, on=place,
            uploads=[NOTE],
        )  # fmt: skip
    assert attachments_visible_to(city.actor("education_operator")).count() == 1
    told = AuditEntry.objects.filter(department_ids__contains=[city.education.pk], action__startswith="attachment.")
    assert {entry.actor_name for entry in told} == {city.actor("education_operator").name}


def test_remarks_cannot_be_changed_even_by_the_owner(city: City, draft: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.filter(pk=draft.pk).update(state="SUBMITTED", desk="REQUESTER_HEAD")
    with Shelf() as place:
        remarks.add(request_uid=draft.uid, text="x", is_private=False, actor=city.actor("education_head"), now=now, on=place)
    for statement in ("UPDATE exchange_remark SET text = 'y'", "DELETE FROM exchange_remark"):
        with pytest.raises(Exception, match="append"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
