"""Pages of baskets, bundles, copies, renewals, remarks and attachments."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Resource
from core.models import AuditEntry
from exchange.models import AccessRequest, Attachment, BasketEntry, ConsumerSystem, Remark, RequestBundle
from tests import factories
from tests.exchange import files
from tests.factories import City
from tests.portal.test_requests import as_, body_of

BASKET = "portal:basket-detail"


@pytest.fixture(autouse=True)
def upload_dir(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOAD_DIR = tmp_path
    return tmp_path


@pytest.fixture
def resources(city: City) -> list[Resource]:
    return [factories.make_resource(city.police), factories.make_resource(city.market)]


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


def filled(city: City, system: ConsumerSystem, **change: object) -> dict[str, object]:
    """Return the basket's form as a browser sends it."""
    per_part = ("items", "mode", "region_prefix", "quota_per_day", "quota_per_second")
    body = body_of(system)
    common = {name: value for name, value in body.items() if name not in (*per_part, "action")}
    for entry in BasketEntry.objects.filter(user=city.people["education_operator"]):
        common |= {f"e{entry.uid.hex}-{name}": body[name] for name in per_part}
    return common | change


def put_in(client: Client, *resources: Resource) -> None:
    for resource in resources:
        assert client.post(reverse("portal:basket-add", args=[resource.uid])).status_code == 302


