"""The case on the page of a request: material asked for, extensions, supervision, two reviewers, as people use them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from core.roles import Role
from exchange.models import AccessRequest, AccessRequestStep, ClockExtension, SupervisionNotice
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City
from tests.portal.test_requests import as_


@pytest.fixture
def checked(city: City, now: datetime) -> AccessRequest:
    """A request that lies late on the desk of the police's head."""
    made = factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        state="CHECKED", desk="PROVIDER_HEAD", route="PROVIDER_FIRST", due_at=now - timedelta(hours=1),
        answer_due_at=now + timedelta(days=3),
    )  # fmt: skip
    AccessRequestStep.objects.create(
        access_request=made, at=now, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
        actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
    )  # fmt: skip
    return made


def page_of(client: Client, made: AccessRequest) -> str:
    return client.get(reverse("portal:request-detail", args=[made.uid])).content.decode()


def test_a_head_returns_a_request_and_its_operator_completes_it_with_changes_shown(
    client: Client, city: City, checked: AccessRequest
) -> None:
    decide = reverse("portal:request-decide", args=[checked.uid])
    assert "退回补正" in page_of(as_(client, city, "police_head"), checked)
    answer = client.post(decide, {"command": "RETURN", "revision": 1, "reason": ""})
    assert (answer.status_code, "列明全部所缺材料" in answer.content.decode()) == (422, True)
    assert client.post(decide, {"command": "RETURN", "revision": 1, "reason": "缺依据条款"}).status_code == 302
    checked.refresh_from_db()
    text = page_of(as_(client, city, "education_operator"), checked)
    for words in ("轮到您办理", "缺依据条款", "答复时限暂停", "补正完毕，再次提交", "修改申请内容"):
        assert words in text
    form = client.get(reverse("portal:request-edit", args=[checked.uid]))
    assert "补正完毕，再次提交" in form.content.decode()
    values = {name: form.context["form"][name].value() for name in form.context["form"].fields}
    values |= {"legal_basis": "《义务教育法》第九条", "action": "submit"}
    answer = client.post(reverse("portal:request-edit", args=[checked.uid]), values, follow=True)
    text = answer.content.decode()
    for words in ("已补正并再次提交", "<del>《义务教育法》</del>", "<ins>《义务教育法》第九条</ins>"):
        assert words in text
    assert "退回补正</button>" not in page_of(as_(client, city, "police_head"), checked)


def test_an_extension_is_asked_for_and_consented_to_on_the_page(client: Client, city: City, checked: AccessRequest) -> None:
    ask = reverse("portal:request-extension-ask", args=[checked.uid])
    assert ask in page_of(as_(client, city, "police_head"), checked)
    refused = client.post(ask, {"extension-days": "11", "extension-reason": ""})
    assert refused.status_code == 422
    assert client.post(ask, {"extension-days": "3", "extension-reason": "须征求省厅意见"}).status_code == 302
    extension = ClockExtension.objects.get()
    decide = reverse("portal:request-extension-decide", args=[extension.uid])
    assert decide not in page_of(client, checked)
    assert decide in page_of(as_(client, city, "reviewer"), checked)
    answer = client.post(decide, {"action": "refuse", "consent-reason": ""})
    assert (answer.status_code, "须说明理由" in answer.content.decode()) == (422, True)
    assert client.post(decide, {"action": "consent", "consent-reason": ""}).status_code == 302
    assert "已同意延期" in page_of(as_(client, city, "education_operator"), checked)


def test_a_late_desk_is_supervised_and_replies_on_the_page(client: Client, city: City, checked: AccessRequest) -> None:
    issue = reverse("portal:request-notice-issue", args=[checked.uid])
    assert issue in page_of(as_(client, city, "reviewer"), checked)
    assert client.post(issue, {"notice-text": "请说明原因"}).status_code == 302
    reply = reverse("portal:request-notice-reply", args=[SupervisionNotice.objects.get().uid])
    assert reply not in page_of(client, checked)
    assert reply in page_of(as_(client, city, "police_head"), checked)
    assert client.post(reply, {"reply-text": "明日办结"}).status_code == 302
    text = as_(client, city, "reviewer").get(reverse("portal:request-notice-list") + "?tab=replied").content.decode()
    assert "明日办结" in text
    assert "data-chart" not in text
    assert client.get(reverse("portal:request-notice-list") + "?tab=open").content.decode().count("待回复</span>") == 0


def test_the_first_approval_of_highly_sensitive_data_says_that_a_second_is_needed(
    client: Client, city: City, now: datetime
) -> None:
    resource = factories.make_resource(city.police, grade="L4")
    made = factories.make_request(
        resource, factories.make_system(city.education), city.people["education_operator"], mode="VERIFY", state="CLEARED",
        desk="DATA_CENTRE", route="PROVIDER_FIRST",
    )  # fmt: skip
    as_(client, city, "reviewer")
    decide = reverse("portal:request-decide", args=[made.uid])
    answer = client.post(decide, {"command": "APPROVE", "revision": 1, "reason": ""}, follow=True)
    assert "须由另一位审核人员复核" in answer.content.decode()
    assert "复核同意并立即授权" not in page_of(client, made)
    city.people["second"] = factories.make_user("second", city.centre, Role.REVIEWER)
    assert "复核同意并立即授权" in page_of(as_(client, city, "second"), made)
    carry_out(request_uid=made.uid, command=Command.CONFIRM, actor=city.actor("second"), now=now)
    assert "第二人复核同意并授权" in page_of(client, made)
