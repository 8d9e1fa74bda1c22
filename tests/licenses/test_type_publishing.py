"""A license type from draft to retirement: who may do what, what a publication changes, and that it never changes again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from basedb.models import LicenseType
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import entrusting, publishing, reading
from licenses.types.comparing import differences
from licenses.types.publishing import content_of, today
from licenses.types.reading import in_force
from tests.factories import City, make_user
from tests.licenses.types_scene import (
    ITEMS,
    LAYOUT,
    draft_type,
    next_version,
    published,
    published_type,
    some_facts,
    submitted_type,
)

GONE = [one | {"item": "gone"} if one.get("item") == "name" else one for one in LAYOUT["elements"]]


def entries(code: str) -> list[tuple[str, bool]]:
    return [(row.version, row.effective.upper is None) for row in LicenseType.objects.filter(code=code).order_by("effective")]


def test_a_type_goes_from_operator_to_head_and_into_the_base_database(city: City, now: datetime) -> None:
    made = published_type(city, now)
    assert (made.state, made.number, made.published_by) == (TypeState.PUBLISHED, 1, city.people["police_head"])
    assert in_force(made.code, today(now)) == made
    entry = LicenseType.objects.get(code=made.code)
    assert (entry.name, entry.holder_kind, entry.validity_months, entry.version) == ("试验操作证", "自然人", 72, "1")
    assert entry.effective.lower == today(now)
    head = Notification.objects.get(user=city.people["police_head"])
    assert head.path == f"/license-types/versions/{made.uid}/"
    actions = AuditEntry.objects.filter(object_uid=str(made.uid)).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["license_type.drafted", "license_type.submitted", "license_type.published"]


def test_the_next_version_ends_the_one_before_on_its_first_day(city: City, now: datetime) -> None:
    first = published_type(city, now)
    second = next_version(city, first.code, now, days=3)
    day = today(now)
    assert in_force(first.code, day + timedelta(days=2)) == first
    assert in_force(first.code, day + timedelta(days=3)) == second
    assert entries(first.code) == [("1", False), ("2", True)]
    found = differences(content_of(first), content_of(second))
    assert [(one.part, one.kind, one.what) for one in found] == [("ITEMS", "ADDED", "备注2 (note2)")]


def test_a_published_version_cannot_be_touched_again(city: City, now: datetime) -> None:
    made = published_type(city, now)
    given: dict[str, Any] = {"uid": made.uid, "revision": made.revision, "actor": city.actor("police_operator"), "now": now}
    for command in (publishing.revise, publishing.submit):
        with pytest.raises(Conflict) as refused:
            command(**given)
        assert refused.value.code == "license_type.not_draft"
    assert TypeVersion.objects.get().rulebook == made.rulebook


@pytest.mark.parametrize(
    ("who", "command"),
    [
        ("police_head", "revise"),
        ("market_operator", "revise"),
        ("police_head", "submit"),
        ("police_operator", "publish"),
        ("market_head", "publish"),
        ("reviewer", "publish"),
        ("police_operator", "send_back"),
        ("police_head", "retire"),
        ("auditor", "revise"),
    ],
)
def test_only_the_right_person_of_the_keeping_department_acts(city: City, now: datetime, who: str, command: str) -> None:
    made = submitted_type(city, now)
    more: dict[str, Any] = {"publish": {"effective_from": today(now)}, "send_back": {"reason": "x"}}.get(command, {})
    given: dict[str, Any] = (
        {"uid": made.uid, "revision": made.revision} if command != "retire" else {"code": made.code, "reason": "x"}
    )
    with pytest.raises((Forbidden, NotFound)):
        getattr(publishing, command)(**given, **more, actor=city.actor(who), now=now)
    made.refresh_from_db()
    assert made.state == TypeState.DRAFT


def test_nobody_publishes_what_they_wrote(city: City, now: datetime) -> None:
    both = make_user("police_both", city.police, Role.OPERATOR, Role.HEAD)
    city.people["both"] = both
    made = draft_type(city, now)
    made = publishing.revise(uid=made.uid, revision=made.revision, layout=LAYOUT, actor=city.actor("both"), now=now)
    made = publishing.revise(uid=made.uid, revision=made.revision, layout=LAYOUT, actor=city.actor("police_operator"), now=now)
    made = publishing.submit(uid=made.uid, revision=made.revision, actor=city.actor("police_operator"), now=now)
    given: dict[str, Any] = {"uid": made.uid, "revision": made.revision, "effective_from": today(now), "now": now}
    with pytest.raises(Forbidden) as refused:
        publishing.publish(**given, actor=city.actor("both"))
    assert refused.value.code == "license_type.own_draft"
    assert not LicenseType.objects.filter(code=made.code).exists()
    publishing.publish(**given, actor=city.actor("police_head"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"code": "12345"}, "code"),
        ({"code": "11990000MB0000000x001"}, "code"),
        ({"code": "91990000MB0000000X001"}, "code"),
        ({"name": " "}, "name"),
        ({"validity_months": None}, "validity_months"),
        ({"validity_months": 0}, "validity_months"),
        ({"validity_kind": "UNLIMITED"}, "validity_months"),
        ({"holder_kind": "NOBODY"}, "holder_kind"),
        ({"holders_at_most": 0}, "holders_at_most"),
    ],
)
def test_wrong_facts_are_refused_naming_the_field(city: City, now: datetime, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        publishing.draft(facts=some_facts(**values), actor=city.actor("police_operator"), now=now)
    assert list(refused.value.details) == [field]
    assert not TypeVersion.objects.exists()


def test_a_code_is_taken_once(city: City, now: datetime) -> None:
    made = draft_type(city, now)
    with pytest.raises(Invalid) as refused:
        draft_type(city, now, code=made.code)
    assert refused.value.code == "license_type.code_taken"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"rulebook": []}, "items"),
        ({"layout": {}}, "elements"),
        ({"layout": LAYOUT | {"elements": GONE}}, "elements[1].item"),
        ({"layout": LAYOUT | {"width": 60}}, "elements[0]"),
        ({"rulebook": [*ITEMS, {"name": "proof", "title": "证明", "required": True}]}, "proof"),
    ],
)  # fmt: skip
def test_what_is_missing_keeps_a_draft_with_its_operator(city: City, now: datetime, given: dict[str, Any], field: str) -> None:
    made = draft_type(city, now, **given)
    with pytest.raises(Invalid) as refused:
        publishing.submit(uid=made.uid, revision=made.revision, actor=city.actor("police_operator"), now=now)
    assert field in refused.value.details
    made.refresh_from_db()
    assert made.submitted_at is None


def test_an_unchanged_version_is_not_published(city: City, now: datetime) -> None:
    first = published_type(city, now)
    made = publishing.open_next(code=first.code, actor=city.actor("police_operator"), now=now)
    with pytest.raises(Invalid) as refused:
        publishing.submit(uid=made.uid, revision=made.revision, actor=city.actor("police_operator"), now=now)
    assert "version" in refused.value.details
    with pytest.raises(Conflict) as open_already:
        publishing.open_next(code=first.code, actor=city.actor("police_operator"), now=now)
    assert open_already.value.code == "license_type.draft_open"


def test_a_version_begins_neither_in_the_past_nor_before_the_one_in_force(city: City, now: datetime) -> None:
    first = submitted_type(city, now)
    with pytest.raises(Invalid) as past:
        published(city, first, now, today(now) - timedelta(days=1))
    assert past.value.code == "license_type.effective_past"
    published(city, first, now)
    with pytest.raises(DomainError) as early:
        next_version(city, first.code, now, days=0)
    assert early.value.code == "license_type.effective_early"
    assert entries(first.code) == [("1", True)]


def test_a_revision_takes_a_draft_back_and_a_stale_one_is_refused(city: City, now: datetime) -> None:
    made = submitted_type(city, now)
    operator = city.actor("police_operator")
    revised = publishing.revise(uid=made.uid, revision=made.revision, rulebook=ITEMS[:3], actor=operator, now=now)
    assert revised.submitted_at is None
    with pytest.raises(Conflict) as stale:
        publishing.revise(uid=made.uid, revision=made.revision, rulebook=ITEMS, actor=operator, now=now)
    assert stale.value.code == "license_type.stale"
    with pytest.raises(Conflict) as unsubmitted:
        published(city, revised, now)
    assert unsubmitted.value.code == "license_type.not_submitted"


def test_a_head_gives_a_draft_back_with_a_reason(city: City, now: datetime) -> None:
    made = submitted_type(city, now)
    publishing.send_back(uid=made.uid, revision=made.revision, reason="缺少编号", actor=city.actor("police_head"), now=now)
    told = Notification.objects.get(user=city.people["police_operator"])
    assert told.body == "缺少编号"
    made.refresh_from_db()
    assert made.submitted_at is None


def test_a_retired_type_is_no_longer_in_force_nor_comes_back(city: City, now: datetime) -> None:
    first = published_type(city, now)
    later = next_version(city, first.code, now, days=5)
    publishing.retire(code=first.code, reason="并入新证", actor=city.actor("reviewer"), now=now)
    for day in (today(now), today(now) + timedelta(days=9)):
        with pytest.raises(NotFound):
            in_force(first.code, day)
    assert TypeVersion.objects.get(pk=later.pk).state == TypeState.RETIRED
    assert not LicenseType.objects.filter(code=first.code, effective__contains=today(now)).exists()
    with pytest.raises(Conflict) as refused:
        publishing.open_next(code=first.code, actor=city.actor("police_operator"), now=now)
    assert refused.value.code == "license_type.retired"


def test_a_type_entrusted_to_another_department_is_kept_there(city: City, now: datetime) -> None:
    made = published_type(city, now)
    entrusting.entrust(code=made.code, department=city.market.uid, actor=city.actor("reviewer"), now=now)
    with pytest.raises(Forbidden):
        publishing.open_next(code=made.code, actor=city.actor("police_operator"), now=now)
    assert publishing.open_next(code=made.code, actor=city.actor("market_operator"), now=now).department == city.market


def test_drafts_are_the_departments_own_until_published(city: City, now: datetime) -> None:
    made = draft_type(city, now)
    for who, sees in (("police_head", 1), ("market_operator", 0), ("reviewer", 1), ("auditor", 1), ("system_admin", 0)):
        assert reading.catalogue(city.actor(who), today(now)).count() == sees, who
    with pytest.raises(NotFound):
        reading.get_visible(made.uid, city.actor("market_operator"))


def test_the_catalogue_has_one_line_a_type_and_filters(city: City, now: datetime) -> None:
    first = published_type(city, now)
    next_version(city, first.code, now, days=2)
    publishing.open_next(code=first.code, actor=city.actor("police_operator"), now=now)
    draft_type(city, now, name="另一试验证")
    rows = reading.catalogue(city.actor("police_operator"), today(now))
    assert [(row.number, row.has_draft) for row in rows.order_by("code")] == [(1, True), (1, True)]
    assert [row.pk for row in reading.of_standing(rows, "LAID_OUT")] == [first.pk]
    assert reading.searched(rows, "另一 试验部").get().name == "另一试验证"
