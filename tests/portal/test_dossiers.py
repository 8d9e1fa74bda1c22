"""The dossier's pages: a purpose first, nothing personal in an address or a log, masks, other days, and whom a page leads to."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from basedb.models import EntityOfficer
from core.models import AuditEntry
from exchange import accesses
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import ADDRESS, FIRM, MATTER, ME, PHONE, SHE, key
from tests.factories import City

FORM = {"kind": "PERSON", "identifier": ME, "reason": "COMPARISON", "matter": MATTER}


def opened(client: Client, city: City, who: str = "reviewer", **more: str) -> Any:
    client.force_login(city.people[who], backend="django.contrib.auth.backends.ModelBackend")
    return client.post("/dossiers/", FORM | more)


def test_dossier_opens_under_an_address_that_says_nothing(city: City, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    scene.make_person(city)
    with caplog.at_level(logging.DEBUG):
        answer = opened(client, city)
        assert answer.status_code == 302
        page = client.get(answer["Location"])
    text = page.content.decode()
    assert page["Cache-Control"] == "no-store"
    for shown in ("王建国", ADDRESS, "市公安局", "存疑", "另一路二号", "李小红", "入学报名", "户主", MATTER):
        assert shown in text, shown
    addresses = [answer["Location"], *re.findall(r'(?:href|action|src|hx-[a-z]+)="([^"]*)"', text)]
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    for personal in (ME, SHE, PHONE, "王建国", key(ME).hex(), key(SHE).hex()):
        assert not any(personal in place for place in addresses + logged), personal
    for link in sorted({place for place in addresses if place.startswith("/dossiers/") and "related" not in place}):
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("missing", ["kind", "identifier", "reason", "matter"])
def test_nothing_opens_without_a_stated_purpose(city: City, client: Client, missing: str) -> None:
    scene.make_person(city)
    answer = opened(client, city, **{missing: ""})
    assert answer.status_code == 422
    assert client.get("/dossiers/", FORM).status_code == 200, "asked by GET it is only the form"
    assert not AuditEntry.objects.filter(action=accesses.DOSSIER_OPENED).exists()


def test_handle_is_of_one_session_and_ends(city: City, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.make_person(city)
    place = opened(client, city)["Location"]
    other = Client()
    other.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    assert other.get(place).status_code == 404
    assert client.get(place).status_code == 200
    monkeypatch.setattr("portal.dossiers.handles.LASTS", timedelta(0))
    assert client.get(place).status_code == 404


def test_other_purposes_and_departments_see_less(city: City, client: Client) -> None:
    scene.make_person(city)
    masked = client.get(opened(client, city, reason="MATTER")["Location"]).content.decode()
    for secret in (PHONE, ME, ADDRESS, "另一路二号", "李小红"):
        assert secret not in masked
    assert "已脱敏" in masked
    market = client.get(opened(client, city, "market_operator", reason="MATTER")["Location"]).content.decode()
    assert "另一路二号" in market
    assert "未采信" in market
    for secret in (PHONE, ADDRESS, "李小红", "使用记录（最近）"):
        assert secret not in market
    answer = opened(client, city, "market_operator", identifier=SHE)
    assert answer.status_code == 422
    assert "没有找到档案" in answer.content.decode()


def test_past_days_are_chosen_in_the_address(city: City, client: Client) -> None:
    scene.make_person(city)
    place = opened(client, city)["Location"]
    today = timezone.localdate()
    assert PHONE in client.get(place, {"known_at": today.isoformat()}).content.decode()
    yesterday = client.get(place, {"known_at": (today - timedelta(days=1)).isoformat()}).content.decode()
    assert "平台没有该主体的记录" in yesterday
    assert PHONE not in yesterday
    assert client.get(place, {"as_of": "never"}).status_code == 422


def test_page_leads_to_whom_it_names_under_the_same_purpose_and_tells_them(city: City, client: Client) -> None:
    scene.make_person(city)
    scene.make_enterprise(city)
    place = opened(client, city)["Location"]
    text = client.get(place).content.decode()
    token = re.search(r'name="subject" value="([^"]+)"><button[^>]*>示例甲有限公司<', text)
    assert token is not None
    answer = client.post(place + "related/", {"subject": token[1]})
    firm = client.get(answer["Location"]).content.decode()
    for shown in ("示例甲有限公司分公司", "王建国", "登记状态", MATTER):
        assert shown in firm, shown
    entry = AuditEntry.objects.get(action=accesses.DOSSIER_OPENED, object_uid=key(FIRM).hex())
    assert entry.detail["matter"] == MATTER
    assert client.post(place + "related/", {"subject": token[1] + "x"}).status_code == 422
    market = opened(client, city, "market_operator", kind="ENTERPRISE", identifier=FIRM)["Location"]
    assert 'name="subject"' not in client.get(market).content.decode()


def test_subject_is_told_by_the_window(city: City, client: Client) -> None:
    scene.make_person(city)
    opened(client, city)
    question = {"citizen_id": ME, "reason": "APPLICATION", "applicant_check": "IN_PERSON", "number": "S-1"}
    told = client.post("/subject-accesses/", question).content.decode()
    assert "核对数源、处理存疑与更正" in told
    assert MATTER in told


def test_days_are_those_of_shanghai_and_an_unreadable_one_shows_no_other(city: City, client: Client) -> None:
    scene.make_person(city)
    EntityOfficer.objects.update(changed_at=datetime(2025, 12, 31, 20, tzinfo=UTC))
    place = opened(client, city)["Location"]
    assert "更新于 2026-01-01" in client.get(place).content.decode()
    rows = place + "sections/population.residence/"
    assert client.get(rows, {"as_of": timezone.localdate().isoformat()}).status_code == 200
    assert client.get(rows, {"as_of": "never"}).status_code == 422
