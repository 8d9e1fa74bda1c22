"""Pages of life events: a department sees what it was told of, masked, and takes note once; reviewers say who is told."""

from __future__ import annotations

import pytest
from django.test import Client

from basedb.dictionary import PERSON
from basedb.models import LifeEvent, LifeEventNotice, LifeEventSubscription
from core.models import AuditEntry
from tests.basedb.fact_rows import ME, collect
from tests.factories import City

DIED = {"citizen_id": ME, "vital_event": "20", "occurred_on": "20250301"}
BENEFIT = {"citizen_id": ME, "attribute_kind": "HARDSHIP", "attribute_value": "1", "valid_from": "20200101"}


@pytest.fixture
def told(city: City, client: Client) -> LifeEvent:
    """The market bureau asked to be told of deaths, and one was reported."""
    client.force_login(city.people["reviewer"])
    form = {"department": city.market.uid, "kind": "20", "legal_basis": "人口信息共享办法第九条"}
    assert client.post("/life-events/subscriptions/", form).status_code == 302
    assert client.post("/life-events/subscriptions/", form).status_code == 422
    person = {"citizen_id": ME, "name": "王建国", "sex": "1", "birth_on": "19800506", "person_status": "0", "region_code": "320102"}
    collect(PERSON, [person], department=city.police)
    collect("population.attribute", [BENEFIT], department=city.education, collector="CIVIL_AFFAIRS")
    collect("population.vital_event", [DIED], department=city.education)
    return LifeEvent.objects.get()


def test_department_takes_note_of_a_death_once(city: City, client: Client, told: LifeEvent) -> None:
    client.force_login(city.people["market_operator"])
    shown = client.get("/life-events/").content.decode()
    assert "王**" in shown
    assert ME not in shown
    assert "社会救助与保险待遇" in shown
    assert client.get("/life-events/?state=OPEN&kind=20").content.decode().count("王**") == 1
    for _ in range(2):
        assert client.post(f"/life-events/{told.uid}/acknowledge/").status_code == 302
    notice = LifeEventNotice.objects.get()
    assert notice.seen_by == city.people["market_operator"]
    assert AuditEntry.objects.filter(action="life_event.acknowledged").count() == 1
    assert "王**" not in client.get("/life-events/?state=OPEN").content.decode()


def test_other_departments_see_nothing_of_it(city: City, client: Client, told: LifeEvent) -> None:
    client.force_login(city.people["police_operator"])
    assert "王**" not in client.get("/life-events/").content.decode()
    assert client.post(f"/life-events/{told.uid}/acknowledge/").status_code == 404
    assert LifeEventNotice.objects.get().seen_at is None


def test_subscription_is_ended_and_taken_up_again(city: City, client: Client, told: LifeEvent) -> None:
    client.force_login(city.people["reviewer"])
    row = LifeEventSubscription.objects.get()
    assert "人口信息共享办法第九条" in client.get("/life-events/subscriptions/").content.decode()
    assert client.post(f"/life-events/subscriptions/{row.uid}/end/").status_code == 302
    assert client.post(f"/life-events/subscriptions/{row.uid}/end/").status_code == 404
    form = {"department": city.market.uid, "kind": "20", "legal_basis": "另一依据"}
    assert client.post("/life-events/subscriptions/", form).status_code == 302
    assert LifeEventSubscription.objects.values_list("is_active", "legal_basis").get() == (True, "另一依据")
