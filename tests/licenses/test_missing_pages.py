"""Missing licenses where people meet them: the clerk's and the desk's pages, figures, REST, the holder's phone."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from core.audit import PLATFORM
from core.errors import DomainError
from licenses.models import MissingReport
from licenses.presenting import agents, holders, sessions
from licenses.presenting.sessions import COOKIE
from tests.factories import City
from tests.hotpath.partner import make_person
from tests.licenses import presented
from tests.licenses.missing import HOLDER, OTHER, issued_by_police, missing_report
from tests.licenses.verified import TYPE


def test_a_clerk_reports_on_the_page_and_the_desk_works_on_it(city: City, now: datetime, client: Client) -> None:
    issued_by_police(city)
    client.force_login(city.people["education_operator"])
    page = reverse("portal:missing-license-new")
    assert client.get(page).status_code == 200
    form = {
        "submission": "1", "kind": "PAPER_ONLY", "type_code": "11100000MB0143028R001", "region_code": "320102",
        "holder_name": "王小国", "holder_code": HOLDER, "paper_number": "", "note": "查不到",
    }  # fmt: skip
    answer = client.post(page, form)
    assert answer.status_code == 302, answer.content.decode()
    report = MissingReport.objects.get()
    assert str(report.uid) in answer["Location"]
    shown = client.get(reverse("portal:missing-license-list")).content.decode()
    assert report.number in shown
    assert HOLDER not in shown
    assert "王小国" not in shown
    assert HOLDER not in client.get(answer["Location"]).content.decode()


def test_the_desk_s_page_offers_its_commands_and_carries_them_out(city: City, now: datetime, client: Client) -> None:
    report = missing_report(city, now)
    client.force_login(city.people["police_operator"])
    page = reverse("portal:missing-license-detail", args=[report.uid])
    shown = client.get(page).content.decode()
    assert HOLDER in shown  # the archive is searched by it
    assert 'value="RECEIVE"' in shown
    answer = client.post(page, {"revision": 1, "text": "", "identifier": "", "department": "", "action": "RECEIVE"})
    assert answer.status_code == 302, answer.content.decode()
    report.refresh_from_db()
    assert report.state == "CHECKING"
    again = client.post(page, {"revision": 1, "text": "", "identifier": "", "department": "", "action": "DENY"})
    assert again.status_code == 409


@pytest.mark.parametrize("query", ["", "?by=month", "?by=department&first_day=2020-01-01"])
def test_the_figures_are_a_chart_and_a_table(city: City, now: datetime, client: Client, query: str) -> None:
    missing_report(city, now)
    client.force_login(city.people["auditor"])
    shown = client.get(reverse("portal:missing-license-statistics") + query)
    assert shown.status_code == 200
    assert "data-chart" in shown.content.decode()


def test_the_rest_door_takes_a_report_once(city: City, now: datetime, client: Client) -> None:
    issued_by_police(city)
    client.force_login(city.people["education_operator"])
    url = reverse("openapi:missing-license-list")
    body = {
        "missing_kind": "LOST", "type_code": TYPE, "region_code": "320102", "holder_name": "王小国", "holder_code": HOLDER,
        "note": "遗失",
    }  # fmt: skip
    first = client.post(url, body, content_type="application/json", headers={"Idempotency-Key": "a"})
    assert first.status_code == 201, first.content
    assert client.post(url, body, content_type="application/json", headers={"Idempotency-Key": "a"}).status_code == 200
    assert HOLDER not in first.content.decode()
    uid = first.json()["uid"]
    assert client.get(reverse("openapi:missing-license-detail", args=[uid])).json()["missing_state"] == "REPORTED"
    with pytest.raises(DomainError):
        missing_report(city, now, kind="OTHER")


def test_a_holder_reports_the_own_license_on_the_phone_and_no_other(city: City, now: datetime, client: Client) -> None:
    person = make_person(city.police, 11, name="王小明")
    client.cookies[COOKIE] = presented.enter_person(person, now)
    issued_by_police(city)
    page = reverse("portal:holder-missing")
    assert client.get(page).status_code == 200
    form = {
        "submission": "1", "kind": "PAPER_ONLY", "type_code": "11100000MB0143028R001", "region_code": "320102",
        "holder_code": OTHER, "paper_number": "", "note": "手里有纸质证照",
    }  # fmt: skip
    assert client.post(page, form).status_code == 422
    answer = client.post(page, form | {"holder_code": person.citizen_id})
    assert answer.status_code == 302, answer.content.decode()
    report = MissingReport.objects.get()
    assert (report.is_by_holder, report.holder_name, report.reported_by) == (True, "王小明", None)
    shown = client.get(page).content.decode()
    assert report.number in shown
    assert person.citizen_id not in shown
    assert client.post(reverse("portal:holder-missing-withdraw", args=[report.uid])).status_code == 302
    report.refresh_from_db()
    assert report.state == "WITHDRAWN"


def test_an_agent_neither_reports_nor_withdraws_for_the_enterprise(city: City, now: datetime, client: Client) -> None:
    boss, clerk = make_person(city.police, 11, name="王小明"), make_person(city.police, 13, name="赵六")
    company, today = presented.make_entity(city.market, boss), now.date()
    given = {"uscc": company.uscc, "name": company.name, "today": today}
    as_boss = presented.enter(holders.for_enterprise(**given, citizen_id=boss.citizen_id, person_name=boss.name), now)
    session = sessions.find(token=as_boss, now=now)
    agents.authorize(
        session=session, citizen_id=clerk.citizen_id, name=clerk.name, type_codes=[], until=today, actor=PLATFORM, today=today,
        now=now,
    )  # fmt: skip
    report = missing_report(city, now, actor=PLATFORM, is_by_holder=True, holder_code=company.uscc, holder_name=company.name)
    as_agent = holders.for_enterprise(**given, citizen_id=clerk.citizen_id, person_name=clerk.name)
    client.cookies[COOKIE] = presented.enter(as_agent, now)
    assert client.get(reverse("portal:holder-missing")).status_code == 403
    assert client.post(reverse("portal:holder-missing-withdraw", args=[report.uid])).status_code == 403
    report.refresh_from_db()
    assert report.state == "REPORTED"
