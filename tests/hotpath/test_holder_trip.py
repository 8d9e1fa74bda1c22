"""Phones that wait go together: each gets the own code or answer, races are decided once, a bad order harms no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from basedb.models import Person
from core.ids import uuid7
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.models import Grant
from licenses.models import PresentingCode
from licenses.presenting import codes
from licenses.presenting.code_text import digest_of
from licenses.presenting.orders import NewCode, Reply, make_codes, take_replies
from licenses.presenting.statements import CODES_AT_MOST
from licenses.presenting.workflow import Command
from openapi import holder_trip
from tests.hotpath.partner import Partner, make_partner, make_person
from tests.hotpath.scene import Scene
from tests.hotpath.test_budget import watched
from tests.licenses import presented
from tests.licenses.presented import answer, enter_person, new_code, read, scan

_sequences = iter(range(102, 500, 2))


@pytest.fixture(scope="module")
def desk(scene: Scene) -> tuple[Partner, Grant]:
    presented.make_type(scene.city.market)
    resource = presented.make_resource(scene.city.market)
    partner = make_partner(scene.city.education)
    return partner, presented.make_grant(resource, partner.system, scene.city.people["education_operator"])


@pytest.fixture
def people(scene: Scene) -> list[Person]:
    found = [make_person(scene.city.police, next(_sequences)) for _ in range(3)]
    for person in found:
        presented.make_license(scene.city.market, person)
    return found


@pytest.fixture
def tokens(people: list[Person]) -> list[str]:
    return [enter_person(person, datetime.now(tz=UTC)) for person in people]


def order(token: str, code: str = "", *, ago: timedelta = timedelta()) -> NewCode:
    return NewCode(token, uuid7(), digest_of(code or str(uuid7())), (), datetime.now(tz=UTC) - ago)


def scanned(desk: tuple[Partner, Grant], token: str) -> Any:
    code, _uid = new_code(token)
    reply = scan(*desk, code)
    assert reply.status == 201, reply.body
    return PresentingCode.objects.get(uid=reply.json["presentation"])


def answered(token: str, code: PresentingCode, command: Command = Command.CONFIRM) -> Reply:
    return Reply(token, code.uid, command, None, datetime.now(tz=UTC))


def made(trip: Sequence[NewCode]) -> Sequence[Any]:
    return holder_trip._travel(make_codes, trip)


def taken(trip: Sequence[Reply]) -> Sequence[Any]:
    return holder_trip._travel(take_replies, trip)


def test_new_codes_of_many_phones_are_made_by_one_statement(tokens: list[str], people: list[Person]) -> None:
    trip = [order(tokens[0]), order("nobody's"), order(tokens[2]), order(tokens[1]), order(tokens[2])]
    made([order(tokens[0])])
    with watched() as (statements, _commands):
        told = made(trip)
    assert [statement[:7] for statement in statements] == ["EXECUTE"]
    assert [until and until - one.now for until, one in zip(told, trip, strict=True)] == [
        timedelta(seconds=90), None, *[timedelta(seconds=90)] * 3,
    ]  # fmt: skip
    kept = PresentingCode.objects.in_bulk([one.uid for one in trip], field_name="uid")
    assert [bytes(kept[trip[place].uid].subject_key) for place in (0, 2, 3)] == [bytes(one.subject_key) for one in (
        people[0], people[2], people[1],
    )]  # fmt: skip
    assert trip[1].uid not in kept


def test_the_bound_on_codes_holds_among_those_of_one_trip(tokens: list[str]) -> None:
    for at in range(0, CODES_AT_MOST - 2, 29):
        made([order(tokens[0]) for _ in range(min(29, CODES_AT_MOST - 2 - at))])
    told = made([order(tokens[0]), order(tokens[1]), order(tokens[0]), order(tokens[0]), order(tokens[0])])
    assert [until is not None for until in told] == [True, True, True, False, False]
    assert made([order(tokens[0], ago=timedelta(minutes=-11))])[0] is not None


def test_answers_of_many_phones_are_taken_by_one_statement_and_nobody_answers_for_another(
    desk: tuple[Partner, Grant], tokens: list[str]
) -> None:
    first, second, third, fresh = *(scanned(desk, token) for token in tokens), *PresentingCode.objects.filter(
        uid=new_code(tokens[0])[1]
    )  # fmt: skip
    trip = [
        answered(tokens[2], third), answered(tokens[1], first), answered(tokens[0], first),
        answered(tokens[1], second, Command.REFUSE), answered(tokens[0], fresh),
    ]  # fmt: skip
    taken([answered("nobody's", first)])
    with watched() as (statements, _commands):
        told = taken(trip)
    assert [statement[:7] for statement in statements] == ["EXECUTE"]
    assert [until is not None for until in told] == [True, False, True, True, False]
    assert told[0] == trip[0].now + timedelta(minutes=2)
    for code, state, is_given in ((first, "CONFIRMED", True), (second, "REFUSED", False), (fresh, "CREATED", False)):
        code.refresh_from_db()
        assert (code.state, bool(code.given)) == (state, is_given)
    assert first.given == [{"row": first.asked[0]["row"], "items": [item["name"] for item in first.asked[0]["items"]]}]
    assert (second.read_until, second.answered_at) == (None, trip[3].now)
    assert read(*desk, str(third.uid)).status == 200


@pytest.mark.parametrize("other", [Command.CONFIRM, Command.REFUSE])
def test_of_two_answers_to_one_code_in_one_trip_one_is_taken(
    desk: tuple[Partner, Grant], tokens: list[str], other: Command
) -> None:
    code, beside = scanned(desk, tokens[0]), scanned(desk, tokens[1])
    told = taken([answered(tokens[0], code), answered(tokens[1], beside), answered(tokens[0], code, other)])
    assert (told[1] is not None, sorted(until is not None for until in (told[0], told[2]))) == (True, [False, True])
    code.refresh_from_db()
    assert code.state == ("CONFIRMED" if told[0] or other is Command.CONFIRM else "REFUSED")
    late = answer(tokens[0], str(code.uid))
    assert late.code == "presenting.already_answered"


def test_a_code_that_cannot_be_kept_is_refused_alone(tokens: list[str]) -> None:
    made([order(tokens[0], "SFM1SAME")])
    told = made([order(tokens[0]), order(tokens[1], "SFM1SAME"), order(tokens[2])])
    assert [isinstance(one, datetime) for one in told] == [True, False, True]
    assert isinstance(told[1], Refusal)


def test_without_a_database_each_is_refused_with_an_error_of_its_own(tokens: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_asked: Any) -> None:
        raise Refusal("platform.unavailable")

    monkeypatch.setattr(connections, "rows", away)
    told = made([order(token) for token in tokens])
    assert [one.code for one in told] == ["platform.unavailable"] * 3
    assert len({id(one) for one in told}) == 3


def test_phones_that_wait_share_a_trip_and_each_is_told_what_it_asked(tokens: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is held up until all others wait."""
    trips: list[int] = []
    may_go = threading.Event()
    rows = connections.rows

    def held_up(template: str, parameters: Any, values: Any) -> Any:
        trips.append(values["orders"].count('"token"'))
        if len(trips) == 1:
            may_go.wait(10)
        return rows(template, parameters, values)

    def ask(token: str) -> str | None:
        try:
            return codes.create(token=token, chosen=[], now=datetime.now(tz=UTC), make=holder_trip.make)[0]
        except Exception as error:
            return getattr(error, "code", type(error).__name__)
        finally:
            connections.close()
            connection.close()

    monkeypatch.setattr(connections, "rows", held_up)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask, tokens[0])
        while not trips:
            time.sleep(0.001)
        rest = [pool.submit(ask, token) for token in (*tokens, "nobody's", tokens[1])]
        while len(holder_trip._creations._waiting) < 5:
            time.sleep(0.001)
        may_go.set()
        told = [first.result(10), *(one.result(10) for one in rest)]
    assert trips == [1, 5]
    assert told[4] == "presenting.session_ended"
    texts = [text for place, text in enumerate(told) if place != 4]
    kept = {bytes(digest) for digest in PresentingCode.objects.values_list("digest", flat=True)}
    assert all(digest_of(text or "") in kept for text in texts)
    assert len(set(texts)) == 5
