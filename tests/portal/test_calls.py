"""The call log's pages: a filter that is wrong shows nothing, and counted attempts are seen by those who watch."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from exchange.models import CallRecord, RejectedAttempt
from tests.factories import City
from tests.hotpath.partner import make_partner
from tests.portal.test_requests import as_


def make_attempts(key: str, minute: datetime, code: str = "auth.unknown_key", count: int = 1) -> RejectedAttempt:
    digest = hashlib.sha256(key.encode()).digest()[:8]
    return RejectedAttempt.objects.create(minute=minute, code=code, key_digest=digest, client_ip="192.0.2.7", count=count)


def test_a_wrong_filter_shows_its_error_and_no_rows(client: Client, city: City, now: datetime) -> None:
    CallRecord.objects.create(
        requested_at=now, consumer_id=1, call_id="00000000-0000-7000-8000-000000000001", credential_id=1, mode="QUERY",
        outcome="auth.credential_revoked", department_id=city.education.pk,
    )  # fmt: skip
    as_(client, city, "reviewer")
    url = reverse("portal:call-list")
    assert len(client.get(url).context["lines"]) == 1
    for wrong, field in (({"call": "x"}, "call"), ({"day_from": "2026-13-01"}, "day_from"), ({"outcome": "maybe"}, "outcome")):
        page = client.get(url, wrong)
        assert page.status_code == 422
        assert page.context["lines"] == []
        assert page.context["form"].errors[field][0] in page.content.decode()
        assert "00000000-0000-7000-8000-000000000001" not in page.content.decode()


def test_counted_attempts_say_minute_reason_count_address_and_whose_key(client: Client, city: City, now: datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    partner = make_partner(city.education)
    make_attempts("nobody", minute)
    make_attempts(partner.key, minute - timedelta(minutes=1), "call.replayed", 4321)
    text = as_(client, city, "security_admin").get(reverse("portal:call-attempts")).content.decode()
    for shown in ("4321", "192.0.2.7", "auth.unknown_key", "call.replayed", f"{minute:%Y-%m-%d %H:%M}", partner.system.name):
        assert shown in text
    assert partner.key not in text


def test_counted_attempts_are_paged(client: Client, city: City, now: datetime) -> None:
    RejectedAttempt.objects.all().delete()  # a count of an earlier test may have been flushed late
    minute = now.replace(second=0, microsecond=0)
    for number in range(25):
        make_attempts(f"nobody-{number}", minute - timedelta(minutes=number // 2))
    url = reverse("portal:call-attempts")
    first = as_(client, city, "reviewer").get(url)
    second = client.get(url, {"after": first.context["page"].next})
    seen = [line["line"].attempt.pk for page in (first, second) for line in page.context["lines"]]
    assert len(seen) == len(set(seen)) == 25
    assert client.get(url, {"after": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("auditor", 200),
        ("security_admin", 200),
        ("reviewer", 200),
        ("education_head", 403),
        ("police_operator", 403),
        ("system_admin", 403),
    ],
)
def test_counted_attempts_are_for_those_who_watch(client: Client, city: City, who: str, status: int) -> None:
    assert as_(client, city, who).get(reverse("portal:call-attempts")).status_code == status
    assert AuditEntry.objects.filter(action="call_log.read").exists() is (who == "auditor")


def test_a_call_from_a_window_names_the_officer_instead_of_a_key(client: Client, city: City, now: datetime) -> None:
    officer = city.people["education_operator"]
    call = "00000000-0000-7000-8000-000000000002"
    CallRecord.objects.create(
        requested_at=now, consumer_id=1, call_id=call, credential_id=0, mode="QUERY", outcome="call.answered",
        department_id=city.education.pk, officer=f"user-{officer.pk}", matter="HOUSE-TRANSFER",
    )  # fmt: skip
    as_(client, city, "reviewer")
    page = client.get(reverse("portal:call-detail", kwargs={"call_id": call})).content.decode()
    assert "窗口办理，没有系统签名" in page
    assert officer.display_name in page
    assert "HOUSE-TRANSFER" in page
