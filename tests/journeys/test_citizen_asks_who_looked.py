"""Policy: a citizen is told who used their data, when, for what and which items - and nobody else learns anything by asking."""

from __future__ import annotations

import logging
import time
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from basedb.identifiers import generate_citizen_id
from core.models import AuditEntry
from exchange.calls import registry
from exchange.models import AggregationPlan, CallRecord, CallStatistic
from exchange.statistics import folding
from tests.exchange.aggregation_sources import csv_plan
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]
BACKEND = "django.contrib.auth.backends.ModelBackend"
URL = "/subject-accesses/"


@pytest.fixture
def window(scene: Scene, client: Client) -> Client:
    """The police bureau's clerk: its data is the source of the population base."""
    if not AggregationPlan.objects.exists():
        csv_plan(scene.city.police, timezone.now())
    client.force_login(scene.city.people["police_operator"], backend=BACKEND)
    return client


def wait_until_folded() -> None:
    """Roll up until nothing waits: other transactions of the server may delay it."""
    patience = time.monotonic() + 30
    recorded = CallRecord.objects.filter(mode="BULK", outcome="call.opened")
    while time.monotonic() < patience:
        folding.fold_all(now=timezone.now())
        rolled = CallStatistic.objects.filter(grain="DAY", mode="BULK", outcome="call.opened")
        if sum(rolled.values_list("call_count", flat=True)) >= recorded.count():
            return
        time.sleep(0.1)


def question(citizen_id: str, /, **change: str) -> dict[str, str]:
    return {"citizen_id": citizen_id, "reason": "APPLICATION", "applicant_check": "IN_PERSON", "number": "SL-2026-0007"} | change


def test_a_citizen_asks_who_looked(scene: Scene, window: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    citizen, other = scene.people
    grant = scene.grant(matters=["320100-RX"], purpose="入学资格核验")
    said = {"context": {"matter": "320100-RX", "officer": "A17"}}
    for body in (
        {"key": {"citizen_id": citizen.citizen_id}},
        {"keys": [{"citizen_id": other.citizen_id}, {"citizen_id": citizen.citizen_id}]},
    ):
        assert scene.partner.call(grant, "query", body | said).status == 200
    assert scene.partner.call(grant, "query", {"key": {"citizen_id": citizen.citizen_id}}).status == 422  # refused: no access
    copying = scene.grant(mode="BULK", region_prefix="320102", purpose="学区划分", fields=["name"])
    elsewhere = scene.grant(mode="BULK", region_prefix="320104", purpose="别处使用", fields=["name"])
    for bulk in (copying, elsewhere):
        assert scene.partner.call(bulk, "bulk", {}).status == 200
    wait_until_folded()

    page = window.post(URL, question(citizen.citizen_id))
    text = page.content.decode()
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    told = page.context["told"]
    assert [(access.department, access.purpose, access.matter, access.is_found) for access in told.accesses] == [
        ("市教育局", "入学资格核验", "320100-RX", True)
    ] * 2
    assert list(told.accesses[0].items) == ["姓名", "性别"]
    assert [(copy.department, copy.purpose, copy.times) for copy in told.copies] == [("市教育局", "学区划分", 1)]
    for hidden in ("A17", str(grant.uid), str(CallRecord.objects.filter(grant_id=grant.pk)[0].call_id), "别处使用"):
        assert hidden not in text
    assert citizen.citizen_id not in text

    entry = AuditEntry.objects.filter(action="subject_accesses.asked").latest("id")
    assert entry.detail == {
        "subject": bytes(citizen.subject_key).hex(), "reason": "APPLICATION", "check": "IN_PERSON", "number": "SL-2026-0007",
    }  # fmt: skip
    assert citizen.citizen_id not in caplog.text
    assert not AuditEntry.objects.filter(detail__icontains=citizen.citizen_id).exists()


def test_the_citizens_portal_asks_over_rest_and_turns_pages(scene: Scene, window: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.accesses.PAGE_SIZE", 2)
    grant, citizen = scene.grant(), scene.people[1]
    registry.grants.forget()
    for _call in range(3):
        assert scene.partner.query(grant, citizen.citizen_id).status == 200
    url = reverse("openapi:subject-accesses")
    first = window.post(url, question(citizen.citizen_id), content_type="application/json").json()
    assert len(first["accesses"]) == 2
    rest = window.post(url, {"page": first["next"]}, content_type="application/json").json()
    assert rest["copies"] == []
    times = [access["at"] for access in first["accesses"] + rest["accesses"]]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == len(times)
    assert window.post(url, {"page": first["next"] + "x"}, content_type="application/json").status_code == 422
    assert window.post(url, {"page": first["next"], "number": "1"}, content_type="application/json").status_code == 422
    window.force_login(scene.city.people["police_head"], backend=BACKEND)
    assert window.post(url, {"page": first["next"]}, content_type="application/json").status_code == 403
    window.force_login(scene.city.people["education_head"], backend=BACKEND)
    assert window.post(url, question(citizen.citizen_id), content_type="application/json").status_code == 403
    assert window.get(URL).status_code == 403


def test_asking_is_limited_checked_and_tells_nothing_of_strangers(scene: Scene, window: Client, settings: Any) -> None:
    settings.LOOKS_A_DAY = 3
    window.force_login(scene.city.people["reviewer"], backend=BACKEND)
    before = AuditEntry.objects.filter(action="subject_accesses.asked").count()
    citizen = scene.people[0].citizen_id
    for wrong in (
        {"citizen_id": citizen[:-1] + "0X"[citizen[-1] == "0"]},
        {"reason": "CURIOUS"},
        {"applicant_check": ""},
        {"number": citizen},
    ):
        answer = window.post(URL, question(citizen, **wrong))
        assert answer.status_code == 422
    assert AuditEntry.objects.filter(action="subject_accesses.asked").count() == before
    stranger = generate_citizen_id("990101", date(1999, 9, 9), 99)
    told = [window.post(URL, question(asked)).context["told"] for asked in (citizen, stranger, citizen)]
    assert (told[1].accesses, told[1].copies, told[1].held_by) == ([], [], [])
    refused = window.post(URL, question(citizen))
    assert refused.status_code == 422
    assert "今天已用完" in refused.content.decode()
    assert AuditEntry.objects.filter(action="subject_accesses.asked").count() == before + 3
