"""Public keys of systems: whose private half never comes here, shown by a signature, one system and one person at a time."""

from __future__ import annotations

import base64
import subprocess
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.crypto import sha256
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import Notification
from core.signing import PublicKey, SigningKey
from exchange.models import ConsumerSystem, Credential
from exchange.public_keys import challenge_for, register_public_key, remind_of_ends
from exchange.systems import TERM, issue_credential, revoke_credential
from tests import factories
from tests.factories import City

BACKEND = "django.contrib.auth.backends.ModelBackend"
BOTH = pytest.mark.parametrize("algorithm", ["SM2", "ED25519"])
WHO = "education_operator"


def openssl(*arguments: str, given: str = "") -> str:
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True, text=True).stdout


def curve(name: str) -> str:
    return openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{name}")


def new_pem(algorithm: str) -> str:
    return curve("SM2") if algorithm == "SM2" else openssl("genpkey", "-algorithm", "ED25519")


def new_key(algorithm: str) -> SigningKey:
    return SigningKey.from_pem(new_pem(algorithm))


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


def signed(key: SigningKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode())).decode()


def hand_in(city: City, system: ConsumerSystem, key: SigningKey, now: datetime, **change: Any) -> Credential:
    actor = change.pop("actor", None) or city.actor(WHO)
    challenge = change.pop("challenge", None) or challenge_for(system_uid=system.uid, actor=actor, now=now)
    given = {"pem": key.public.pem, "challenge": challenge, "proof": signed(key, challenge)} | change
    return register_public_key(system_uid=system.uid, actor=actor, now=now, **given)


@BOTH
def test_a_public_key_whose_owner_signed_becomes_a_credential(
    city: City, system: ConsumerSystem, now: datetime, algorithm: str
) -> None:
    key = new_key(algorithm)
    made = Credential.objects.get(pk=hand_in(city, system, key, now).pk)
    assert (made.algorithm, bytes(made.public_key or b""), made.public_key_id) == (algorithm, key.public.der, key.public.id)
    assert (made.secret_ciphertext, made.valid_from, made.valid_to) == (None, now, now + TERM)


REFUSED_KEYS: dict[str, str] = {
    "a private key": "private",
    "another curve": "prime256v1",
    "two keys": "two",
    "a compressed point": "compressed",
    "not PEM": "-----BEGIN PUBLIC KEY-----\nMF\n-----END PUBLIC KEY-----\n",
    "nothing": "",
    "a weak Ed25519 key": "weak",
    "a weak Ed25519 key in another writing": "weak again",
    "very long": "A" * 2000,
}


@pytest.mark.parametrize("what", REFUSED_KEYS)
def test_other_keys_are_refused(city: City, system: ConsumerSystem, now: datetime, what: str) -> None:
    good = new_key("SM2")
    weak = bytes.fromhex("302a300506032b6570032100")
    pem = {
        "private": new_pem("SM2"),
        "prime256v1": openssl("pkey", "-pubout", given=curve("prime256v1")),
        "two": good.public.pem + new_key("SM2").public.pem,
        "compressed": openssl("ec", "-pubout", "-conv_form", "compressed", given=curve("SM2")),
        "weak": PublicKey("ED25519", weak + b"\x01" + bytes(31)).pem,
        "weak again": PublicKey("ED25519", weak + b"\xee" + b"\xff" * 31).pem,
    }.get(REFUSED_KEYS[what], REFUSED_KEYS[what])
    with pytest.raises(Invalid) as refused:
        hand_in(city, system, good, now, pem=pem)
    assert refused.value.code == "credential.public_key"
    assert not Credential.objects.exists()


