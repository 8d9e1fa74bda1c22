"""Supervision by the data centre: notices on what is late, replies, and who was late how often."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import Notification
from exchange.models import AccessRequest, AccessRequestStep, SupervisionNotice
from exchange.requests import lateness, supervision
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


@pytest.fixture
def late(city: City, now: datetime) -> AccessRequest:
    made = factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        state="CHECKED", desk="PROVIDER_HEAD", route="PROVIDER_FIRST", due_at=now - timedelta(hours=1),
        answer_due_at=now - timedelta(hours=1),
    )  # fmt: skip
    AccessRequestStep.objects.create(
        access_request=made, at=now, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
        actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
    )  # fmt: skip
    return made


def test_a_late_desk_is_asked_and_replies_once(city: City, late: AccessRequest, now: datetime) -> None:
    reviewer, head = city.actor("reviewer"), city.actor("police_head")
    notice = supervision.issue_notice(request_uid=late.uid, text="请说明原因", actor=reviewer, now=now)
    assert (notice.department, notice.desk) == (city.police, "PROVIDER_HEAD")
    assert Notification.objects.filter(user=city.people["police_head"], title__contains="督办").count() == 1
    with pytest.raises(Conflict):
        supervision.issue_notice(request_uid=late.uid, text="再催", actor=reviewer, now=now)
    for name, expected in (("police_operator", Forbidden), ("education_head", Forbidden), ("market_head", NotFound)):
        with pytest.raises(expected):
            supervision.reply(notice_uid=notice.uid, text="代答", actor=city.actor(name), now=now)
    with pytest.raises(Invalid):
        supervision.reply(notice_uid=notice.uid, text=" ", actor=head, now=now)
    supervision.reply(notice_uid=notice.uid, text="明日办结", actor=head, now=now)
    with pytest.raises(Conflict):
        supervision.reply(notice_uid=notice.uid, text="又答", actor=head, now=now)
    assert Notification.objects.filter(user=city.people["reviewer"], body="明日办结").exists()
    seers = {name for name in city.people if supervision.notices_visible_to(city.actor(name)).exists()}
    assert seers == {"police_operator", "police_head", "reviewer", "auditor"}


@pytest.mark.parametrize("name", ["education_head", "police_head", "auditor", "system_admin"])
def test_only_the_data_centre_supervises(name: str, city: City, late: AccessRequest, now: datetime) -> None:
    with pytest.raises(DomainError):
        supervision.issue_notice(request_uid=late.uid, text="请说明", actor=city.actor(name), now=now)
    assert not SupervisionNotice.objects.exists()


def test_a_desk_with_time_left_is_not_supervised(city: City, late: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.update(due_at=now + timedelta(days=3))
    with pytest.raises(Conflict):
        supervision.issue_notice(request_uid=late.uid, text="请说明", actor=city.actor("reviewer"), now=now)


def test_late_answers_are_counted_for_the_provider(city: City, late: AccessRequest, now: datetime) -> None:
    tomorrow = now + timedelta(days=1)
    (line,) = lateness.by_department(since=now, until=tomorrow, now=now)
    assert (line.department, line.late_answers, line.owed_answers, line.late_steps) == (city.police, 0, 1, 0)
    carry_out(request_uid=late.uid, command=Command.REFUSE, actor=city.actor("police_head"), now=now, reason="不符合")
    (line,) = lateness.by_department(since=now, until=tomorrow, now=now)
    assert (line.late_answers, line.owed_answers, line.late_steps) == (1, 0, 1)
    assert lateness.by_department(since=tomorrow, until=tomorrow + timedelta(days=1), now=now) == []
