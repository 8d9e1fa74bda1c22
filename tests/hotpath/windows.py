"""A desk at a window: its grant, a holder with a license of the type that is presented, and the holder's open session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from basedb.models import License, Person
from exchange.models import Grant
from exchange.presenting import needs
from licenses.models import LicenseUse
from tests.hotpath.partner import Partner, Reply, make_partner, make_person
from tests.hotpath.scene import Scene
from tests.licenses import presented
from tests.licenses.presented import enter_person, new_code, scan

sequences = iter(range(101, 900, 2))


@dataclass
class Window:
    """A desk with its grant, a holder with licenses and an open session."""

    partner: Partner
    grant: Grant
    person: Person
    license: License
    token: str

    def scanned(self, *chosen: License) -> tuple[str, str]:
        """Return text and uid of a code the desk has scanned."""
        code, uid = new_code(self.token, *chosen)
        reply = scan(self.partner, self.grant, code)
        assert reply.status == 201, reply.body
        assert reply.json["presentation"] == uid
        return code, uid


@pytest.fixture(scope="module")
def listed(scene: Scene) -> Any:
    """A resource on the licenses, with the type that is presented."""
    presented.make_type(scene.city.market)
    return presented.make_resource(scene.city.market)


@pytest.fixture
def window(scene: Scene, listed: Any) -> Iterator[Window]:
    """A window of the education bureau and a holder with one license."""
    needs.remembered.forget()
    person = make_person(scene.city.police, next(sequences), name="王小明")
    own = presented.make_license(scene.city.market, person)
    partner = make_partner(scene.city.education)
    grant = presented.make_grant(listed, partner.system, scene.city.people["education_operator"])
    yield Window(partner, grant, person, own, enter_person(person, datetime.now(tz=UTC)))
    needs.remembered.forget()


def refused(reply: Reply, code: str) -> None:
    """Hold a refusal against the one error body, which names nobody."""
    assert (reply.code, reply.json.keys()) == (code, {"code", "message", "details", "request_id"}), reply.body
    assert reply.json["message"]
    assert "王小明" not in reply.body.decode()


def uses_of(window: Window) -> list[LicenseUse]:
    """Return the uses of the holder's licenses."""
    return list(LicenseUse.objects.filter(subject_key=window.person.subject_key))
