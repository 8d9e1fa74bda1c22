"""The inbox and what people do from it: filters and counts, claims, bulk decisions, saved filters, deadlines, delegations."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Resource
from core.models import AuditEntry, Notification
from core.roles import Role
from exchange.models import AccessRequest, AccessRequestStep, Claim, DailyDigest, Delegation, Grant, SavedFilter
from exchange.requests.daily_digest import tell_the_day
from tests import factories
from tests.factories import City

BACKEND = "django.contrib.auth.backends.ModelBackend"
INBOX = "/requests/inbox/"
BULK = "/requests/inbox/bulk/"


@pytest.fixture
def resource(city: City) -> Resource:
    return factories.make_resource(city.police)


@pytest.fixture
def second(city: City) -> None:
    city.people["second"] = factories.make_user("second", city.centre, Role.REVIEWER)


def as_(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend=BACKEND)
    return client


def cleared(city: City, resource: Resource, **values: object) -> AccessRequest:
    """Return a request of education on the data centre's desk."""
    system = factories.make_system(city.education)
    given = {"state": "CLEARED", "desk": "DATA_CENTRE", "route": "PROVIDER_FIRST"} | values
    return factories.make_request(resource, system, city.people["education_operator"], **given)


def confirm(client: Client, *rows: AccessRequest, reason: str = "材料齐全", token: str = "") -> object:
    body = {"submission": token or uuid4().hex, "reason": reason, "rows": [f"{r.uid}:{r.revision}" for r in rows]}
    return client.post(BULK, body)


def test_the_inbox_shows_the_most_urgent_first_with_how_the_clock_stands(
    client: Client, city: City, resource: Resource, now: datetime
) -> None:
    late = cleared(city, resource, due_at=now - timedelta(days=2))
    soon = cleared(city, resource, due_at=now + timedelta(hours=3))
    none = cleared(city, resource, due_at=None)
    page = as_(client, city, "reviewer").get(INBOX).content.decode()
    assert page.index(late.number) < page.index(soon.number) < page.index(none.number)
    assert "已逾期 2 天" in page
    assert "即将到期" in page
    assert late.number in client.get(INBOX, {"due": "overdue"}).content.decode()
    assert soon.number not in client.get(INBOX, {"due": "overdue"}).content.decode()
    assert "全部" in page


def test_each_filter_counts_without_itself_and_wrong_ones_are_refused(
    client: Client, city: City, resource: Resource, now: datetime
) -> None:
    cleared(city, resource, due_at=now - timedelta(days=2))
    cleared(city, resource, due_at=now + timedelta(hours=3))
    cleared(city, factories.make_resource(city.market, grade="L2"), due_at=now + timedelta(days=9))
    page = as_(client, city, "reviewer").get(INBOX, {"tab": "todo", "due": "overdue"}).content.decode()
    assert "已超期 (1)" in page
    assert "即将到期 (1)" in page
    assert "三级(敏感) (1)" in page
    assert "二级(内部)" not in page
    for wrong in ({"due": "x"}, {"surprise": "1"}, {"requester": "x"}, {"after": "x"}):
        assert client.get(INBOX, wrong).status_code == 422, wrong


def test_handled_and_own_requests_have_tabs_and_drafts_are_nobodys_work(client: Client, city: City, resource: Resource) -> None:
    made = cleared(city, resource)
    draft = cleared(city, resource, state="DRAFTED", desk="REQUESTER_OPERATOR", route="")
    as_(client, city, "education_operator")
    assert draft.number not in client.get(INBOX).content.decode()
    assert draft.number in client.get(INBOX, {"tab": "mine"}).content.decode()
    as_(client, city, "reviewer")
    assert made.number not in client.get(INBOX, {"tab": "handled"}).content.decode()
    client.post(reverse("portal:request-decide", args=[made.uid]), {"revision": 1, "command": "REFUSE", "reason": "用途不明"})
    assert made.number in client.get(INBOX, {"tab": "handled"}).content.decode()
    assert made.number not in client.get(INBOX).content.decode()


