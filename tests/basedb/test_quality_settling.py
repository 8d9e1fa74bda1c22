"""Quality over time: what ends with its rule or its rows, what a batch is checked for, how much a department weighs in a score."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from basedb.models import CheckState, FaultState, Person, QualityCheck, QualityFault, QualityRule, QualityTask, RuleKind
from basedb.quality import asking, checking, rulebook, scores, tasks
from basedb.quality.measures import MEASURES, Measured
from tests.basedb.test_quality import NOW, PEOPLE, check, person, rule, told
from tests.factories import City


def check_at(moment: datetime) -> None:
    made = QualityCheck.objects.create(dataset=PEOPLE, queued_at=moment)
    checking.work(check_uid=made.uid, clock=lambda: moment)


def test_tasks_of_a_rule_that_is_switched_off_end_at_the_next_check(city: City) -> None:
    person(city, 1)
    old = rule("former", RuleKind.REQUIRED, "former_name")
    check()
    rulebook.change_rule(uid=old.uid, actor=city.actor("reviewer"), now=NOW, is_active=False)
    check(run_id=7)
    assert QualityTask.objects.get().closed_at is None
    assert asking.ask_for_all(now=NOW) == 1
    checking.work(check_uid=QualityCheck.objects.get(state=CheckState.QUEUED).uid, clock=lambda: NOW)
    task = QualityTask.objects.get()
    assert (task.open_count, task.unlisted_count, task.closed_at) == (0, 0, NOW)
    assert asking.ask_for_all(now=NOW) == 0


def test_rows_beyond_the_list_end_with_the_last_row_of_their_owner(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_LISTED", 2)
    for serial in range(1, 6):
        person(city, serial)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    Person.objects.update(withdrawn_at=NOW)
    check()
    task = QualityTask.objects.get()
    assert (task.open_count, task.unlisted_count, task.closed_at) == (0, 0, NOW)


def test_what_another_check_found_since_this_one_began_is_left_to_the_next(city: City) -> None:
    one, later = person(city, 1, former_name="张"), NOW + timedelta(minutes=1)
    rule("former", RuleKind.REQUIRED, "former_name")
    task = QualityTask.objects.create(
        dataset=PEOPLE, rule_code="former", title="former", dimension="ACCURACY", department=city.police, opened_at=later,
        due_at=later, open_count=1,
    )  # fmt: skip
    fault = QualityFault.objects.create(task=task, row_id=one.pk, row_version=1, found_at=later)
    for moment, state in ((NOW, FaultState.OPEN), (later, FaultState.FIXED)):
        check_at(moment)
        fault.refresh_from_db()
        assert fault.state == state


def test_rows_that_come_between_two_looks_were_looked_at() -> None:
    found, one = checking.Found(), QualityRule(pk=1)
    found.fail(one, 7, 2)
    found.add(one, 8, 1)
    found.fail(one, 8, 3)
    assert found.counts == {1: {7: (2, 2), 8: (3, 3)}}


def test_a_batch_is_not_judged_by_how_plans_and_services_ran(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "freshness", lambda dataset, now: {city.education.pk: Measured(checked=3, failed=1)})
    person(city, 1, run_id=7)
    rule("fresh", RuleKind.MEASURE, parameters={"name": "freshness"})
    rule("name", RuleKind.REQUIRED, "name")
    assert told(check(run_id=7)) == {"name": (1, 0, False)}
    assert set(told(check())) == {"fresh", "name"}


def test_every_day_an_id_has_to_agree_with_is_looked_at(city: City) -> None:
    person(city, 1, died_on=date(2020, 1, 1))
    for code, field in (("birth", "birth_on"), ("death", "died_on")):
        rule(code, RuleKind.AGREES, field, parameters={"as": "birth", "other": "citizen_id"})
    assert told(check()) == {"birth": (1, 0, False), "death": (1, 1, False)}


def test_a_rule_is_one_share_of_a_score_and_history_is_of_the_part_asked_for(city: City) -> None:
    for serial in range(1, 10):
        person(city, serial, former_name="张")
    person(city, 10, source_department=city.education)
    rule("former", RuleKind.REQUIRED, "former_name")
    rule("region", RuleKind.REQUIRED, "region_code", dimension="COMPLETENESS")
    check()
    reviewer = city.actor("reviewer")

    def past(**part: Any) -> list[float | None]:
        return [score.percent for _check, score in scores.history(reviewer, dataset=PEOPLE, **part)]

    assert past() == [95]
    assert past(item="former_name") == [90]
    assert past(dimension="COMPLETENESS") == [100]
    assert past(department=city.education) == [50]
    assert past(department=city.education, item="former_name") == [0]
    assert past(item="phone") == []
