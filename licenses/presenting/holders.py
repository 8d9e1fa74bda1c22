"""Holders (持证主体) as the base databases know them: is the person there, of that name and alive; is the enterprise in business.

A wrong number and a wrong name are answered alike, so that nobody learns who exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from basedb.identifiers import citizen_id_valid, normalize_citizen_id, normalize_uscc, uscc_valid
from basedb.models import EntityOfficer, LegalEntity, Person
from core.errors import Conflict, Forbidden, NotFound
from licenses.models import EnterpriseAgent, SubjectKind
from licenses.subject_keys import subject_key

DEAD: Final = "9"
CANCELLED: Final = ("3", "4")
LEGAL_REPRESENTATIVE: Final = "01"
GONE_SQL: Final = """(
    EXISTS (SELECT FROM basedb_person p WHERE p.subject_key = {key} AND p.person_status = '9')
    OR EXISTS (SELECT FROM basedb_legalentity e WHERE e.subject_key = {key} AND e.registration_state IN ('3', '4')))"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder who may present, and the person at the phone; `agent` when that person acts under an authorization."""

    subject_key: bytes
    kind: SubjectKind
    person_key: bytes
    agent: EnterpriseAgent | None = None


def person_of(*, citizen_id: str, name: str) -> Person:
    """Return a living person of this number and name."""
    number = normalize_citizen_id(citizen_id)
    found = Person.objects.filter(subject_key=subject_key(number), withdrawn_at=None).first() if citizen_id_valid(number) else None
    if found is None or found.name != name.strip():
        raise NotFound("presenting.holder_unknown", _("基础库中没有号码与姓名（名称）相符的主体，请核对。"))
    if found.person_status == DEAD:
        raise Conflict("presenting.holder_gone", _("该主体已死亡或已注销，不能出示证照。"))
    return found


def enterprise_of(*, uscc: str, name: str) -> LegalEntity:
    """Return an enterprise of this code and name that is not cancelled."""
    code = normalize_uscc(uscc)
    found = LegalEntity.objects.filter(subject_key=subject_key(code), withdrawn_at=None).first() if uscc_valid(code) else None
    if found is None or found.name != name.strip():
        raise NotFound("presenting.holder_unknown", _("基础库中没有号码与姓名（名称）相符的主体，请核对。"))
    if found.registration_state in CANCELLED:
        raise Conflict("presenting.holder_gone", _("该主体已死亡或已注销，不能出示证照。"))
    return found


def for_person(*, citizen_id: str, name: str) -> Holder:
    """Return a citizen as the holder of the own licenses."""
    key = bytes(person_of(citizen_id=citizen_id, name=name).subject_key)
    return Holder(key, SubjectKind.PERSON, key)


def for_enterprise(*, uscc: str, name: str, citizen_id: str, person_name: str, today: date) -> Holder:
    """Return an enterprise with the person who acts for it: its legal representative, or an agent it authorized."""
    enterprise = enterprise_of(uscc=uscc, name=name)
    person = person_of(citizen_id=citizen_id, name=person_name)
    key, person_key = bytes(enterprise.subject_key), bytes(person.subject_key)
    if is_representative(enterprise, person):
        return Holder(key, SubjectKind.LEGAL_ENTITY, person_key)
    agent = EnterpriseAgent.objects.filter(
        enterprise_key=key, agent_key=person_key, revoked_at=None, period__contains=today
    ).first()  # fmt: skip
    if agent is None:
        raise Forbidden("presenting.not_agent", _("您不是该企业的法定代表人，也没有有效的代办授权。请由法定代表人先授权。"))
    return Holder(key, SubjectKind.LEGAL_ENTITY, person_key, agent)


def is_representative(enterprise: LegalEntity, person: Person) -> bool:
    """Return whether a person represents an enterprise by law, by its registration or by the list of its officers."""
    registered = enterprise.legal_representative_id
    if registered:
        return normalize_citizen_id(registered) == person.citizen_id
    officers = EntityOfficer.objects.filter(
        subject_key=enterprise.subject_key, person_key=person.subject_key, officer_role=LEGAL_REPRESENTATIVE, withdrawn_at=None
    )
    return officers.filter(left_on=None).exists()


def name_of(key: bytes, kind: str) -> str:
    """Return the name of a holder, "" when the base database no longer has it."""
    rows = Person.objects if kind == SubjectKind.PERSON else LegalEntity.objects
    return str(rows.filter(subject_key=key).values_list("name", flat=True).first() or "")
