"""Zones: their numbers are what is held, measured again they are the same, and nobody sees a stranger's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from basedb.geography import figures
from basedb.models import DataSource, FusionConflict, Person, QualityTask
from core.errors import NotFound
from exchange.models import AggregationPlan, AggregationRun, ZoneFigure
from exchange.zones import measuring, reading
from tests.basedb.test_quality import NOW, PEOPLE, person
from tests.factories import City

DAY = timedelta(days=1)


def held(city: City) -> None:
    """Two people of the police bureau, one of education, one withdrawn, a source, a task and a conflict."""
    person(city, 1)
    person(city, 2, region_code="320104")
    person(city, 3, withdrawn_at=NOW)
    person(city, 4, source_department=city.education)
    DataSource.objects.create(code="p", title="常住人口", dataset=PEOPLE, department=city.police, collector="PUBLIC_SECURITY")
    QualityTask.objects.create(
        dataset=PEOPLE,
        rule_code="r",
        title="r",
        dimension="ACCURACY",
        department=city.police,
        opened_at=NOW,
        due_at=NOW,
        open_count=1,
    )
    FusionConflict.objects.create(dataset=PEOPLE, entity_key=bytes(16), kind="IDENTITY", records=[1, 2], owner=city.police)


def test_a_zone_holds_what_is_held(city: City) -> None:
    held(city)
    measuring.measure(now=NOW)
    (figure,) = reading.department_zone(actor=city.actor("police_operator")).figures
    assert figure.row_count == Person.objects.filter(source_department=city.police, withdrawn_at=None).count() == 2
    assert (figure.source_count, figure.quality_task_count, figure.conflict_count, figure.reject_count) == (1, 1, 1, 0)
    assert (figure.grant_count, figure.call_count, figure.quality_percent) == (0, 0, None)
    (other,) = reading.department_zone(actor=city.actor("education_head")).figures
    assert (other.row_count, other.source_count) == (1, 0)


def test_a_day_has_one_measurement_and_days_make_a_history(city: City) -> None:
    held(city)
    measuring.measure(now=NOW - DAY)
    person(city, 5)
    measuring.measure(now=NOW)
    assert measuring.measure(now=NOW) == 2
    assert ZoneFigure.objects.count() == 4
    zone = reading.department_zone(actor=city.actor("police_operator"))
    assert [rows for _day, rows, _calls in zone.history] == [2, 3]


def test_who_is_late_is_told_by_the_promised_cycle() -> None:
    figure = ZoneFigure(promised_minutes=60, last_good_run_at=NOW)
    assert reading.is_stale(figure, now=NOW + timedelta(minutes=119)) is False
    assert reading.is_stale(figure, now=NOW + timedelta(minutes=121)) is True
    assert reading.is_stale(ZoneFigure(promised_minutes=60), now=NOW) is True
    assert reading.is_stale(ZoneFigure(), now=NOW) is None


def test_a_department_sees_its_own_zone_and_the_centre_any(city: City) -> None:
    with pytest.raises(NotFound):
        reading.department_zone(actor=city.actor("police_operator"), uid=city.education.uid)
    for name in ("reviewer", "auditor"):
        assert reading.department_zone(actor=city.actor(name), uid=city.education.uid).department == city.education
    with pytest.raises(NotFound):
        reading.region_zone(actor=city.actor("police_operator"), code="32")
    assert reading.region_zone(actor=city.actor("police_operator"), code="320102").region.name == "玄武区"


def test_pages_show_the_kept_numbers(city: City) -> None:
    held(city)
    measuring.measure(now=NOW - DAY)
    measuring.measure(now=NOW)
    figures.recount(now=NOW)
    client = Client()
    client.force_login(city.people["police_operator"])
    page = client.get("/zones/").content.decode()
    for text in ("市公安局", "人口基本信息", 'data-chart="history"', "整改单"):
        assert text in page, text
    assert client.get("/zones/", {"department": str(city.education.uid)}).status_code == 422
    page = client.get("/zones/region/").content.decode()
    assert "玄武区" in page
    assert "没有回流任务" in page
    assert client.get("/openapi/v1/zones/department").json()["items"][0]["row_count"] == 2
    centre = Client()
    centre.force_login(city.people["reviewer"])
    assert "市教育局" in centre.get("/zones/", {"department": str(city.education.uid)}).content.decode()


def plan(city: City, code: str) -> AggregationPlan:
    source = DataSource.objects.create(code=code, title=code, dataset=PEOPLE, department=city.police, collector="PUBLIC_SECURITY")
    return AggregationPlan.objects.create(
        title=code, department=city.police, dataset=PEOPLE, source=source, connector="CSV_DROP", every_minutes=60
    )


def test_a_plan_that_stands_still_is_hidden_neither_by_another_nor_by_a_replay(city: City) -> None:
    still, going = plan(city, "still"), plan(city, "going")
    for of, at, is_replay in ((still, NOW - DAY, False), (still, NOW, True), (going, NOW, False)):
        AggregationRun.objects.create(plan=of, state="SUCCEEDED", queued_at=at, finished_at=at, is_replay=is_replay)
    measuring.measure(now=NOW)
    (figure,) = reading.department_zone(actor=city.actor("police_operator")).figures
    assert (figure.promised_minutes, figure.last_good_run_at) == (60, NOW - DAY)
    assert reading.is_stale(figure, now=NOW)
