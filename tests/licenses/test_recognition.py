"""Exchange between nodes: the trust list of two persons, batches in order and once, rows judged, taken in."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from basedb.models import License as CityLicense
from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.models import AuditEntry, Notification
from core.signing import PublicKey, pem_blocks
from licenses.models import ExchangeRow, InBatch, NodePosition, TrustedKey
from licenses.recognition import delivering, documents, keeping, questions, receiving
from licenses.sealing.canonical import canonical_json
from tests.factories import City
from tests.licenses.nodes import (
    CITIZEN,
    COUNTY,
    PEER,
    PROVINCE,
    license_data,
    own_keys,
    reached,
    receive,
    row,
    second_keeper,
    simulated,
    trusted,
)

__all__ = ["own_keys", "reached"]
pytestmark = pytest.mark.usefixtures("own_keys", "reached")


def refused(envelope: Any, now: datetime) -> str:
    with pytest.raises(DomainError) as error:
        receiving.receive(envelope=envelope, client_ip=None, now=now)
    return error.value.code


# The trust list


def test_a_key_counts_only_after_a_second_person_typed_its_fingerprint(city: City, now: datetime) -> None:
    node = simulated()
    second_keeper(city)
    keeping.propose(content=node.card(now), actor=city.actor("reviewer"), now=now)
    key = TrustedKey.objects.get()
    assert keeping.published(now)[0]["keys"] == []
    with pytest.raises(Forbidden) as same:
        keeping.confirm(key_uid=key.uid, typed=node.fingerprint(), actor=city.actor("reviewer"), now=now)
    assert same.value.code == "recognition.same_person"
    with pytest.raises(Invalid):
        keeping.confirm(key_uid=key.uid, typed="0" * 64, actor=city.actor("centre_head"), now=now)
    with pytest.raises(Forbidden):
        keeping.confirm(key_uid=key.uid, typed=node.fingerprint(), actor=city.actor("police_head"), now=now)
    spoken = " ".join(node.fingerprint().upper()[i : i + 4] for i in range(0, 64, 4))
    keeping.confirm(key_uid=key.uid, typed=spoken, actor=city.actor("centre_head"), now=now)
    assert keeping.published(now)[0]["keys"][0]["key"] == key.key_id
    actions = set(AuditEntry.objects.filter(action__startswith="trusted_").values_list("action", flat=True))
    assert actions == {"trusted_node.proposed", "trusted_key.confirmed"}
    assert Notification.objects.filter(user=city.people["centre_head"]).exists()


def test_the_database_itself_refuses_one_person_for_both(city: City, now: datetime) -> None:
    made = trusted(city, simulated(), now)
    with pytest.raises(IntegrityError), transaction.atomic():
        made.keys.update(confirmed_by=city.people["reviewer"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"form": "other"}, "license-node/1"),
        ({"code": "320100"}, "本节点"),
        ({"code": "32 01"}, "节点代码"),
        ({"relation": "FRIEND"}, "ABOVE"),
        ({"region_code": "county"}, "区划"),
        ({"endpoint": "http://user:pass@host/"}, "接口地址"),
        ({"endpoint": "file:///etc/passwd"}, "接口地址"),
        ({"keys": []}, "密钥"),
        ({"keys": [{"public_key": "-----BEGIN PRIVATE KEY-----"}]}, "私钥"),
        ({"keys": [{"public_key": "nothing"}]}, "SM2"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_reason(
    city: City, now: datetime, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        keeping.propose(content=simulated().card(now, **change), actor=city.actor("reviewer"), now=now)
    assert word in str(wrong.value.details["file"])


def test_a_node_does_not_change_its_region_and_a_key_does_not_change_its_node(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    with pytest.raises(Conflict):
        keeping.propose(content=node.card(now), actor=city.actor("reviewer"), now=now)
    with pytest.raises(Conflict):
        keeping.propose(content=node.card(now, region_code="320104"), actor=city.actor("reviewer"), now=now)
    with pytest.raises(Conflict) as taken:
        keeping.propose(content=node.card(now, code="320104", region_code="320104"), actor=city.actor("reviewer"), now=now)
    assert taken.value.code == "recognition.key_of_another"


# Receiving


def test_a_batch_is_judged_row_by_row_answered_with_a_signed_receipt_and_taken_into_the_base(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    good, signed = row(), row()
    signed["signature"] = base64.b64encode(node.key.sign(canonical_json(signed["data"]))).decode()
    signed["key"] = node.key.public.id
    forged = row() | {"key": node.key.public.id, "signature": signed["signature"]}
    wrong = [
        (row(license_data(region="320104")), "row.region"),
        (row(license_data() | {"identifier": "1.2.3"}), "row.identifier"),
        (row(license_data() | {"type": "11100000000013338W999"}), "row.identifier_parts"),
        (row(state="77"), "row.state"),
        (forged, "row.signature"),
        ({"data": {}}, "row.form"),
        ("text", "row.form"),
    ]
    envelope = node.batch([good, signed, *(line for line, _code in wrong)])
    answer = receiving.receive(envelope=envelope, client_ip=None, now=now)
    told = json.loads(answer["content"])
    assert (told["accepted"], [line["code"] for line in told["rejected"]]) == (2, [code for _line, code in wrong])
    assert all(line["message"] for line in told["rejected"])
    own = [
        PublicKey.from_der(pem_blocks(key["public_key"])[0][1])
        for key in keeping.own_card(name="市", endpoint="", valid_to=now)["keys"]
    ]
    (signer,) = [key for key in own if key.id == answer["key"]]
    assert signer.verifies(answer["content"].encode(), documents.signature_of(answer["signature"]))
    assert delivering.deliver_due(now=now) == 1
    found = CityLicense.objects.get(identifier=good["data"]["identifier"])
    assert (found.holder_name, found.region_code, found.license_state) == ("张某", COUNTY, "01")
    assert CityLicense.objects.count() == 2
    assert not ExchangeRow.objects.filter(document__isnull=False).exists()  # what lies in the base is not kept twice


def test_the_same_batch_again_gets_the_same_receipt_and_other_content_is_refused(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    envelope = node.batch([row()])
    first = receiving.receive(envelope=envelope, client_ip=None, now=now)
    assert receiving.receive(envelope=envelope, client_ip=None, now=now + timedelta(hours=1)) == first
    assert refused(node.batch([row()], number=1, previous=""), now) == "license_batch.number_taken"
    assert InBatch.objects.count() == 1


def test_a_gap_is_refused_noted_and_closed(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    receive(node, node.batch([row()]), now)
    assert refused(node.batch([row()], number=3), now) == "license_batch.gap"
    position = NodePosition.objects.get()
    assert (position.gap_number, position.received_number) == (2, 1)
    assert refused(node.batch([row()], number=2, previous="0" * 64), now) == "license_batch.chain_broken"
    receive(node, node.batch([row()]), now)
    position.refresh_from_db()
    assert (position.gap_number, position.received_number) == (None, 2)


def test_nobody_unknown_revoked_or_out_of_time_delivers(city: City, now: datetime) -> None:
    node, stranger = simulated(), simulated(PEER, "PEER")
    assert refused(node.batch([row()]), now) == "recognition.node_unknown"
    made = trusted(city, node, now)
    assert refused(node.batch([row()]) | {"key": stranger.key.public.id}, now) == "recognition.node_key_unknown"
    altered = node.batch([row()])
    altered["content"] = altered["content"].replace("张某", "李某")
    assert refused(altered, now) == "recognition.signature_invalid"
    assert refused(node.batch([row()]) | {"signature": "!"}, now) == "recognition.signature_invalid"
    assert refused(node.batch([row()]), now + timedelta(days=800)) == "recognition.node_key_not_in_force"
    assert refused({"node": 1}, now) == "recognition.envelope_invalid"
    assert refused(node.batch([row()]) | {"key": "\x00"}, now) == "recognition.envelope_invalid"
    assert refused(node.seal({"form": receiving.FORM, "to": "440000", "number": 1}), now) == "recognition.misdirected"
    assert refused(node.seal({"form": questions.FORM, "number": 1}), now) == "recognition.misdirected"
    assert refused(node.batch([]), now) == "license_batch.invalid"
    keeping.revoke(key_uid=made.keys.get().uid, reason="失密", actor=city.actor("reviewer"), now=now)
    assert refused(node.batch([row()]), now) == "recognition.node_key_revoked"
    assert not InBatch.objects.exists()


def test_only_a_node_below_delivers(city: City, now: datetime) -> None:
    above = simulated(PROVINCE, "ABOVE")
    trusted(city, above, now)
    assert refused(above.batch([row()]), now) == "recognition.not_below"


def test_what_the_base_rejects_is_shown_with_its_reason(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    wrong = CITIZEN[:-1] + ("0" if CITIZEN[-1] != "0" else "1")
    holder = {"name": "张某", "code": wrong, "code_type": "111"}
    receive(node, node.batch([row(), row(license_data(holders=[holder]))]), now)
    delivering.deliver_due(now=now)
    assert CityLicense.objects.count() == 1
    line = ExchangeRow.objects.get(state="REJECTED")
    assert (line.row_number, line.code, line.document) == (2, "holder_code.citizen_id", None)


def test_a_later_row_changes_the_license_and_one_that_is_gone_withdraws_it(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    data = license_data()
    for number, (state, gone) in enumerate((("01", False), ("04", False), ("04", True))):
        receive(node, node.batch([row(data, state=state, gone=gone)]), now + timedelta(hours=number))
        delivering.deliver_due(now=now + timedelta(hours=number))
    found = CityLicense.objects.get()
    assert found.withdrawn_at is not None
    assert ExchangeRow.objects.filter(state="DELIVERED").count() == 3


def test_the_door_answers_a_node_over_http(city: City, now: datetime, client: Client) -> None:
    node = simulated()
    trusted(city, node, now)
    url = reverse("openapi:license-exchange-batches")
    assert client.post(url, {}, content_type="application/json").status_code == 422
    assert client.post(url, node.batch([row()], number=2), content_type="application/json").status_code == 409
    answer = client.post(url, node.batch([row()]), content_type="application/json")
    assert answer.status_code == 200
    assert json.loads(answer.json()["content"])["accepted"] == 1
    listed = client.get(reverse("openapi:license-exchange-trust-list")).json()
    assert listed[0]["code"] == COUNTY


def test_what_a_key_signed_is_not_taken_in_once_it_is_revoked(city: City, now: datetime) -> None:
    node = simulated()
    made = trusted(city, node, now)
    receive(node, node.batch([row()]), now)
    keeping.revoke(key_uid=made.keys.get().uid, reason="失密", actor=city.actor("reviewer"), now=now)
    assert delivering.deliver_due(now=now) == 1
    assert not CityLicense.objects.exists()
    assert ExchangeRow.objects.values_list("state", "code", "document").get() == ("REJECTED", "row.signature", None)


def test_what_a_row_carries_beside_the_license_is_not_kept(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    assert receive(node, node.batch([row(more="\x00", other={"a": [1.5]})]), now)["accepted"] == 1
    assert set(ExchangeRow.objects.get().document) == {"data", "title", "state", "key", "signature", "gone"}
