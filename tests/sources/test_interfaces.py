"""Calls on an interface of a platform above: its form, its faults, its secrets, and the national convention as a client."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from exchange.calls.refusals import Refusal
from exchange.models import CallRecord, Grant, UpstreamAccount, UpstreamSecret
from exchange.national import client
from exchange.sources.secrets import put_secret
from exchange.upstream import relays, sending
from tests import factories
from tests.exchange.test_upstream import authorize
from tests.hotpath import partner as partners
from tests.hotpath.scene import Scene
from tests.sources.above import Above, national
from tests.sources.department import SOMEBODY

NATIONAL = {"answer_map": {"code": "/code", "ok": ["0"], "record": "/data"}}


def grant_on(scene: Scene, above: Above, **values: Any) -> Grant:
    _, resource = above.register(scene, **values)
    return partners.grant_to(scene.partner, resource, scene.city)


def test_an_interface_is_asked_in_its_own_form_and_only_granted_items_leave_the_mapper(scene: Scene, above: Above) -> None:
    grant = grant_on(scene, above)
    reply = scene.partner.query(grant, SOMEBODY)
    assert reply.json["data"] == {"name": "欧***", "sex": "1"}
    assert above.asked[0][2] == {"sfzh": SOMEBODY, "lx": "01"}
    assert "备注" not in reply.body.decode()
    assert CallRecord.objects.get(call_id=reply.headers["X-Gov-Call-Id"]).outcome == "call.answered"


def test_an_interface_is_compared_with_here(scene: Scene, above: Above) -> None:
    _, resource = above.register(scene)
    grant = partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", fields=["name", "sex"], masks={})
    body = {"key": {"citizen_id": SOMEBODY}, "attributes": {"name": "欧阳小明", "sex": "2"}}
    assert scene.partner.call(grant, "verify", body).json["result"] == {"name": "yes", "sex": "no"}


def test_what_is_hidden_is_never_confirmed_by_an_interface(scene: Scene, above: Above) -> None:
    _, resource = above.register(scene)
    masks = {"name": "HIDDEN"}
    grant = partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", fields=["name", "sex"], masks=masks)
    body: dict[str, Any] = {"key": {"citizen_id": SOMEBODY}, "attributes": {"name": "欧阳小明", "sex": "1"}}
    assert scene.partner.call(grant, "verify", body).json["result"] == {"name": "not_available", "sex": "yes"}


def test_a_code_for_nobody_is_not_found(scene: Scene, above: Above) -> None:
    above.answering = lambda *_: (200, {"code": "404", "data": None})
    assert scene.partner.query(grant_on(scene, above), SOMEBODY).json["status"] == "not_found"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {"code": "9"}), "upstream.refused"),
        ((200, b"<html>"), "upstream.refused"),
        ((302, {}), "upstream.refused"),
        ((403, {}), "upstream.refused"),
        ((500, {}), "upstream.unavailable"),
        ((429, {}), "upstream.unavailable"),
        ((200, b" " * 1_100_000), "upstream.refused"),
    ],
)
def test_every_fault_of_an_interface_names_the_side_above(scene: Scene, above: Above, answer: Any, code: str) -> None:
    above.answering = lambda *_: answer
    reply = scene.partner.query(grant_on(scene, above), SOMEBODY)
    assert (reply.status, reply.code) == (502, code)
    assert CallRecord.objects.get(call_id=reply.json["request_id"]).outcome == code


def test_an_interface_that_takes_too_long_is_given_up_and_not_asked_again(scene: Scene, above: Above) -> None:
    above.delay = 1.0
    began = time.monotonic()
    reply = scene.partner.query(grant_on(scene, above, timeout_ms=300), SOMEBODY)
    assert (reply.status, reply.code) == (502, "upstream.timeout")
    assert time.monotonic() - began < 0.9
    assert len(above.asked) == 1


def test_an_answer_that_drips_in_is_given_up_in_time(scene: Scene, above: Above) -> None:
    above.pause = 0.02
    began = time.monotonic()
    reply = scene.partner.query(grant_on(scene, above, timeout_ms=300), SOMEBODY)
    assert (reply.status, reply.code) == (502, "upstream.timeout")
    assert time.monotonic() - began < 2.0


def test_an_address_with_its_query_is_in_no_log(scene: Scene, above: Above, caplog: pytest.LogCaptureFixture) -> None:
    """The library tells of a connection it makes anew with the whole address: keys and subjects may stand in it."""
    query = {"tym": {"in": "query", "from": "key"}, "appkey": {"in": "query", "from": "constant", "value": "verysecret"}}
    grant = grant_on(scene, above, request_map=query)
    above.close()
    with caplog.at_level(logging.DEBUG):
        reply = scene.partner.query(grant, SOMEBODY)
    assert reply.code == "upstream.unavailable"
    assert "verysecret" not in caplog.text
    assert SOMEBODY not in caplog.text


def test_a_refusal_of_an_interface_does_not_open_the_breaker_and_an_error_does(scene: Scene, above: Above) -> None:
    grant = grant_on(scene, above)
    above.answering = lambda *_: (200, {"code": "9"})
    assert {scene.partner.query(grant, SOMEBODY).code for _ in range(7)} == {"upstream.refused"}
    above.answering = lambda *_: (500, {})
    codes = [scene.partner.query(grant, SOMEBODY).code for _ in range(6)]
    assert codes == ["upstream.unavailable"] * 5 + ["upstream.circuit_open"]


def test_an_interface_cannot_keep_a_limit_of_rows_and_serves_no_grant_that_has_one(scene: Scene, above: Above) -> None:
    _, resource = above.register(scene)
    grant = partners.grant_to(scene.partner, resource, scene.city, region_prefix="320102")
    assert scene.partner.query(grant, SOMEBODY).code == "grant.unusable"
    assert above.asked == []


def test_a_header_with_a_secret_is_sent_and_the_newest_secret_that_has_begun_counts(
    scene: Scene, above: Above, now: datetime
) -> None:
    account = UpstreamAccount.objects.create(title="省平台", department=scene.city.police, auth="HEADER", header_name="X-Api-Key")
    days = timedelta(days=1)
    for value, begins, ends in [("old", now - 9 * days, now + days), ("new", now - days, None), ("next", now + days, None)]:
        secret = UpstreamSecret(account=account, valid_from=begins, valid_to=ends)
        put_secret(secret, value)
        secret.save()
    assert scene.partner.query(grant_on(scene, above, account=account), SOMEBODY).status == 200
    assert above.asked[0][1]["x-api-key"] == "new"


@pytest.mark.parametrize("family", ["gjgxjhpt", "gjzwfwpt", "x-gov"])
def test_the_national_convention_is_spoken_with_a_session_that_is_asked_for_once(
    scene: Scene, above: Above, now: datetime, family: str
) -> None:
    above.answering = national
    account = above.national_account(scene, now, family=family)
    grant = grant_on(scene, above, account=account, sid="s_11320100000000001X_0001", **NATIONAL)
    assert [scene.partner.query(grant, SOMEBODY).status for _ in range(3)] == [200] * 3
    assert above.refreshes == 1
    account.refresh_from_db()
    assert account.session_ends_at is not None
    assert above.session.encode() not in bytes(account.secret_ciphertext or b"")


def test_a_session_the_platform_above_has_forgotten_is_refreshed_once(scene: Scene, above: Above, now: datetime) -> None:
    above.answering = national
    account = above.national_account(scene, now)
    grant = grant_on(scene, above, account=account, sid="s_11320100000000001X_0002", **NATIONAL)
    assert scene.partner.query(grant, SOMEBODY).status == 200
    UpstreamAccount.objects.filter(pk=account.pk).update(refreshed_at=now - timedelta(hours=1))
    above.session = "another"
    time.sleep(3.1)  # what a process remembers of the account
    assert scene.partner.query(grant, SOMEBODY).status == 200
    assert above.refreshes == 2
    above.session = "another again"
    assert scene.partner.query(grant, SOMEBODY).code == "upstream.refused"
    assert above.refreshes == 2


def test_not_in_the_authorized_list_is_said_as_such(scene: Scene, above: Above, now: datetime) -> None:
    above.answering = national
    grant = grant_on(scene, above, account=above.national_account(scene, now), sid="s_1_forbidden", **NATIONAL)
    reply = scene.partner.query(grant, SOMEBODY)
    assert (reply.code, reply.json["details"]) == ("upstream.refused", {"source": "not_in_the_authorized_list"})


def test_a_wrong_app_key_is_noted_on_the_account_and_tried_again_by_the_task(scene: Scene, above: Above, now: datetime) -> None:
    above.answering = national
    UpstreamAccount.objects.update(session_ends_at=now + timedelta(days=1))
    account = above.national_account(scene, now, app_key="f" * 32)
    above.register(scene, account=account, sid="s_1_0003")
    assert client.refresh_due(now=now) == 0
    account.refresh_from_db()
    assert account.refresh_fault == "refresh_refused"
    with pytest.raises(Refusal):
        client.refresh(account.uid)
    secret = UpstreamSecret(account=account, valid_from=now)
    put_secret(secret, above.app_key)
    secret.save()
    assert client.refresh_due(now=now) == 1
    account.refresh_from_db()
    assert account.refresh_fault == ""


def test_a_request_is_relayed_over_an_interface_until_the_platform_above_has_answered(
    scene: Scene, above: Above, now: datetime
) -> None:
    states = iter([{"up_apply_id": "UP-7", "state": "1"}, {"up_apply_id": "UP-7", "state": "5", "receipt": "部复9号"}])
    above.answering = lambda *_: (200, {"code": "0", "data": next(states)})
    names = {name: {"in": "body", "from": name} for name in ("idempotency_key", "number", "purpose")}
    interface, resource = above.register(scene, request_map=names, columns=[])
    authorize(scene.city, resource, now, relay_interface_uid=interface.uid)
    values = {"state": "CLEARED", "desk": "DATA_CENTRE", "route": "PROVIDER_FIRST"}
    user = scene.city.people["education_operator"]
    made = factories.make_request(resource, scene.partner.system, user, **values)
    relays.report(request_uid=made.uid, document_number="宁数函8号", actor=scene.city.actor("reviewer"), now=now)
    assert [sending.relay_all(now=now) for _ in range(3)] == [1, 1, 0]
    relay = made.upstream_relay
    assert (relay.state, relay.external_id) == (5, "UP-7")
    assert list(relay.receipts.values_list("state", "document_number")) == [(1, "宁数函8号"), (5, "部复9号")]
    assert len({asked[2]["idempotency_key"] for asked in above.asked}) == 1