@BOTH
def test_the_proof_is_for_this_key_this_text_this_system_this_person_and_half_an_hour(
    city: City, system: ConsumerSystem, now: datetime, algorithm: str
) -> None:
    key, other = new_key(algorithm), factories.make_system(city.education, name="另一系统")
    actor = city.actor(WHO)
    ours = challenge_for(system_uid=system.uid, actor=actor, now=now)
    for change, code in (
        ({"proof": signed(new_key(algorithm), ours), "challenge": ours}, "credential.proof"),
        ({"proof": signed(key, ours + "x"), "challenge": ours}, "credential.proof"),
        ({"proof": "", "challenge": ours}, "credential.proof"),
        ({"proof": "%%%", "challenge": ours}, "credential.proof"),
        ({"challenge": challenge_for(system_uid=other.uid, actor=actor, now=now)}, "credential.challenge"),
        ({"challenge": challenge_for(system_uid=system.uid, actor=city.actor("education_head"), now=now)}, "credential.challenge"),
        ({"challenge": challenge_for(system_uid=system.uid, actor=actor, now=now - timedelta(minutes=31))}, "credential.challenge"),
        ({"challenge": ours.replace(ours[-1], "0" if ours[-1] != "0" else "1")}, "credential.challenge"),
        ({"challenge": "pay 1,000,000 to the bearer"}, "credential.challenge"),
        ({"challenge": "....٣."}, "credential.challenge"),
    ):
        with pytest.raises(Invalid) as refused:
            hand_in(city, system, key, now, **change)
        assert refused.value.code == code
    assert not Credential.objects.exists()
    hand_in(city, system, key, now + timedelta(minutes=29), challenge=ours)


def test_a_key_serves_one_credential_ever(city: City, system: ConsumerSystem, now: datetime) -> None:
    key = new_key("ED25519")
    first = hand_in(city, system, key, now)
    revoke_credential(credential_uid=first.uid, actor=city.actor(WHO), now=now)
    for its in (system, factories.make_system(city.education, name="另一系统")):
        with pytest.raises(Conflict) as refused:
            hand_in(city, its, key, now)
        assert refused.value.code == "credential.key_taken"


def test_keys_of_both_kinds_are_two_at_most(city: City, system: ConsumerSystem, now: datetime) -> None:
    old = issue_credential(system_uid=system.uid, algorithm="HMAC-SM3", actor=city.actor(WHO), now=now).credential
    hand_in(city, system, new_key("SM2"), now)
    with pytest.raises(Conflict) as refused:
        hand_in(city, system, new_key("ED25519"), now)
    assert refused.value.code == "credential.too_many"
    revoke_credential(credential_uid=old.uid, actor=city.actor(WHO), now=now)
    hand_in(city, system, new_key("ED25519"), now)


@pytest.mark.django_db(transaction=True)
def test_handing_in_at_the_same_moment_keeps_to_two(city: City, now: datetime) -> None:
    system = factories.make_system(city.education)
    keys = [new_key("ED25519") for _ in range(6)]
    together, refused = Barrier(len(keys)), list[str]()

    def run(key: SigningKey) -> None:
        together.wait()
        try:
            hand_in(city, system, key, now)
        except Conflict as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Credential.objects.filter(system=system).count() == 2
    assert refused == ["credential.too_many"] * 4


@pytest.mark.parametrize(
    ("who", "error"),
    [("education_head", Forbidden), ("reviewer", Forbidden), ("auditor", Forbidden), ("police_operator", NotFound)],
)
def test_only_the_systems_own_operator_hands_in(
    city: City, system: ConsumerSystem, now: datetime, who: str, error: type[DomainError]
) -> None:
    with pytest.raises(error):
        hand_in(city, system, new_key("ED25519"), now, actor=city.actor(who))
    assert not Credential.objects.exists()


def test_the_database_takes_one_kind_of_key_only(city: City, system: ConsumerSystem, now: datetime) -> None:
    dates = {"valid_from": now, "valid_to": now + TERM}
    for values in (
        {"algorithm": "SM2"},
        {"algorithm": "HMAC-SM3", "public_key": sha256(b"key")},
        {"algorithm": "ED25519", "public_key": sha256(b"key"), "secret_ciphertext": b"secret"},
    ):
        with pytest.raises(IntegrityError, match="credential_one_kind_of_key"), transaction.atomic():
            Credential.objects.create(system=system, key="x", **dates, **values)


def test_operators_are_warned_30_and_7_days_before_a_key_ends_each_once(city: City, system: ConsumerSystem, now: datetime) -> None:
    made = hand_in(city, system, new_key("ED25519"), now)
    day = timedelta(days=1)
    told = [remind_of_ends(made.valid_to - days * day) for days in (31, 30, 29, 8, 7, 6, 1, -1)]
    assert told == [0, 1, 0, 0, 1, 0, 0, 0]
    titles = Notification.objects.filter(user=city.people[WHO]).order_by("id").values_list("title", flat=True)
    assert ["30 天" in titles[0], "7 天" in titles[1], len(titles)] == [True, True, 2]
    late = hand_in(city, system, new_key("ED25519"), now)
    Credential.objects.filter(pk=late.pk).update(valid_to=now + 3 * day)
    assert (remind_of_ends(now), remind_of_ends(now)) == (1, 0)
    revoke_credential(credential_uid=late.uid, actor=city.actor(WHO), now=now)


