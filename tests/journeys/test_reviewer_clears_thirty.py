"""A reviewer of the data centre comes back to thirty waiting requests and clears them before noon (批量办理、逐项办理)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.test import Client

from core.models import AuditEntry
from exchange.models import AccessRequest, AccessRequestStep, Grant
from tests import factories
from tests.factories import City

INBOX = "/requests/inbox/"


def test_a_reviewer_clears_thirty_waiting_tasks(client: Client, city: City, now: datetime) -> None:
    plain, sensitive = factories.make_resource(city.police), factories.make_resource(city.police, grade="L4")
    system = factories.make_system(city.education)
    for number in range(30):
        factories.make_request(
            sensitive if number in (4, 17) else plain, system, city.people["education_operator"],
            state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST", due_at=now + timedelta(hours=number - 3),
        )  # fmt: skip
    client.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")

    late = client.get(INBOX, {"due": "overdue"})
    assert [line["clock"] for line in late.context["lines"]] == ["overdue"] * 4
    doubtful = late.context["lines"][0]["request"]
    opened = client.get(f"/requests/{doubtful.uid}/", {"next": INBOX})
    assert "不同意" in opened.content.decode()
    body = {"revision": doubtful.revision, "command": "REFUSE", "reason": "用途超出职责范围", "next": INBOX}
    assert client.post(f"/requests/{doubtful.uid}/decide/", body)["Location"] == INBOX

    posts = 1
    while rows := [line["request"] for line in client.get(INBOX).context["lines"] if line["request"].resource.grade != "L4"]:
        page = client.get(f"{INBOX}bulk/", {"row": [str(row.uid) for row in rows]}).content.decode()
        given = {
            "submission": re.findall(r'name="submission" value="(\w+)"', page)[0],
            "rows": re.findall(r'name="rows" value="([^"]+)"', page),
            "reason": "依法履职需要，同意",
        }
        assert client.post(f"{INBOX}bulk/", given).status_code == 302
        posts += 1
    assert posts <= 4

    left = client.get(INBOX).context["lines"]
    assert {line["request"].resource.grade for line in left} == {"L4"}
    assert len(left) == 2
    assert Grant.objects.count() == 27
    assert AccessRequest.objects.filter(state="REFUSED").count() == 1
    assert AccessRequestStep.objects.filter(reason="依法履职需要，同意").count() == 27
    assert AuditEntry.objects.filter(action="access_request.approved").count() == 27
    assert client.get(INBOX, {"tab": "handled"}).context["tabs"][1][2] == 28
