"""The rules of the one code: who is let in, agents of enterprises, stopping, the order of commands, the text of a code."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basedb.models import LegalEntity, Person
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from exchange.calls.refusals import REFUSALS
from exchange.license_uses import lists
from exchange.presenting.refusals import REFUSALS as PRESENTING
from licenses.models import BlockedBy, HolderSession, PresentingCode
from licenses.presenting import agents, blocking, codes, holders, holding, sessions
from licenses.presenting.code_text import LETTERS, in_groups, new_code, read_code
from licenses.presenting.workflow import STEPS, Command, Standing, decide, is_over
from licenses.types.rulebook import Rulebook
from licenses.uses import Use, record, record_many
from tests.factories import City
from tests.hotpath.partner import make_person
from tests.licenses import presented
from tests.licenses.presented import enter, enter_person, make_entity, make_license
from tests.licenses.verified import make_license as issue_to

PHONE = Actor(name="持证人")
STATES = ("CREATED", "SCANNED", "CONFIRMED", "REFUSED", "READ", "BLOCKED")
MOMENT = datetime(2026, 5, 1, 9).astimezone()


@pytest.fixture
def person(city: City) -> Person:
    return make_person(city.police, 11, name="王小明")


@pytest.fixture
def clerk(city: City) -> Person:
    return make_person(city.police, 13, name="赵六")


@pytest.fixture
def enterprise(city: City, person: Person) -> LegalEntity:
    return make_entity(city.market, person)


def representative(enterprise: LegalEntity, person: Person, now: datetime) -> str:
    holder = holders.for_enterprise(
        uscc=enterprise.uscc, name=enterprise.name, citizen_id=person.citizen_id, person_name=person.name, today=now.date()
    )
    return enter(holder, now)


@given(st.sampled_from(list(Command)), st.sampled_from(STATES), st.lists(st.integers(-5, 5), min_size=3, max_size=3))
@settings(max_examples=60)
def test_a_command_is_allowed_in_its_state_and_time_alone(command: Command, state: str, minutes: list[int]) -> None:
    expires, answer, read = (MOMENT + timedelta(minutes=m) for m in minutes)
    standing = Standing(state, expires, answer, read)
    why = decide(command, standing, MOMENT)
    in_time = getattr(standing, STEPS[command].until) > MOMENT
    assert (why == "") == (state == STEPS[command].before and in_time)
    assert why == "" or why in PRESENTING or why == "presenting.not_scanned"
    if command is Command.READ and not why:
        assert not is_over(standing, MOMENT)


def test_every_refusal_of_the_desk_is_one_of_the_call_door() -> None:
    assert set(PRESENTING) <= set(REFUSALS)
    assert {REFUSALS[code].status for code in PRESENTING} <= {403, 404, 409, 410, 422, 429}


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_a_code_is_read_as_it_was_made_and_nothing_else_is_one(noise: str) -> None:
    code = new_code()
    assert len(code) == 4 + LETTERS
    assert read_code(f" {in_groups(code).lower()}\r\n") == code
    assert read_code(noise) in ("", noise.upper())


def test_a_wrong_number_and_a_wrong_name_are_answered_alike(person: Person) -> None:
    for number, name in ((person.citizen_id, "李四"), ("990101198005170012", person.name), ("1", "x")):
        with pytest.raises(NotFound, match="holder_unknown"):
            holders.for_person(citizen_id=number, name=name)


def test_who_died_or_was_cancelled_is_not_let_in(person: Person, enterprise: LegalEntity, now: datetime) -> None:
    LegalEntity.objects.filter(pk=enterprise.pk).update(registration_state="3")
    with pytest.raises(Conflict, match="holder_gone"):
        representative(enterprise, person, now)
    Person.objects.filter(pk=person.pk).update(person_status="9")
    with pytest.raises(Conflict, match="holder_gone"):
        enter_person(person, now)


def test_a_ticket_opens_once_and_for_two_minutes(person: Person, now: datetime) -> None:
    holder = holders.for_person(citizen_id=person.citizen_id, name=person.name)
    let_in = {"holder": holder, "assurance": 2, "system_id": 1, "actor": PHONE, "now": now}
    ticket, until = sessions.let_in(**let_in)  # type: ignore[arg-type]
    assert until == now + timedelta(minutes=2)
    sessions.enter(ticket=ticket, now=now)
    with pytest.raises(Conflict, match="ticket_used"):
        sessions.enter(ticket=ticket, now=now)
    late, until = sessions.let_in(**let_in)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="ticket_expired"):
        sessions.enter(ticket=late, now=until)
    with pytest.raises(NotFound):
        sessions.enter(ticket="x", now=now)
    with pytest.raises(Forbidden, match="assurance_low"):
        sessions.let_in(**let_in | {"assurance": 1})  # type: ignore[arg-type]


def test_entering_again_ends_the_session_before(person: Person, now: datetime) -> None:
    first, second = enter_person(person, now), enter_person(person, now)
    with pytest.raises(Forbidden, match="session_ended"):
        sessions.find(token=first, now=now)
    assert sessions.find(token=second, now=now).subject_key == bytes(person.subject_key)
    with pytest.raises(Forbidden, match="session_ended"):
        sessions.find(token=second, now=now + sessions.SESSION_LASTS)
    sessions.end(token=second, now=now)
    with pytest.raises(Forbidden, match="session_ended"):
        sessions.find(token=second, now=now)
    assert HolderSession.objects.filter(ended_at=None).count() == 0


def test_only_digests_of_codes_and_tokens_are_kept(person: Person, now: datetime) -> None:
    token = enter_person(person, now)
    code, uid, _until = codes.create(token=token, chosen=[], now=now)
    kept = str(PresentingCode.objects.filter(uid=uid).values().get()) + str(HolderSession.objects.values().get())
    assert code not in kept
    assert token not in kept
    assert bytes(PresentingCode.objects.get(uid=uid).digest) != code.encode()


def test_a_holder_makes_a_bounded_number_of_codes(person: Person, now: datetime) -> None:
    token = enter_person(person, now)
    for _ in range(60):
        codes.create(token=token, chosen=[], now=now)
    with pytest.raises(Conflict, match="too_many_codes"):
        codes.create(token=token, chosen=[], now=now)
    codes.create(token=token, chosen=[], now=now + timedelta(minutes=11))


def test_an_agent_presents_within_scope_and_period_until_taken_back(
    city: City, enterprise: LegalEntity, person: Person, clerk: Person, now: datetime
) -> None:
    make_license(city.market, enterprise)
    who = {"uscc": enterprise.uscc, "name": enterprise.name, "citizen_id": clerk.citizen_id, "person_name": clerk.name}
    with pytest.raises(Forbidden, match="not_agent"):
        holders.for_enterprise(**who, today=now.date())
    boss = sessions.find(token=representative(enterprise, person, now), now=now)
    assert boss.is_representative
    today = now.date()
    agent = agents.authorize(
        session=boss, citizen_id=clerk.citizen_id, name=clerk.name, type_codes=[presented.TYPE], until=today, actor=PHONE,
        today=today, now=now,
    )  # fmt: skip
    session = sessions.find(token=enter(holders.for_enterprise(**who, today=today), now), now=now)
    assert (session.type_codes, session.is_representative) == ((presented.TYPE,), False)
    with pytest.raises(Forbidden, match="not_representative"):
        agents.of_enterprise(session=session)
    with pytest.raises(Forbidden, match="not_agent"):
        holders.for_enterprise(**who, today=today + timedelta(days=1))
    token = enter(holders.for_enterprise(**who, today=today), now)
    _code, uid, _until = codes.create(token=token, chosen=[], now=now)
    agents.revoke(session=boss, uid=agent.uid, actor=PHONE, now=now)
    assert PresentingCode.objects.get(uid=uid).state == "BLOCKED"
    with pytest.raises(Forbidden, match="not_agent"):
        sessions.find(token=token, now=now)
    with pytest.raises(Conflict, match="agent_revoked"):
        agents.revoke(session=boss, uid=agent.uid, actor=PHONE, now=now)


def test_an_authorization_that_makes_no_sense_is_refused(
    enterprise: LegalEntity, person: Person, clerk: Person, now: datetime
) -> None:
    boss = sessions.find(token=representative(enterprise, person, now), now=now)
    today = now.date()
    given = {"session": boss, "citizen_id": clerk.citizen_id, "name": clerk.name, "type_codes": (), "until": today, "actor": PHONE}
    for wrong in ({"until": today - timedelta(days=1)}, {"until": today + timedelta(days=400)}, {"name": "x"},
                  {"type_codes": ["X"]}, {"citizen_id": person.citizen_id, "name": person.name}):  # fmt: skip
        with pytest.raises(Invalid):
            agents.authorize(**given | wrong, today=today, now=now)  # type: ignore[arg-type]
    agents.authorize(**given, today=today, now=now)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="agent_exists"):
        agents.authorize(**given, today=today, now=now)  # type: ignore[arg-type]


def test_a_citizen_authorizes_nobody(person: Person, clerk: Person, now: datetime) -> None:
    with pytest.raises(Forbidden, match="not_representative"):
        agents.of_enterprise(session=sessions.find(token=enter_person(person, now), now=now))


def test_stopping_ends_sessions_and_codes_of_a_person_everywhere(
    enterprise: LegalEntity, person: Person, now: datetime, city: City
) -> None:
    own, as_boss = enter_person(person, now), representative(enterprise, person, now)
    uids = [codes.create(token=token, chosen=[], now=now)[1] for token in (own, as_boss)]
    reviewer = city.actor("reviewer")
    stop = {"subject_key": bytes(person.subject_key), "by": BlockedBy.HOTLINE, "reason": "来电挂失", "now": now}
    with pytest.raises(Forbidden):
        blocking.block_holder(**stop, actor=city.actor("police_operator"))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        blocking.block_holder(**stop | {"reason": " "}, actor=reviewer)  # type: ignore[arg-type]
    blocking.block_holder(**stop, actor=reviewer)  # type: ignore[arg-type]
    assert {PresentingCode.objects.get(uid=uid).state for uid in uids} == {"BLOCKED"}
    for token in (own, as_boss):
        with pytest.raises(Forbidden):
            sessions.find(token=token, now=now)
    with pytest.raises(Conflict, match="already_blocked"):
        blocking.block_holder(**stop, actor=reviewer)  # type: ignore[arg-type]


def test_a_face_is_shown_to_whom_the_license_was_issued_and_nobody_else(city: City, person: Person, now: datetime) -> None:
    version = presented.make_type(city.market)
    issued = issue_to(version, holder="别人", face={"co_owner": "不是您的"})
    own = make_license(city.market, person, identifier=issued.identifier, face={"area": "66"})
    session = sessions.find(token=enter_person(person, now), now=now)
    (held,) = holding.held_by(session, today=now.date(), row=bytes(own.row_key).hex())
    assert held.face == [("建筑面积", "66")]


def test_a_face_is_shown_in_the_words_and_the_order_of_its_type() -> None:
    sex = {"name": "sex", "title": "性别", "kind": "CODE", "choices": [["1", "男"]]}
    book = Rulebook.of([{"name": "name", "title": "姓名"}, sex])
    shown = holding.shown_face(book, {"sex": "1", "unknown": "x", "name": "甲", "empty": ""})
    assert shown == [("姓名", "甲"), ("性别", "男"), ("unknown", "x")]


def test_uses_are_read_by_their_holder_and_issuer(city: City, now: datetime) -> None:
    operator = city.actor("police_operator")
    key, issuer = b"k" * 16, city.market.code
    one = {
        "identifier": "1.2.3",
        "type_code": presented.TYPE,
        "channel": "QUERIED",
        "issuer_code": issuer,
        "subject_key": b"k" * 16,
    }
    first = record(**one, actor=operator, at=now, matter="m" * 300, items=["a"])
    assert (first.department_name, first.actor_id, len(first.matter)) == (city.police.name, operator.user_id, 200)
    record_many(Use(**one | {"identifier": f"1.2.{n}", "at": now}) for n in range(4, 30))  # type: ignore[arg-type]
    page = lists.of_holder(subject_key=key, now=now)
    assert (len(page.items), bool(page.next)) == (20, True)
    after = lists.of_holder(subject_key=key, now=now, cursor=page.next)
    assert [line.identifier for line in after.items][-1] == "1.2.3"
    assert (len(after.items), after.next) == (7, "")
    assert len(lists.of_department(actor=city.actor("market_operator"), now=now).items) == 20
    assert lists.of_department(actor=city.actor("education_operator"), now=now).items == []
    assert lists.of_holder(subject_key=b"x" * 16, now=now).items == []
