"""Being called by the national convention: signatures, sessions, replay, what version 2 adds, and one decision point."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from exchange.calls import registry
from exchange.models import CallRecord, Grant, NationalRequester, NationalService, NationalSession
from exchange.national import requesters, serving, signing
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene
from tests.sources.integrator import Integrator, send
from tests.sources.numbers import next_number

PERSON = {"sfzh": "key", "xm": "name"}


@pytest.fixture
def integrator(scene: Scene, now: datetime) -> Integrator:
    """A system of the education bureau that knows the convention only."""
    for memory in (serving.requesters, serving.services):
        memory.forget()
    partner = partners.make_partner(scene.city.education)
    issued = requesters.register_requester(
        system_uid=partner.system.uid,
        rid=f"6a1f4a4e-{next_number():04d}@320100",
        requires_v2=False,
        actor=scene.city.actor("education_operator"),
        now=now,
    )
    return Integrator(issued.requester.rid, issued.app_key)


def service_for(scene: Scene, integrator: Integrator, now: datetime, **values: Any) -> tuple[str, Grant]:
    """Return a service code on a new grant of the integrator's system."""
    requester = NationalRequester.objects.get(rid=integrator.rid)
    user = scene.city.people["education_operator"]
    grant = partners.factories.make_grant(scene.resource, requester.credential.system, user, **values)
    parameters = {"xm": "name"} if grant.mode == "VERIFY" else {}
    sid = f"s_11320100000000001X_{next_number():04d}"
    requesters.register_service(
        grant_uid=grant.uid, sid=sid, key_parameter="sfzh", parameters=parameters, actor=scene.city.actor("reviewer"), now=now
    )
    return sid, grant


@pytest.mark.parametrize("prefix", ["gjgxjhpt_", "gjzwfwpt_", "X-Gov-"])
def test_both_generations_and_ours_are_answered_with_a_record_like_any_call(
    scene: Scene, integrator: Integrator, now: datetime, prefix: str
) -> None:
    integrator.prefix = prefix
    sid, grant = service_for(scene, integrator, now)
    assert integrator.refresh()["code"] == "0"
    told = integrator.call(sid, {"sfzh": scene.people[0].citizen_id})
    assert (told["code"], told["data"]["status"]) == ("0", "found")
    assert told["data"]["data"] == {"name": "张**", "sex": "1"}
    record = CallRecord.objects.get(call_id=told["data"]["call_id"])
    text = json.dumps(told["data"], ensure_ascii=False)
    assert record.outcome == "call.answered"
    assert record.grant_id == grant.id
    assert scene.people[0].citizen_id not in text


