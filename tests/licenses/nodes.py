"""What tests about other regions need: our node's keys, a county below, a province above, and licenses of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from basedb.identifiers import generate_citizen_id, generate_uscc
from core.models import User
from core.roles import Role
from demo.licenses.nodes import SimulatedNode, data_of, new_key
from licenses import numbering
from licenses.models import TrustedNode
from licenses.recognition import judging, keeping, receiving, transport
from licenses.sealing import keys
from tests.factories import City, make_user
from tests.licenses.verified import TYPE

COUNTY, PROVINCE, PEER = "320102", "320000", "330100"
ISSUER = generate_uscc(71, region=COUNTY, kind="11")
CITIZEN = generate_citizen_id("990101", date(1980, 5, 6), 121)
_serials = count(1)
_known: dict[str, Any] = {}


@pytest.fixture
def own_keys(db: None, tmp_path: Path, settings: Any, now: datetime) -> Iterator[None]:
    """Keys of our node in a folder of the test's own."""
    settings.LICENSE_KEYS_DIR = tmp_path / "license_keys"
    settings.LICENSE_PASSPHRASE_FILE = tmp_path / "passphrase"
    settings.LICENSE_PASSPHRASE_FILE.write_text("a passphrase of the tests")
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
    keys.store.forget()
    keys.prepare(now=now)
    yield
    keys.store.forget()


@pytest.fixture
def reached() -> Iterator[None]:
    """Put back how nodes are reached after the test."""
    before = transport.current()
    yield
    transport.use(before)


def simulated(code: str = COUNTY, relation: str = "BELOW", **values: Any) -> SimulatedNode:
    """Return a node whose key is made once for all tests."""
    key = _known.setdefault(code, new_key())
    return SimulatedNode(code, f"节点{code}", relation, key=key, **values)


def second_keeper(city: City) -> User:
    """Return the head of the data centre, made once."""
    known = User.objects.filter(username="centre_head").first()
    city.people["centre_head"] = known or make_user("centre_head", city.centre, Role.HEAD)
    return city.people["centre_head"]


def trusted(city: City, node: SimulatedNode, now: datetime, **card: Any) -> TrustedNode:
    """Put a node on the trust list: one proposes, another confirms."""
    second_keeper(city)
    made = keeping.propose(content=node.card(now, **card), actor=city.actor("reviewer"), now=now)
    for key in made.keys.filter(confirmed_at=None):
        keeping.confirm(key_uid=key.uid, typed=key.fingerprint, actor=city.actor("centre_head"), now=now)
    return made


def license_data(*, region: str = COUNTY, issuer: str = ISSUER, issued_on: str = "2026-01-05", **values: Any) -> dict[str, Any]:
    """Return the data of a license of another region."""
    identifier = numbering.compose(TYPE, issuer, f"2026{next(_serials):08d}", 1)
    number = identifier.split(".")[-3]
    holder = ("张某", CITIZEN, "111")
    return data_of(identifier, title_number=number, region=region, holder=holder, issued_on=issued_on) | values


def row(data: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """Return a row of a batch."""
    return judging.row_of(data or license_data(), title="机动车驾驶证", state="01") | values


def receive(node: Any, envelope: dict[str, str], now: datetime) -> dict[str, Any]:
    """Take a batch in at the door and return what the receipt says."""
    receipt = receiving.receive(envelope=envelope, client_ip="127.0.0.1", now=now)
    node.sent.append(envelope)
    content: dict[str, Any] = json.loads(receipt["content"])
    return content
