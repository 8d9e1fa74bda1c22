"""Missing licenses: who gets the report, who may do what when, clocks, answers, duplicates, withdrawal."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from core.audit import PLATFORM
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from core.working_days import deadline
from licenses import subject_keys
from licenses.issuing import drafts
from licenses.models import IssuingDraft, LicenseHolder, MissingReport, MissingState, MissingStep, TypeOffice
from licenses.reissue import checking, clocks, reissuing, reports
from licenses.reissue.statistics import figures
from licenses.reissue.workflow import DESKS, TABLE, Command, Party, allowed, decide
from tests.factories import City
from tests.licenses import issuing_scene
from tests.licenses.missing import HOLDER, OTHER, issued_by_police, missing_report
from tests.licenses.verified import aggregate, make_license


def step(city: City, report: MissingReport, command: Command, who: str, now: datetime, **values: Any) -> MissingReport:
    report.refresh_from_db()
    given = {"text": "已核对", "revision": report.revision, "actor": city.actor(who)} | values
    return checking.advance(uid=report.uid, command=command, now=now, **given)


def told(city: City, who: str) -> list[str]:
    return list(Notification.objects.filter(user=city.people[who]).order_by("id").values_list("title", flat=True))


def test_every_state_of_the_table_ends_and_every_open_state_has_a_desk() -> None:
    reached = {next_step.state for rules in TABLE.values() for next_step in rules.values()}
    assert reached | {"REPORTED", "JOINED"} == set(MissingState.values)
    for rules in TABLE.values():
        for next_step in rules.values():
            assert (next_step.desk is None) == (next_step.state not in DESKS)
            assert (next_step.clock is None) == (next_step.desk is None)
    assert all(allowed(state, [desk]) for state, desk in DESKS.items())


def test_a_command_is_refused_to_the_wrong_party_and_in_the_wrong_state() -> None:
    with pytest.raises(Forbidden):
        decide("REPORTED", Command.RECEIVE, {Party.REPORTER})
    with pytest.raises(Conflict):
        decide("FOUND", Command.RECEIVE, {Party.OPERATOR})
    with pytest.raises(Forbidden):
        decide("DENYING", Command.CONFIRM, {Party.OPERATOR, Party.REPORTER, Party.CENTRE})


def test_a_report_goes_to_whoever_keeps_the_type_until_the_end_of_the_next_working_day(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    assert (report.state, report.department) == ("REPORTED", city.police)
    assert report.due_at == deadline(now, 1)
    assert told(city, "police_operator")
    entry = AuditEntry.objects.get(action="missing_license.reported")
    assert HOLDER not in str(entry.detail)
    assert sorted(entry.department_ids) == sorted([city.police.pk, city.education.pk])


def test_a_report_goes_to_whoever_issued_the_type_in_the_region_and_still_may(city: City, now: datetime) -> None:
    version = issued_by_police(city)
    make_license(version, issuer=city.market, region_code="320104")
    assert missing_report(city, now, region_code="320104").department == city.police
    TypeOffice.objects.create(
        type_code=version.code, department=city.market, basis="文件", effective=(now.date(), None), confirmed_at=now
    )
    assert missing_report(city, now, region_code="320104", holder_code=OTHER).department == city.market


def test_wrong_holders_types_and_people_are_refused_with_the_field(city: City, now: datetime) -> None:
    with pytest.raises(Invalid) as wrong:
        missing_report(city, now, holder_code="990101198005061210")
    assert "holder_code" in wrong.value.details
    with pytest.raises(Invalid) as wrong:
        missing_report(city, now, type_code="11100000000000000X999", kind="OTHER", region_code="somewhere")
    assert set(wrong.value.details) == {"type_code", "kind", "region_code"}
    with pytest.raises(Invalid) as wrong:
        missing_report(city, now, note="\u200b ")
    assert "note" in wrong.value.details
    with pytest.raises(Forbidden):
        missing_report(city, now, actor=city.actor("reviewer"))
    assert not MissingReport.objects.exists()


def test_what_is_there_and_in_force_is_answered_at_once_unless_it_was_lost(city: City, now: datetime) -> None:
    known = aggregate(city.police, subject_key=subject_keys.subject_key(HOLDER))
    with pytest.raises(Conflict) as refused:
        missing_report(city, now, kind="NOT_FOUND")
    assert refused.value.details == {"identifier": known.identifier}
    assert missing_report(city, now, kind="LOST").state == "REPORTED"


def test_an_expired_license_does_not_answer_a_report(city: City, now: datetime) -> None:
    aggregate(city.police, subject_key=subject_keys.subject_key(HOLDER), valid_to=date.today() - timedelta(days=1))
    assert missing_report(city, now).state == "REPORTED"


def test_a_second_report_of_the_same_license_joins_the_first_and_hears_of_the_answer(city: City, now: datetime) -> None:
    first = missing_report(city, now)
    second = missing_report(city, now, actor=city.actor("market_operator"))
    assert (second.state, second.joined_into, second.department) == ("JOINED", first, city.police)
    step(city, first, Command.RECEIVE, "police_operator", now)
    step(city, first, Command.DENY, "police_operator", now)
    step(city, first, Command.CONFIRM, "police_head", now, text="档案中没有发证记录")
    assert told(city, "market_operator")[-1] == told(city, "education_operator")[-1]
    assert missing_report(city, now).state == "REPORTED"  # closed, so that it may be reported anew


def test_another_paper_is_another_license(city: City, now: datetime) -> None:
    missing_report(city, now, paper_number="1")
    assert missing_report(city, now, paper_number="2").state == "REPORTED"


def test_when_the_first_withdraws_the_next_one_takes_its_place(city: City, now: datetime) -> None:
    first = missing_report(city, now)
    second = missing_report(city, now, actor=city.actor("market_operator"))
    third = missing_report(city, now, actor=city.actor("police_operator"))
    step(city, first, Command.WITHDRAW, "education_operator", now)
    for report in (first, second, third):
        report.refresh_from_db()
    assert (first.state, second.state, third.state) == ("WITHDRAWN", "REPORTED", "JOINED")
    assert third.joined_into == second
    assert second.due_at == deadline(now, 1)


def test_only_whoever_reported_withdraws(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    with pytest.raises(Forbidden):
        step(city, report, Command.WITHDRAW, "police_operator", now)
    with pytest.raises(NotFound):
        step(city, report, Command.WITHDRAW, "market_operator", now)


def test_a_denial_is_the_head_s_word_and_needs_a_reason(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    checked = step(city, report, Command.RECEIVE, "police_operator", now)
    assert checked.due_at == deadline(now, 5)
    with pytest.raises(Invalid) as wrong:
        step(city, report, Command.DENY, "police_operator", now, text=" ")
    assert "text" in wrong.value.details
    step(city, report, Command.DENY, "police_operator", now)
    with pytest.raises(Forbidden):
        step(city, report, Command.CONFIRM, "police_operator", now)
    step(city, report, Command.RETURN, "police_head", now)
    step(city, report, Command.DENY, "police_operator", now)
    done = step(city, report, Command.CONFIRM, "police_head", now, text="从未颁发")
    assert (done.state, done.answer, done.due_at) == ("ABSENT", "从未颁发", None)
    assert list(report.steps.values_list("command", flat=True)) == [
        "REPORT", "RECEIVE", "DENY", "RETURN", "DENY", "CONFIRM",
    ]  # fmt: skip


def test_a_license_that_was_found_must_be_the_holder_s(city: City, now: datetime) -> None:
    theirs = aggregate(city.police, subject_key=subject_keys.subject_key(OTHER))
    mine = aggregate(city.police, subject_key=subject_keys.subject_key(HOLDER), number="another")
    report = missing_report(city, now, kind="LOST")
    step(city, report, Command.RECEIVE, "police_operator", now)
    revoked = aggregate(city.police, subject_key=subject_keys.subject_key(HOLDER), number="revoked", license_state="07")
    expired = aggregate(city.police, subject_key=subject_keys.subject_key(HOLDER), number="old", valid_to=now.date() - timedelta(2))
    for wrong in ("", "nothing", theirs.identifier, revoked.identifier, expired.identifier):
        with pytest.raises(Invalid):
            step(city, report, Command.FIND, "police_operator", now, identifier=wrong)
    done = step(city, report, Command.FIND, "police_operator", now, identifier=f" {mine.identifier} ")
    assert (done.state, done.identifier) == ("FOUND", mine.identifier)


def test_what_the_issuing_desk_issues_closes_the_report(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    step(city, report, Command.RECEIVE, "police_operator", now)
    step(city, report, Command.REISSUE, "police_operator", now)
    issued = make_license(issued_by_police(city))
    assert checking.complete_for(issued, actor=city.actor("police_operator"), now=now) == 0
    LicenseHolder.objects.create(
        license=issued, ordinal=2, name="王小国", code=HOLDER, code_type="111", subject_key=subject_keys.subject_key(HOLDER)
    )
    assert checking.complete_for(issued, actor=city.actor("police_operator"), now=now) == 1
    report.refresh_from_db()
    assert (report.state, report.identifier, report.license) == ("REISSUED", issued.identifier, issued)
    assert told(city, "education_operator")


def test_a_wrong_department_hands_over_and_the_clock_starts_anew(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    later = now + timedelta(days=1)
    with pytest.raises(Invalid):
        step(city, report, Command.HAND_OVER, "police_operator", later, department_uid=uuid4())
    with pytest.raises(Invalid):
        step(city, report, Command.HAND_OVER, "police_operator", later, department_uid=city.police.uid)
    done = step(city, report, Command.HAND_OVER, "police_operator", later, department_uid=city.market.uid)
    assert (done.department, done.state, done.due_at) == (city.market, "REPORTED", deadline(later, 1))
    assert told(city, "market_operator")
    with pytest.raises(NotFound):
        reports.get_visible(report.uid, city.actor("police_operator"))


def test_a_check_is_extended_once_by_the_head(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    first = step(city, report, Command.RECEIVE, "police_operator", now).due_at
    assert first is not None
    assert step(city, report, Command.EXTEND, "police_head", now).due_at == deadline(first, 5)
    with pytest.raises(Conflict):
        step(city, report, Command.EXTEND, "police_head", now)


def test_an_outdated_page_changes_nothing(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    step(city, report, Command.RECEIVE, "police_operator", now)
    with pytest.raises(Conflict):
        step(city, report, Command.DENY, "police_operator", now, revision=1)
    assert MissingStep.objects.filter(report=report).count() == 2


def test_a_late_desk_is_reminded_once(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    assert report.due_at is not None
    late = report.due_at + timedelta(minutes=1)
    before = len(told(city, "police_operator"))
    assert (checking.remind_due(now=late), checking.remind_due(now=late)) == (1, 0)
    assert len(told(city, "police_operator")) == before + 1


def test_a_holder_reports_and_withdraws_the_own_license_only(city: City, now: datetime) -> None:
    report = missing_report(city, now, actor=PLATFORM, is_by_holder=True)
    key = subject_keys.subject_key(HOLDER)
    assert list(reports.reports_of(key)) == [report]
    with pytest.raises(NotFound):
        checking.withdraw_by_holder(uid=report.uid, subject_key=subject_keys.subject_key(OTHER), now=now)
    assert checking.withdraw_by_holder(uid=report.uid, subject_key=key, now=now).state == "WITHDRAWN"


def test_a_new_clock_holds_from_its_day_and_leaves_what_runs(city: City, now: datetime) -> None:
    running = missing_report(city, now)
    due = running.due_at
    today = now.astimezone(SHANGHAI).date()
    given = {"stage": "RECEIVE", "days": 3, "citation": "某办法", "actor": city.actor("reviewer"), "now": now}
    with pytest.raises(Invalid):
        clocks.set_clock(**given, from_day=today)
    with pytest.raises(Forbidden):
        clocks.set_clock(**given | {"actor": city.actor("police_head")}, from_day=today + timedelta(days=1))
    clocks.set_clock(**given, from_day=today + timedelta(days=1))
    running.refresh_from_db()
    assert running.due_at == due
    later = now + timedelta(days=2)
    assert missing_report(city, later, holder_code=OTHER).due_at == deadline(later, 3)
    with pytest.raises(Conflict):
        clocks.set_clock(**given, from_day=today + timedelta(days=1))


def test_figures_tell_what_became_of_the_reports(city: City, now: datetime) -> None:
    first = missing_report(city, now)
    missing_report(city, now, actor=city.actor("market_operator"))
    missing_report(city, now, holder_code=OTHER)
    step(city, first, Command.RECEIVE, "police_operator", now)
    step(city, first, Command.DENY, "police_operator", now)
    step(city, first, Command.CONFIRM, "police_head", now)
    day = now.astimezone(SHANGHAI).date()
    for by in ("type", "department", "month"):
        (line,) = figures(by=by, first=day, last=day, actor=city.actor("reviewer"), now=now + timedelta(days=30))
        assert (line.reported, line.absent, line.open, line.late) == (2, 1, 1, 1)
    assert figures(by="type", first=day, last=day, actor=city.actor("market_head"), now=now)[0:] == []


def test_a_clock_is_read_by_the_day_in_shanghai(city: City, now: datetime) -> None:
    report = missing_report(city, now)
    step(city, report, Command.RECEIVE, "police_operator", now)
    from_day = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    clocks.set_clock(stage="EXTENSION", days=9, citation="某办法", from_day=from_day, actor=city.actor("reviewer"), now=now)
    at_night = datetime.combine(from_day, time(1), tzinfo=SHANGHAI).astimezone(UTC)  # still the day before in UTC
    report.refresh_from_db()
    assert report.due_at is not None
    due = deadline(max(report.due_at, at_night), 9)
    assert step(city, report, Command.EXTEND, "police_head", at_night).due_at == due


def test_a_reissue_of_what_was_issued_here_is_drafted_and_closes_when_signed(city: City, now: datetime) -> None:
    person = issuing_scene.make_person(city.police)
    license = issuing_scene.issued(city, issuing_scene.card_type(city), person, now)
    report = missing_report(
        city, now, kind="LOST", type_code=license.type_code, region_code=license.region_code, holder_code=person.citizen_id
    )
    assert report.department == city.market
    step(city, report, Command.RECEIVE, "market_operator", now)
    report.refresh_from_db()
    begun = reissuing.carry_out(
        uid=report.uid, revision=report.revision, command=Command.REISSUE, text="", actor=city.actor("market_operator"), now=now
    )
    draft = IssuingDraft.objects.get(uid=begun.draft_uid)
    assert (draft.kind, draft.supersedes) == ("REISSUE", license)
    drafts.submit(uid=draft.uid, revision=draft.revision, actor=city.actor("market_operator"), now=now)
    draft.refresh_from_db()
    fresh = drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_head"), now=now)
    report.refresh_from_db()
    assert (report.state, report.identifier) == ("REISSUED", fresh.identifier)
