"""Signatures with keys of each side: `openssl` alone checks every answer, and a byte changed anywhere is noticed."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from core.signing import PublicKey, SigningKey
from exchange.calls.answer_keys import answer_keys
from exchange.calls.uses import uses
from exchange.models import Credential
from ops import keyring
from tests.hotpath import partner as partners
from tests.hotpath.keyed import (
    BOTH,
    NEW_KEY,
    VERIFY,
    Exchanged,
    KeyedPartner,
    ask,
    make_keyed,
    openssl,
    openssl_verifies,
    published_key,
)
from tests.hotpath.partner import Partner, path_of, send
from tests.hotpath.records import records_of
from tests.hotpath.refused import check_refused, now
from tests.hotpath.scene import Scene
from tests.hotpath.server import Exchange, exchange

__all__ = ["exchange"]

BASE = Path(settings.BASE_DIR)
MANY = 1_000


@BOTH
def test_openssl_alone_verifies_every_answer(scene: Scene, tmp_path: Path, algorithm: str) -> None:
    partner = make_keyed(scene, algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city, quota_per_day=MANY, quota_per_second=MANY)
    answers = [ask(partner, grant, scene.people[number % 2].citizen_id) for number in range(MANY)]
    key = published_key(tmp_path, answers[0])

    def check(number: int) -> bool:
        text = "\n".join(answers[number].parts()).encode()
        return openssl_verifies(key, algorithm, str(number), text, answers[number].signature())

    with ThreadPoolExecutor(2) as pool:
        verified = sum(pool.map(check, range(MANY)))

    assert {one.reply.status for one in answers} == {200}
    assert verified == MANY
    assert all(one.reply.headers["X-Gov-Request-Hash"] == one.request_hash() for one in answers)
    records = {str(record.call_id): record for record in records_of(grant)}
    for one in answers:
        record = records[one.reply.headers["X-Gov-Call-Id"]]
        assert bytes(record.request_digest or b"") == hashlib.sha256(one.body).digest()
        assert bytes(record.answer_digest or b"") == hashlib.sha256(one.reply.body).digest()


@BOTH
def test_a_byte_changed_in_any_covered_part_is_noticed(scene: Scene, tmp_path: Path, algorithm: str) -> None:
    partner = make_keyed(scene, algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    one = ask(partner, grant, scene.people[0].citizen_id)
    key = published_key(tmp_path, one)
    parts, signature = one.parts(), one.signature()
    public = PublicKey.from_der(base64.b64decode("".join(key.read_text().split("-----")[2].split())))

    assert openssl_verifies(key, algorithm, "whole", "\n".join(parts).encode(), signature)
    for place, part in enumerate(parts):
        changed = [*parts[:place], part[:-1] + chr(ord(part[-1]) ^ 1), *parts[place + 1 :]]
        assert not openssl_verifies(key, algorithm, f"part{place}", "\n".join(changed).encode(), signature)
    text = "\n".join(parts).encode()
    for place in range(len(text)):
        changed_text = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        assert not public.verifies(changed_text, signature)
    for place in range(len(signature)):
        changed_signature = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        assert not public.verifies(text, changed_signature)
    for name in ("X-Gov-Key", "X-Gov-Timestamp", "X-Gov-Nonce", "X-Gov-Digest", "X-Gov-Signature"):
        told = Exchanged(one.path, one.sent | {name: one.sent[name] + "0"}, one.body, one.reply)
        assert told.request_hash() != one.request_hash()
    assert one.request_hash(one.body + b" ") != one.request_hash()


@BOTH
def test_a_request_changed_in_any_covered_part_is_refused(scene: Scene, algorithm: str) -> None:
    partner = make_keyed(scene, algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    path = path_of(grant, "query")
    sent = partner.headers(path, body)
    digit = str((int(sent["X-Gov-Timestamp"][-1]) + 1) % 10)
    changes: dict[str, str] = {
        "X-Gov-Timestamp": sent["X-Gov-Timestamp"][:-1] + digit,
        "X-Gov-Nonce": sent["X-Gov-Nonce"] + "0",
        "X-Gov-Digest": hashlib.sha256(b"another").hexdigest(),
    }
    for name, value in changes.items():
        check_refused(send(path, sent | {name: value}, body), "auth.bad_signature")
    check_refused(send(path_of(grant, "verify"), sent, body), "auth.bad_signature")
    check_refused(send(path, sent, body.replace(b"{", b"{ ", 1)), "auth.bad_digest")
    assert send(path, sent, body).status == 200


def raw_of(der: bytes) -> bytes:
    """Return an SM2 signature as r || s, 64 bytes."""
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in (first, second))


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "shorter": lambda signature: signature[:-1],
    "longer": lambda signature: signature + b"\0",
    "empty numbers": lambda signature: bytes.fromhex("3006020100020100"),
    "zeros": lambda signature: bytes(len(signature)),
    "a length beyond the end": lambda signature: b"\x30\x84\xff\xff\xff\xff" + signature,
    "very long": lambda signature: signature * 100,
    "one bit": lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]),
}


@BOTH
@pytest.mark.parametrize("how", SPOILT)
def test_malformed_signatures_are_bad_signatures(scene: Scene, algorithm: str, how: str) -> None:
    partner = make_keyed(scene, algorithm)
    path = path_of(partners.grant_to(partner, scene.resource, scene.city), "query")
    sent = partner.headers(path, b"{}")
    spoilt = SPOILT[how](base64.b64decode(sent["X-Gov-Signature"]))
    check_refused(send(path, sent | {"X-Gov-Signature": base64.b64encode(spoilt).decode()}, b"{}"), "auth.bad_signature")


def test_sm2_signatures_are_der_not_raw(scene: Scene) -> None:
    partner = make_keyed(scene, "SM2")
    path = path_of(partners.grant_to(partner, scene.resource, scene.city), "query")
    sent = partner.headers(path, b"{}")
    raw = raw_of(base64.b64decode(sent["X-Gov-Signature"]))
    check_refused(send(path, sent | {"X-Gov-Signature": base64.b64encode(raw).decode()}, b"{}"), "auth.bad_signature")


@BOTH
def test_requests_signed_with_openssl_are_answered(scene: Scene, tmp_path: Path, algorithm: str) -> None:
    key, text, signature = (tmp_path / name for name in ("key.pem", "text", "text.sig"))
    key.write_text(openssl("genpkey", *NEW_KEY[algorithm]))
    private = SigningKey.from_pem(key.read_text())
    partner = make_keyed(scene, algorithm)
    Credential.objects.filter(key=partner.key).update(public_key=private.public.der)
    path = path_of(partners.grant_to(partner, scene.resource, scene.city), "query")
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    sent = partner.headers(path, body)
    text.write_text("\n".join(["POST", path, sent["X-Gov-Timestamp"], sent["X-Gov-Nonce"], sent["X-Gov-Digest"]]))
    files = ["-inkey", str(key), "-in", str(text), "-out", str(signature)]
    openssl("pkeyutl", "-sign", *files, *VERIFY[algorithm])
    sent["X-Gov-Signature"] = base64.b64encode(signature.read_bytes()).decode()
    assert send(path, sent, body).status == 200


@BOTH
def test_the_example_in_shell_calls_and_verifies(scene: Scene, exchange: Exchange, tmp_path: Path, algorithm: str) -> None:
    key = tmp_path / "key.pem"
    key.write_text(openssl("genpkey", *NEW_KEY[algorithm]))
    partner = make_keyed(scene, algorithm)
    Credential.objects.filter(key=partner.key).update(public_key=SigningKey.from_pem(key.read_text()).public.der)
    url, script = f"http://127.0.0.1:{exchange.port}", BASE / "examples" / "call_with_key.sh"
    for state, said in (("ACTIVE", "found"), ("SUSPENDED", "grant.suspended")):
        path = path_of(partners.grant_to(partner, scene.resource, scene.city, state=state), "query")
        body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}})
        for _ in range(2):  # the first call of an empty Redis may be told to sign again
            done = subprocess.run([script, url, partner.key, key, path, body], capture_output=True, text=True, check=False)
            if "auth.before_restart" not in done.stdout:
                break
        assert (done.returncode, "Verified Successfully" in done.stderr) == (0, True), done.stderr
        assert said in done.stdout


@pytest.mark.parametrize("algorithm", ["SM2", "ED25519", "HMAC-SM3"])
def test_a_revoked_key_is_refused_on_every_worker_within_five_seconds(scene: Scene, exchange: Exchange, algorithm: str) -> None:
    hmac = algorithm == "HMAC-SM3"
    partner = partners.make_partner(scene.city.education, algorithm=algorithm) if hmac else make_keyed(scene, algorithm)
    path = path_of(partners.grant_to(partner, scene.resource, scene.city), "query")
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()

    def requests(count: int) -> list[bytes]:
        heads = [partner.headers(path, body) | {"Host": "x", "Content-Length": str(len(body))} for _ in range(count)]
        lines = ["".join(f"{name}: {value}\r\n" for name, value in head.items()) for head in heads]
        return [f"POST {path} HTTP/1.1\r\n{line}\r\n".encode() + body for line in lines]

    assert {status for status, _code in exchange.ask(requests(40), connections=20)} == {200}
    Credential.objects.filter(key=partner.key).update(state="REVOKED")
    time.sleep(5)
    assert set(exchange.ask(requests(60), connections=30)) == {(401, "auth.credential_revoked")}


@BOTH
def test_refusals_of_a_known_key_are_signed_and_bound_as_well(scene: Scene, tmp_path: Path, algorithm: str) -> None:
    partner = make_keyed(scene, algorithm)
    revoked = make_keyed(scene, algorithm, state="REVOKED")
    grant = partners.grant_to(partner, scene.resource, scene.city, state="SUSPENDED")
    refused = ask(partner, grant, scene.people[0].citizen_id)
    assert refused.reply.code == "grant.suspended"
    key = published_key(tmp_path, refused)
    assert openssl_verifies(key, algorithm, "refused", "\n".join(refused.parts()).encode(), refused.signature())
    early = ask(revoked, grant, scene.people[0].citizen_id)  # decided before the body was read
    assert early.reply.code == "auth.credential_revoked"
    assert early.reply.headers["X-Gov-Request-Hash"] == early.request_hash(b"")
    assert openssl_verifies(key, algorithm, "early", "\n".join(early.parts(b"")).encode(), early.signature())
    stranger = ask(partner.with_wrong_secret(), grant, "x")
    nobody = send(stranger.path, stranger.sent | {"X-Gov-Key": "nobody"}, stranger.body)
    check_refused(nobody, "auth.unknown_key")
    assert "X-Gov-Answer-Signature" not in nobody.headers


def test_hmac_callers_get_the_request_hash_beside_their_signature(scene: Scene) -> None:
    one = ask(scene.partner, scene.grant(), scene.people[0].citizen_id)
    assert one.reply.headers["X-Gov-Request-Hash"] == one.request_hash()
    assert "X-Gov-Answer-Key" not in one.reply.headers
    answer = hashlib.sha256(one.reply.body).hexdigest()
    text = f"{one.sent['X-Gov-Nonce']}\n{one.sent['X-Gov-Digest']}\n200\n{answer}"
    assert one.reply.headers["X-Gov-Answer-Signature"] == scene.partner.sign(text)


@BOTH
def test_the_next_answer_key_is_published_before_it_signs(
    scene: Scene, settings: Any, tmp_path: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ANSWER_KEYS_FILE = tmp_path / "answer_keys.json"
    keyring.prepare_answer_keys(settings.ANSWER_KEYS_FILE)
    answer_keys.forget()
    partner = make_keyed(scene, algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    first = ask(partner, grant, scene.people[0].citizen_id).reply.headers["X-Gov-Answer-Key"]
    keyring.rotate_answer_keys(settings.ANSWER_KEYS_FILE, now() + timedelta(seconds=1), now())
    answer_keys.forget()
    told = [key for key in Client().get("/openapi/v1/keys").json()["keys"] if key["algorithm"] == algorithm]
    assert [key["key_id"] == first for key in told] == [True, False]
    assert (told[0]["valid_to"], told[1]["valid_to"]) == (told[1]["valid_from"], None)
    with pytest.raises(Exception, match="wait already"):
        keyring.rotate_answer_keys(settings.ANSWER_KEYS_FILE, now() + timedelta(days=1), now())
    while now().isoformat() < told[1]["valid_from"]:
        pass
    second = ask(partner, grant, scene.people[0].citizen_id).reply.headers["X-Gov-Answer-Key"]
    assert second == told[1]["key_id"]
    keyring.rotate_answer_keys(settings.ANSWER_KEYS_FILE, now() + timedelta(days=1), now())
    answer_keys.forget()
    assert len(Client().get("/openapi/v1/keys").json()["keys"]) == 6, "past keys stay published"
    assert settings.ANSWER_KEYS_FILE.read_text().count("PRIVATE KEY") == 8, "two halves of a frame for each of four keys"
    assert ask(partner, grant, scene.people[0].citizen_id).reply.headers["X-Gov-Answer-Key"] == second
    monkeypatch.undo()
    answer_keys.forget()


def test_without_answer_keys_nothing_is_read_for_who_needs_one(scene: Scene, settings: Any, tmp_path: Path) -> None:
    partner = make_keyed(scene, "SM2")
    grant = partners.grant_to(partner, scene.resource, scene.city)
    others = scene.grant()
    settings.ANSWER_KEYS_FILE = tmp_path / "missing.json"
    answer_keys.__init__()  # type: ignore[misc]  # as in a fresh process
    assert ask(partner, grant, scene.people[0].citizen_id).reply.code == "platform.unavailable"
    assert records_of(grant) == []
    assert ask(scene.partner, others, scene.people[0].citizen_id).reply.status == 200
    answer_keys.__init__()  # type: ignore[misc]


@BOTH
def test_headers_of_another_convention_never_authenticate(scene: Scene, algorithm: str) -> None:
    partner = make_keyed(scene, algorithm)
    path = path_of(partners.grant_to(partner, scene.resource, scene.city), "query")
    shaped = {
        "X-Road-Client": f"GOV/CITY/EDUCATION/{partner.key}",
        "X-Road-Id": "4894e35d-bf0f-44a6-867a-8e51f1daa7e0",
        "X-Road-Request-Hash": "x" * 88,
        "Information-Mediator-Client": partner.key,
    }
    check_refused(send(path, shaped, b"{}"), "auth.missing_header")
    check_refused(send(path, shaped | {"X-Gov-Key": partner.key}, b"{}"), "auth.missing_header")


def test_a_shared_secret_is_no_way_around_a_public_key(scene: Scene) -> None:
    keyed = make_keyed(scene, "ED25519")
    grant = partners.grant_to(keyed, scene.resource, scene.city)
    for secret in ("", keyed.private.public.pem if keyed.private else ""):
        pretender = Partner(keyed.system, keyed.key, secret, "HMAC-SHA256")
        check_refused(pretender.query(grant, scene.people[0].citizen_id), "auth.bad_signature")
    other = make_keyed(scene, "ED25519")
    stolen = KeyedPartner(keyed.system, keyed.key, "", "ED25519", other.private)
    check_refused(stolen.query(grant, scene.people[0].citizen_id), "auth.bad_signature")
    check_refused(other.query(grant, scene.people[0].citizen_id), "grant.not_found")


def test_the_last_use_of_a_key_is_noted_and_a_wrong_signature_is_no_use(scene: Scene) -> None:
    uses.forget()
    partner, unused = make_keyed(scene, "ED25519"), make_keyed(scene, "ED25519")
    grant = partners.grant_to(partner, scene.resource, scene.city)
    ask(partner, grant, scene.people[0].citizen_id)
    send(path_of(grant, "query"), unused.headers(path_of(grant, "query"), b"{}") | {"X-Gov-Nonce": "another-nonce"}, b"{}")
    uses.flush()
    used = Credential.objects.get(key=partner.key).last_used_at
    assert used is not None
    assert abs(now() - used) < timedelta(seconds=30)
    assert Credential.objects.get(key=unused.key).last_used_at is None


@pytest.mark.parametrize("algorithm", ["SM2", "ED25519", "HMAC-SM3"])
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"state": "REVOKED"}, "auth.credential_revoked"),
        ({"valid_to": now() - timedelta(minutes=1)}, "auth.credential_expired"),
        ({"valid_from": now() + timedelta(days=1)}, "auth.credential_not_yet_valid"),
    ],
)
def test_keys_that_do_not_hold_are_refused(scene: Scene, algorithm: str, values: dict[str, Any], code: str) -> None:
    make = partners.make_partner if algorithm == "HMAC-SM3" else None
    partner = make(scene.city.education, algorithm=algorithm, **values) if make else make_keyed(scene, algorithm, **values)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    check_refused(ask(partner, grant, scene.people[0].citizen_id).reply, code)
