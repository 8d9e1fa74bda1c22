"""Clocks as data: which rule counts, what a rule may not do, how deadlines start, stop and move."""

from __future__ import annotations

import json
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from core.audit import PLATFORM
from core.calendar import Calendar
from core.errors import Invalid
from core.models import AuditEntry
from exchange.models import AccessRequest, AccessRequestStep, SlaPolicy
from exchange.requests import clocks, sla_policies
from exchange.requests.workflow import DESK_OF, State
from tests import factories
from tests.factories import City

CALENDAR = Calendar({date(2026, 5, 4): False})
ROW: dict[str, Any] = {
    "stage": "ANSWER", "share_attribute": "CONDITIONAL", "region_code": "3201", "days": 5, "extension_days": 5,
    "consent_by": "DATA_CENTRE", "source": "市政务数据共享办法第八条", "valid_from": "2026-01-01",
}  # fmt: skip


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00+08:00")


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+08:00")


@pytest.mark.parametrize(
    ("days", "entered", "answer_due", "due"),
    [
        (1, "2026-05-01", None, "2026-05-06"),
        (5, "2026-05-01", "2026-05-16", "2026-05-12"),
        (3, "2026-05-15", "2026-05-19", "2026-05-19"),
        (3, "2026-06-15", "2026-05-19", "2026-06-16"),
    ],
)
def test_a_desk_has_its_days_but_not_past_the_limit_of_the_answer(
    *, days: int, entered: str, answer_due: str | None, due: str
) -> None:
    answer_due_at = midnight(answer_due) if answer_due else None
    found = clocks.due_at(calendar=CALENDAR, days=days, entered_at=at(entered), answer_due_at=answer_due_at)
    assert found == midnight(due)


def test_a_stopped_clock_keeps_the_working_days_after_today() -> None:
    assert clocks.days_left(calendar=CALENDAR, due_at=midnight("2026-05-12"), now=at("2026-05-01")) == 5
    assert clocks.days_left(calendar=CALENDAR, due_at=midnight("2026-05-12"), now=at("2026-05-11")) == 0
    assert clocks.days_left(calendar=CALENDAR, due_at=midnight("2026-05-12"), now=at("2026-06-11")) == 0
    assert clocks.days_left(calendar=CALENDAR, due_at=None, now=at("2026-05-01")) is None


def test_an_extension_moves_a_deadline_by_working_days() -> None:
    assert clocks.extended(calendar=CALENDAR, due_at=midnight("2026-05-02"), days=2) == midnight("2026-05-07")


def test_the_law_is_loaded_and_desks_share_the_days_of_the_answer(db: None) -> None:
    for attribute, answer in (("UNCONDITIONAL", 1), ("CONDITIONAL", 10)):
        found = sla_policies.policies_for(share_attribute=attribute, region_code="320102", on=date(2026, 1, 1))
        assert (found["ANSWER"].days, found["ANSWER"].extension_days, found["ANSWER"].consent_by) == (answer, 10, "DATA_CENTRE")
        assert "第二十一条" in found["ANSWER"].source
        for stage in ("DELIVERY", "VERIFICATION", "CATALOG_UPDATE", "CATALOG_REVIEW"):
            assert found[stage].days == sla_policies.LAW[stage, attribute].days
    assert sum(found[desk].days for desk in ("PROVIDER_OPERATOR", "PROVIDER_HEAD", "DATA_CENTRE")) == 10


def test_the_law_counts_though_its_rows_are_gone_but_not_before_it_was_in_force(db: None) -> None:
    SlaPolicy.objects.all().delete()
    found = sla_policies.policies_for(share_attribute="CONDITIONAL", region_code="3201", on=date(2026, 1, 1))
    assert found["ANSWER"].days == 10
    assert sla_policies.policies_for(share_attribute="CONDITIONAL", region_code="3201", on=date(2025, 7, 31)) == {}