def page_of(client: Client, city: City, who: str = WHO) -> Client:
    client.force_login(city.people[who], backend=BACKEND)
    return client


def test_the_page_shows_what_to_sign_and_takes_the_key_once(client: Client, city: City, system: ConsumerSystem) -> None:
    page_of(client, city)
    address = reverse("portal:system-public-key", args=[system.uid])
    form = client.get(address).context["form"]
    key, challenge = new_key("SM2"), form["challenge"].value()
    body = {
        "submission": form["submission"].value(),
        "challenge": challenge,
        "public_key": key.public.pem.replace("\n", "\r\n"),
        "proof": signed(key, challenge),
    }
    wrong = client.post(address, body | {"proof": "AAAA"})
    assert wrong.status_code == 422
    assert "签名与公钥或待签文本不符" in wrong.content.decode()
    assert wrong.context["challenge"] == challenge, "the text stays while it holds"
    stale = client.post(address, body | {"challenge": challenge[:-1] + "x"})
    assert (stale.status_code, "待签文本已过期" in stale.content.decode()) == (422, True)
    assert stale.context["challenge"] not in ("", challenge[:-1] + "x"), "a fresh text to sign"
    for _ in range(2):
        assert client.post(address, body).status_code == 302
    made = Credential.objects.get()
    shown = client.get(reverse("portal:system-detail", args=[system.uid])).content.decode()
    assert made.key in shown
    assert key.public.id in shown
    assert "没有使用过" in shown
    Credential.objects.update(valid_to=timezone.now() + timedelta(days=5))
    assert "到期" in client.get(reverse("portal:system-detail", args=[system.uid])).content.decode()


def send(client: Client, address: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(address, body, content_type="application/json", headers=headers)


def test_systems_and_keys_over_rest(client: Client, city: City, now: datetime) -> None:
    page_of(client, city)
    made = send(client, "/openapi/v1/systems", {"name": "入学报名系统"}, **{"Idempotency-Key": "s1"})
    again = send(client, "/openapi/v1/systems", {"name": "入学报名系统"}, **{"Idempotency-Key": "s1"})
    assert (made.status_code, again.status_code) == (201, 200)
    uid = UUID(made.json()["uid"])
    assert again.json()["uid"] == str(uid)
    place = f"/openapi/v1/systems/{uid}"
    issued = send(client, f"{place}/credentials", {"algorithm": "HMAC-SM3"}, **{"Idempotency-Key": "c1"})
    assert (issued.status_code, len(issued.json()["secret"])) == (201, 43)
    repeated = send(client, f"{place}/credentials", {"algorithm": "HMAC-SM3"}, **{"Idempotency-Key": "c1"})
    assert (repeated.status_code, repeated.json()["secret"]) == (200, None)
    assert send(client, f"{place}/credentials", {"algorithm": "SM2"}).status_code == 422
    key, challenge = new_key("ED25519"), client.get(f"{place}/public-keys").json()["challenge"]
    body = {"public_key": key.public.pem, "challenge": challenge, "proof": signed(key, challenge)}
    assert send(client, f"{place}/public-keys", body | {"proof": "AAAA"}).json()["code"] == "credential.proof"
    taken = send(client, f"{place}/public-keys", body)
    assert (taken.status_code, taken.json()["public_key_id"]) == (201, key.public.id)
    assert send(client, f"{place}/credentials", {"algorithm": "HMAC-SM3"}).json()["code"] == "credential.too_many"
    revoked = send(client, f"/openapi/v1/credentials/{issued.json()['uid']}/revoke", {})
    assert (revoked.status_code, revoked.json()["state"]) == (200, "REVOKED")
    [listed] = client.get("/openapi/v1/systems").json()["items"]
    assert {one["state"] for one in listed["credentials"]} == {"ACTIVE", "REVOKED"}
    page_of(client, city, "police_operator")
    assert send(client, f"{place}/credentials", {"algorithm": "HMAC-SM3"}).status_code == 404
    assert client.get(f"{place}/public-keys").status_code == 404