def test_a_verification_takes_the_names_integrators_send(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, _ = service_for(scene, integrator, now, mode="VERIFY", fields=["name", "sex"], masks={})
    integrator.refresh()
    told = integrator.call(sid, {"sfzh": scene.people[0].citizen_id, "xm": "张三丰", "bz": "不认识的参数"})
    assert told["data"]["result"] == {"name": "yes"}


def test_a_get_carries_its_parameters_in_the_query(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, _ = service_for(scene, integrator, now)
    integrator.refresh()
    query = f"sfzh={scene.people[0].citizen_id}"
    told = send("GET", "/httpproxy", integrator.headers(integrator.secret, sid), query=query)
    assert told["data"]["status"] == "found"


def test_the_same_signature_answers_once(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, grant = service_for(scene, integrator, now)
    integrator.refresh()
    rtime = str(int(time.time() * 1000))
    codes = [integrator.call(sid, {"sfzh": scene.people[number].citizen_id}, rtime=rtime)["code"] for number in (0, 1)]
    assert codes == ["0", "-1"]
    assert sorted(outcomes_of(grant)) == ["call.answered", "call.replayed"]


def test_another_writing_of_a_signature_does_not_make_a_second_call(scene: Scene, integrator: Integrator, now: datetime) -> None:
    """Base64 leaves bits of the last letter unused: four writings, one signature."""
    sid, grant = service_for(scene, integrator, now)
    integrator.refresh()
    headers = integrator.headers(integrator.secret, sid)
    sign = headers[f"{integrator.prefix}sign"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = f"{sign[:-2]}{letters[letters.index(sign[-2]) + 1]}="
    codes = []
    for number, written in enumerate((sign, other)):
        body = json.dumps({"sfzh": scene.people[number].citizen_id}).encode()
        codes.append(send("POST", "/httpproxy", headers | {f"{integrator.prefix}sign": written}, body)["code"])
    assert codes == ["0", "-1"]
    assert outcomes_of(grant).count("call.answered") == 1


def test_a_refresh_is_not_sent_again_under_another_nonce(scene: Scene, integrator: Integrator) -> None:
    headers = integrator.headers(integrator.app_key, "s_sys_auth001")
    told = [
        send("POST", "/sysapi/auth/refreshappsecret", headers | {f"{integrator.prefix}nonce": nonce})
        for nonce in ("nonce-000001", "nonce-000002")
    ]
    assert [answer["code"] for answer in told] == ["0", "-1"]
    assert told[1]["data"]["code"] == "call.replayed"


def test_integrators_name_matter_officer_and_case_in_parameters_of_theirs(
    scene: Scene, integrator: Integrator, now: datetime
) -> None:
    sid, grant = service_for(scene, integrator, now)
    targets = {"sxbm": "context.matter", "jbr": "context.officer", "ajbh": "context.case"}
    NationalService.objects.filter(sid=sid).delete()
    requesters.register_service(
        grant_uid=grant.uid, sid=sid, key_parameter="sfzh", parameters=targets, actor=scene.city.actor("reviewer"), now=now
    )
    serving.services.forget()
    integrator.refresh()
    told = integrator.call(sid, {"sfzh": scene.people[0].citizen_id, "sxbm": "M-1", "jbr": "A007", "ajbh": "2026-15"})
    assert told["code"] == "0"
    record = CallRecord.objects.get(call_id=told["data"]["call_id"])
    assert (record.matter, record.officer, record.case_number) == ("M-1", "A007", "2026-15")


def test_a_call_outside_the_window_is_refused(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, _ = service_for(scene, integrator, now)
    integrator.refresh()
    told = integrator.call(sid, {"sfzh": scene.people[0].citizen_id}, rtime=str(int((time.time() - 301) * 1000)))
    assert (told["code"], told["data"]["code"]) == ("-1", "auth.clock_skew")


def test_a_service_code_of_somebody_else_is_not_in_the_authorized_list(scene: Scene, integrator: Integrator, now: datetime) -> None:
    grant = scene.grant()
    requesters.register_service(
        grant_uid=grant.uid, sid="s_other_0001", key_parameter="sfzh", parameters={}, actor=scene.city.actor("reviewer"), now=now
    )
    integrator.refresh()
    for sid in ("s_other_0001", "s_nobody_0001"):
        told = integrator.call(sid, {"sfzh": scene.people[0].citizen_id})
        assert (told["code"], told["data"]["code"]) == ("E-106", "grant.not_found")


def test_the_app_key_signs_no_business_call_and_a_session_no_refresh(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, grant = service_for(scene, integrator, now)
    integrator.refresh()
    headers = integrator.headers(integrator.app_key, sid)
    body = json.dumps({"sfzh": scene.people[0].citizen_id}).encode()
    assert send("POST", "/httpproxy", headers, body)["data"]["code"] == "auth.bad_signature"
    fields = json.dumps(integrator.headers(integrator.secret, "s_sys_auth001")).encode()
    assert send("POST", "/sysapi/auth/refreshappsecret", {}, fields)["data"]["code"] == "auth.bad_signature"
    assert outcomes_of(grant) == []


def test_asking_again_soon_returns_the_same_session_and_later_a_second_one_that_lives_beside_it(
    scene: Scene, integrator: Integrator, now: datetime
) -> None:
    sid, _ = service_for(scene, integrator, now)
    integrator.refresh()
    first = integrator.secret
    time.sleep(0.002)
    integrator.refresh()
    assert integrator.secret == first
    ends_at = now + timedelta(minutes=10)
    NationalSession.objects.filter(requester__rid=integrator.rid).update(ends_at=ends_at)
    integrator.refresh()
    second = integrator.secret
    assert second != first
    serving.requesters.forget()
    for secret in (first, second):
        integrator.secret = secret
        assert integrator.call(sid, {"sfzh": scene.people[0].citizen_id})["code"] == "0"
    NationalSession.objects.filter(requester__rid=integrator.rid, ends_at=ends_at).update(ends_at=now)
    serving.requesters.forget()
    integrator.secret = first
    assert integrator.call(sid, {"sfzh": scene.people[0].citizen_id})["data"]["code"] == "auth.bad_signature"


def test_a_refresh_is_not_answered_twice(integrator: Integrator) -> None:
    fields = json.dumps(integrator.headers(integrator.app_key, "s_sys_auth001")).encode()
    codes = [send("POST", "/sysapi/auth/refreshappsecret", {}, fields)["code"] for _ in range(2)]
    assert codes == ["0", "-1"]


def test_nonce_and_digest_are_enforced_when_sent_and_when_required(scene: Scene, integrator: Integrator, now: datetime) -> None:
    sid, _ = service_for(scene, integrator, now)
    integrator.refresh()
    NationalRequester.objects.filter(rid=integrator.rid).update(requires_v2=True)
    serving.requesters.forget()
    body = json.dumps({"sfzh": scene.people[0].citizen_id}).encode()
    assert integrator.call(sid, json.loads(body))["data"]["code"] == "auth.missing_header"
    rtime, nonce, digest = str(int(time.time() * 1000)), f"nonce-{next_number():06d}", hashlib.sha256(body).hexdigest()
    headers = integrator.headers(integrator.secret, sid, rtime=rtime)
    headers |= {"gjgxjhpt_nonce": nonce, "gjgxjhpt_digest": digest}
    assert send("POST", "/httpproxy", headers, body)["data"]["code"] == "auth.bad_signature"  # not in the signature
    headers["gjgxjhpt_sign"] = integrator.sign(integrator.secret, sid, rtime, nonce + digest)
    assert send("POST", "/httpproxy", headers, body + b" ")["data"]["code"] == "auth.bad_digest"
    assert send("POST", "/httpproxy", headers, body)["code"] == "0"


def test_a_suspended_grant_and_a_revoked_key_stop_the_integrator_at_once(
    scene: Scene, integrator: Integrator, now: datetime
) -> None:
    sid, grant = service_for(scene, integrator, now)
    integrator.refresh()
    asked = {"sfzh": scene.people[0].citizen_id}
    assert integrator.call(sid, asked)["code"] == "0"
    Grant.objects.filter(pk=grant.pk).update(state="SUSPENDED", version=2)
    assert integrator.call(sid, asked)["data"]["code"] == "grant.suspended"
    Grant.objects.filter(pk=grant.pk).update(state="ACTIVE", version=3)
    NationalRequester.objects.get(rid=integrator.rid).credential.__class__.objects.filter(
        national_requester__rid=integrator.rid
    ).update(state="REVOKED")
    registry.callers.forget()
    assert integrator.call(sid, asked)["data"]["code"] == "auth.credential_revoked"


def test_malformed_requests_are_refused_before_anything_is_looked_up(integrator: Integrator) -> None:
    headers = integrator.headers("x", "s_1_0001")
    assert send("POST", "/httpproxy", {})["data"]["code"] == "auth.missing_header"
    assert send("POST", "/httpproxy", headers | {"gjgxjhpt_sid": "s'; --"})["data"]["code"] == "auth.missing_header"
    two = headers | {"gjzwfwpt_rid": integrator.rid}
    assert send("POST", "/httpproxy", two)["data"]["details"] == {"headers": "of_two_generations"}
    assert send("POST", "/httpproxy", headers | {"gjgxjhpt_rid": "nobody-at-all"})["data"]["code"] == "auth.unknown_key"
    assert send("PUT", "/httpproxy", headers)["data"]["code"] == "call.method_not_allowed"


def test_a_service_code_is_the_data_centres_to_give_and_never_for_bulk(scene: Scene, integrator: Integrator, now: datetime) -> None:
    given = {"sid": "s_1_0009", "key_parameter": "sfzh", "parameters": {}, "now": now}
    with pytest.raises(requesters.Forbidden):
        requesters.register_service(grant_uid=scene.grant().uid, actor=scene.city.actor("police_head"), **given)
    with pytest.raises(requesters.Invalid):
        requesters.register_service(grant_uid=scene.grant(mode="BULK").uid, actor=scene.city.actor("reviewer"), **given)
    assert not NationalService.objects.filter(sid="s_1_0009").exists()
    connection.close()


@pytest.mark.parametrize("mode", ["ECB", "CBC"])
def test_a_secret_travels_under_the_app_key_only(mode: str) -> None:
    sent = signing.encrypt("会话密钥", "0" * 32, mode)
    assert signing.decrypt(sent, "0" * 32, mode) == "会话密钥"
    try:
        other = signing.decrypt(sent, "1" * 32, mode)
    except ValueError:  # padding or UTF-8: both mean that the key is another
        other = ""
    assert other != "会话密钥"
