"""Pages of requests, grants, systems and calls, as people of different departments and roles."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog.models import Resource, SharingMode
from core.ids import uuid7
from core.models import AuditEntry
from exchange.models import AccessRequest, CallRecord, ConsumerSystem, Credential, Grant
from tests import factories
from tests.factories import City

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def resource(city: City) -> Resource:
    return factories.make_resource(city.police)


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


@pytest.fixture
def grant(city: City, resource: Resource, system: ConsumerSystem) -> Grant:
    return factories.make_grant(resource, system, city.people["education_operator"])


def as_(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend=BACKEND)
    return client


def body_of(system: ConsumerSystem, /, **change: object) -> dict[str, object]:
    today = timezone.localdate()
    return {
        "submission": uuid4().hex,
        "items": ["name", "sex"],
        "mode": "QUERY",
        "system": str(system.uid),
        "purpose": "入学资格核验",
        "legal_basis": "《义务教育法》第九条",
        "scenario": "小学入学报名",
        "scope": "",
        "region_prefix": "",
        "quota_per_day": "1000",
        "quota_per_second": "100",
        "term_from": today.isoformat(),
        "term_to": (today + timedelta(days=100)).isoformat(),
        "action": "submit",
    } | change


@pytest.mark.parametrize("mode", SharingMode.values)
def test_data_offered_in_any_mode_can_be_asked_for(city: City, client: Client, mode: str) -> None:
    offered = factories.make_resource(city.police, dataset="geo.place", sharing_modes=[mode])
    page = as_(client, city, "education_operator").get(reverse("portal:request-new", args=[offered.uid]))
    assert page.status_code == 200
    assert f'value="{mode}"' in page.content.decode()


def make_call(grant: Grant, now: datetime, **values: object) -> CallRecord:
    return CallRecord.objects.create(
        **{
            "requested_at": now,
            "consumer_id": grant.system_id,
            "call_id": uuid7(),
            "credential_id": 1,
            "grant_id": grant.pk,
            "grant_version": 1,
            "resource_id": grant.resource_id,
            "provider_id": grant.resource.provider_id,
            "department_id": grant.system.department_id,
            "mode": "QUERY",
            "outcome": "call.answered",
            "fields": ["name"],
            "row_count": 1,
        }
        | values
    )


def test_a_request_is_made_on_one_page_and_a_double_submit_makes_one(
    client: Client, city: City, resource: Resource, system: ConsumerSystem
) -> None:
    url = reverse("portal:request-new", args=[resource.uid])
    page = as_(client, city, "education_operator").get(url)
    assert "公民身份号码" in page.content.decode()
    body = body_of(system)
    first, second = client.post(url, body), client.post(url, body)
    made = AccessRequest.objects.get()
    assert first["Location"] == second["Location"] == reverse("portal:request-detail", args=[made.uid])
    assert made.state == "SUBMITTED"
    shown = client.get(first["Location"]).content.decode()
    assert "本部门负责人审核" in shown
    assert "市教育局" in shown


def test_a_draft_is_saved_changed_and_submitted(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    as_(client, city, "education_operator").post(
        reverse("portal:request-new", args=[resource.uid]), body_of(system, action="draft")
    )
    made = AccessRequest.objects.get()
    assert made.state == "DRAFTED"
    url = reverse("portal:request-edit", args=[made.uid])
    assert 'value="name" id="item-name" checked' in client.get(url).content.decode()
    body = body_of(system, purpose="新的目的", revision=made.revision)
    del body["submission"]
    assert client.post(url, body).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.purpose) == ("SUBMITTED", "新的目的")
    assert client.post(url, body).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": ["salary"]},
        {"mode": "SUBSCRIBE"},
        {"purpose": ""},
        {"purpose": "字" * 201},
        {"scenario": "a\x07"},
        {"term_to": "2001-01-01"},
        {"term_to": "soon"},
        {"quota_per_day": "-1"},
        {"region_prefix": "999999"},
        {"system": "x"},
        {"surprise": "1"},
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_form_comes_back_with_what_is_wrong(
    client: Client, city: City, resource: Resource, system: ConsumerSystem, change: dict[str, object]
) -> None:
    answer = as_(client, city, "education_operator").post(
        reverse("portal:request-new", args=[resource.uid]), body_of(system, **change)
    )
    assert answer.status_code == 422
    assert not AccessRequest.objects.exists()


def test_deciding_takes_two_clicks_from_the_inbox(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    as_(client, city, "education_operator").post(reverse("portal:request-new", args=[resource.uid]), body_of(system))
    made = AccessRequest.objects.get()
    assert made.number not in client.get(reverse("portal:request-inbox")).content.decode()
    as_(client, city, "education_head")
    assert made.number in client.get(reverse("portal:request-inbox")).content.decode()
    page = client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()
    assert "轮到您办理" in page
    decide = reverse("portal:request-decide", args=[made.uid])
    refused = client.post(decide, {"revision": made.revision, "command": "REFUSE", "reason": ""})
    assert refused.status_code == 422
    assert "须说明理由" in refused.content.decode()
    assert client.post(decide, {"revision": made.revision, "command": "ENDORSE", "reason": ""}).status_code == 302
    assert client.post(decide, {"revision": made.revision, "command": "ENDORSE", "reason": ""}).status_code == 409
    made.refresh_from_db()
    assert (made.state, made.desk) == ("ENDORSED", "PROVIDER_OPERATOR")


def test_the_wrong_desk_gets_403_and_outsiders_404(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    made = factories.make_request(resource, system, city.people["education_operator"], state="SUBMITTED", desk="REQUESTER_HEAD")
    url = reverse("portal:request-decide", args=[made.uid])
    body = {"revision": 1, "command": "ENDORSE", "reason": ""}
    for name, status in [
        ("education_operator", 403),
        ("reviewer", 403),
        ("auditor", 403),
        ("police_head", 404),
        ("system_admin", 403),
    ]:
        assert as_(client, city, name).post(url, body).status_code == status, name
    client.logout()
    assert client.post(url, body)["Location"].startswith(reverse("portal:login"))
    made.refresh_from_db()
    assert made.state == "SUBMITTED"


def test_lists_filter_by_tab_and_word(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    made = factories.make_request(resource, system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE")
    url = reverse("portal:request-list")
    as_(client, city, "education_head")
    assert made.number in client.get(url).content.decode()
    assert made.number in client.get(url, {"q": made.number[-4:], "tab": "all"}).content.decode()
    assert made.number not in client.get(url, {"tab": "draft"}).content.decode()
    assert client.get(url, {"tab": "x" * 11}).status_code == 422
    assert made.number not in as_(client, city, "market_head").get(url).content.decode()


def test_the_grant_page_shows_a_call_example_without_a_secret(client: Client, city: City, grant: Grant) -> None:
    page = as_(client, city, "education_operator").get(reverse("portal:grant-detail", args=[grant.uid])).content.decode()
    assert f"/openapi/v1/calls/{grant.uid}/query" in page
    assert "X-Gov-Signature" in page
    assert "只留姓名首字" in page
    assert as_(client, city, "market_head").get(reverse("portal:grant-detail", args=[grant.uid])).status_code == 404


def test_a_grant_is_suspended_on_its_page(client: Client, city: City, grant: Grant) -> None:
    url = reverse("portal:grant-change", args=[grant.uid])
    body = {"revision": 1, "command": "SUSPEND", "reason": "核查用途"}
    assert as_(client, city, "education_head").post(url, body).status_code == 403
    assert as_(client, city, "police_head").post(url, body | {"reason": ""}).status_code == 422
    assert client.post(url, body).status_code == 302
    assert client.post(url, body).status_code == 409
    page = as_(client, city, "education_operator").get(reverse("portal:grant-detail", args=[grant.uid])).content.decode()
    assert "核查用途" in page
    assert "SUSPENDED" in as_(client, city, "reviewer").get(reverse("portal:grant-list"), {"state": "SUSPENDED"}).content.decode()


def test_a_secret_is_shown_once_and_never_again(client: Client, city: City) -> None:
    as_(client, city, "education_operator")
    listed = reverse("portal:system-register")
    made = client.post(listed, {"submission": uuid4().hex, "name": "入学报名系统"})
    system = ConsumerSystem.objects.get()
    assert made["Location"] == reverse("portal:system-detail", args=[system.uid])
    assert client.post(listed, {"submission": uuid4().hex, "name": "入学报名系统"}).status_code == 422
    body = {"submission": uuid4().hex, "algorithm": "HMAC-SM3"}
    shown = client.post(reverse("portal:system-issue", args=[system.uid]), body)
    credential = Credential.objects.get()
    secret = shown.context["issued"].secret
    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    again = client.post(reverse("portal:system-issue", args=[system.uid]), body, follow=True)
    assert Credential.objects.count() == 1
    assert secret not in again.content.decode()
    assert secret not in str(dict(client.session.items()))
    assert client.post(reverse("portal:system-revoke", args=[credential.uid])).status_code == 302
    assert "已吊销" in client.get(reverse("portal:system-detail", args=[system.uid])).content.decode()


def test_systems_of_others_are_not_found(client: Client, city: City, system: ConsumerSystem) -> None:
    issue = reverse("portal:system-issue", args=[system.uid])
    body = {"submission": uuid4().hex, "algorithm": "HMAC-SM3"}
    assert as_(client, city, "market_operator").get(reverse("portal:system-detail", args=[system.uid])).status_code == 404
    assert client.post(issue, body).status_code == 404
    assert as_(client, city, "education_head").post(issue, body).status_code == 403
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("who", "sees"),
    [("education_operator", True), ("police_head", True), ("reviewer", True), ("auditor", True), ("market_head", False)],
)
def test_a_call_is_seen_by_its_consumer_its_provider_and_overseers(
    *, client: Client, city: City, grant: Grant, now: datetime, who: str, sees: bool
) -> None:
    call = make_call(grant, now)
    as_(client, city, who)
    assert (str(call.call_id) in client.get(reverse("portal:call-list")).content.decode()) is sees
    detail = client.get(reverse("portal:call-detail", args=[call.call_id]))
    assert detail.status_code == (200 if sees else 404)
    export = b"".join(client.get(reverse("portal:call-export")).streaming_content).decode()  # type: ignore[attr-defined]
    assert (str(call.call_id) in export) is sees
    if sees:
        assert grant.access_request.number in detail.content.decode()


@pytest.mark.parametrize("who", ["system_admin", "security_admin"])
def test_other_administrators_do_not_read_calls(client: Client, city: City, who: str) -> None:
    as_(client, city, who)
    assert {client.get(reverse(f"portal:{name}")).status_code for name in ("call-list", "call-export")} == {403}


def test_an_auditors_reading_and_every_export_leave_a_trace(client: Client, city: City, grant: Grant, now: datetime) -> None:
    call = make_call(grant, now)
    as_(client, city, "police_head").get(reverse("portal:call-list"))
    assert not AuditEntry.objects.exists()
    client.get(reverse("portal:call-export"))
    as_(client, city, "auditor").get(reverse("portal:call-list"), {"mode": "QUERY"})
    client.get(reverse("portal:call-detail", args=[call.call_id]))
    client.get(reverse("portal:call-export"))
    actions = list(AuditEntry.objects.order_by("id").values_list("actor_name", "action"))
    assert actions == [
        ("police_head", "call_log.exported"),
        ("auditor", "call_log.read"),
        ("auditor", "call_log.traced"),
        ("auditor", "call_log.exported"),
    ]


def test_calls_are_filtered_and_paged(client: Client, city: City, grant: Grant, now: datetime) -> None:
    calls = [make_call(grant, now - timedelta(seconds=n)) for n in range(25)]
    refused = make_call(grant, now, outcome="quota.day_exceeded", row_count=None)
    as_(client, city, "auditor")
    url = reverse("portal:call-list")
    first = client.get(url, {"outcome": "answered"})
    assert len(first.context["lines"]) == 20
    second = client.get(url, {"outcome": "answered", "after": first.context["page"].next})
    assert [line["record"].call_id for line in second.context["lines"]] == [c.call_id for c in calls[20:]]
    assert str(refused.call_id) in client.get(url, {"outcome": "refused"}).content.decode()
    assert first.context["total"] == (25, 0)
    assert client.get(url, {"day_from": "2026-02-02", "day_to": "2026-02-01"}).status_code == 422
    assert client.get(url, {"call": "x"}).status_code == 422
    assert client.get(url, {"after": "x"}).status_code == 422


def test_an_export_is_no_formula(client: Client, city: City, resource: Resource, now: datetime) -> None:
    system = factories.make_system(city.education, name="=HYPERLINK(1)")
    make_call(factories.make_grant(resource, system, city.people["education_operator"]), now)
    answer = as_(client, city, "auditor").get(reverse("portal:call-export"))
    assert ",'=HYPERLINK(1)," in b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


def test_a_page_of_requests_takes_as_many_queries_as_one_request(
    client: Client, city: City, resource: Resource, system: ConsumerSystem
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("portal:request-list"))
        return len(seen)

    operator = city.people["education_operator"]
    as_(client, city, "reviewer")
    factories.make_request(resource, system, operator, state="CLEARED", desk="DATA_CENTRE")
    queries()
    one = queries()
    for _ in range(5):
        factories.make_request(resource, system, operator, state="CLEARED", desk="DATA_CENTRE")
    assert queries() == one


def test_an_unknown_button_writes_nothing(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    url = reverse("portal:request-new", args=[resource.uid])
    answer = as_(client, city, "education_operator").post(url, body_of(system, action="delete"))
    assert answer.status_code == 422
    assert "没有这种操作" in answer.content.decode()
    assert not AccessRequest.objects.exists()


def test_a_spent_token_is_replaced_and_what_was_typed_stays(
    client: Client, city: City, resource: Resource, system: ConsumerSystem
) -> None:
    url, body = reverse("portal:request-new", args=[resource.uid]), body_of(system)
    as_(client, city, "education_operator").post(url, body)
    page = client.post(url, body | {"purpose": "另一件事"})
    assert page.status_code == 409
    assert "另一件事" in page.content.decode()
    fresh = page.context["form"]["submission"].value()
    assert client.post(url, body | {"purpose": "另一件事", "submission": fresh}).status_code == 302
    assert AccessRequest.objects.count() == 2


def test_a_stale_draft_shows_what_changed_and_keeps_what_was_typed(
    client: Client, city: City, resource: Resource, system: ConsumerSystem
) -> None:
    as_(client, city, "education_operator").post(
        reverse("portal:request-new", args=[resource.uid]), body_of(system, action="draft")
    )
    made = AccessRequest.objects.get()
    url = reverse("portal:request-edit", args=[made.uid])
    body = body_of(system, action="draft", revision=made.revision)
    del body["submission"]
    assert client.post(url, body | {"purpose": "甲"}).status_code == 302
    page = client.post(url, body | {"purpose": "乙"})
    assert page.status_code == 409
    assert "您本人修改过草稿" in page.content.decode()
    assert page.context["form"].changes == [{"title": "使用目的", "now": "甲", "typed": "乙"}]
    again = body | {"purpose": "乙", "revision": page.context["form"]["revision"].value()}
    assert client.post(url, again).status_code == 302
    made.refresh_from_db()
    assert made.purpose == "乙"
    missing = client.post(url, {name: value for name, value in again.items() if name != "revision"})
    assert missing.status_code == 422
    assert "页面上的修订号缺失" in missing.content.decode()


def test_a_stale_page_of_a_grant_says_who_did_what(client: Client, city: City, grant: Grant) -> None:
    url = reverse("portal:grant-change", args=[grant.uid])
    body = {"revision": 1, "command": "SUSPEND", "reason": "核查用途"}
    as_(client, city, "police_head").post(url, body)
    page = as_(client, city, "reviewer").post(url, body | {"command": "REVOKE"})
    assert page.status_code == 409
    assert "police_head已办理过这项授权，现为“已暂停”" in page.content.decode()