def test_the_inbox_asks_the_database_as_often_for_thirty_rows_as_for_five(
    client: Client, city: City, resource: Resource, now: datetime
) -> None:
    as_(client, city, "reviewer")
    asked = []
    for count in (5, 25):
        for _ in range(count):
            row = cleared(city, resource, due_at=now + timedelta(days=1))
            Claim.objects.create(access_request=row, desk=row.desk, claimed_by=city.people["reviewer"], claimed_at=now)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(INBOX).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_pages_follow_each_other_when_rows_have_no_deadline(client: Client, city: City, resource: Resource) -> None:
    numbers = {cleared(city, resource).number for _ in range(23)}
    first = as_(client, city, "reviewer").get(INBOX)
    second = client.get(INBOX, {"after": first.context["page"].next})
    shown = {line["request"].number for answer in (first, second) for line in answer.context["lines"]}
    assert shown == numbers


def test_a_decision_opened_from_the_inbox_comes_back_to_it_and_follows_no_other_address(
    client: Client, city: City, resource: Resource
) -> None:
    first, second_one = cleared(city, resource), cleared(city, resource)
    as_(client, city, "reviewer")
    page = client.get(reverse("portal:request-detail", args=[first.uid]), {"next": f"{INBOX}?due=soon"}).content.decode()
    assert 'name="next" value="/requests/inbox/?due=soon"' in page
    decide = {"revision": 1, "command": "REFUSE", "reason": "用途不明"}
    done = client.post(reverse("portal:request-decide", args=[first.uid]), decide | {"next": f"{INBOX}?due=soon"})
    assert done["Location"] == f"{INBOX}?due=soon"
    away = client.post(reverse("portal:request-decide", args=[second_one.uid]), decide | {"next": "//elsewhere.test/requests/"})
    assert away["Location"] == reverse("portal:request-detail", args=[second_one.uid])


def test_a_claim_warns_colleagues_locks_nobody_out_and_ends_with_the_decision(
    client: Client, city: City, resource: Resource, second: None
) -> None:
    made = cleared(city, resource)
    url = reverse("portal:request-inbox-claim", args=[made.uid])
    assert as_(client, city, "reviewer").post(url, {"next": INBOX})["Location"] == INBOX
    assert "reviewer" in client.get(INBOX, {"claimed": "me"}).content.decode()
    as_(client, city, "second")
    assert client.post(url).status_code == 409
    assert "reviewer已认领" in client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()
    decide = reverse("portal:request-decide", args=[made.uid])
    assert client.post(decide, {"revision": 1, "command": "REFUSE", "reason": "用途不明"}).status_code == 302
    assert Claim.objects.get().released_at is not None
    assert as_(client, city, "police_head").post(url).status_code in (403, 404)


def test_the_head_or_the_claimant_hands_over_to_the_same_desk_only(
    client: Client, city: City, resource: Resource, second: None
) -> None:
    city.people["chief"] = factories.make_user("chief", city.centre, Role.HEAD)
    made = cleared(city, resource)
    url = reverse("portal:request-inbox-reassign", args=[made.uid])
    as_(client, city, "second")
    assert client.post(url, {"colleague": city.people["reviewer"].uid}).status_code == 403
    as_(client, city, "chief")
    assert "转办" in client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()
    assert client.post(url, {"colleague": city.people["police_head"].uid}).status_code == 422
    assert client.post(url, {"colleague": city.people["auditor"].uid}).status_code == 422
    assert client.post(url, {"colleague": city.people["second"].uid}).status_code == 302
    assert Notification.objects.filter(user=city.people["second"], title__contains="转给您").count() == 1
    as_(client, city, "second")
    assert client.post(url, {"colleague": city.people["reviewer"].uid}).status_code == 302
    claim = Claim.objects.get(released_at=None)
    assert (claim.claimed_by, claim.assigned_by) == (city.people["reviewer"], city.people["second"])
    assert AuditEntry.objects.filter(action="claim.reassigned").count() == 2


