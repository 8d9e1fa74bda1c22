"""The parts of a fetching (分项取数): each material under its grant, its quota and its own call record; one failing fails no other.

In the caller's transaction. Which grant covers what is `planning`'s, what the database is asked `statement`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction

from basedb.dictionary.licenses import LICENSE
from core.ids import uuid7
from core.quiet_log import told
from exchange.calls import admission, quota, registry
from exchange.calls.admission import Allowance
from exchange.calls.connections import logger
from exchange.calls.records import refusal_values
from exchange.calls.refusals import Refusal
from exchange.calls.statement import terms_values
from exchange.calls.terms import Context, Question, Signed, Terms
from exchange.matters import statement
from exchange.matters.asking import Read
from exchange.matters.planning import MODE, Asking, Need, Plan, plan
from exchange.models import Material, MaterialSource, MatterPart, PartState
from licenses.presenting.running import through_django

GRANTS: Final = (
    f"{registry.TERMS} WHERE g.system_id = <<system>> AND g.mode = '{MODE}' AND b.dataset = ANY (<<datasets>>) ORDER BY g.id"
)
_GRANT_TYPES: Final = (("system", "bigint"), ("datasets", "text[]"), ("lag_limit", "float8"))
_DATASET_COLUMN: Final = 19  # of the columns of `registry.TERMS`
_NO_GRANT: Final = ("grant.", "call.control_parameter", "call.matter_required")
ENDED: Final = {
    "02": "SUSPENDED", "03": "RESCINDED", "04": "CANCELLED", "05": "LAPSED", "06": "MOVED_AWAY", "07": "REVOKED", "99": "OTHER",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a material: its row, the JSON text of what was answered, the licenses handed over, under which plan."""

    row: MatterPart
    answer: str = ""
    used: Sequence[Sequence[str | None]] = ()
    plan: Plan | None = None


@dataclass(slots=True)
class _Step:
    """One material on its way: the plan, the part of the signed call that asks for it, what its quota says."""

    material: Material
    row: MatterPart
    subject: bytes
    plan: Plan
    signed: Signed
    context: Context
    admitted: Allowance | Refusal | None = None

    def question(self) -> Question | None:
        """Return what is asked of the database, nothing when no grant covers it."""
        return Question(self.plan.selection, self.subject, context=self.context) if self.plan.selection else None


def fetch_parts(read: Read, signed: Signed, now: datetime) -> list[Part]:
    """Return what became of every material of the matter, in their order."""
    materials = list(read.matter.materials.select_related("party"))
    return fetch_materials(materials, read.subjects, read.context, signed, now)


def fetch_materials(
    materials: Sequence[Material], subjects: Mapping[str, bytes], context: Context, signed: Signed, now: datetime
) -> list[Part]:
    """Return what became of each material, in their order; `subjects` are the keys of the parties that are there."""
    fetched = [one for one in materials if one.source != MaterialSource.SUBMIT and one.party.role in subjects]
    steps = _planned(fetched, subjects, context, signed, now)
    _admit(steps.values())
    return [_part(steps[one.pk]) if one.pk in steps else Part(_unfetched(one, subjects)) for one in materials]


def _row(material: Material) -> MatterPart:
    return MatterPart(
        ordinal=material.ordinal, material=material.code, title=material.title, party=material.party.role,
        source=material.source, type_code=material.type_code, dataset=material.dataset,
    )  # fmt: skip


def _unfetched(material: Material, subjects: Mapping[str, bytes]) -> MatterPart:
    """Return the row of a material that has to be brought, or of a party that is not there."""
    is_there = material.party.role in subjects
    return _ended(_row(material), PartState.TO_SUBMIT if is_there else PartState.NOT_NEEDED)


def _planned(
    materials: Sequence[Material], subjects: Mapping[str, bytes], context: Context, signed: Signed, now: datetime
) -> dict[int, _Step]:
    """Return the steps by material: under which grant each is fetched, with a call number and a nonce of its own."""
    needs = {one.pk: Need(one.dataset or LICENSE.code, tuple(one.items), one.type_code) for one in materials}
    grants = _grants_of(signed.caller.system_id, {need.dataset for need in needs.values()})
    who = Asking(signed.caller.system_id, signed.client_ip, context, now)
    steps = {}
    for one in materials:
        nonce = hashlib.sha256(f"{signed.nonce}:{one.ordinal}".encode()).hexdigest()[:32]
        own = replace(signed, call_id=str(uuid7()), mode=MODE, nonce=nonce)
        found = plan(needs[one.pk], grants, who)
        steps[one.pk] = _Step(one, _row(one), subjects[one.party.role], found, own, context)
    return steps


def _grants_of(system_id: int, datasets: set[str]) -> list[tuple[str, Terms]]:
    """Return the query grants of a system on these datasets, each with its dataset; as this transaction sees them."""
    values = {"system": system_id, "datasets": sorted(datasets), "lag_limit": settings.SEAL_LAG_LIMIT_SECONDS}
    return [(row[_DATASET_COLUMN], registry.compiled(row)) for row in through_django(GRANTS, _GRANT_TYPES, values)]


def _admit(steps: Iterable[_Step]) -> None:
    """Count every part against the quota of its grant, all in one trip."""
    covered = [(step, step.plan.terms, question) for step in steps if (question := step.question())]
    calls = [(step.signed, terms, question) for step, terms, question in covered if terms]
    if not calls:
        return
    outcomes = admission.admit_all(calls)
    if any(isinstance(one, Refusal) and one.code == "platform.recovering" for one in outcomes):
        quota.rebuild()
        outcomes = admission.admit_all(calls)
    for (step, _terms, _question), outcome in zip(covered, outcomes, strict=True):
        step.admitted = outcome


def _part(step: _Step) -> Part:
    """Fetch one material; whatever is in its way is this part's own result."""
    row, found, question = step.row, step.plan, step.question()
    row.call_id, row.missing_items = UUID(step.signed.call_id), list(found.missing)
    if isinstance(step.admitted, Refusal):
        return _refused(step, step.admitted.code)
    if found.terms is None or question is None or step.admitted is None:
        return _refused(step, found.code)
    values = terms_values(step.signed, found.terms, question, step.admitted.remaining)
    values |= {"subject_key": step.subject, "type_code": step.material.type_code}
    try:
        with transaction.atomic():
            answered = statement.read_and_record(found, values)
    except DatabaseError as error:
        logger.error("a material could not be fetched: %s", told(error))
        return _refused(step, "platform.unavailable")
    if answered is None:  # the grant has changed since it was read
        return _refused(step, "grant.not_found")
    body, state, ended, provider, used = answered
    row.provider = provider
    row.items = found.items if state == PartState.FOUND else []
    return Part(_ended(row, PartState(state), ENDED.get(ended, ended) if state == PartState.NOT_VALID else ""), body, used, found)


def _refused(step: _Step, code: str) -> Part:
    """Record that a material was not answered, and say why."""
    values = refusal_values(step.signed, step.plan.terms, None, code) | {
        "subject_key": step.subject, "subject_count": 1, "matter": step.context.matter, "officer": step.context.officer,
        "case_number": step.context.case_number,
    }  # fmt: skip
    statement.record_refused(values)
    return Part(_ended(step.row, PartState.REFUSED_NO_GRANT if code.startswith(_NO_GRANT) else PartState.ERROR, code))


def _ended(row: MatterPart, state: PartState, reason: str = "") -> MatterPart:
    row.state, row.reason = state, reason
    return row
