"""What the public sees of credit records: days in Shanghai, retraction, shields, marks, people; timeliness; the summary."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.credit import objections, records, shipped, standing, timeliness
from basedb.credit.records import KINDS, public_records, with_display
from basedb.credit.workflow import Command
from basedb.models import CreditEvent, CreditShield, CreditStanding, CreditTakedown
from basedb.quality.measures import Measured
from core.calendar import SHANGHAI, Calendar, today_in_shanghai
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from tests.basedb.credit_facts import key_of, make_fact
from tests.basedb.credit_rows import CITIZEN, COMPANY
from tests.factories import City

PENALTY = "credit.penalty"


def display(record: Any, dataset: str = PENALTY, *, on: date) -> str:
    return str(with_display(dataset, on).get(pk=record.pk).display)  # type: ignore[attr-defined]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture
def penalty(city: City) -> Any:
    shipped.load_tiers(apps)
    return make_fact(PENALTY, city.market, authority_code=city.market.code)


def test_record_is_shown_to_the_end_of_its_last_day_in_shanghai(penalty: Any) -> None:
    assert display(penalty, on=date(2025, 9, 2)) == "NOT_PUBLISHED"
    assert display(penalty, on=date(2025, 9, 3)) == "SHOWN"
    assert today_in_shanghai(moment("2026-09-01T23:59:59")) == date(2026, 9, 1)
    assert display(penalty, on=date(2026, 9, 1)) == "SHOWN"
    assert display(penalty, on=date(2026, 9, 2)) == "ENDED"


def test_taking_down_happens_once_a_day_and_tells_feeds(penalty: Any, city: City) -> None:
    other = make_fact(PENALTY, city.market, publish_until="20260902")
    assert standing.take_down(now=moment("2026-09-01T23:59:59")) == 0
    before = KINDS[PENALTY]._default_manager.get(pk=penalty.pk).changed_xid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
    assert standing.take_down(now=moment("2026-09-02T00:00:00")) == 1
    assert standing.take_down(now=moment("2026-09-02T23:00:00")) == 0
    after = KINDS[PENALTY]._default_manager.get(pk=penalty.pk).changed_xid
    assert after >= before
    assert CreditTakedown.objects.get(dataset=PENALTY, last_day=date(2026, 9, 1)).records == 1
    assert standing.take_down(now=moment("2026-09-20T12:00:00")) == 1, "days no task ran are made up for"
    assert display(other, on=date(2026, 9, 20)) == "ENDED"
    assert AuditEntry.objects.filter(action="credit_record.taken_down").count() == 2


def changed_in(record: Any, dataset: str = PENALTY) -> int:
    return int(KINDS[dataset]._default_manager.get(pk=record.pk).changed_xid)


@pytest.mark.parametrize(
    ("dataset", "given"),
    [(PENALTY, {"published_on": "20260902"}), ("credit.dishonesty", {"published_on": "20260101", "lifted_on": "20260902"})],
)
def test_feeds_are_told_on_the_day_a_record_begins_to_be_shown_or_is_lifted(
    city: City, dataset: str, given: dict[str, str]
) -> None:
    record = make_fact(dataset, city.market, decided_on="20260101", publish_until="20270101", **given)
    standing.take_down(now=moment("2026-09-01T12:00:00"))
    before = changed_in(record, dataset)
    KINDS[dataset]._default_manager.filter(pk=record.pk).update(changed_xid=3)
    standing.take_down(now=moment("2026-09-02T00:00:00"))
    assert changed_in(record, dataset) >= before


def test_feeds_are_told_on_the_day_a_shield_begins(penalty: Any, city: City) -> None:
    standing.take_down(now=moment("2026-03-01T12:00:00"))
    standing.shield(
        subject_key=bytes(penalty.subject_key), court="南京市中级人民法院", case_number="（2026）苏01破1号",
        first_day=date(2026, 3, 2), last_day=date(2026, 3, 9), actor=city.actor("reviewer"), now=moment("2026-03-01T12:00:00"),
    )  # fmt: skip
    KINDS[PENALTY]._default_manager.filter(pk=penalty.pk).update(changed_xid=3)
    standing.take_down(now=moment("2026-03-02T00:00:00"))
    assert changed_in(penalty) > 3


def test_penalty_without_a_last_day_is_not_published(city: City) -> None:
    slight = make_fact(PENALTY, city.market, severity="1", publish_until=None)
    assert display(slight, on=date(2025, 10, 1)) == "NOT_PUBLISHED"


def test_listing_ends_the_day_it_is_lifted(city: City) -> None:
    listed = make_fact("credit.dishonesty", city.market, lifted_on="20251001")
    assert display(listed, "credit.dishonesty", on=date(2025, 9, 30)) == "SHOWN"
    assert display(listed, "credit.dishonesty", on=date(2025, 10, 1)) == "LIFTED"


@pytest.mark.parametrize(("values", "code"), [({"record_state": "1"}, "RETRACTED"), ({"record_state": "2"}, "DISPUTED")])
def test_state_the_source_tells_counts(city: City, values: dict[str, str], code: str) -> None:
    assert display(make_fact(PENALTY, city.market, **values), on=date(2025, 10, 1)) == code


def test_row_its_source_deleted_is_not_shown(city: City, now: datetime) -> None:
    assert display(make_fact(PENALTY, city.market, withdrawn_at=now), on=date(2025, 10, 1)) == "WITHDRAWN"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dataset=st.sampled_from(sorted(KINDS)),
    day=st.dates(date(2025, 8, 1), date(2027, 1, 1)),
    state=st.sampled_from([None, "0", "2"]),
    published=st.sampled_from([None, "20250903"]),
)
def test_records_of_natural_persons_are_never_open(
    city: City, dataset: str, day: date, state: str | None, published: str | None
) -> None:
    made = make_fact(
        dataset, city.market, subject_category="自然人", subject_code=CITIZEN, record_state=state, published_on=published
    )
    assert not public_records(dataset, subject_key=made.subject_key, today=day).exists()
    assert not public_records(dataset, subject_key=None, today=day).filter(subject_category="自然人").exists()


def test_retraction_is_the_owners_heads_and_leaves_a_trail(penalty: Any, city: City, now: datetime) -> None:
    given = {"dataset": PENALTY, "row_key": bytes(penalty.row_key), "document": "宁市监撤〔2025〕1号", "reason": "行政复议撤销"}
    with pytest.raises(Forbidden):
        standing.retract(**given, actor=city.actor("market_operator"), now=now)
    with pytest.raises(NotFound):
        standing.retract(**given, actor=city.actor("police_head"), now=now)
    assert not CreditStanding.objects.exists()
    standing.retract(**given, actor=city.actor("market_head"), now=now)
    assert display(penalty, on=date(2025, 10, 1)) == "RETRACTED"
    assert CreditEvent.objects.get().kind == "record.retracted"
    with pytest.raises(Conflict):
        standing.retract(**given, actor=city.actor("market_head"), now=now)


def test_whoever_determined_a_record_sees_and_retracts_it_whoever_delivered_it(city: City, now: datetime) -> None:
    made = make_fact(PENALTY, city.police, authority_code=city.market.code, subject_category="自然人", subject_code=CITIZEN)
    given = {"dataset": PENALTY, "row_key": bytes(made.row_key)}
    for who in ("education_head", "system_admin"):
        with pytest.raises(NotFound):
            records.get_visible(**given, actor=city.actor(who), today=date(2025, 10, 1), or_public=True)
    assert records.get_visible(**given, actor=city.actor("market_operator"), today=date(2025, 10, 1)) == made
    reason = {"document": "宁市监撤〔2025〕1号", "reason": "行政复议撤销"}
    with pytest.raises(Forbidden):
        standing.retract(**given, **reason, actor=city.actor("police_head"), now=now)
    standing.retract(**given, **reason, actor=city.actor("market_head"), now=now)
    assert display(made, on=date(2025, 10, 1)) == "RETRACTED"


def test_shield_hides_all_records_of_an_entity_between_its_days(penalty: Any, city: City, now: datetime) -> None:
    given = {"subject_key": key_of(COMPANY), "court": "南京市中级人民法院", "case_number": "(2025)苏01破1号"}
    days = {"first_day": date(2025, 10, 1), "last_day": date(2025, 10, 31)}
    with pytest.raises(Forbidden):
        standing.shield(**given, **days, actor=city.actor("market_head"), now=now)
    reviewer = city.actor("reviewer")
    with pytest.raises(Invalid):
        standing.shield(**given, first_day=date(2025, 10, 2), last_day=date(2025, 10, 1), actor=reviewer, now=now)
    with pytest.raises(Invalid):
        standing.shield(**given, first_day=date(2025, 10, 2), last_day=date.max, actor=reviewer, now=now)
    made = standing.shield(**given, **days, actor=reviewer, now=now)
    shown = {day: display(penalty, on=date(2025, *day)) for day in [(9, 30), (10, 1), (10, 31), (11, 1)]}
    assert list(shown.values()) == ["SHOWN", "SHIELDED", "SHIELDED", "SHOWN"]
    with pytest.raises(Conflict):
        standing.shield(**given, **days, actor=reviewer, now=now)
    CreditShield.objects.filter(pk=made.pk).update(period=DateRange(date(2025, 10, 1), None))
    standing.end_shield(uid=made.uid, actor=reviewer, now=moment("2025-10-20T09:00:00"))
    assert display(penalty, on=date(2025, 10, 20)) == "SHOWN"


def test_objection_marks_a_record_while_it_is_checked(penalty: Any, city: City) -> None:
    now = moment("2025-10-01T10:00:00")
    given = {"dataset": PENALTY, "row_key": bytes(penalty.row_key), "reason": "处罚对象有误"}
    raised = objections.raise_objection(**given, actor=city.actor("police_operator"), now=now)
    assert display(penalty, on=date(2025, 10, 1)) == "DISPUTED"
    assert public_records(PENALTY, subject_key=penalty.subject_key, today=date(2025, 10, 1)).exists(), "marked, not hidden"
    assert Notification.objects.filter(user=city.people["market_head"]).count() == 1
    with pytest.raises(Conflict):
        objections.raise_objection(**given, actor=city.actor("education_operator"), now=now)
    with pytest.raises(Forbidden):
        objections.answer_objection(
            uid=raised.uid, revision=1, command=Command.DISMISS, text="无误", actor=city.actor("police_head"), now=now
        )
    objections.answer_objection(
        uid=raised.uid, revision=1, command=Command.DISMISS, text="经核实无误", actor=city.actor("market_head"), now=now
    )
    assert display(penalty, on=date(2025, 10, 1)) == "SHOWN"
    again = objections.raise_objection(**given, actor=city.actor("police_operator"), now=now)
    objections.answer_objection(
        uid=again.uid, revision=1, command=Command.RETRACT, text="主体录错", actor=city.actor("market_head"), now=now
    )
    assert display(penalty, on=date(2025, 10, 1)) == "RETRACTED"


def test_publishing_is_in_time_for_seven_working_days(city: City, penalty: Any) -> None:
    calendar = Calendar({date(2025, 9, 6): True})  # a make-up Saturday
    assert timeliness.last_day(date(2025, 9, 1), Calendar({})) == date(2025, 9, 10)
    assert timeliness.last_day(date(2025, 9, 1), calendar) == date(2025, 9, 9)
    assert timeliness.is_late(date(2025, 9, 1), date(2025, 9, 9), calendar) is False
    assert timeliness.is_late(date(2025, 9, 1), date(2025, 9, 10), calendar) is True
    assert timeliness.is_late(date(2025, 9, 1), None, calendar) is None


def test_timeliness_is_counted_by_department_with_its_denominator(city: City) -> None:
    for published in ("20250910", "20250911", "20250930", None):
        make_fact(PENALTY, city.market, published_on=published)
    make_fact("credit.permit", city.police, published_on="20250901")
    span = {"first_day": date(2025, 8, 1), "until": date(2025, 9, 30)}
    lines = timeliness.by_department(actor=city.actor("reviewer"), **span)
    assert {(line.department, line.in_time, line.late, line.unstated, line.judged) for line in lines} == {
        (city.market.name, 1, 2, 1, 3),
        (city.police.name, 1, 0, 0, 1),
    }
    own = timeliness.by_department(actor=city.actor("police_operator"), **span)
    assert [line.department for line in own] == [city.police.name]
    assert timeliness.by_department(actor=city.actor("reviewer"), first_day=date(2025, 10, 1), until=date(2025, 10, 2)) == []
    assert timeliness.measure(PENALTY, moment("2025-09-30")) == {city.market.pk: Measured(checked=3, failed=2)}
    assert timeliness.measure(PENALTY, moment("2026-09-30")) == timeliness.measure("population.person", moment("2025-09-30")) == {}


def test_records_are_visible_to_their_department_the_window_and_auditors(city: City, penalty: Any) -> None:
    seen = {
        name: records.records_visible_to(city.actor(name), PENALTY, today=date(2025, 10, 1)).count()
        for name in ("market_operator", "market_head", "reviewer", "auditor", "police_operator", "system_admin")
    }
    assert seen == {
        "market_operator": 1, "market_head": 1, "reviewer": 1, "auditor": 1, "police_operator": 0, "system_admin": 0,
    }  # fmt: skip


def test_history_of_a_record_cannot_be_rewritten(penalty: Any, city: City, now: datetime) -> None:
    records.note_event(PENALTY, penalty, "record.retracted", actor=city.actor("market_head"), at=now - timedelta(days=1))
    with pytest.raises(DatabaseError):
        CreditEvent.objects.update(note="x")