def test_the_nearest_region_counts_and_only_from_its_day(city: City, now: datetime) -> None:
    county = ROW | {"region_code": "320102", "days": 3, "extension_days": 0, "consent_by": ""}
    assert sla_policies.load(rows=[ROW, county], actor=PLATFORM, now=now) == 2

    def days(region: str, on: date) -> int:
        return sla_policies.policies_for(share_attribute="CONDITIONAL", region_code=region, on=on)["ANSWER"].days

    assert [days(region, date(2026, 2, 1)) for region in ("320102001", "320102", "320104", "3201", "3202")] == [3, 3, 5, 5, 10]
    assert days("320102", date(2025, 12, 31)) == 10
    assert AuditEntry.objects.filter(action="sla_policy.loaded").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 11},
        {"extension_days": 11},
        {"days": 0},
        {"share_attribute": "UNCONDITIONAL"},
        {"share_attribute": ""},
        {"share_attribute": "WITHHELD"},
        {"stage": "PROVIDER_HEAD", "days": 11, "extension_days": 0},
        {"stage": "DELIVERY", "days": 21, "extension_days": 0},
        {"stage": "DELIVERY", "days": 10, "extension_days": 1},
        {"stage": "CATALOG_REVIEW", "days": 3, "extension_days": 0},
        {"stage": "LUNCH"},
        {"region_code": "999999"},
        {"consent_by": ""},
        {"consent_by": "PROVIDER_HEAD"},
        {"source": ""},
        {"valid_from": "soon"},
        {"days": "५"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_rule_that_is_laxer_than_the_law_or_malformed_loads_nothing(wrong: dict[str, Any], city: City, now: datetime) -> None:
    before = list(SlaPolicy.objects.values())
    with pytest.raises(Invalid) as refusal:
        sla_policies.load(rows=[ROW, ROW | wrong], actor=PLATFORM, now=now)
    assert list(refusal.value.details) == ["第 2 行"]
    assert list(SlaPolicy.objects.values()) == before


@pytest.mark.parametrize("form", ["json", "csv"])
def test_local_rules_load_from_a_file_twice_with_the_same_outcome(form: str, city: City, tmp_path: Path) -> None:
    path = tmp_path / f"rules.{form}"
    header, values = ",".join(ROW), ",".join(str(value) for value in ROW.values())
    path.write_text(json.dumps([ROW]) if form == "json" else f"{header}\n{values}\n", encoding="utf-8")
    before = SlaPolicy.objects.count()
    for _again in range(2):
        call_command("load_sla_policies", str(path))
        assert SlaPolicy.objects.count() == before + 1
    path.write_text(path.read_text(encoding="utf-8").replace("市政务", "").replace("5", "50"), encoding="utf-8")
    with pytest.raises(CommandError, match="第 1 行"):
        call_command("load_sla_policies", str(path))


@pytest.mark.parametrize(("share_attribute", "due"), [("CONDITIONAL", "2026-06-16"), ("UNCONDITIONAL", "2026-06-03")])
def test_a_request_older_than_the_limits_of_answers_gets_one_from_its_receipt(city: City, share_attribute: str, due: str) -> None:
    received = datetime.fromisoformat("2026-06-01T10:00:00+08:00")
    rows = [
        factories.make_request(
            factories.make_resource(city.police, share_attribute=share_attribute), factories.make_system(city.education),
            city.people["education_operator"], state=state, desk=DESK_OF[state], route="PROVIDER_FIRST",
            **({"returned_from": "CHECKED"} if state is State.RETURNED else {}),
        )
        for state in (State.CHECKED, State.RETURNED)
    ]  # fmt: skip
    for row in rows:
        AccessRequestStep.objects.create(
            access_request=row, at=received, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
            actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
        )  # fmt: skip
    import_module("exchange.migrations.0018_answers_of_older_requests").set_answers(apps, None)
    on_desk, returned = (AccessRequest.objects.get(pk=row.pk).answer_due_at for row in rows)
    assert on_desk == datetime.fromisoformat(f"{due}T00:00:00+08:00")
    assert returned is None
