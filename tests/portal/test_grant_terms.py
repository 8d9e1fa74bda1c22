"""Pages of what a grant holds: its versions by day, narrowing, ending with notice, addresses, clients, masks at approval."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from basedb.identifiers import generate_citizen_id
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state, issue_grant
from exchange.granting.terminations import earliest_end
from exchange.models import AccessRequest, Grant, GrantSubject
from tests import factories
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    resource = factories.make_resource(city.police)
    user = city.people["education_operator"]
    request = factories.make_request(
        resource, factories.make_system(city.education), user, row_filter=[{"kind": "own_clients"}], matters=["A-1", "B-2"]
    )
    return issue_grant(access_request=request, actor=city.actor("reviewer"), now=timezone.now())


def as_(city: City, who: str) -> Client:
    client = Client()
    client.force_login(city.people[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(name: str, grant: Grant) -> str:
    return reverse(f"portal:grant-{name}", kwargs={"uid": grant.uid})


def shown(client: Client, url: str) -> dict[str, Any]:
    """Return what the form of a page would send when nothing is changed."""
    form = client.get(url).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_the_form_of_narrowing_sent_back_as_it_is_changes_nothing_and_a_change_narrows(city: City, grant: Grant) -> None:
    client, url = as_(city, "police_head"), page("narrow", grant)
    sent = shown(client, url) | {"reason": "最小必要"}
    same = client.post(url, sent)
    assert (same.status_code, "没有任何一项收窄" in same.content.decode()) == (422, True)
    wider = client.post(url, sent | {"matters": ""})
    assert (wider.status_code, "只能收窄" in wider.content.decode()) == (422, True)
    assert client.post(url, sent | {"matters": "A-1", "items": ["sex"]}).status_code == 302
    grant.refresh_from_db()
    assert (grant.fields, grant.matters, grant.version) == (["sex"], ["A-1"], 2)
    assert client.post(url, sent | {"matters": "A-1"}).status_code == 409


def test_the_page_of_a_day_says_what_was_granted_then_in_plain_words(city: City, grant: Grant) -> None:
    now = timezone.now()
    given: dict[str, Any] = {"grant_uid": grant.uid, "actor": city.actor("police_head"), "reason": "疑似违规", "now": now}
    change_state(command=GrantCommand.SUSPEND, ground="MISUSE", put_right_by=timezone.localdate(), **given)
    client = as_(city, "auditor")
    today = client.get(page("versions", grant), {"on": timezone.localdate().isoformat()}).content.decode()
    for words in ("第 1 版", "第 2 版", "只限使用方登记的服务对象", "A-1、B-2", "违规使用", "疑似违规"):
        assert words in today
    yesterday = client.get(page("versions", grant), {"on": (timezone.localdate() - timedelta(days=1)).isoformat()})
    assert "当日没有授权内容" in yesterday.content.decode()
    assert client.get(page("versions", grant), {"on": "32"}).status_code == 422
    detail = as_(city, "education_operator").get(reverse("portal:grant-detail", kwargs={"uid": grant.uid})).content.decode()
    assert "前整改完毕" in detail


def test_ending_a_service_shows_its_filing_to_the_consumer(city: City, grant: Grant) -> None:
    client, url = as_(city, "police_head"), page("terminate", grant)
    sent = shown(client, url) | {"reason": "系统下线"}
    too_soon = client.post(url, sent | {"ends_on": date.today().isoformat()})
    assert (too_soon.status_code, "至少提前 10 天通知" in too_soon.content.decode()) == (422, True)
    assert client.post(url, sent | {"ends_on": earliest_end(timezone.now()).isoformat()}).status_code == 302
    detail = as_(city, "education_operator").get(reverse("portal:grant-detail", kwargs={"uid": grant.uid})).content.decode()
    assert "后终止" in detail
    assert "终止服务并备案" not in client.get(reverse("portal:grant-detail", kwargs={"uid": grant.uid})).content.decode()
    assert client.post(url, sent).status_code == 409


def test_the_consumer_registers_addresses_and_clients(city: City, grant: Grant) -> None:
    client = as_(city, "education_operator")
    sent = shown(client, page("addresses", grant))
    assert client.post(page("addresses", grant), sent | {"ip_list": "10.1.2.0/24\r\n192.0.2.7"}).status_code == 302
    sent = shown(client, page("addresses", grant))
    assert client.post(page("addresses", grant), sent | {"ip_list": "10.0.0.0/8"}).status_code == 422
    ids = [generate_citizen_id("990101", date(1990, 1, day), 11) for day in (1, 2)]
    sent = shown(client, page("clients", grant))
    for content, status in (("not an id\n", 422), ("citizen_id\n" + "\n".join(ids), 302)):
        file = SimpleUploadedFile("clients.csv", content.encode("utf-8-sig"))
        assert client.post(page("clients", grant), sent | {"clients": file}).status_code == status
    grant.refresh_from_db()
    assert (grant.ip_list, grant.client_count, GrantSubject.objects.count()) == (["10.1.2.0/24", "192.0.2.7/32"], 2, 2)


def test_an_approver_makes_masks_stricter_never_laxer(city: City) -> None:
    resource = factories.make_resource(city.police)
    request = factories.make_request(
        resource, factories.make_system(city.education), city.people["education_operator"],
        state="CLEARED", desk="DATA_CENTRE", route="DATA_CENTRE_ALONE",
    )  # fmt: skip
    url = reverse("portal:request-masks", kwargs={"uid": request.uid})
    client = as_(city, "reviewer")
    body = client.get(reverse("portal:request-detail", kwargs={"uid": request.uid})).content.decode()
    assert "加严返回时的脱敏" in body
    assert client.post(url, {"revision": 1, "mask_name": "NONE", "mask_sex": "NONE"}).status_code == 422
    assert client.post(url, {"revision": 1, "mask_name": "HIDDEN", "mask_sex": "NONE"}).status_code == 302
    request = AccessRequest.objects.get(pk=request.pk)
    assert (request.masks, request.revision) == ({"name": "HIDDEN"}, 2)
    assert client.post(url, {"revision": 2, "mask_name": "NAME"}).status_code == 422
    made = issue_grant(access_request=request, actor=city.actor("reviewer"), now=timezone.now())
    assert made.masks == {"name": "HIDDEN"}
    assert as_(city, "police_head").post(url, {"revision": 2, "mask_name": "HIDDEN"}).status_code in (403, 404)


def test_a_token_key_is_shown_once_even_to_a_double_click(city: City, grant: Grant) -> None:
    Grant.objects.filter(pk=grant.pk).update(mode="VERIFY")
    client, url = as_(city, "education_operator"), page("token-key", grant)
    sent = {"submission": client.get(page("clients", grant)).context["key_form"]["submission"].value()}
    shown_once = client.post(url, sent)
    assert (shown_once.status_code, len(shown_once.context["token_key"])) == (200, 43)
    assert "no-store" in shown_once.headers["Cache-Control"]
    again = client.post(url, sent, follow=True)
    assert shown_once.context["token_key"] not in again.content.decode()
    assert "只展示一次" in again.content.decode()
    assert client.post(url, {}).status_code == 422
    assert as_(city, "police_head").post(url, sent).status_code == 403
