"""What ceases between scan and reading - license, holder, grant, time, the phone itself - is not handed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from basedb.models import License, Person
from exchange.models import Grant
from licenses.models import BlockedBy, HolderBlock, PresentingCode, TypeVersion
from licenses.models import License as Issued
from licenses.presenting import blocking
from tests.hotpath.scene import Scene
from tests.hotpath.windows import Window, refused, uses_of
from tests.licenses import presented
from tests.licenses.presented import answer, enter_person, post, read


def test_a_license_that_ceased_between_yes_and_reading_is_not_handed_over(window: Window) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    License.objects.filter(pk=window.license.pk).update(license_state="07")
    refused(read(window.partner, window.grant, uid), "presenting.license_changed")
    assert uses_of(window) == []
    assert PresentingCode.objects.get(uid=uid).state == "CONFIRMED"


def test_a_license_revoked_by_its_office_ceases_before_the_base_database_knows(window: Window, scene: Scene) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    version = TypeVersion.objects.get(code=presented.TYPE)
    day = window.license.issued_on
    Issued.objects.create(
        type_version=version, type_code=version.code, issuer=scene.city.market, issuer_code="11320100MB0000000X", issuer_name="局",
        serial="99", identifier=window.license.identifier, number="1", region_code="320102", issued_on=day, valid_from=day,
        state="07", digest=b"d" * 32,
    )  # fmt: skip
    refused(read(window.partner, window.grant, uid), "presenting.license_changed")


def test_a_holder_who_died_meanwhile_presents_nothing(window: Window) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    Person.objects.filter(pk=window.person.pk).update(person_status="9")
    refused(read(window.partner, window.grant, uid), "presenting.holder_gone")
    assert uses_of(window) == []


def test_a_grant_that_ended_between_scan_and_reading_reads_nothing(window: Window) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    now = datetime.now(tz=UTC)
    Grant.objects.filter(pk=window.grant.pk).update(
        valid_from=now - timedelta(days=2), valid_to=now - timedelta(seconds=1), version=2
    )
    refused(read(window.partner, window.grant, uid), "grant.expired")
    assert uses_of(window) == []


def test_another_grant_of_the_same_system_does_not_read(window: Window, scene: Scene, listed: Any) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    second = presented.make_grant(listed, window.partner.system, scene.city.people["education_operator"])
    refused(read(window.partner, second, uid), "presenting.other_grant")


@pytest.mark.parametrize(("command", "column", "code"), [
    ("answer", "answer_until", "presenting.answer_late"), ("read", "read_until", "presenting.read_late"),
])  # fmt: skip
def test_time_that_ran_out_hands_over_nothing(window: Window, command: str, column: str, code: str) -> None:
    _code, uid = window.scanned()
    if command == "read":
        answer(window.token, uid)
    PresentingCode.objects.filter(uid=uid).update(**{column: datetime.now(tz=UTC) - timedelta(seconds=1)})
    refused(answer(window.token, uid) if command == "answer" else read(window.partner, window.grant, uid), code)
    assert uses_of(window) == []


def test_a_stolen_phone_is_stopped_at_once(window: Window, scene: Scene) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    now = datetime.now(tz=UTC)
    block = blocking.block_holder(
        subject_key=bytes(window.person.subject_key),
        by=BlockedBy.HOTLINE,
        reason="来电",
        actor=scene.city.actor("reviewer"),
        now=now,
    )  # fmt: skip
    refused(read(window.partner, window.grant, uid), "presenting.code_blocked")
    reply = post("/openapi/v1/holder/codes", {}, token=window.token)
    assert (reply.status, reply.code) == (403, "presenting.holder_blocked")
    with pytest.raises(Exception, match="holder_blocked"):
        enter_person(window.person, now)
    blocking.lift_block(uid=block.uid, reason="已当面核实", actor=scene.city.actor("reviewer"), now=now)
    assert enter_person(window.person, now)
    assert HolderBlock.objects.get(pk=block.pk).lifted_at == now