def test_requesting_takes_three_steps_from_the_resource_page(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    as_(client, city, "education_operator")
    page = client.get(reverse("portal:resource-detail", args=[resources[0].uid])).content.decode()
    add = reverse("portal:basket-add", args=[resources[0].uid])
    assert f'action="{add}"' in page
    assert reverse("portal:request-new", args=[resources[0].uid]) in page  # resource page -> form -> submit: two steps
    step_one = client.post(add)
    assert step_one["Location"] == reverse(BASKET)
    step_two = client.get(step_one["Location"])
    assert resources[0].title in step_two.content.decode()
    step_three = client.post(reverse(BASKET), filled(city, system))
    bundle = RequestBundle.objects.get()
    assert step_three["Location"] == reverse("portal:request-bundle", args=[bundle.uid])
    assert AccessRequest.objects.get().state == "SUBMITTED"


def test_the_basket_groups_by_provider_and_submits_all_at_once(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    put_in(as_(client, city, "education_operator"), *resources)
    page = client.get(reverse(BASKET)).content.decode()
    assert page.index("市公安局") < page.index(resources[0].title) < page.index("市市场监督管理局") < page.index(resources[1].title)
    body = filled(city, system)
    answer = client.post(reverse(BASKET), body)
    shown = client.get(answer["Location"]).content.decode()
    assert all(text in shown for text in (resources[0].title, resources[1].title, "待本部门负责人同意", "已办结 0 项，共 2 项"))
    again = client.post(reverse(BASKET), body)
    assert (again.status_code, AccessRequest.objects.count()) == (422, 2)
    assert "已经提交或移出" in again.content.decode()


def test_a_wrong_entry_is_shown_where_it_is_wrong_and_nothing_is_submitted(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    put_in(as_(client, city, "education_operator"), *resources)
    second = BasketEntry.objects.get(resource=resources[1])
    changes: list[dict[str, object]] = [
        {f"e{second.uid.hex}-items": []},
        {f"e{second.uid.hex}-mode": "SUBSCRIBE"},
        {"purpose": ""},
        {f"e{uuid4().hex}-mode": "QUERY"},
        {"surprise": "1"},
    ]
    for change in changes:
        answer = client.post(reverse(BASKET), filled(city, system, **change))
        assert answer.status_code == 422, change
    Resource.objects.filter(pk=resources[1].pk).update(state="WITHDRAWN")
    answer = client.post(reverse(BASKET), filled(city, system))
    assert (answer.status_code, "尚未发布" in answer.content.decode()) == (422, True)
    assert (AccessRequest.objects.count(), RequestBundle.objects.count(), BasketEntry.objects.count()) == (0, 0, 2)
    client.post(reverse("portal:basket-remove", args=[second.uid]))
    assert client.post(reverse(BASKET), filled(city, system)).status_code == 302


def test_the_head_endorses_the_whole_bundle_with_one_button(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    put_in(as_(client, city, "education_operator"), *resources)
    url = client.post(reverse(BASKET), filled(city, system))["Location"]
    assert "全部同意" not in client.get(url).content.decode()
    page = as_(client, city, "education_head").get(url)
    assert "全部同意（2 项）" in page.content.decode()
    seen = page.context["form"]["seen"].value()
    assert client.post(url + "endorse/", {"seen": "nonsense"}).status_code == 422
    client.post(url + "endorse/", {"seen": seen})
    assert {made.state for made in AccessRequest.objects.all()} == {"ENDORSED"}
    assert client.post(url + "endorse/", {"seen": seen}).status_code == 409
    as_(client, city, "police_operator")
    mine = client.get(url).content.decode()
    assert resources[0].title in mine
    assert resources[1].title not in mine


def test_a_copy_is_opened_as_a_draft_and_says_what_was_left_out(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    source = factories.make_request(
        resources[0], system, city.people["education_operator"], state="WITHDRAWN", desk="NOBODY", matters=["A-1"]
    )
    resources[0].items.filter(name="sex").update(is_withheld=True)
    as_(client, city, "education_operator")
    assert "复制为新申请" in client.get(reverse("portal:request-detail", args=[source.uid])).content.decode()
    token = {"submission": uuid4().hex}
    first = client.post(reverse("portal:request-copy", args=[source.uid]), token)
    assert client.post(reverse("portal:request-copy", args=[source.uid]), token)["Location"] == first["Location"]
    made = AccessRequest.objects.exclude(pk=source.pk).get()
    shown = client.get(first["Location"]).content.decode()
    assert "没有带入新草稿：性别" in shown
    assert "A-1" in shown  # a limit of the earlier request is not lost on the way
    assert made.number in client.get(reverse("portal:request-detail", args=[source.uid])).content.decode()
    assert source.number in client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()


def test_a_grant_is_renewed_from_its_page(client: Client, city: City, resources: list[Resource], system: ConsumerSystem) -> None:
    now = timezone.now()
    far = factories.make_grant(resources[0], system, city.people["education_operator"])
    grant = factories.make_grant(resources[0], system, city.people["education_operator"], valid_to=now + timedelta(days=20))
    as_(client, city, "education_operator")
    button = reverse("portal:grant-renew", args=[grant.uid])
    assert (
        reverse("portal:grant-renew", args=[far.uid])
        not in client.get(reverse("portal:grant-detail", args=[far.uid])).content.decode()
    )
    assert button in client.get(reverse("portal:grant-detail", args=[grant.uid])).content.decode()
    answer = client.post(button, {"submission": uuid4().hex})
    made = AccessRequest.objects.get(renews=grant)
    assert answer["Location"] == reverse("portal:request-edit", args=[made.uid])
    shown = client.get(reverse("portal:grant-detail", args=[grant.uid])).content.decode()
    assert made.number in shown
    assert button not in shown


def test_files_are_attached_to_a_draft_downloaded_and_redacted(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    made = factories.make_request(resources[0], system, city.people["education_operator"])
    as_(client, city, "education_operator")
    attach = reverse("portal:request-attach", args=[made.uid])
    body = {"submission": uuid4().hex, "file": [SimpleUploadedFile("方案.pdf", files.PDF), SimpleUploadedFile("b.csv", b"a,b\n")]}
    assert client.post(attach, body).status_code == 302
    wrong = client.post(attach, {"submission": uuid4().hex, "file": SimpleUploadedFile("a.html", b"<html>")})
    assert (wrong.status_code, Attachment.objects.count()) == (422, 2)
    assert "方案.pdf" in client.get(reverse("portal:request-edit", args=[made.uid])).content.decode()
    file = Attachment.objects.get(name="方案.pdf")
    url = reverse("portal:attachment-download", args=[file.uid])
    answer = client.get(url)
    assert (answer.content, answer["Content-Type"], answer["X-Content-Type-Options"]) == (files.PDF, "application/pdf", "nosniff")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert AuditEntry.objects.filter(action="attachment.downloaded").count() == 1
    assert as_(client, city, "reviewer").get(url).status_code == 404
    AccessRequest.objects.filter(pk=made.pk).update(state="SUBMITTED", desk="REQUESTER_HEAD")
    assert client.get(url).status_code == 200
    assert client.post(reverse("portal:attachment-redact", args=[file.uid]), {"reason": "含个人信息"}).status_code == 302
    assert client.get(url).status_code == 409
    assert "内容已删除：含个人信息" in client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()


def test_a_private_remark_is_not_on_the_requesters_page(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem
) -> None:
    made = factories.make_request(
        resources[0], system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="DATA_CENTRE_ALONE"
    )
    url, page = reverse("portal:request-remark", args=[made.uid]), reverse("portal:request-detail", args=[made.uid])
    as_(client, city, "reviewer")
    body = {
        "submission": uuid4().hex, "text": "内部核对过", "is_private": "on", "file": SimpleUploadedFile("核对.txt", b"ok"),
    }  # fmt: skip
    assert client.post(url, body).status_code == 302
    client.post(url, {"submission": uuid4().hex, "text": "请补充说明"})
    shown = client.get(page).content.decode()
    assert all(text in shown for text in ("内部核对过", "核对.txt", "请补充说明"))
    shown = as_(client, city, "education_operator").get(page).content.decode()
    assert "请补充说明" in shown
    assert not any(text in shown for text in ("内部核对过", "核对.txt", "仅审核方可见"))
    assert client.get(reverse("portal:attachment-download", args=[Attachment.objects.get().uid])).status_code == 404
    assert client.post(url, {"submission": uuid4().hex, "text": "x", "is_private": "on"}).status_code == 422
    assert Remark.objects.count() == 2


def test_a_request_with_files_that_is_too_long_is_refused_by_its_length(
    client: Client, city: City, resources: list[Resource], system: ConsumerSystem, settings: Any
) -> None:
    settings.UPLOAD_MAX_REQUEST_SIZE = 4096
    made = factories.make_request(resources[0], system, city.people["education_operator"])
    as_(client, city, "education_operator")
    body = {"submission": uuid4().hex, "file": SimpleUploadedFile("a.txt", b"x" * 5000)}
    assert client.post(reverse("portal:request-attach", args=[made.uid]), body).status_code in (400, 413)
    path = f"/openapi/v1/access-requests/{made.uid}/attachments"
    assert client.post(path, {"file": SimpleUploadedFile("a.txt", b"x" * 5000)}).status_code == 413
    assert (Attachment.objects.count(), list(settings.UPLOAD_DIR.rglob("*"))) == (0, [])
