"""The catalogue's pages: who sees and does what, and what a clerk is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog import desks, publishing, search
from catalog.models import Binding, Resource
from core.models import Notification
from tests.factories import City, make_resource

ITEM = {"name": "citizen_id", "title": "公民身份号码", "data_type": "C", "grade": "L3", "mask": "CITIZEN_ID", "is_key": "on"}


def entry(city: City, *items: dict[str, str], **values: Any) -> dict[str, Any]:
    """Return what a filled-in form posts."""
    data: dict[str, Any] = {
        "title": "低保家庭信息",
        "classification": "301001",
        "base_database": "",
        "summary": "最低生活保障家庭的基本情况。",
        "region_id": str(city.region.pk),
        "source_format": "数据库",
        "update_cycle": "DAILY",
        "share_attribute": "CONDITIONAL",
        "share_conditions": "依法履职需要",
        "sharing_modes": ["VERIFY", "QUERY"],
        "grade": "L3",
        "secrecy_assessment": "不涉密",
        "personal_information_assessment": "已评估",
        "submission": "t1",
        "items-TOTAL_FORMS": str(len(items) + 1),
        "items-INITIAL_FORMS": "0",
    }
    for number, item in enumerate(items):
        data |= {f"items-{number}-{name}": value for name, value in item.items()}
    return data | values


def signed_in(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def walked_to(state: str, city: City) -> Resource:
    """Return an entry of the police bureau in this state."""
    return make_resource(city.police, published=state == "PUBLISHED", state=state, base_database="POPULATION")


def test_the_page_of_an_entry_is_where_messages_lead(city: City) -> None:
    resource = make_resource(city.police)
    assert desks.page_of(resource) == reverse("portal:resource-detail", args=[resource.uid])


def test_anonymous_people_are_sent_to_sign_in(client: Client, city: City) -> None:
    resource = make_resource(city.police)
    for url in (reverse("portal:resource-list"), reverse("portal:resource-detail", args=[resource.uid])):
        assert client.get(url).status_code == 302


def test_the_list_finds_marks_and_links(client: Client, city: City) -> None:
    resource = make_resource(city.police, title="市区户籍人口基本信息")
    search.index(resource)
    page = text_of(signed_in(client, city, "education_operator").get(reverse("portal:resource-list"), {"q": "户籍"}))
    assert "<mark>户籍</mark>" in page
    assert reverse("portal:resource-detail", args=[resource.uid]) in page


@pytest.mark.parametrize(
    "query", [{"q": "<script>alert(1)</script>"}, {"q": "'"}, {"q": "%"}, {"q": "\\"}, {"q": "户"}, {"q": ""}, {"q": " "}]
)
def test_odd_queries_behave(client: Client, city: City, query: dict[str, str]) -> None:
    answer = signed_in(client, city, "education_operator").get(reverse("portal:resource-list"), query)
    assert answer.status_code == 200
    assert "<script>alert" not in text_of(answer)


@pytest.mark.parametrize(
    "query", [{"grade": "L9"}, {"provider": "x"}, {"unknown": "1"}, {"q": "x" * 101}, {"q": "a\x00b"}, {"after": "x"}]
)
def test_wrong_filters_are_told(client: Client, city: City, query: dict[str, str]) -> None:
    assert signed_in(client, city, "education_operator").get(reverse("portal:resource-list"), query).status_code == 422


def test_a_draft_of_another_department_is_not_found(client: Client, city: City) -> None:
    resource = make_resource(city.police, published=False)
    signed_in(client, city, "education_operator")
    for name in ("resource-detail", "resource-edit", "resource-mount"):
        assert client.get(reverse(f"portal:{name}", args=[resource.uid])).status_code == 404
    assert client.post(reverse("portal:resource-submit", args=[resource.uid]), {"revision": 1}).status_code == 404
    resource.refresh_from_db()
    assert resource.state == "DRAFTED"


@pytest.mark.parametrize(
    ("state", "command", "who"),
    [
        ("DRAFTED", "submit", "police_operator"),
        ("SUBMITTED", "endorse", "police_head"),
        ("ENDORSED", "publish", "reviewer"),
        ("PUBLISHED", "change", "police_operator"),
        ("PUBLISHED", "withdraw", "police_head"),
    ],
)
def test_commands_belong_to_their_desk(client: Client, city: City, state: str, command: str, who: str) -> None:
    resource = walked_to(state, city)
    url = reverse(f"portal:resource-{command}", args=[resource.uid])
    for other in {"police_operator", "police_head", "reviewer"} - {who, *(["reviewer"] if command == "withdraw" else [])}:
        signed_in(client, city, other)
        assert client.post(url, {"revision": 1, "reason": "试"}).status_code == 403, other
    signed_in(client, city, who)
    page = text_of(client.get(reverse("portal:resource-detail", args=[resource.uid])))
    assert url in page
    assert client.post(url, {"revision": 1, "reason": "理由"}).status_code == 302


def test_who_cannot_act_is_offered_nothing(client: Client, city: City) -> None:
    resource = make_resource(city.police)
    page = text_of(signed_in(client, city, "education_head").get(reverse("portal:resource-detail", args=[resource.uid])))
    for command in ("submit", "endorse", "publish", "change", "withdraw"):
        assert reverse(f"portal:resource-{command}", args=[resource.uid]) not in page
    assert "申请使用" not in page


def test_an_operator_of_another_department_can_ask_for_it(client: Client, city: City) -> None:
    resource = make_resource(city.police)
    withheld = make_resource(city.police, share_attribute="WITHHELD", withheld_basis="《某法》")
    signed_in(client, city, "education_operator")
    assert "申请使用" in text_of(client.get(reverse("portal:resource-detail", args=[resource.uid])))
    page = text_of(client.get(reverse("portal:resource-detail", args=[withheld.uid])))
    assert "申请使用" not in page
    assert "不予共享，不能申请" in page


def test_a_new_entry_is_drafted_and_submitted_in_one_go(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    answer = client.post(reverse("portal:resource-new"), entry(city, ITEM, action="submit"))
    resource = Resource.objects.get()
    assert answer["Location"] == reverse("portal:resource-detail", args=[resource.uid])
    assert (resource.state, resource.items.get().mask) == ("SUBMITTED", "CITIZEN_ID")
    assert Notification.objects.filter(user=city.people["education_head"]).count() == 1


def test_sent_twice_it_is_made_once(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    first = client.post(reverse("portal:resource-new"), entry(city, ITEM))
    second = client.post(reverse("portal:resource-new"), entry(city, ITEM))
    assert first["Location"] == second["Location"]
    assert Resource.objects.count() == 1


def test_an_incomplete_entry_stays_a_draft_and_says_what_is_missing(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    answer = client.post(reverse("portal:resource-new"), entry(city, ITEM, action="submit", secrecy_assessment=""), follow=True)
    assert "保密风险评估" in text_of(answer)
    assert Resource.objects.get().state == "DRAFTED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "长" * 101},
        {"title": "含\x07铃"},
        {"update_cycle": "SOMETIMES"},
        {"share_conditions": ""},
        {"region_id": "999999"},
        {"surprise": "1"},
        {"items-0-surprise": "1"},
        {"items-0-name": "Upper"},
        {"items-0-length": "-1"},
        {"items-0-data_type": "X"},
        {"items-0-title": ""},
        {"items-0-title": "铃\x07"},
        {"items-TOTAL_FORMS": "x"},
        {"items-TOTAL_FORMS": "100000"},
    ],
)
def test_bad_input_is_told_and_nothing_is_written(client: Client, city: City, wrong: dict[str, str]) -> None:
    signed_in(client, city, "education_operator")
    answer = client.post(reverse("portal:resource-new"), entry(city, ITEM) | wrong)
    assert answer.status_code == 422
    assert not Resource.objects.exists()


def test_more_rows_are_given_without_saving(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    answer = client.post(reverse("portal:resource-new"), entry(city, ITEM, action="add-rows"))
    assert answer.status_code == 200
    assert 'name="items-4-name"' in text_of(answer)
    assert text_of(answer).count('<option value="L2" selected>') == 3
    assert "公民身份号码" in text_of(answer)
    assert not Resource.objects.exists()


def test_a_dataset_fills_the_form_and_mounts(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    page = text_of(client.get(reverse("portal:resource-new"), {"dataset": "population.person"}))
    assert 'value="citizen_id"' in page
    client.post(reverse("portal:resource-new"), entry(city, ITEM, dataset="population.person"))
    assert Binding.objects.get().columns == {"citizen_id": "citizen_id"}
    assert client.get(reverse("portal:resource-new"), {"dataset": "nothing"}).status_code == 422


def test_heads_draft_nothing(client: Client, city: City) -> None:
    assert signed_in(client, city, "education_head").get(reverse("portal:resource-new")).status_code == 403


def test_a_stale_form_is_a_conflict_that_says_what_changed(client: Client, city: City) -> None:
    signed_in(client, city, "education_operator")
    client.post(reverse("portal:resource-new"), entry(city, ITEM))
    resource = Resource.objects.get()
    url = reverse("portal:resource-edit", args=[resource.uid])
    data = {k: v for k, v in entry(city, ITEM).items() if k != "submission"}
    assert client.post(url, data | {"revision": 1, "summary": "甲的修改，写得够长。"}).status_code == 302
    answer = client.post(url, data | {"revision": 1, "summary": "乙的修改"})
    assert answer.status_code == 409
    assert "资源摘要" in text_of(answer)
    assert "乙的修改" in text_of(answer)
    assert Resource.objects.get().summary == "甲的修改，写得够长。"


def test_a_decision_on_a_stale_page_shows_the_entry_as_it_is_now(client: Client, city: City) -> None:
    resource = walked_to("SUBMITTED", city)
    signed_in(client, city, "police_operator")
    client.post(reverse("portal:resource-recall", args=[resource.uid]), {"revision": 1})
    client.post(reverse("portal:resource-submit", args=[resource.uid]), {"revision": 2})
    answer = signed_in(client, city, "police_head").post(reverse("portal:resource-endorse", args=[resource.uid]), {"revision": 1})
    assert answer.status_code == 409
    assert "撤回修改" in text_of(answer)
    resource.refresh_from_db()
    assert resource.state == "SUBMITTED"


def test_returning_needs_a_reason_and_the_operator_reads_it(client: Client, city: City) -> None:
    resource = walked_to("SUBMITTED", city)
    url = reverse("portal:resource-return", args=[resource.uid])
    signed_in(client, city, "police_head")
    assert client.post(url, {"revision": 1, "reason": ""}).status_code == 422
    assert client.post(url, {"revision": 1, "reason": "请补充更新周期"}).status_code == 302
    signed_in(client, city, "police_operator")
    assert "请补充更新周期" in text_of(client.get(reverse("portal:resource-inbox")))


def test_the_desk_says_who_has_the_ball(client: Client, city: City) -> None:
    resource = walked_to("ENDORSED", city)
    page = text_of(signed_in(client, city, "police_operator").get(reverse("portal:resource-detail", args=[resource.uid])))
    assert "数据中心审核员" in page
    assert resource.title in text_of(signed_in(client, city, "reviewer").get(reverse("portal:resource-inbox")))


def test_mounting_by_hand(client: Client, city: City) -> None:
    resource = make_resource(city.police, published=False)
    url = reverse("portal:resource-mount", args=[resource.uid])
    signed_in(client, city, "police_operator")
    assert client.get(url).status_code == 200
    assert 'name="column-citizen_id"' in text_of(client.get(url, {"dataset": "population.person"}))
    wrong = {"dataset": "population.person", "revision": 1, "column-citizen_id": "citizen_id"}
    assert client.post(url, wrong).status_code == 422
    right = wrong | {f"column-{name}": name for name in ("name", "sex", "address")}
    assert client.post(url, right).status_code == 302
    assert Binding.objects.get().dataset == "population.person"


def test_versions_can_be_read(client: Client, city: City) -> None:
    resource = walked_to("ENDORSED", city)
    Resource.objects.filter(pk=resource.pk).update(base_database="POPULATION")
    publishing.publish(uid=resource.uid, revision=1, actor=city.actor("reviewer"), now=timezone.now())
    signed_in(client, city, "education_operator")
    page = client.get(reverse("portal:resource-version", args=[resource.uid, 1]))
    assert page.status_code == 200
    assert "已评估" not in text_of(page)
    signed_in(client, city, "police_head")
    assert "已评估" in text_of(client.get(reverse("portal:resource-version", args=[resource.uid, 1])))
    assert client.get(reverse("portal:resource-version", args=[resource.uid, 2])).status_code == 404
