"""Desks that wait go together: each scan and reading is told its own, races are decided once, a grant that ended stops its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from exchange.calls import company
from exchange.calls.company import Row
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms
from exchange.models import CallRecord, Grant
from exchange.presenting import calling, needs
from licenses.models import LicenseUse, PresentingCode
from tests.hotpath.partner import Partner, make_partner, make_person
from tests.hotpath.scene import Scene
from tests.licenses import presented
from tests.licenses.presented import answer, enter_person, new_code, read, scan

_sequences = iter(range(502, 900, 2))


@pytest.fixture(scope="module")
def desks(scene: Scene) -> list[tuple[Partner, Grant]]:
    """Two desks, whose calls have one form."""
    needs.remembered.forget()
    presented.make_type(scene.city.market)
    resource = presented.make_resource(scene.city.market)
    partners = make_partner(scene.city.education), make_partner(scene.city.police)
    users = ("education_operator", "police_operator")
    return [
        (partner, presented.make_grant(resource, partner.system, scene.city.people[user]))
        for partner, user in zip(partners, users, strict=True)
    ]


@pytest.fixture
def holders(scene: Scene) -> list[tuple[str, Any]]:
    """Two sessions, each with the license of its holder."""
    people = [make_person(scene.city.police, next(_sequences)) for _ in range(2)]
    return [(enter_person(person, datetime.now(tz=UTC)), presented.make_license(scene.city.market, person)) for person in people]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """What scans and readings bring to their statements; none of them goes on a trip."""
    rows: list[Row] = []

    def note(signed: Signed, terms: Terms, question: Question, row_of: Any) -> Any:
        fresh = replace(signed, call_id=str(uuid4()), nonce=uuid4().hex)  # those of the call itself are recorded as refused
        rows.append(row_of.func(fresh, terms, question, 7))
        raise Refusal("platform.busy")

    for trips in (calling._SCANS, calling._READINGS):
        monkeypatch.setattr(trips, "admit_and_run", note)
    return rows


def test_scans_of_many_desks_are_one_statement_and_a_code_is_taken_once(
    desks: list[tuple[Partner, Grant]], holders: list[tuple[str, Any]], waiting: list[Row]
) -> None:
    texts, uids = zip(*[new_code(token) for token, _ in holders], strict=True)
    for desk, code in ((0, texts[0]), (1, texts[0]), (1, texts[1]), (0, "SFM1" + "A" * 26)):
        scan(*desks[desk], code)
    assert len({(row.template, row.lists) for row in waiting}) == 1
    told: list[Any] = company.run_all(waiting)
    taken = {str(uid) for _is_held, uid, _until, _purpose in told if uid}
    assert taken == set(uids)
    assert [str(one[1]) for one in told[2:]] == [uids[1], "None"]
    winner = 0 if told[0][1] else 1
    kept = {str(code.uid): code for code in PresentingCode.objects.filter(uid__in=uids)}
    assert [kept[uid].system_id for uid in uids] == [desks[winner][0].system.pk, desks[1][0].system.pk]
    assert [kept[uid].asked[0]["row"] for uid in uids] == [bytes(one.row_key).hex() for _, one in holders]
    assert [code.grant_id for code in kept.values()] == [
        Grant.objects.get(system_id=code.system_id, state="ACTIVE").pk for code in kept.values()
    ]


def test_readings_on_one_trip_hand_over_each_its_own_and_once(
    desks: list[tuple[Partner, Grant]], holders: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    uids = []
    for (token, _license), desk in zip(holders, desks, strict=True):
        code, uid = new_code(token)
        assert scan(*desk, code).status == 201
        assert answer(token, uid).status == 200
        uids.append(uid)
    rows: list[Row] = request.getfixturevalue("waiting")
    for desk, uid in ((0, uids[0]), (1, uids[1]), (1, uids[0]), (0, uids[0])):
        read(*desks[desk], uid)
    told: list[Any] = company.run_all(rows)
    bodies = [one[0] and one[0].decode() for one in told]
    assert [bool(body) for body in bodies[1:3]] == [True, False]
    assert bool(bodies[0]) != bool(bodies[3])
    for at, ((_token, own), row) in enumerate(zip(holders, (rows[0] if bodies[0] else rows[3], rows[1]), strict=True)):
        body = (bodies[0] or bodies[3]) if at == 0 else bodies[1]
        assert body is not None
        assert own.number in body
        assert holders[1 - at][1].number not in body
        [use] = LicenseUse.objects.filter(subject_key=own.subject_key)
        record = CallRecord.objects.get(call_id=row.values["call_id"])
        assert (str(use.call_id), use.identifier) == (row.values["call_id"], own.identifier)
        assert (record.grant_id, bytes(record.subject_key or b""), record.row_count) == (desks[at][1].pk, bytes(own.subject_key), 1)
        assert (sorted(record.fields or []), record.matter) == (sorted(presented.ITEMS), presented.MATTER)


def test_a_replayed_reading_and_a_grant_that_ended_leave_the_others_on_the_trip_alone(
    desks: list[tuple[Partner, Grant]], holders: list[tuple[str, Any]], request: Any
) -> None:
    uids = []
    for token, _license in holders:
        code, uid = new_code(token)
        assert scan(*desks[0], code).status == 201
        assert answer(token, uid).status == 200
        uids.append(uid)
    rows: list[Row] = request.getfixturevalue("waiting")
    for uid in uids:
        read(*desks[0], uid)
    ended = rows[1]._replace(values=rows[1].values | {"grant_version": 99})
    assert [one is not None for one in company.run_all([ended, rows[0]])] == [False, True]
    rows[1].values.update({name: rows[0].values[name] for name in ("nonce", "signed_ms")})
    fresh = rows[1]._replace(values=rows[1].values | {"nonce": uuid4().hex, "presentation": str(uuid4()), "call_id": str(uuid4())})
    replayed, unknown = company.run_all([rows[1], fresh])
    assert isinstance(replayed, Refusal)
    assert replayed.code == "call.replayed"
    assert unknown == (None, None)
    assert PresentingCode.objects.get(uid=uids[1]).state == "CONFIRMED"
