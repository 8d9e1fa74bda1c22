"""Foreign license documents: stable bytes, one changed character, every reason of the three answers."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from licenses.models import TrustedNode
from licenses.recognition import documents, keeping, trust
from licenses.sealing.canonical import canonical_json
from licenses.verification.outcome import State
from tests.factories import City
from tests.licenses.nodes import COUNTY, ISSUER, license_data, simulated, trusted

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
FACE = st.dictionaries(TEXT, TEXT, max_size=5)


def parts(result: trust.ForeignResult) -> dict[str, str]:
    return {name: told["code"] for name, told in result.told().items()}


@settings(max_examples=50, deadline=None)
@given(FACE, st.randoms(use_true_random=False))
def test_the_bytes_of_a_document_depend_neither_on_order_nor_on_how_it_travelled(face: dict[str, str], rng: Any) -> None:
    content = documents.body(COUNTY, license_data() | {"face": face}, list_name="issued", position=7)
    message = canonical_json(content)
    names = list(content)
    rng.shuffle(names)
    shuffled = {name: content[name] for name in names}
    travelled = json.loads(json.dumps(shuffled, indent=2))
    decomposed = json.loads(unicodedata.normalize("NFD", json.dumps(content, ensure_ascii=False)))
    assert message == canonical_json(travelled) == canonical_json(decomposed)
    assert json.loads(message)["node"] == COUNTY


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
@pytest.mark.django_db
def test_whatever_character_is_changed_the_document_does_not_verify(data: Any) -> None:
    node = simulated()
    document = node.document(license_data(), position=7)
    read = documents.read(document)
    assert node.key.public.verifies(read.message, read.signature)
    text = canonical_json(document["data"]).decode()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from("0X甲")) + text[place + 1 :]
    try:
        altered = documents.read(document | {"data": json.loads(changed)})
    except (ValueError, Invalid):
        return
    assert changed == text or not node.key.public.verifies(altered.message, altered.signature)


@pytest.mark.parametrize(
    "change",
    [
        {"form": "other"},
        {"node": 1},
        {"node": "\ud800"},
        {"key": "\x00"},
        {"position": -1},
        {"position": True},
        {"signature": None},
        {"data": []},
        {"data": {"form": "license/1"}},
        {"list": None},
    ],
)
def test_what_is_no_document_is_refused_by_name(change: dict[str, Any]) -> None:
    document = simulated().document(license_data())
    with pytest.raises(Invalid) as refused:
        documents.read(document | change)
    assert refused.value.code == "license_document.unreadable"


@pytest.mark.parametrize(
    "change",
    [
        {"issued_on": "2026-02-30"},
        {"valid_to": "2020-01-01"},
        {"holders": []},
        {"holders": [{"name": "甲"}]},
        {"issuer": {"code": "1"}},
        {"face": {"a": 1.5}},
        {"face": ["a"]},
        {"face": {"a": 1}},
        {"face": {"a": "\x00"}},
        {"identifier": None},
        {"face": {"a": {"b": {"c": {"d": {"e": {"f": {"g": "deep"}}}}}}}},
    ],
)
def test_data_no_license_can_have_are_refused(change: dict[str, Any]) -> None:
    assert documents.data_fault(license_data() | change)


def test_a_genuine_document_is_unaltered_of_a_trusted_node_and_of_unknown_status(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    result = trust.verify_document(node.document(license_data()), now)
    assert parts(result) == {
        "integrity": "integrity.document_signed",
        "status": "status.foreign_no_position",
        "issuer": "issuer.foreign_node",
    }
    assert result.is_valid
    assert trust.verify_document(node.document(license_data(), position=3), now).status.code == "status.foreign_no_list"


def test_an_altered_document_is_said_to_be_so(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    document = node.document(license_data())
    document["data"]["holders"][0]["name"] = "李某"
    result = trust.verify_document(document, now)
    assert result.integrity.code == "integrity.document_altered"
    assert not result.is_valid


def _revoke(city: City, made: TrustedNode, now: datetime) -> None:
    key = made.keys.get()
    keeping.revoke(key_uid=key.uid, reason="私钥遗失", actor=city.actor("reviewer"), now=now)


def _end(city: City, made: TrustedNode, now: datetime) -> None:
    made.keys.update(valid_to=now - timedelta(seconds=1))


def _begin_later(city: City, made: TrustedNode, now: datetime) -> None:
    made.keys.update(valid_from=now + timedelta(seconds=1))


def _unconfirm(city: City, made: TrustedNode, now: datetime) -> None:
    made.keys.update(confirmed_at=None, confirmed_by=None)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_revoke, "issuer.node_key_revoked"),
        (_end, "issuer.node_key_not_in_force"),
        (_begin_later, "issuer.node_key_not_in_force"),
        (_unconfirm, "issuer.node_key_unconfirmed"),
    ],
)
def test_a_key_that_does_not_count_makes_the_issuer_invalid_and_the_rest_stays_apart(
    city: City, now: datetime, spoil: Callable[[City, TrustedNode, datetime], None], code: str
) -> None:
    node = simulated()
    spoil(city, trusted(city, node, now), now)
    result = trust.verify_document(node.document(license_data()), now)
    assert (result.issuer.code, result.integrity.state) == (code, State.VALID)
    assert not result.is_valid


def test_unknown_nodes_foreign_keys_and_other_regions_are_told_apart(city: City, now: datetime) -> None:
    node, stranger = simulated(), simulated("330100", "PEER")
    assert trust.verify_document(node.document(license_data()), now).issuer.code == "issuer.node_unknown"
    trusted(city, node, now)
    other_key = node.document(license_data(), key=stranger.key)
    assert trust.verify_document(other_key, now).issuer.code == "issuer.node_key_unknown"
    elsewhere = node.document(license_data(region="320104"))
    assert trust.verify_document(elsewhere, now).issuer.code == "issuer.other_region"


def test_validity_is_read_from_the_signed_data(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    ended = license_data(issued_on="2020-01-01", valid_to="2021-01-01")
    assert trust.verify_document(node.document(ended), now).status.code == "status.foreign_expired"
    ahead = (now + timedelta(days=9)).date().isoformat()
    assert trust.verify_document(node.document(license_data(valid_from=ahead)), now).status.code == "status.foreign_not_yet"


def test_the_issuer_of_an_identifier_is_the_node_of_its_region(city: City, now: datetime) -> None:
    node = simulated()
    identifier = license_data()["identifier"]
    assert trust.issuer_of(identifier, now) is None
    made = trusted(city, node, now)
    answer = trust.issuer_of(identifier, now)
    assert answer is not None
    assert answer.code == "issuer.trusted_node"
    _revoke(city, made, now)
    answer = trust.issuer_of(identifier, now)
    assert answer is not None
    assert answer.code == "issuer.untrusted_node"
    assert trust.issuer_of("nothing", now) is None
    assert ISSUER in identifier


def test_the_position_in_the_list_is_signed_too(city: City, now: datetime) -> None:
    node = simulated()
    trusted(city, node, now)
    document = node.document(license_data(), position=5)
    assert trust.verify_document(document | {"position": 6}, now).integrity.code == "integrity.document_altered"
