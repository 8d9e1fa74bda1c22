"""What is asked for a case (取数请求): the matter in force, its case number, its parties; every fault is told at once.

Codes of parties become subject keys here and are kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.lookup import read_key
from core.errors import Invalid
from core.submissions import digest_of
from core.texts import listed
from exchange.calls.context import read_context
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Context
from exchange.matters.definition import in_force
from exchange.models import Matter, MatterParty, PartyKind
from exchange.requests.request_terms import text_fault
from exchange.systems import key_ring

_KEYED_BY: Final = {PartyKind.PERSON: "population.person", PartyKind.LEGAL_ENTITY: "legal_entity.enterprise"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request as it came in: `parties` are pairs of role and code, `key` makes a repeat harmless."""

    matter: str
    case_number: str
    parties: Sequence[tuple[str, str]]
    purpose: str
    key: str
    officer: str = ""
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A request that can be answered: `subjects` are the keys of the parties by role."""

    matter: Matter
    context: Context
    subjects: Mapping[str, bytes]
    purpose: str
    key: str

    def digest(self) -> bytes:
        """Return what tells two requests apart."""
        values: dict[str, Any] = {
            "matter": self.matter.code,
            "case": self.context.case_number,
            "officer": self.context.officer,
            "purpose": self.purpose,
            "parameters": sorted(self.context.parameters),
            "subjects": {role: key.hex() for role, key in self.subjects.items()},
        }
        return digest_of(values)


def read(ask: Ask) -> Read:
    """Return the request with its matter and the keys of its parties, or raise Invalid with all that is wrong."""
    wrong: dict[str, str] = {}
    matter = in_force(ask.matter)
    if matter is None:
        wrong["matter"] = _("没有这个事项，或尚未发布、已经停用。请核对事项编码。")
    context = _context(ask, wrong)
    fault = text_fault(ask.purpose, longest=200, may_have_lines=False)
    if fault:
        wrong["purpose"] = fault
    parties = list(matter.parties.all()) if matter else []
    subjects = _subjects(ask.parties, parties, wrong) if matter else {}
    if wrong or matter is None:
        raise Invalid("matter_case.invalid", _("办件取数请求有误，没有取数。原因见各项说明。"), wrong)
    return Read(matter, context, subjects, ask.purpose.strip(), ask.key)


def _context(ask: Ask, wrong: dict[str, str]) -> Context:
    given = {"case": ask.case_number} | ({"officer": ask.officer} if ask.officer else {})
    names = {"context.case": "case_number", "context.officer": "officer"}
    try:
        context = read_context(given)
    except Refusal as refusal:
        text = _("须为 1 至 40 位字母、数字、下划线或连字符，且不含公民身份号码。")
        wrong |= {names.get(name, name): text for name in refusal.details}
        return Context()
    parameters = tuple(sorted((ask.parameters or {}).items()))
    return Context(matter=ask.matter, officer=context.officer, case_number=context.case_number, parameters=parameters)


def _subjects(given: Sequence[tuple[str, str]], parties: Sequence[MatterParty], wrong: dict[str, str]) -> dict[str, bytes]:
    """Return the keys of the parties by role; what is wrong with one is told under `parties.<role>`."""
    known = {party.role: party for party in parties}
    roles = [role for role, _code in given]
    subjects: dict[str, bytes] = {}
    for role, code in given:
        party = known.get(role)
        if party is None:
            wrong[f"parties.{role[:40]}"] = _("这个事项没有这种当事人。")
        elif roles.count(role) > 1:
            wrong[f"parties.{role}"] = _("同一当事人填写了两次。")
        else:
            try:
                subjects[role] = key_ring().subject_key(read_key(_KEYED_BY[PartyKind(party.kind)], code))
            except ValueError:
                wrong[f"parties.{role}"] = _("代码不正确，请核对公民身份号码或统一社会信用代码。")
    for party in parties:
        if party.is_required and party.role not in roles:
            wrong[f"parties.{party.role}"] = _("缺少当事人“%(title)s”。") % {"title": party.title}
    wrong |= _coinciding(subjects, known)
    return subjects


def _coinciding(subjects: Mapping[str, bytes], known: Mapping[str, MatterParty]) -> dict[str, str]:
    """Return the parties that are another party, too, where the matter does not allow it."""
    wrong = {}
    for role, key in subjects.items():
        others = [other for other, its in subjects.items() if other != role and its == key]
        if others and not (known[role].may_coincide or any(known[other].may_coincide for other in others)):
            titles = listed(known[other].title for other in others)
            wrong[f"parties.{role}"] = _("与“%(titles)s”是同一主体，请核对。") % {"titles": titles}
    return wrong