def test_a_bulk_decision_says_what_it_will_do_and_does_only_that(client: Client, city: City, resource: Resource) -> None:
    plain = [cleared(city, resource) for _ in range(3)]
    top = cleared(city, factories.make_resource(city.police, grade="L4"))
    elsewhere = cleared(city, resource, state="CHECKED", desk="PROVIDER_HEAD")
    as_(client, city, "reviewer")
    page = client.get(BULK, {"row": [str(r.uid) for r in (*plain, top, elsewhere)]}).content.decode()
    assert "将办理 3 项，不办理 2 项" in page
    assert "须逐项办理" in page
    answer = confirm(client, *plain, top, elsewhere)
    result = client.get(answer["Location"]).content.decode()  # type: ignore[index]
    assert "已办理 3 项，不能办理 2 项" in result
    assert Grant.objects.count() == 3
    assert set(AccessRequestStep.objects.values_list("reason", flat=True)) == {"材料齐全"}
    for row in (top, elsewhere):
        state = row.state
        row.refresh_from_db()
        assert (row.state, row.revision) == (state, 1)


def test_a_row_that_changed_meanwhile_is_not_decided_and_a_double_submit_changes_nothing(
    client: Client, city: City, resource: Resource
) -> None:
    fresh, stale = cleared(city, resource), cleared(city, resource)
    AccessRequest.objects.filter(pk=stale.pk).update(revision=2)
    as_(client, city, "reviewer")
    first = confirm(client, fresh, stale, token="t" * 32)
    again = confirm(client, fresh, stale, token="t" * 32)
    assert first["Location"] == again["Location"]  # type: ignore[index]
    page = client.get(first["Location"]).content.decode()  # type: ignore[index]
    assert "已办理 1 项，不能办理 1 项" in page
    assert "申请已有变化" in page
    assert Grant.objects.get().access_request == fresh
    stale.refresh_from_db()
    assert stale.state == "CLEARED"
    assert as_(client, city, "police_head").get(first["Location"]).status_code == 404  # type: ignore[index]


def test_a_bulk_decision_is_bounded_and_offers_no_refusal(client: Client, city: City, resource: Resource) -> None:
    made = cleared(city, resource)
    as_(client, city, "reviewer")
    assert client.get(BULK)["Location"] == INBOX
    assert client.get(BULK, {"row": [str(uuid4()) for _ in range(51)]})["Location"] == INBOX
    assert client.get(BULK, {"row": "x"})["Location"] == INBOX
    assert client.get(BULK, {"row": str(uuid4())}).status_code == 404
    assert "不同意</button>" not in client.get(BULK, {"row": str(made.uid)}).content.decode()
    assert client.post(BULK, {"submission": "t", "reason": "x" * 501, "rows": [f"{made.uid}:1"]}).status_code == 422
    assert client.post(BULK, {"submission": "t", "rows": [f"{made.uid}:1"], "command": "REFUSE"}).status_code == 422
    made.refresh_from_db()
    assert made.state == "CLEARED"


def test_a_saved_filter_keeps_known_parameters_and_opens_the_page(client: Client, city: City, resource: Resource) -> None:
    as_(client, city, "reviewer")
    save = reverse("portal:request-filter-save")
    body = {"page": "inbox", "name": "急件", "query": "due=overdue&after=abc&next=//elsewhere&tab=todo", "is_default": "on"}
    assert client.post(save, body)["Location"] == f"{INBOX}?tab=todo&due=overdue"
    row = SavedFilter.objects.get()
    assert client.get(INBOX)["Location"] == f"{INBOX}?tab=todo&due=overdue"
    assert client.get(INBOX, {"tab": "todo"}).status_code == 200
    change = reverse("portal:request-filter-change", args=[row.uid])
    assert as_(client, city, "police_head").post(change, {"action": "forget"}).status_code == 404
    as_(client, city, "reviewer").post(change, {"action": "usual"})
    assert client.get(INBOX).status_code == 200
    client.post(change, {"action": "forget"})
    assert not SavedFilter.objects.exists()


def test_saved_filters_are_twenty_at_most_and_the_same_name_replaces(client: Client, city: City) -> None:
    as_(client, city, "reviewer")
    save = reverse("portal:request-filter-save")
    for number in range(20):
        assert client.post(save, {"page": "inbox", "name": f"筛选{number}", "query": "due=soon"}).status_code == 302
    assert client.post(save, {"page": "inbox", "name": "第二十一", "query": "due=soon"}).status_code == 409
    assert client.post(save, {"page": "inbox", "name": "筛选3", "query": "due=overdue"}).status_code == 302
    assert client.post(save, {"page": "inbox", "name": "空", "query": "unknown=1"}).status_code == 422
    assert SavedFilter.objects.count() == 20
    assert SavedFilter.objects.get(name="筛选3").query == "due=overdue"


