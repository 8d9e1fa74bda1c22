"""The page of op-monitoring and its REST form: figures, filters, funnel; and who gets in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from exchange.models import AccessRequest, AccessRequestStep
from exchange.statistics import periods
from exchange.statistics.funnel import funnel, late_answers
from tests import factories
from tests.factories import City


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def record(*, consumer: Any, resource: Any, outcome: str = "call.answered", duration_us: int = 2_500) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, grant_id, resource_id,"
            " provider_id, department_id, mode, outcome, row_count, status, duration_us, request_bytes, answer_bytes)"
            " VALUES (now(), %s, gen_random_uuid(), 1, 1, %s, %s, %s, 'QUERY', %s, 1, 200, %s, 100, 400)",
            [consumer.pk, resource.pk, resource.provider_id, consumer.department_id, outcome, duration_us],
        )


@pytest.fixture
def called(city: City) -> Any:
    resource = factories.make_resource(city.police)
    system = factories.make_system(city.education)
    for outcome in ("call.answered", "call.answered", "quota.day_exceeded"):
        record(consumer=system, resource=resource, outcome=outcome)
    return resource


@pytest.mark.parametrize("period", ["hour", "day", "7", "365"])
def test_page_shows_services_consumers_flows_and_heat(city: City, called: Any, period: str) -> None:
    page = signed_in(city, "reviewer").get("/monitoring/", {"period": period})
    text = page.content.decode()
    assert page.status_code == 200
    assert called.title in text
    assert page.context["total"].calls == 3
    assert dict(page.context["sides"])["调用量限制"] == 1
    for chart in ("trend", "heat", "consumers", "flows"):
        assert f'data-chart="{chart}"' in text
    assert sum(sum(counts) for _day, counts in page.context["heat_rows"]) == 3


def test_department_sees_its_own_calls_only(city: City, called: Any) -> None:
    assert signed_in(city, "police_operator").get("/monitoring/").context["total"].calls == 3
    assert signed_in(city, "education_head").get("/monitoring/").context["total"].calls == 3
    page = signed_in(city, "market_operator").get("/monitoring/")
    assert page.context["total"].calls == 0
    assert called.title not in page.content.decode()


def test_wrong_filters_are_explained_and_count_nothing(city: City) -> None:
    client = signed_in(city, "reviewer")
    assert client.get("/monitoring/", {"day_from": "2026-01-01"}).status_code == 422
    assert client.get("/monitoring/", {"day_from": "2026-02-01", "day_to": "2026-01-01"}).status_code == 422
    assert client.get("/openapi/v1/statistics/calls", {"day_from": "2026-01-01"}).status_code == 422
    assert client.get("/openapi/v1/statistics/calls", {"colour": "red"}).status_code == 422


def test_rest_tells_the_same_figures(city: City, called: Any) -> None:
    answer = (
        signed_in(city, "police_head").get("/openapi/v1/statistics/calls", {"resource": str(called.uid), "period": "hour"}).json()
    )
    assert (answer["total"]["answered"], answer["total"]["refused"]) == (2, 1)
    assert answer["sides"] == {"QUOTA": 1}
    assert answer["services"][0]["resource_code"] == called.code
    assert answer["services"][0]["latency"] == {"lowest": 2.5, "mean": 2.5, "p95": 2.5, "highest": 2.5}
    assert sum(step["answered"] for step in answer["trend"]) == 2


def test_funnel_counts_how_far_requests_got_and_who_was_late(city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    user = city.people["education_operator"]

    def request(state: str, due: timedelta, decided: timedelta | None, *commands: str) -> AccessRequest:
        made = factories.make_request(resource, system, user, state=state, route="PROVIDER_FIRST")
        made.submitted_at, made.answer_due_at = now - timedelta(days=3), now + due
        made.decided_at = None if decided is None else now + decided
        made.save()
        for command in commands:
            AccessRequestStep.objects.create(
                access_request=made, at=now - timedelta(days=1), command=command, from_state="SUBMITTED", to_state=state,
                actor=user, actor_name="x", actor_department="x", desk="NOBODY",
            )  # fmt: skip
        return made

    request("SUBMITTED", timedelta(days=1), None)
    request("ENDORSED", timedelta(days=-2), None, "ENDORSE")
    request("APPROVED", timedelta(days=1), timedelta(days=-1), "ENDORSE", "CLEAR", "APPROVE")
    stages = {
        stage.name: (stage.count, stage.share_in_time)
        for stage in funnel(actor=city.actor("reviewer"), period=periods.named("7", now))
    }
    assert stages == {"submitted": (3, 100), "endorsed": (2, 50), "cleared": (1, 100), "approved": (1, 100), "called": (0, None)}
    (late,) = late_answers(actor=city.actor("reviewer"), period=periods.named("7", now), now=now)
    assert (late.department, late.due, late.late) == (city.police.short_name, 2, 1)
    assert late_answers(actor=city.actor("market_head"), period=periods.named("7", now), now=now) == []
