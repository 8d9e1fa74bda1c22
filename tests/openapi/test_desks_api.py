"""The work of the desks at the door for systems: filters are strict, claims idempotent, a bulk decision is repeated by its key."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import Client

from core.models import RoleAssignment
from core.roles import Role
from exchange.models import Claim, Delegation, Grant
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City

BACKEND = "django.contrib.auth.backends.ModelBackend"
JSON = "application/json"
V1 = "/openapi/v1"


def test_inbox_claim_and_bulk_over_rest(client: Client, city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    rows = [
        factories.make_request(
            resource, system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST",
            due_at=now + timedelta(days=number),
        )
        for number in range(3)
    ]  # fmt: skip
    client.force_login(city.people["reviewer"], backend=BACKEND)
    first = client.get(f"{V1}/inbox", {"limit": "2"}).json()
    second = client.get(f"{V1}/inbox", {"limit": "2", "after": first["next"]}).json()
    assert [item["uid"] for item in first["items"] + second["items"]] == [str(row.uid) for row in rows]
    assert client.get(f"{V1}/inbox", {"due": "late"}).status_code == 422
    assert client.get(f"{V1}/inbox", {"surprise": "1"}).status_code == 422

    claim = f"{V1}/inbox/{rows[0].uid}/claim"
    for _ in range(2):
        assert client.put(claim, {}, content_type=JSON).json()["claimed_by"] == "reviewer"
    assert Claim.objects.count() == 1
    assert client.get(f"{V1}/inbox", {"claimed": "me"}).json()["items"][0]["claimed_by"] == "reviewer"
    assert client.delete(claim).status_code == 204

    body = {"rows": [{"uid": str(row.uid), "revision": row.revision} for row in rows], "reason": "同意"}
    assert client.post(f"{V1}/inbox/bulk-decisions", body, content_type=JSON).status_code == 422
    answers = [
        client.post(f"{V1}/inbox/bulk-decisions", body, content_type=JSON, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert [line["outcome"] for line in answers[0].json()["lines"]] == ["DONE"] * 3
    assert Grant.objects.count() == 3
    for other in ({"reason": "不同的意见"}, {"rows": body["rows"][:1]}):
        reused = client.post(f"{V1}/inbox/bulk-decisions", body | other, content_type=JSON, headers={"Idempotency-Key": "k1"})
        assert (reused.status_code, reused.json()["code"]) == (409, "submission.reused")


def test_a_bulk_decision_over_rest_stays_on_one_desk(client: Client, city: City, now: datetime) -> None:
    """One head of both departments' desks: what the plan leaves out is not decided, however it was sent."""
    system = factories.make_system(city.police)
    asked = factories.make_request(
        factories.make_resource(city.education), system, city.people["police_operator"], state="SUBMITTED", desk="REQUESTER_HEAD",
        route="PROVIDER_FIRST", due_at=now + timedelta(days=1),
    )  # fmt: skip
    provided = factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        state="SUBMITTED", desk="REQUESTER_HEAD", route="PROVIDER_FIRST",
    )  # fmt: skip
    for command, name in ((Command.ENDORSE, "education_head"), (Command.CHECK, "police_operator")):
        provided = carry_out(request_uid=provided.uid, command=command, actor=city.actor(name), now=now)
    seen = provided.revision
    client.force_login(city.people["police_head"], backend=BACKEND)
    body = {"rows": [{"uid": str(row.uid), "revision": row.revision} for row in (asked, provided)]}
    answer = client.post(f"{V1}/inbox/bulk-decisions", body, content_type=JSON, headers={"Idempotency-Key": "desks"}).json()
    assert [(line["outcome"], line["code"]) for line in answer["lines"]] == [("DONE", ""), ("DECLINED", "bulk.one_by_one")]
    provided.refresh_from_db()
    assert (provided.state, provided.revision) == ("CHECKED", seen)


def test_a_delegation_is_given_once_a_key_and_ended(client: Client, city: City, now: datetime) -> None:
    RoleAssignment.objects.create(user=city.people["education_head"], role=Role.OPERATOR)
    client.force_login(city.people["education_head"], backend=BACKEND)
    body = {
        "delegate": str(city.people["education_operator"].uid),
        "roles": ["HEAD", "OPERATOR"],
        "valid_from": now.isoformat(),
        "valid_to": (now + timedelta(days=2)).isoformat(),
    }
    assert client.post(f"{V1}/delegations", body | {"roles": ["AUDIT_ADMINISTRATOR"]}, content_type=JSON).status_code == 422
    sent = [client.post(f"{V1}/delegations", body, content_type=JSON, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 200]
    assert sent[0].json() == sent[1].json()
    assert [line["role"] for line in sent[0].json()] == ["HEAD", "OPERATOR"]
    row = Delegation.objects.get(role="HEAD")
    assert client.delete(f"{V1}/delegations/{row.uid}").status_code == 204
    assert client.delete(f"{V1}/delegations/{row.uid}").status_code == 409