def test_lists_of_deadlines_reach_over_departments_and_their_export_runs_no_formula(
    client: Client, city: City, resource: Resource, now: datetime
) -> None:
    late = cleared(city, resource, due_at=now - timedelta(days=1), purpose='=HYPERLINK("x")')
    soon = cleared(city, resource, state="CHECKED", desk="PROVIDER_HEAD", due_at=now + timedelta(hours=1))
    as_(client, city, "reviewer")
    page = client.get("/requests/deadlines/").content.decode()
    assert late.number in page
    assert soon.number not in page
    assert soon.number in client.get("/requests/deadlines/", {"kind": "soon"}).content.decode()
    answer = client.get("/requests/deadlines/export/")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert late.number in text
    assert "'=HYPERLINK" in text
    assert AuditEntry.objects.filter(action="access_request.deadlines_exported").count() == 1
    assert late.number not in as_(client, city, "market_head").get("/requests/deadlines/").content.decode()
    assert client.get("/requests/deadlines/", {"kind": "x"}).status_code == 404


def test_the_digest_comes_once_a_working_day_to_those_with_work(city: City, resource: Resource) -> None:
    monday = datetime.fromisoformat("2026-03-02T08:30:00+08:00")
    cleared(city, resource, due_at=monday - timedelta(days=1))
    cleared(city, resource, due_at=monday + timedelta(hours=2))
    assert tell_the_day(now=monday) == 1
    assert tell_the_day(now=monday + timedelta(minutes=10)) == 0
    message = Notification.objects.get()
    assert message.user == city.people["reviewer"]
    assert "待办申请 2 项，其中已超期 1 项，即将到期 1 项" in message.title
    assert tell_the_day(now=monday - timedelta(days=1)) == 0
    assert DailyDigest.objects.count() == 1


def test_a_delegation_is_made_and_revoked_on_its_page(client: Client, city: City) -> None:
    as_(client, city, "education_head")
    url = reverse("portal:request-delegations")
    today = datetime.now().astimezone().date()
    body = {
        "submission": uuid4().hex,
        "delegate": str(city.people["education_operator"].uid),
        "roles": ["HEAD"],
        "first_day": (today + timedelta(days=1)).isoformat(),
        "last_day": (today + timedelta(days=3)).isoformat(),
    }
    assert client.post(url, body | {"last_day": (today + timedelta(days=200)).isoformat()}).status_code == 422
    assert client.post(url, body | {"submission": "b" * 32}).status_code == 302
    assert client.post(url, body | {"submission": "b" * 32}).status_code == 302
    row = Delegation.objects.get()
    assert (row.valid_to - row.valid_from).days == 3
    assert client.post(url, body | {"submission": "c" * 32}).status_code == 422
    assert "未开始" in client.get(url).content.decode()
    assert client.post(reverse("portal:request-delegation-revoke", args=[row.uid])).status_code == 302
    assert "已撤销" in client.get(url).content.decode()


def test_a_delegate_of_the_reviewer_approves_and_stays_on_pages_open_to_him(
    client: Client, city: City, resource: Resource, now: datetime
) -> None:
    city.people["clerk"] = factories.make_user("clerk", city.centre, Role.OPERATOR)
    Delegation.objects.create(
        giver=city.people["reviewer"], delegate=city.people["clerk"], department=city.centre, role="REVIEWER",
        valid_from=now - timedelta(hours=1), valid_to=now + timedelta(days=1), created_at=now,
    )  # fmt: skip
    made = cleared(city, resource)
    as_(client, city, "clerk")
    assert made.number in client.get(INBOX).content.decode()
    done = client.post(reverse("portal:request-decide", args=[made.uid]), {"revision": 1, "command": "APPROVE", "reason": ""})
    assert done["Location"] == reverse("portal:request-detail", args=[made.uid])
    assert "clerk 代 reviewer" in client.get(done["Location"]).content.decode()
    assert Grant.objects.count() == 1
