"""Quality: what is checked is counted, errors are neither pass nor failure, and what failed finds its owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.dictionary import DATASETS
from basedb.identifiers import CITIZEN_ID_PATTERN, citizen_id_birth_on, citizen_id_format_ok, generate_citizen_id
from basedb.models import (
    CheckState,
    DataSource,
    FaultState,
    Person,
    QualityCheck,
    QualityFault,
    QualityResult,
    QualityRule,
    QualityTask,
    RuleKind,
    SourceRecord,
)
from basedb.quality import checking, faults, rulebook, scores, tasks
from basedb.quality.compiling import looks_apart, passes_sql
from basedb.quality.measures import MEASURES, Measured
from core.errors import Conflict, Forbidden, Invalid
from core.models import Notification
from tests.basedb.fact_rows import GOOD, ME, SHE, collect
from tests.factories import City

NOW = timezone.now()
PEOPLE = "population.person"


def person(city: City, serial: int, **values: Any) -> Person:
    born = date(1980, 5, 6)
    row = {
        "subject_key": serial.to_bytes(16, "big"),
        "source_department": city.police,
        "source_record_id": serial,
        "run_id": 1,
        "citizen_id": generate_citizen_id("990101", born, serial),
        "name": f"张{serial}",
        "sex": "1" if serial % 2 else "2",
        "birth_on": born,
        "person_status": "0",
        "region_code": "320102",
    }
    return Person.objects.create(**row | values)


def rule(code: str, kind: str, field: str = "", **values: Any) -> QualityRule:
    given = {"title": code, "dimension": "ACCURACY", "parameters": {}} | values
    return QualityRule.objects.create(dataset=PEOPLE, code=code, kind=kind, field=field, **given)


def check(**values: Any) -> QualityCheck:
    made = QualityCheck.objects.create(dataset=PEOPLE, queued_at=NOW, **values)
    checking.work(check_uid=made.uid, clock=lambda: NOW)
    made.refresh_from_db()
    return made


def told(of: QualityCheck) -> dict[str, tuple[int, int, bool]]:
    results = QualityResult.objects.filter(check_of=of).select_related("rule")
    return {result.rule.code: (result.checked, result.failed, bool(result.error)) for result in results}


@pytest.fixture
def measures() -> Iterator[None]:
    kept = dict(MEASURES)
    yield
    MEASURES.clear()
    MEASURES.update(kept)


def test_each_rule_counts_the_rows_it_applies_to_and_those_that_fail(city: City) -> None:
    person(city, 1)
    person(city, 2, died_on=date(1970, 1, 1), person_status="9")
    person(city, 3, sex="2", person_status="9")
    person(city, 4, citizen_id="990101198005060040", birth_on=date(1981, 1, 1), phone="139-0000")
    rule("sex", RuleKind.AGREES, "sex", parameters={"as": "sex", "other": "citizen_id"})
    rule("birth", RuleKind.AGREES, "birth_on", parameters={"as": "birth", "other": "citizen_id"})
    rule("digit", RuleKind.CHECK_DIGIT, "citizen_id", parameters={"scheme": "citizen_id"})
    rule("died", RuleKind.COMPARE, "died_on", parameters={"operator": ">=", "other": "birth_on"})
    rule("dead", RuleKind.REQUIRED, "died_on", parameters={"when": {"field": "person_status", "in": ["9"]}})
    rule("phone", RuleKind.FORM, "phone")
    rule("status", RuleKind.CODES, "person_status", parameters={"codes": ["0", "1"]})
    rule("range", RuleKind.RANGE, "birth_on", parameters={"least": "1980-12-31", "most": "today"})
    rule("region", RuleKind.REFERENCE, "region_code", parameters={"register": "region"})
    assert told(check()) == {
        "sex": (4, 1, False),
        "birth": (4, 1, False),
        "digit": (4, 1, False),
        "died": (1, 1, False),
        "dead": (2, 1, False),
        "phone": (1, 0, False),
        "status": (4, 2, False),
        "range": (4, 3, False),
        "region": (4, 0, False),
    }


def test_the_same_value_twice_fails_both_rows(city: City) -> None:
    for serial in (1, 2, 3):
        person(city, serial, phone="100" if serial < 3 else "101")
    person(city, 4)
    rule("phone", RuleKind.UNIQUE, "phone")
    assert told(check()) == {"phone": (3, 2, False)}
    assert QualityFault.objects.count() == 2


def test_a_fact_told_by_one_side_only_fails(city: City) -> None:
    mine = GOOD["population.vital_event"] | {"partner_key": SHE}
    rules = [one for one in rulebook.standard_rules(DATASETS["population.vital_event"]) if one.kind == RuleKind.MUTUAL]
    QualityRule.objects.bulk_create(rules)

    def found() -> tuple[int, int]:
        told = checking.look(DATASETS["population.vital_event"], rules, rows="b.withdrawn_at IS NULL", now=NOW)
        assert told.errors == {}
        return told.counts[rules[0].pk][city.centre.pk]

    collect("population.vital_event", [mine, mine | {"vital_event": "20", "occurred_on": "20060101"}], department=city.centre)
    assert found() == (1, 1)
    collect("population.vital_event", [mine | {"citizen_id": SHE, "partner_key": ME}], department=city.centre)
    assert found() == (2, 0)


IDS = st.one_of(
    st.from_regex(f"^{CITIZEN_ID_PATTERN}$", fullmatch=True),
    st.text(alphabet="0123456789Xx 一", min_size=16, max_size=18),
    st.dates(date(1900, 1, 1), date(2020, 12, 31)).map(lambda born: generate_citizen_id("990101", born, 121)),
    st.dates(date(1900, 1, 1), date(2020, 12, 31)).map(lambda born: "0" + generate_citizen_id("990101", born, 121)[1:]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(IDS, min_size=1, max_size=30, unique=True), data=st.data())
def test_what_passes_at_a_glance_passes_every_rule(city: City, ids: list[str], data: st.DataObject) -> None:
    rules = [one for one in rulebook.standard_rules(DATASETS[PEOPLE]) if one.kind != RuleKind.MEASURE]
    born = st.sampled_from([date(1980, 5, 6), date(2000, 2, 29), date(1850, 1, 1), date(2030, 1, 1)])
    with transaction.atomic():
        for serial, citizen_id in enumerate(ids, 1):
            is_said = citizen_id_format_ok(citizen_id) and data.draw(st.booleans())
            person(
                city, serial, citizen_id=citizen_id, birth_on=citizen_id_birth_on(citizen_id) if is_said else data.draw(born),
                sex=data.draw(st.sampled_from("0129X")), phone=data.draw(st.sampled_from([None, "139", "025-1", "x", "一"])),
                region_code=data.draw(st.sampled_from(["320102", "999999", "32", "x"])),
                household_relation=data.draw(st.sampled_from([None, "01", "77", "a1"])),
                died_on=data.draw(st.sampled_from([None, date(1970, 1, 1), date(2020, 1, 1)])),
                person_status=data.draw(st.sampled_from("09")), doubtful=data.draw(st.sampled_from([[], ["name"]])),
            )  # fmt: skip
        QualityRule.objects.bulk_create(rules)
        together = checking.look(DATASETS[PEOPLE], rules, rows="b.withdrawn_at IS NULL", now=NOW)
        assert together.errors == {}
        for one in rules:
            if not looks_apart(one):
                exact = passes_sql(DATASETS[PEOPLE], one, today=NOW.date())
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT count({exact}), count(*) FILTER (WHERE {exact} IS FALSE) FROM basedb_person b")
                    counted = cursor.fetchone()
                assert together.counts.get(one.pk, {}).get(city.police.pk, (0, 0)) == counted, one.code
        transaction.set_rollback(True)


def test_a_rule_that_cannot_be_carried_out_is_an_error_and_spoils_no_other(city: City) -> None:
    person(city, 1, name="")
    rule("good", RuleKind.REQUIRED, "former_name")
    rule("unknown", RuleKind.REQUIRED, "no_such_field")
    rule("types", RuleKind.CODES, "birth_on", parameters={"codes": ["not a day"]})
    done = check()
    assert done.state == CheckState.DONE
    assert told(done) == {"good": (1, 1, False), "unknown": (0, 0, True), "types": (0, 0, True)}
    said = QualityResult.objects.get(check_of=done, rule__code="types").error
    assert "22007" in said
    assert "not a day" not in said


def test_nought_checked_is_not_a_pass(city: City) -> None:
    rule("required", RuleKind.REQUIRED, "name")
    result = QualityResult.objects.get(check_of=check())
    assert (result.checked, result.failed) == (0, 0)
    assert scores.verdict(result) == scores.Verdict.NOTHING
    assert scores.grouped([result], lambda found: found.rule_id)[result.rule_id].percent is None


def test_withdrawn_rows_are_not_checked_and_a_batch_check_sees_its_run_alone(city: City) -> None:
    person(city, 1, former_name=None, run_id=7)
    person(city, 2, run_id=8)
    person(city, 3, run_id=7, withdrawn_at=NOW)
    rule("former", RuleKind.REQUIRED, "former_name")
    assert told(check()) == {"former": (2, 2, False)}
    assert told(check(run_id=7)) == {"former": (1, 1, False)}


def test_failed_rows_become_a_task_of_their_department_and_end_when_they_are_put_right(city: City) -> None:
    wrong = person(city, 1)
    person(city, 2, source_department=city.education)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    task = QualityTask.objects.get(department=city.police)
    assert (task.open_count, task.closed_at) == (1, None)
    assert QualityTask.objects.count() == 2
    assert Notification.objects.filter(user__department=city.police, path=f"/quality/tasks/{task.uid}/").exists()
    Person.objects.filter(pk=wrong.pk).update(former_name="张", version=2)
    check()
    task.refresh_from_db()
    assert (task.open_count, task.closed_at) == (0, NOW)
    assert QualityFault.objects.get(task=task).state == FaultState.FIXED


def test_the_second_check_opens_no_second_task_and_tells_nobody_twice(city: City) -> None:
    person(city, 1)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    messages = Notification.objects.count()
    check()
    assert QualityTask.objects.count() == QualityFault.objects.count() == 1
    assert Notification.objects.count() == messages


def test_what_is_accepted_stays_so_until_the_row_changes(city: City) -> None:
    one = person(city, 1)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    task = QualityTask.objects.get()
    fault = QualityFault.objects.get()
    actor = city.actor("police_operator")
    with pytest.raises(Invalid, match=r"quality\.reason_required"):
        tasks.accept(uid=task.uid, fault_uids=[fault.uid], reason=" ", actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        tasks.accept(uid=task.uid, fault_uids=[fault.uid], reason="没有曾用名", actor=city.actor("reviewer"), now=NOW)
    tasks.accept(uid=task.uid, fault_uids=[fault.uid], reason="没有曾用名", actor=actor, now=NOW)
    with pytest.raises(Conflict):
        tasks.accept(uid=task.uid, fault_uids=[fault.uid], reason="没有曾用名", actor=actor, now=NOW)
    check()
    assert not QualityTask.objects.filter(closed_at=None).exists()
    Person.objects.filter(pk=one.pk).update(name="李四", version=2)
    check()
    assert QualityTask.objects.filter(closed_at=None).count() == 1


def test_keys_at_the_source_that_are_peoples_numbers_are_whole_for_their_owner_alone(city: City) -> None:
    one = person(city, 1)
    source = DataSource.objects.create(
        code="register", title="户籍", dataset=PEOPLE, department=city.police, collector="PUBLIC_SECURITY"
    )
    SourceRecord.objects.create(
        id=1, chain=1, source=source, source_key=one.citizen_id, run_id=1, row_hash=bytes(16), subject_key=bytes(one.subject_key),
        payload={}, valid=(NOW, None), known=(NOW, None), received_at=NOW,
    )  # fmt: skip
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    task, fault = QualityTask.objects.get(), QualityFault.objects.get()
    keys = [faults.described(task, [fault], actor=city.actor(who))[0].source_key for who in ("police_operator", "reviewer")]
    assert keys[0] == one.citizen_id
    assert one.citizen_id[6:14] not in keys[1]


def test_a_check_left_by_a_dead_worker_is_taken_up_again(city: City) -> None:
    person(city, 1)
    rule("name", RuleKind.REQUIRED, "name")
    left = QualityCheck.objects.create(
        dataset=PEOPLE, queued_at=NOW, state=CheckState.RUNNING, started_at=NOW - timedelta(minutes=2)
    )
    assert checking.unattended(now=NOW) == [left.uid]
    checking.work(check_uid=left.uid, clock=lambda: NOW)
    left.refresh_from_db()
    assert (left.state, left.row_count) == (CheckState.DONE, 1)


def test_measures_of_the_rooms_above_are_rules_like_others(city: City, measures: None) -> None:
    MEASURES["freshness"] = lambda dataset, now: {city.police.pk: Measured(checked=3, failed=1)}
    rule("fresh", RuleKind.MEASURE, parameters={"name": "freshness"})
    rule("other", RuleKind.MEASURE, parameters={"name": "nobody_offers_this"})
    assert told(check()) == {"fresh": (3, 1, False), "other": (0, 0, True)}
    assert not QualityTask.objects.exists()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (RuleKind.CODES, {"codes": ["a\x00b"]}),
        (RuleKind.REQUIRED, {"when": "sex"}),
        (RuleKind.UNIQUE, {"fields": 5}),
        (RuleKind.REFERENCE, {"register": ["region"]}),
    ],
)
def test_parameters_of_a_wrong_shape_are_said_to_be_wrong(city: City, kind: RuleKind, parameters: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        rulebook.add_rule(
            dataset="population.person", code="odd", title="x", dimension="CONFORMITY", kind=kind, field="name",
            parameters=parameters, actor=city.actor("reviewer"), now=NOW,
        )  # fmt: skip
    assert not QualityRule.objects.filter(code="odd").exists()


def test_every_standard_rule_can_be_carried_out(city: City) -> None:
    rulebook.load_standard_rules(now=NOW)
    assert rulebook.load_standard_rules(now=NOW) == 0
    for dataset in DATASETS.values():
        rules = list(QualityRule.objects.filter(dataset=dataset.code).exclude(kind=RuleKind.MEASURE))
        assert rules
        found = checking.look(dataset, rules, rows="b.withdrawn_at IS NULL", now=NOW)
        assert found.errors == {}, dataset.code


def test_a_changed_rule_is_a_new_version_and_old_results_keep_theirs(city: City) -> None:
    person(city, 1)
    old = rule("former", RuleKind.REQUIRED, "former_name")
    check()
    new = rulebook.change_rule(uid=old.uid, actor=city.actor("reviewer"), now=NOW, field="name")
    assert (new.version, new.field) == (2, "name")
    assert QualityResult.objects.get().rule_id == old.pk
    with pytest.raises(Conflict):
        rulebook.change_rule(uid=old.uid, actor=city.actor("reviewer"), now=NOW, field="sex")
    with pytest.raises(Forbidden):
        rulebook.change_rule(uid=new.uid, actor=city.actor("police_operator"), now=NOW, field="sex")
    with pytest.raises(Invalid):
        rulebook.change_rule(
            uid=new.uid, actor=city.actor("reviewer"), now=NOW, kind="COMPARE", parameters={"operator": "=", "other": "birth_on"}
        )


def test_a_rule_whose_parameters_hold_sql_reaches_nothing(city: City) -> None:
    person(city, 1)
    rule("codes", RuleKind.CODES, "name", parameters={"codes": ["'); DROP TABLE basedb_person; --"]})
    rule("operator", RuleKind.COMPARE, "died_on", parameters={"operator": "; DROP TABLE basedb_person", "other": "birth_on"})
    found = told(check())
    assert found == {"codes": (1, 1, False), "operator": (0, 0, True)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM basedb_person")
        assert cursor.fetchone() == (1,)


def test_departments_see_their_own_scores_alone(city: City) -> None:
    person(city, 1)
    person(city, 2, source_department=city.education)
    rule("former", RuleKind.REQUIRED, "former_name")
    rule("name", RuleKind.REQUIRED, "name")
    check()
    own = scores.grouped(scores.newest_results(city.actor("police_operator")), lambda result: result.department_id)
    assert list(own) == [city.police.pk]
    assert (own[city.police.pk].percent, own[city.police.pk].checked) == (50, 2)
    every = scores.grouped(scores.newest_results(city.actor("reviewer")), lambda result: result.department_id)
    assert set(every) == {city.police.pk, city.education.pk}


def test_history_has_one_score_a_check(city: City) -> None:
    one = person(city, 1)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    Person.objects.filter(pk=one.pk).update(former_name="张")
    check()
    reviewer = city.actor("reviewer")
    assert [score.percent for _check, score in scores.history(reviewer, dataset=PEOPLE)] == [0, 100]


def test_at_most_so_many_rows_are_listed_and_the_rest_is_counted(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_LISTED", 2)
    for serial in range(1, 6):
        person(city, serial)
    rule("former", RuleKind.REQUIRED, "former_name")
    check()
    task = QualityTask.objects.get()
    assert (task.open_count, task.unlisted_count, QualityFault.objects.count()) == (2, 3, 2)
    assert isinstance(task.due_at, datetime)
