"""What nodes ask each other: licenses for a matter, status lists, differences; and the pages and REST of recognition."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from basedb.identifiers import generate_uscc
from basedb.licenses import rows_of
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from demo.licenses.nodes import Held, new_key
from licenses.models import (
    DifferenceKind,
    LicenseUse,
    NodeQuestion,
    NodeStatusList,
    TrustedKey,
)
from licenses.recognition import (
    differences,
    documents,
    holdings,
    keeping,
    pulling,
    questions,
    status_lists,
    transport,
    trust,
)
from licenses.status import checker
from tests.factories import City
from tests.licenses.nodes import (
    CITIZEN,
    COUNTY,
    ISSUER,
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
from tests.licenses.verified import TYPE, aggregate

__all__ = ["own_keys", "reached"]
pytestmark = pytest.mark.usefixtures("own_keys", "reached")


# Questions, and foreign licenses for a matter


def question(node: Any, now: datetime, **about: str) -> dict[str, str]:
    told = {"form": questions.FORM, "kind": "license", "nonce": "n" * 32, "at": now.isoformat()} | about
    return dict(node.seal(told))


def test_a_license_leaves_for_a_matter_once_a_nonce_and_its_use_is_recorded(city: City, now: datetime) -> None:
    node = simulated(PEER, "PEER")
    trusted(city, node, now)
    ours = aggregate(city.police, holder_code=CITIZEN)
    asked = question(node, now, identifier=ours.identifier or "", matter="落户", purpose="核验身份")
    told = json.loads(questions.answer(envelope=asked, client_ip=None, now=now)["content"])
    document = documents.read(told["document"])
    assert (document.identifier, document.list_name, document.position) == (ours.identifier, "aggregated", ours.pk)
    use = LicenseUse.objects.get()
    assert (use.channel, use.matter, use.purpose, use.identifier) == ("RECOGNIZED", "落户", "核验身份", ours.identifier)
    with pytest.raises(Conflict):
        questions.answer(envelope=asked, client_ip=None, now=now)
    assert LicenseUse.objects.count() == 1


def test_the_rows_of_an_identifier_are_found_by_an_index(city: City) -> None:
    made = aggregate(city.police)
    assert list(rows_of(made.identifier or "")) == [made]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "license_stem" in rows_of(made.identifier or "").explain()


@pytest.mark.parametrize(
    ("about", "later", "kind"),
    [
        ({"matter": "", "purpose": "x"}, 0, Invalid),
        ({"matter": "x", "purpose": " "}, 0, Invalid),
        ({"kind": "everything"}, 0, Invalid),
        ({"nonce": "short"}, 0, Invalid),
        ({"identifier": "\x00", "matter": "x", "purpose": "x"}, 0, Invalid),
        ({"at": "yesterday"}, 0, Forbidden),
        ({"matter": "x", "purpose": "x"}, 6, Forbidden),
    ],
)
def test_a_question_without_matter_time_or_nonce_is_not_answered(
    city: City, now: datetime, about: dict[str, str], later: int, kind: type[DomainError]
) -> None:
    node = simulated(PEER, "PEER")
    trusted(city, node, now)
    with pytest.raises(kind):
        questions.answer(envelope=question(node, now, **about), client_ip=None, now=now + timedelta(minutes=later))
    assert not NodeQuestion.objects.exists()


def test_what_is_held_is_told_to_the_node_above_and_to_the_region_s_own(city: City, now: datetime) -> None:
    county, neighbour, above = simulated(), simulated(PEER, "PEER"), simulated(PROVINCE, "ABOVE")
    for node in (county, neighbour, above):
        trusted(city, node, now)
    aggregate(city.police, region_code=COUNTY)
    for node, region in ((county, COUNTY), (above, "320100")):
        asked = question(node, now, kind="summary", region=region)
        told = json.loads(questions.answer(envelope=asked, client_ip=None, now=now)["content"])
        assert [line[:3] for line in told["lines"]] == [[TYPE, "2024-05", 1]]
    for node, region in ((county, "320104"), (neighbour, "320100")):
        with pytest.raises(Forbidden) as refused_:
            questions.answer(envelope=question(node, now, kind="lines", region=region), client_ip=None, now=now)
        assert refused_.value.code == "recognition.not_your_region"


def peer(city: City, now: datetime, data: dict[str, Any]) -> Any:
    node = simulated(PEER, "PEER", endpoint="https://peer.example")
    trusted(city, node, now)
    transport.use(node)
    node.held[data["identifier"]] = Held(TYPE, "2026-01", "01", data, position=9)
    return node


def peer_data(**values: Any) -> dict[str, Any]:
    return license_data(region="330102", issuer=generate_uscc(72, region="330102", kind="11"), **values)


def test_a_foreign_license_is_fetched_for_a_matter_verified_used_and_dropped_in_time(city: City, now: datetime) -> None:
    data = peer_data()
    peer(city, now, data)
    given = {"identifier": data["identifier"], "matter": "落户", "purpose": "核验", "now": now}
    kept = pulling.fetch(**given, actor=city.actor("police_operator"))
    assert kept.document is not None
    assert kept.result["issuer"]["code"] == "issuer.foreign_node"
    assert kept.result["status"]["code"] == "status.foreign_no_list"
    use = LicenseUse.objects.get()
    assert (use.channel, use.department_id, use.matter) == ("RECOGNIZED", city.police.pk, "落户")
    assert AuditEntry.objects.filter(action="foreign_license.fetched").exists()
    with pytest.raises(NotFound):
        pulling.get_visible(kept.uid, city.actor("market_operator"))
    assert pulling.drop_expired(now=now + pulling.KEPT - timedelta(minutes=1)) == 0
    assert pulling.drop_expired(now=now + pulling.KEPT) == 1
    with pytest.raises(Forbidden):
        pulling.fetch(**given, actor=city.actor("reviewer"))
    with pytest.raises(NotFound):
        pulling.fetch(**given | {"identifier": peer_data()["identifier"]}, actor=city.actor("police_operator"))


def test_an_altered_foreign_license_is_not_kept_and_its_answers_are(city: City, now: datetime) -> None:
    data = peer_data()
    node = peer(city, now, data)
    genuine = node.document

    def altered(told: dict[str, Any], **values: Any) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(json.dumps(genuine(told, **values)))
        document["data"]["holders"][0]["name"] = "李某"
        return document

    node.document = altered
    given = {"identifier": data["identifier"], "matter": "落户", "purpose": "核验", "now": now}
    kept = pulling.fetch(**given, actor=city.actor("police_operator"))
    assert kept.document is None
    assert kept.result["integrity"]["code"] == "integrity.document_altered"


def test_where_nobody_is_trusted_or_reached_nothing_is_asked(city: City, now: datetime) -> None:
    given = {"matter": "落户", "purpose": "核验", "now": now, "actor": city.actor("police_operator")}
    with pytest.raises(Conflict) as no_node:
        pulling.fetch(identifier=peer_data()["identifier"], **given)
    assert no_node.value.code == "foreign_license.no_node"
    trusted(city, simulated(PEER, "PEER"), now)
    with pytest.raises(Conflict) as no_endpoint:
        pulling.fetch(identifier=peer_data()["identifier"], **given)
    assert no_endpoint.value.code == "foreign_license.no_endpoint"


def published_list(node: Any, entries: dict[int, int], now: datetime, **values: Any) -> dict[str, Any]:
    length = checker.padded(100)
    bits = checker.packed(entries, length)
    said = {
        "format": checker.FORM, "list": "issued", "number": 1, "status_size": checker.BITS, "length": length,
        "built_at": now.isoformat(timespec="seconds"), "valid_until": (now + timedelta(hours=1)).isoformat(timespec="seconds"),
        "digest": sha256(bits).hexdigest(), "key": f"STATUS-{node.key.public.id}",
    } | values  # fmt: skip
    signature = node.key.sign(checker.statement(said))
    return said | {"encoded_list": checker.encoded(bits), "signature": base64.b64encode(signature).decode()}


def test_a_fetched_status_list_tells_whether_a_foreign_license_is_still_valid(city: City, now: datetime) -> None:
    node = simulated()
    made = trusted(city, node, now)
    document = node.document(license_data(), position=9)
    told = published_list(node, {9: checker.VALID}, now)
    assert status_lists.keep(node=made, name="issued", told=told, now=now)
    assert trust.verify_document(document, now).status.code == "status.foreign_listed"
    assert trust.verify_document(document, now + timedelta(hours=2)).status.code == "status.foreign_stale_list"
    later = published_list(node, {9: checker.REVOKED}, now + timedelta(minutes=1))
    assert status_lists.keep(node=made, name="issued", told=later, now=now)
    assert trust.verify_document(document, now).status.code == "status.foreign_not_valid"
    assert not status_lists.keep(node=made, name="issued", told=told, now=now)  # an older one does not come back
    forged = later | {"number": 7}
    assert not status_lists.keep(node=made, name="issued", told=forged, now=now)
    assert NodeStatusList.objects.count() == 1


def test_a_list_of_a_key_revoked_since_vouches_for_nothing(city: City, now: datetime) -> None:
    node, other = simulated(), new_key()
    made = trusted(city, node, now)
    keys = json.loads(node.card(now))["keys"]
    added = node.card(now, keys=[*keys, keys[0] | {"public_key": other.public.pem}])
    made = keeping.propose(content=added, actor=city.actor("reviewer"), now=now)
    fresh = made.keys.get(confirmed_at=None)
    keeping.confirm(key_uid=fresh.uid, typed=fresh.fingerprint, actor=city.actor("centre_head"), now=now)
    document = node.document(license_data(), position=9)
    said = published_list(node, {9: checker.VALID}, now, key=f"STATUS-{other.public.id}")
    said["signature"] = base64.b64encode(other.sign(checker.statement(said))).decode()
    assert status_lists.keep(node=made, name="issued", told=said, now=now)
    assert trust.verify_document(document, now).status.code == "status.foreign_listed"
    keeping.revoke(key_uid=fresh.uid, reason="失密", actor=city.actor("reviewer"), now=now)
    assert trust.verify_document(document, now).status.code == "status.foreign_no_list"


def test_a_list_from_the_future_or_with_strange_times_is_not_kept(city: City, now: datetime) -> None:
    node = simulated()
    made = trusted(city, node, now)
    for odd in (
        {"built_at": (now + timedelta(days=400)).isoformat()},
        {"built_at": "2026-01-01T00:00:00"},
        {"valid_until": "for ever"},
        {"encoded_list": 7},
    ):
        told = published_list(node, {9: checker.VALID}, now, **odd) | odd
        assert not status_lists.keep(node=made, name="issued", told=told, now=now)
    endless = published_list(node, {9: checker.VALID}, now, valid_until=(now + timedelta(days=4000)).isoformat())
    assert status_lists.keep(node=made, name="issued", told=endless, now=now)
    assert trust.verify_document(node.document(license_data(), position=9), now + timedelta(days=2)).status.code == (
        "status.foreign_stale_list"
    )


# Differences


def test_differences_name_what_is_missing_here_there_or_has_another_state(city: City, now: datetime) -> None:
    node = simulated(endpoint="https://county.example")
    made = trusted(city, node, now)
    transport.use(node)
    same = aggregate(city.police, issuer_code=ISSUER)
    here = aggregate(city.police, issuer_code=ISSUER, issued_on=date(2024, 6, 1))
    state = aggregate(city.police, issuer_code=ISSUER)
    aggregate(city.police, region_code="320104")  # another county's
    for ours in (same, state):
        node.held[ours.identifier or ""] = Held(TYPE, "2024-05", "01")
    node.held[state.identifier or ""].state = "07"
    there = license_data()["identifier"]
    node.held[there] = Held(TYPE, "2026-01", "01")
    report = differences.compare(node=made, now=now)
    assert (report.ours, report.theirs, report.different) == (3, 3, 3)
    found = {(item.kind, item.identifier) for item in report.items.all()}
    assert found == {
        (DifferenceKind.STATE, state.identifier),
        (DifferenceKind.HERE_ONLY, here.identifier),
        (DifferenceKind.THERE_ONLY, there),
    }
    node.held.clear()
    for ours in (same, here, state):
        node.held[ours.identifier or ""] = Held(TYPE, ours.issued_on.strftime("%Y-%m"), "01")
    assert differences.compare(node=made, now=now).different == 0


def test_lists_that_are_full_are_compared_as_far_as_both_reach(
    city: City, now: datetime, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "LINES_AT_MOST", 2)
    node = simulated(endpoint="https://county.example")
    made = trusted(city, node, now)
    transport.use(node)
    first, *others = sorted(aggregate(city.police, issuer_code=ISSUER).identifier or "" for _number in range(3))
    for identifier in others:
        node.held[identifier] = Held(TYPE, "2024-05", "01")
    report = differences.compare(node=made, now=now)
    assert [(item.kind, item.identifier) for item in report.items.all()] == [(DifferenceKind.HERE_ONLY, first)]
    client.force_login(city.people["reviewer"])
    assert "不完整" in client.get(reverse("portal:recognition-differences", args=[report.uid])).content.decode()


# Pages


def test_the_pages_of_recognition_show_nodes_reports_and_reasons(city: City, now: datetime, client: Client) -> None:
    node = simulated(endpoint="https://county.example")
    made = trusted(city, node, now)
    transport.use(node)
    receive(node, node.batch([row(), row(license_data(region="320104"))]), now)
    node.held[license_data()["identifier"]] = Held(TYPE, "2026-01", "01")
    report = differences.compare(node=made, now=now)
    client.force_login(city.people["reviewer"])
    for name, args, word in (
        ("recognition-list", [], made.name),
        ("recognition-node", [made.uid], made.keys.get().key_id),
        ("recognition-rejected", [], "row.region"),
        ("recognition-differences", [report.uid], "data-chart"),
        ("recognition-differences-export", [report.uid], "仅对方有"),
    ):
        shown = client.get(reverse(f"portal:{name}", args=args))
        assert (shown.status_code, word in shown.content.decode()) == (200, True), name


def test_two_keepers_put_a_node_in_force_on_the_pages(city: City, now: datetime, client: Client) -> None:
    node = simulated()
    second_keeper(city)
    client.force_login(city.people["reviewer"])
    file = SimpleUploadedFile("node.json", node.card(now), content_type="application/json")
    answer = client.post(reverse("portal:recognition-propose"), {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    key = TrustedKey.objects.get()
    page = reverse("portal:recognition-confirm", args=[key.uid])
    assert client.post(page, {"fingerprint": node.fingerprint()}).status_code == 403
    client.force_login(city.people["centre_head"])
    assert client.post(page, {"fingerprint": "wrong"}).status_code == 422
    assert client.post(page, {"fingerprint": node.fingerprint()}).status_code == 302
    gone = reverse("portal:recognition-revoke", args=[key.uid])
    assert client.post(gone, {"reason": "更换密钥"}).status_code == 302
    assert not keeping.published(now)[0]["keys"]


def test_a_foreign_document_is_verified_on_the_page_and_by_rest(city: City, now: datetime, client: Client) -> None:
    node = simulated()
    trusted(city, node, now)
    document = node.document(license_data())
    client.force_login(city.people["police_operator"])
    page = reverse("portal:recognition-foreign-verify")
    shown = client.post(page, {"file": SimpleUploadedFile("a.json", json.dumps(document).encode())}).content.decode()
    assert "integrity.document_signed" in shown
    assert client.post(page, {"file": SimpleUploadedFile("a.json", b"<xml/>")}).status_code == 422
    rest = client.post(reverse("openapi:foreign-license-verification"), {"document": document}, content_type="application/json")
    assert rest.json()["issuer"]["code"] == "issuer.foreign_node"
