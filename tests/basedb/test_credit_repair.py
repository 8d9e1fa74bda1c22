"""Repair of credit records: tiers as data, the path from window to determining department, what a grant does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

import pytest
from django.apps import apps

from basedb.credit import repairs, shipped, tier_versions
from basedb.credit.records import with_display
from basedb.credit.tier_versions import Terms
from basedb.credit.tiers import months_later
from basedb.credit.workflow import Command
from basedb.models import CreditEvent, CreditRepair, CreditTier
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from tests.basedb.credit_facts import make_fact
from tests.factories import City

PENALTY = "credit.penalty"


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=SHANGHAI)


def submit(record: Any, city: City, now: datetime, who: str = "police_operator", dataset: str = PENALTY) -> CreditRepair:
    return repairs.submit_repair(
        dataset=dataset,
        row_key=bytes(record.row_key),
        reason="义务已履行",
        evidence="罚款缴款凭证",
        actor=city.actor(who),
        now=now,
    )


@pytest.fixture
def penalty(city: City) -> Any:
    shipped.load_tiers(apps)
    return make_fact(PENALTY, city.market, authority_code=city.market.code)


TIERS = [  # severity, last day of showing, last day that is too early, first possible day
    ("1", "20251201", None, "2025-09-03"),
    ("2", "20260901", "2025-12-02", "2025-12-03"),
    ("3", "20280901", "2026-09-02", "2026-09-03"),
    (None, "20260901", "2025-12-02", "2025-12-03"),
]


@pytest.mark.parametrize(("severity", "until", "early", "first"), TIERS)
def test_repair_before_the_shortest_time_is_refused_with_the_first_day(
    city: City, severity: str | None, until: str, early: str | None, first: str
) -> None:
    shipped.load_tiers(apps)
    record = make_fact(PENALTY, city.market, severity=severity, publish_until=until)
    if early:
        with pytest.raises(Invalid) as refused:
            submit(record, city, at(early))
        assert refused.value.code == "repair.too_early"
        assert refused.value.details["first_day"] == first
        assert first in str(refused.value.message)
        assert not CreditRepair.objects.exists()
    assert submit(record, city, at(first)).state == "SUBMITTED"


def test_changed_tier_counts_from_its_day_and_leaves_what_was_before(city: City, penalty: Any) -> None:
    terms = Terms(min_months=1, max_months=6, accept_days=1, answer_days=5, extension_days=5)
    change = partial(tier_versions.change, code="2", citation="《测试办法》第一条", now=at("2025-10-01"))
    with pytest.raises(Forbidden):
        change(terms=terms, effective_from=date(2025, 10, 9), actor=city.actor("market_head"))
    reviewer = city.actor("reviewer")
    with pytest.raises(Invalid) as refused:
        change(terms=replace(terms, min_months=7, accept_days=-1), effective_from=date(2025, 10, 1), actor=reviewer)
    assert set(refused.value.details) == {"max_months", "accept_days", "effective_from"}
    change(terms=terms, effective_from=date(2025, 10, 9), actor=reviewer)
    with pytest.raises(Invalid):
        change(terms=terms, effective_from=date(2025, 10, 9), actor=reviewer)
    periods = list(CreditTier.objects.filter(code="2").order_by("effective").values_list("effective", "min_months"))
    assert [(period.upper, months) for period, months in periods] == [(date(2025, 10, 9), 3), (None, 1)]
    assert AuditEntry.objects.get(action="credit_tier.changed").detail["before"]["min_months"] == 3
    with pytest.raises(Invalid):
        submit(penalty, city, at("2025-10-08"))
    assert submit(penalty, city, at("2025-10-09")).due_at == datetime(2025, 10, 11, tzinfo=SHANGHAI)


def test_application_is_answered_by_the_rules_of_the_day_it_was_handed_in(city: City, penalty: Any) -> None:
    repair = submit(penalty, city, at("2025-12-31"))
    terms = Terms(min_months=3, max_months=12, accept_days=3, answer_days=1, extension_days=1)
    tier_versions.change(
        code="2", terms=terms, citation="《测试办法》第一条", effective_from=date(2026, 1, 4), actor=city.actor("reviewer"),
        now=at("2025-12-31"),
    )  # fmt: skip
    day = at("2026-01-05")
    accepted = repairs.advance_repair(uid=repair.uid, revision=1, command=Command.ACCEPT, actor=city.actor("reviewer"), now=day)
    assert accepted.due_at == datetime(2026, 1, 20, tzinfo=SHANGHAI), "ten working days, as before"


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [((2025, 11, 30), 3, (2026, 2, 28)), ((2025, 1, 31), 1, (2025, 2, 28)), ((2025, 9, 3), 36, (2028, 9, 3))],
)
def test_months_end_with_the_month(day: Any, months: int, later: Any) -> None:
    assert months_later(date(*day), months) == date(*later)


def test_whoever_determined_the_record_repairs_it(city: City, penalty: Any) -> None:
    day = at("2026-01-05")
    repair = submit(penalty, city, day)
    assert repair.owner == city.market
    assert Notification.objects.filter(user=city.people["reviewer"]).count() == 1

    def go(command: Command, who: str, revision: int, text: str = "情况属实") -> CreditRepair:
        return repairs.advance_repair(uid=repair.uid, revision=revision, command=command, text=text, actor=city.actor(who), now=day)

    with pytest.raises(Forbidden):
        go(Command.ACCEPT, "market_head", 1)
    with pytest.raises(NotFound):
        go(Command.ACCEPT, "education_head", 1)
    accepted = go(Command.ACCEPT, "reviewer", 1)
    assert accepted.due_at == datetime(2026, 1, 20, tzinfo=SHANGHAI), "ten working days"
    with pytest.raises(Conflict):
        go(Command.ACCEPT, "reviewer", 1)
    with pytest.raises(Invalid):
        go(Command.CHECK, "market_operator", 2, " ")
    go(Command.CHECK, "market_operator", 2)
    with pytest.raises(Forbidden):
        go(Command.GRANT, "market_operator", 3)
    granted = go(Command.GRANT, "market_head", 3, "准予")
    assert (granted.state, granted.due_at, granted.decided_at) == ("GRANTED", None, day)
    shown: Any = with_display(PENALTY, date(2026, 1, 5)).get(pk=penalty.pk)
    assert shown.display == "REPAIRED"
    assert [event.kind for event in CreditEvent.objects.all()] == [
        "repair.submitted", "repair.accepted", "repair.checked", "repair.granted",
    ]  # fmt: skip
    assert Notification.objects.filter(user=city.people["police_operator"], title__contains="准予").exists()
    with pytest.raises(NotFound):
        submit(penalty, city, day)
    with pytest.raises(Conflict, match="ended"):
        submit(penalty, city, day, "market_operator")


def test_refused_repair_leaves_the_record_shown_and_may_be_asked_again(city: City, penalty: Any) -> None:
    day = at("2026-01-05")
    repair = submit(penalty, city, day)
    for revision, (command, who) in enumerate(
        [
            (Command.ACCEPT, "reviewer"),
            (Command.EXTEND, "market_head"),
            (Command.CHECK, "market_operator"),
            (Command.RETURN, "market_head"),
            (Command.CHECK, "market_operator"),
            (Command.REFUSE, "market_head"),
        ],
        1,
    ):
        repair = repairs.advance_repair(
            uid=repair.uid, revision=revision, command=command, text="意见", actor=city.actor(who), now=day
        )
    assert repair.state == "REFUSED"
    assert repair.is_extended
    shown: Any = with_display(PENALTY, date(2026, 1, 5)).get(pk=penalty.pk)
    assert shown.display == "SHOWN"
    assert submit(penalty, city, day).state == "SUBMITTED"


def test_answer_may_be_put_off_once(city: City, penalty: Any) -> None:
    day = at("2026-01-05")
    repair = submit(penalty, city, day)
    repairs.advance_repair(uid=repair.uid, revision=1, command=Command.ACCEPT, actor=city.actor("reviewer"), now=day)
    given = {"command": Command.EXTEND, "text": "案情复杂", "actor": city.actor("market_head"), "now": day}
    extended = repairs.advance_repair(uid=repair.uid, revision=2, **given)
    assert extended.due_at > datetime(2026, 1, 20, tzinfo=SHANGHAI)
    with pytest.raises(Conflict, match="extended_already"):
        repairs.advance_repair(uid=repair.uid, revision=3, **given)


def test_permits_are_not_repaired(city: City) -> None:
    shipped.load_tiers(apps)
    permit = make_fact("credit.permit", city.market)
    with pytest.raises(Invalid, match="not_adverse"):
        submit(permit, city, at("2026-01-05"), dataset="credit.permit")


def test_second_application_for_one_record_is_refused_while_one_is_open(city: City, penalty: Any) -> None:
    submit(penalty, city, at("2026-01-05"))
    with pytest.raises(Conflict, match="already_open"):
        submit(penalty, city, at("2026-01-05"), "education_operator")
    assert CreditRepair.objects.count() == 1


def test_listing_of_serious_dishonesty_without_a_severity_waits_as_long_as_a_serious_one(city: City) -> None:
    shipped.load_tiers(apps)
    listed = make_fact(
        "credit.dishonesty", city.market, severity=None, decided_on="20250601", published_on="20250601", publish_until="20280601"
    )
    with pytest.raises(Invalid) as refused:
        submit(listed, city, at("2026-05-31"), dataset="credit.dishonesty")
    assert refused.value.details["first_day"] == "2026-06-01"
    assert submit(listed, city, at("2026-06-01"), dataset="credit.dishonesty").severity == "3"
