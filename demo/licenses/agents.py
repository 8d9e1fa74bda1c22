"""Agents of enterprises in the demo (演示企业代办人): a legal representative authorizes two people and takes one back.

Both go through the session a pretended identity application opens; the application's page lists them, so that each can be tried.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from basedb.models import LegalEntity, Person
from core.audit import Actor
from core.calendar import SHANGHAI
from demo.licenses.presenting import IDENTITY, citizens, enterprises
from exchange.models import ConsumerSystem
from licenses.models import EnterpriseAgent
from licenses.presenting import agents, holders, sessions
from licenses.presenting.sessions import Session

LASTS: Final = timedelta(days=180)
HOLDER: Final = Actor(name="企业持证人(演示)")


def authorize(now: datetime) -> int:
    """Let an enterprise authorize two citizens and take one authorization back, once; return how many there are."""
    entities = enterprises()
    if not EnterpriseAgent.objects.exists() and entities:
        entity, boss = entities[0]
        chosen = [person for person in citizens() if person.citizen_id != boss.citizen_id][:2]
        if len(chosen) == 2:
            _authorize_two(_session_of(entity, boss, now), chosen, now)
    return EnterpriseAgent.objects.count()


def _authorize_two(session: Session, chosen: list[Person], now: datetime) -> None:
    today = _today(now)
    one_type = list(agents.types_of(session.subject_key))[:1]
    for person, type_codes in zip(chosen, ([], one_type), strict=True):
        made = agents.authorize(
            session=session, citizen_id=person.citizen_id, name=person.name, type_codes=type_codes, until=today + LASTS,
            actor=HOLDER, today=today, now=now,
        )  # fmt: skip
    agents.revoke(session=session, uid=made.uid, actor=HOLDER, now=now)


def _session_of(entity: LegalEntity, boss: Person, now: datetime) -> Session:
    holder = holders.for_enterprise(
        uscc=entity.uscc, name=entity.name, citizen_id=boss.citizen_id, person_name=boss.name, today=_today(now)
    )
    identity = ConsumerSystem.objects.get(name=IDENTITY)
    ticket, _until = sessions.let_in(holder=holder, assurance=3, system_id=identity.pk, actor=Actor(name=IDENTITY), now=now)
    token, _opened = sessions.enter(ticket=ticket, now=now)
    return sessions.find(token=token, now=now)


def acting() -> list[tuple[EnterpriseAgent, LegalEntity, Person]]:
    """Return the agents of the demo's enterprises with both parties; one taken back is refused at the door."""
    entities = {bytes(entity.subject_key): entity for entity, _boss in enterprises()}
    rows = list(EnterpriseAgent.objects.filter(enterprise_key__in=list(entities)).order_by("id")[:4])
    people = {
        bytes(person.subject_key): person for person in Person.objects.filter(subject_key__in=[row.agent_key for row in rows])
    }
    return [
        (row, entities[bytes(row.enterprise_key)], people[bytes(row.agent_key)]) for row in rows if bytes(row.agent_key) in people
    ]


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
