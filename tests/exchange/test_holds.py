"""Legal holds: who places and releases them, what they cover, and what waits for them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry
from exchange.bulk_jobs import files, jobs
from exchange.care import holds
from exchange.care.holds import Scope
from exchange.models import Attachment, BulkJob, Grant, HoldScope, LegalHold
from exchange.requests.attachments import keeping
from tests import factories
from tests.factories import City

ALL = Scope(HoldScope.ALL)


def place(city: City, scope: Scope, now: datetime, **values: Any) -> LegalHold:
    given: dict[str, Any] = {"case_number": "（2026）苏01行初1号", "reason": "行政诉讼取证", "scope": scope} | values
    return holds.place(actor=city.actor("auditor"), now=now, **given)


def granted(city: City, **values: Any) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"], **values
    )


@pytest.mark.parametrize("person", ["education_operator", "police_head", "reviewer", "system_admin"])
def test_only_overseers_place_a_hold(person: str, city: City, now: datetime) -> None:
    with pytest.raises(Forbidden):
        holds.place(case_number="1", reason="取证", scope=ALL, actor=city.actor(person), now=now)
    assert not LegalHold.objects.exists()
    assert not holds.is_held()


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (Scope(HoldScope.GRANT), "grant"),
        (Scope(HoldScope.REQUEST), "access_request"),
        (Scope(HoldScope.SUBJECT), "subject"),
        (Scope(HoldScope.PERIOD, first_day=date(2026, 2, 2), last_day=date(2026, 2, 1)), "last_day"),
    ],
)
def test_a_hold_without_what_it_keeps_is_refused(scope: Scope, field: str, city: City, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        place(city, scope, now)
    assert set(refusal.value.details) == {field}
    assert not LegalHold.objects.exists()


def test_what_a_hold_covers(city: City, now: datetime) -> None:
    grant, other = granted(city), granted(city)
    place(city, Scope(HoldScope.GRANT, grant=grant.uid), now)
    assert holds.is_held(grant_id=grant.pk)
    assert holds.is_held(access_request_id=grant.access_request_id)
    assert not holds.is_held(grant_id=other.pk, access_request_id=other.access_request_id, at=now)
    place(city, Scope(HoldScope.REQUEST, access_request=other.access_request.uid), now)
    assert holds.is_held(grant_id=other.pk)
    place(city, Scope(HoldScope.SUBJECT, subject_key=b"k" * 16), now)
    assert holds.is_held(subject_keys=[b"k" * 16])
    assert not holds.is_held(subject_keys=[b"o" * 16])


def test_a_period_holds_its_days_in_shanghai(city: City, now: datetime) -> None:
    place(city, Scope(HoldScope.PERIOD, first_day=date(2026, 3, 1), last_day=date(2026, 3, 31)), now)
    first, last = datetime(2026, 3, 1, tzinfo=now.tzinfo), datetime(2026, 3, 31, 23, 59, 59, tzinfo=now.tzinfo)
    assert holds.is_held(at=first)
    assert holds.is_held(at=last)
    assert not holds.is_held(at=first - timedelta(seconds=1))
    assert not holds.is_held(at=last + timedelta(seconds=1))
    assert holds.covers(first - timedelta(days=28), first + timedelta(seconds=1))
    assert not holds.covers(first - timedelta(days=28), first)
    assert not holds.covers(last + timedelta(seconds=1), last + timedelta(days=30))


def test_a_period_without_end_holds_whatever_comes(city: City, now: datetime) -> None:
    place(city, Scope(HoldScope.PERIOD, first_day=now.date(), last_day=date.max), now)
    assert holds.covers(now + timedelta(days=3000), now + timedelta(days=3030))
    assert not holds.covers(now - timedelta(days=60), now - timedelta(days=30))


def test_subjects_and_everything_hold_every_time(city: City, now: datetime) -> None:
    long_ago = now - timedelta(days=3000)
    assert not holds.covers(long_ago, long_ago + timedelta(days=30))
    place(city, Scope(HoldScope.SUBJECT, subject_key=b"k" * 16), now)
    assert holds.covers(long_ago, long_ago + timedelta(days=30))


def test_another_overseer_releases_it_with_a_reason(city: City, now: datetime) -> None:
    hold = place(city, ALL, now)
    with pytest.raises(Forbidden) as refusal:
        holds.release(hold_uid=hold.uid, reason="结案", actor=city.actor("auditor"), now=now)
    assert refusal.value.code == "hold.four_eyes"
    with pytest.raises(Invalid):
        holds.release(hold_uid=hold.uid, reason=" ", actor=city.actor("security_admin"), now=now)
    assert holds.is_held()
    holds.release(hold_uid=hold.uid, reason="结案", actor=city.actor("security_admin"), now=now)
    assert not holds.is_held()
    with pytest.raises(Conflict):
        holds.release(hold_uid=hold.uid, reason="结案", actor=city.actor("security_admin"), now=now)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["legal_hold.placed", "legal_hold.released"]


def test_files_of_a_copy_stay_while_held_and_go_afterwards(city: City, now: datetime, tmp_path: Path, settings: Any,
    django_capture_on_commit_callbacks: Any) -> None:  # fmt: skip
    settings.BULK_DIR = tmp_path
    grant = granted(city, mode="BULK")
    job = BulkJob.objects.create(
        grant=grant, credential_id=1, opened_call_id=grant.uid, grant_version=1, terms_digest=b"d" * 32, fields=["name"],
        format="csv", rows_a_part=1, expected_count=1, opened_at=now - timedelta(days=9), expires_at=now, state="READY",
    )  # fmt: skip
    folder = files.make_folder(job.uid)
    hold = place(city, Scope(HoldScope.GRANT, grant=grant.uid), now)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs.expire_due(now=now) == 1
    assert folder.exists()
    assert BulkJob.objects.get().state == "EXPIRED"
    holds.release(hold_uid=hold.uid, reason="结案", actor=city.actor("security_admin"), now=now)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.expire_due(now=now)
    assert not folder.exists()


def test_an_attachment_is_not_redacted_while_held(city: City, now: datetime) -> None:
    grant = granted(city)
    attachment = Attachment.objects.create(
        access_request=grant.access_request, name="函.pdf", kind="pdf", size=1, sha256="0" * 64, place="x",
        uploaded_by=city.people["education_operator"], uploaded_by_name="经办", uploaded_at=now,
    )  # fmt: skip
    place(city, Scope(HoldScope.REQUEST, access_request=grant.access_request.uid), now)
    with pytest.raises(Conflict) as refusal:
        keeping.redact(attachment_uid=attachment.uid, reason="误传", actor=city.actor("reviewer"), now=now)
    assert refusal.value.code == "hold.held"
    attachment.refresh_from_db()
    assert attachment.redacted_at is None
