"""From draft to publication, changes and withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from django.utils import timezone

from catalog import content, mounting, publishing
from catalog.content import Entry, Item
from catalog.models import Binding, Resource, ResourceState
from catalog.workflow import TABLE, Command, Party, State, allowed, decide
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification, User
from core.roles import Role
from tests.factories import City, make_resource, make_user

ENTRY = Entry(
    title="低保家庭信息",
    classification="301001",
    summary="最低生活保障家庭的基本情况。",
    share_attribute="CONDITIONAL",
    share_conditions="依法履职需要",
    sharing_modes=("VERIFY", "QUERY"),
    grade="L3",
    secrecy_assessment="不涉及国家秘密。",
    personal_information_assessment="已完成评估，风险可控。",
    items=(Item(name="citizen_id", title="公民身份号码", is_key=True, grade="L3"), Item(name="level", title="保障等级")),
)


def drafted(city: City, now: datetime, **values: object) -> Resource:
    return publishing.draft(entry=replace(ENTRY, **values), actor=city.actor("education_operator"), now=now)  # type: ignore[arg-type]


def endorsed(city: City, now: datetime, resource: Resource) -> Resource:
    resource = publishing.submit(uid=resource.uid, revision=resource.revision, actor=city.actor("education_operator"), now=now)
    return publishing.endorse(uid=resource.uid, revision=resource.revision, actor=city.actor("education_head"), now=now)


def published(city: City, now: datetime, **values: object) -> Resource:
    resource = endorsed(city, now, drafted(city, now, **values))
    return publishing.publish(uid=resource.uid, revision=resource.revision, actor=city.actor("reviewer"), now=now)


def test_the_table_knows_exactly_the_states_of_the_model() -> None:
    assert set(State) == set(ResourceState.values)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("party", list(Party))
def test_a_command_outside_the_table_is_refused(state: State, command: Command, party: Party) -> None:
    if party in TABLE.get((state, command), {}):
        assert decide(state, command, [party]).state in set(State)
        assert command in allowed(state, [party])
    else:
        with pytest.raises((Forbidden, Conflict)):
            decide(state, command, [party])


def test_an_entry_goes_from_operator_to_head_to_data_centre(city: City, now: datetime) -> None:
    resource = drafted(city, now)
    resource = publishing.submit(uid=resource.uid, revision=resource.revision, actor=city.actor("education_operator"), now=now)
    assert resource.state == "SUBMITTED"
    assert resource.due_at is not None
    assert "低保家庭信息" in Notification.objects.get(user=city.people["education_head"]).title
    resource = publishing.endorse(uid=resource.uid, revision=resource.revision, actor=city.actor("education_head"), now=now)
    assert Notification.objects.get(user=city.people["reviewer"]).path == f"/catalog/{resource.uid}/"
    resource = publishing.publish(uid=resource.uid, revision=resource.revision, actor=city.actor("reviewer"), now=now)
    assert (resource.state, resource.code, resource.version) == ("PUBLISHED", "301001/000001", 1)
    assert resource.versions.get().snapshot["items"][0]["title"] == "公民身份号码"
    entries = AuditEntry.objects.filter(object_uid=str(resource.uid)).order_by("id")
    assert [e.action for e in entries] == ["resource.drafted", "resource.submitted", "resource.endorsed", "resource.published"]
    assert all(e.department_ids == [city.education.pk] for e in entries)


def test_codes_of_one_class_count_up_and_are_not_used_again(city: City, now: datetime) -> None:
    first = published(city, now)
    publishing.withdraw(uid=first.uid, revision=first.revision, reason="职责调整", actor=city.actor("education_head"), now=now)
    assert published(city, now).code == "301001/000002"
    assert published(city, now, title="另一类", classification="302001").code == "302001/000001"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": "教育管理系统"}, "title"),
        ({"summary": " "}, "summary"),
        ({"classification": ""}, "classification"),
        ({"classification": "101001"}, "classification"),
        ({"secrecy_assessment": ""}, "secrecy_assessment"),
        ({"personal_information_assessment": ""}, "personal_information_assessment"),
        ({"items": ()}, "items"),
        ({"items": (Item(name="level", title="保障等级"),)}, "items"),
        ({"grade": "L2"}, "grade"),
        ({"share_attribute": "UNCONDITIONAL"}, "share_attribute"),
        ({"grade": "L4"}, "sharing_modes"),
        ({"sharing_modes": ()}, "sharing_modes"),
        ({"source_format": "图形图像"}, "sharing_modes"),
        ({"share_attribute": "WITHHELD", "withheld_basis": "依据"}, "sharing_modes"),
    ],
)
def test_an_incomplete_entry_is_not_submitted(city: City, now: datetime, values: dict[str, object], field: str) -> None:
    resource = drafted(city, now, **values)
    with pytest.raises(Invalid) as refused:
        publishing.submit(uid=resource.uid, revision=resource.revision, actor=city.actor("education_operator"), now=now)
    assert field in refused.value.details
    assert Resource.objects.get(pk=resource.pk).state == "DRAFTED"
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " 。"}, "title"),
        ({"classification": "10100"}, "classification"),
        ({"share_conditions": ""}, "share_conditions"),
        ({"share_attribute": "WITHHELD"}, "withheld_basis"),
        ({"update_cycle": "SOMETIMES"}, "update_cycle"),
        ({"sharing_modes": ("MAIL",)}, "sharing_modes"),
        ({"items": (Item(name="Level", title="等级"),)}, "items"),
        ({"items": (Item(name="level", title="等级", data_type="X"),)}, "items"),
        ({"items": (Item(name="level", title="等级", mask="BLUR"),)}, "items"),
        ({"items": (Item(name="level", title="等级"), Item(name="level", title="级别"))}, "items"),
        ({"items": (Item(name="level", title="等级"), Item(name="level2", title="等 级"))}, "items"),
    ],
)
def test_what_not_even_a_draft_may_hold_is_refused(city: City, now: datetime, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        drafted(city, now, **values)
    assert field in refused.value.details
    assert not Resource.objects.exists()


def test_a_title_that_differs_only_by_punctuation_is_the_same_title(city: City, now: datetime) -> None:
    drafted(city, now)
    with pytest.raises(Invalid):
        drafted(city, now, title="低保（家庭） 信息")


def test_only_the_own_department_drafts_and_only_operators(city: City, now: datetime) -> None:
    with pytest.raises(Forbidden):
        publishing.draft(entry=ENTRY, actor=city.actor("education_head"), now=now)
    assert drafted(city, now).provider == city.education


def test_a_draft_of_another_department_does_not_exist_for_me(city: City, now: datetime) -> None:
    resource = drafted(city, now)
    with pytest.raises(NotFound):
        publishing.submit(uid=resource.uid, revision=1, actor=city.actor("police_operator"), now=now)
    assert not Resource.objects.visible_to(city.actor("police_head")).exists()
    assert Resource.objects.visible_to(city.actor("reviewer")).exists()


def test_the_head_of_another_department_and_the_operator_do_not_endorse(city: City, now: datetime) -> None:
    resource = drafted(city, now)
    resource = publishing.submit(uid=resource.uid, revision=1, actor=city.actor("education_operator"), now=now)
    with pytest.raises(NotFound):
        publishing.endorse(uid=resource.uid, revision=2, actor=city.actor("police_head"), now=now)
    for name in ("education_operator", "reviewer"):
        with pytest.raises(Forbidden):
            publishing.endorse(uid=resource.uid, revision=2, actor=city.actor(name), now=now)


def test_a_stale_page_is_told_what_changed(city: City, now: datetime) -> None:
    resource = drafted(city, now)
    operator = city.actor("education_operator")
    publishing.edit(uid=resource.uid, entry=replace(ENTRY, summary="新摘要"), revision=1, actor=operator, now=now)
    with pytest.raises(Conflict) as refused:
        publishing.edit(uid=resource.uid, entry=replace(ENTRY, summary="旧摘要"), revision=1, actor=operator, now=now)
    assert refused.value.details["changed"][0]["changed"] == ["资源摘要"]
    assert Resource.objects.get().summary == "新摘要"


def test_a_returned_entry_carries_the_reason_and_can_be_submitted_again(city: City, now: datetime) -> None:
    resource = endorsed(city, now, drafted(city, now))
    with pytest.raises(Invalid):
        publishing.send_back(uid=resource.uid, revision=resource.revision, reason=" ", actor=city.actor("reviewer"), now=now)
    resource = publishing.send_back(
        uid=resource.uid, revision=resource.revision, reason="摘要过于简单", actor=city.actor("reviewer"), now=now
    )
    assert (resource.state, resource.return_reason, resource.due_at) == ("DRAFTED", "摘要过于简单", None)
    assert Notification.objects.filter(user=city.people["education_operator"], body__contains="摘要过于简单").exists()
    assert endorsed(city, now, resource).state == "ENDORSED"


def test_submitting_twice_is_a_conflict(city: City, now: datetime) -> None:
    resource = drafted(city, now)
    publishing.submit(uid=resource.uid, revision=1, actor=city.actor("education_operator"), now=now)
    with pytest.raises(Conflict):
        publishing.submit(uid=resource.uid, revision=2, actor=city.actor("education_operator"), now=now)
    assert Notification.objects.count() == 1


def test_a_change_leaves_the_published_entry_alone_until_it_is_published(city: City, now: datetime) -> None:
    original = published(city, now)
    operator = city.actor("education_operator")
    change = publishing.start_change(uid=original.uid, revision=original.revision, actor=operator, now=now)
    entry = replace(content.entry_of(change), summary="新的摘要", items=(*ENTRY.items, Item(name="area", title="面积")))
    change = publishing.edit(uid=change.uid, entry=entry, revision=change.revision, actor=operator, now=now)
    seen = Resource.objects.visible_to(city.actor("police_operator"))
    assert [r.summary for r in seen] == [ENTRY.summary]
    change = endorsed(city, now, change)
    result = publishing.publish(uid=change.uid, revision=change.revision, actor=city.actor("reviewer"), now=now)
    assert (result.uid, result.code, result.version, result.summary) == (original.uid, original.code, 2, "新的摘要")
    assert result.items.count() == 3
    change.refresh_from_db()
    assert (change.state, change.code) == ("MERGED", None)
    assert AuditEntry.objects.filter(action="resource.published").latest("id").detail["changed"] == ["summary", "items"]


def test_one_change_at_a_time_and_a_given_up_change_makes_room(city: City, now: datetime) -> None:
    original = published(city, now)
    operator = city.actor("education_operator")
    change = publishing.start_change(uid=original.uid, revision=original.revision, actor=operator, now=now)
    with pytest.raises(Conflict):
        publishing.start_change(uid=original.uid, revision=original.revision, actor=operator, now=now)
    publishing.discard(uid=change.uid, revision=change.revision, actor=operator, now=now)
    assert publishing.start_change(uid=original.uid, revision=original.revision, actor=operator, now=now).state == "DRAFTED"


def test_a_change_keeps_the_class_its_code_was_given_for(city: City, now: datetime) -> None:
    original = published(city, now)
    operator = city.actor("education_operator")
    change = publishing.start_change(uid=original.uid, revision=original.revision, actor=operator, now=now)
    entry = replace(ENTRY, classification="302001")
    with pytest.raises(Invalid) as refused:
        publishing.edit(uid=change.uid, entry=entry, revision=change.revision, actor=operator, now=now)
    assert "classification" in refused.value.details


def test_withdrawing_ends_the_open_change_and_hides_the_entry(city: City, now: datetime) -> None:
    original = published(city, now)
    change = publishing.start_change(uid=original.uid, revision=original.revision, actor=city.actor("education_operator"), now=now)
    publishing.withdraw(uid=original.uid, revision=original.revision, reason="停办", actor=city.actor("reviewer"), now=now)
    change.refresh_from_db()
    assert change.state == "WITHDRAWN"
    assert not Resource.objects.visible_to(city.actor("police_operator")).exists()
    assert Resource.objects.visible_to(city.actor("education_operator")).count() == 2


def test_withheld_entries_are_listed_but_cannot_be_requested(city: City) -> None:
    resource = make_resource(city.police, share_attribute="WITHHELD", withheld_basis="《某法》第一条")
    assert resource in Resource.objects.visible_to(city.actor("education_operator"))
    assert resource not in Resource.objects.requestable()


def test_reviewers_of_other_departments_review_nothing(city: City, now: datetime) -> None:
    resource = endorsed(city, now, drafted(city, now))
    city.people["stray"] = make_user("stray", city.police, Role.REVIEWER)
    with pytest.raises(NotFound):
        publishing.publish(uid=resource.uid, revision=resource.revision, actor=city.actor("stray"), now=now)


def test_each_desk_sees_what_waits_for_it(city: City, now: datetime) -> None:
    def waiting(name: str) -> list[Resource]:
        return list(Resource.objects.waiting_for(city.actor(name)))

    resource = drafted(city, now)
    assert waiting("education_operator") == [resource]
    resource = endorsed(city, now, resource)
    assert waiting("reviewer") == [resource]
    assert waiting("education_operator") == waiting("education_head") == waiting("police_head") == []


def test_an_entry_drafted_from_a_dataset_is_pre_filled_and_mounted(city: City, now: datetime) -> None:
    prefilled = mounting.draft_from("population.person")
    assert {"citizen_id", "name"} <= {item.name for item in prefilled.items}
    assert prefilled.grade == "L3"
    entry = replace(
        prefilled,
        title="户籍人口信息",
        summary="户籍人口。",
        classification="101001",
        share_conditions="履职需要",
        sharing_modes=("QUERY",),
        secrecy_assessment="无",
        personal_information_assessment="已评估",
    )
    operator = city.actor("police_operator")
    resource = publishing.draft(entry=entry, actor=operator, now=now, dataset_code="population.person")
    assert Binding.objects.get(resource=resource).columns["citizen_id"] == "citizen_id"
    assert publishing.submit(uid=resource.uid, revision=1, actor=operator, now=now).state == "SUBMITTED"


def test_a_change_carries_its_mounting_over(city: City) -> None:
    now = timezone.now()
    original = make_resource(city.police)
    operator: User = city.people["police_operator"]
    change = publishing.start_change(uid=original.uid, revision=1, actor=city.actor(operator.username), now=now)
    entry = content.entry_of(change)
    entry = replace(entry, items=(*entry.items, Item(name="phone", title="联系电话", grade="L3")))
    change = publishing.edit(uid=change.uid, entry=entry, revision=change.revision, actor=city.actor("police_operator"), now=now)
    assert Binding.objects.get(resource=change).columns["phone"] == "phone"
    assert "phone" not in Binding.objects.get(resource=original).columns
