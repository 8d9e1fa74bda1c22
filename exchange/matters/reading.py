"""Reading cases later (办件查询): what was fetched by whom, when and what for. Of the values nothing is told but the kept answer.

The department that fetched sees its cases; reviewers of the data centre and the auditor see all. Reading the values that are still
kept is for the department alone, and leaves an entry in the audit trail.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import NotFound
from core.roles import Role
from exchange.matters.fetching import kept_answer
from exchange.matters.telling import head_of, part_of
from exchange.models import MaterialSource, MatterCase, MatterFetch, MatterPart, PartState
from exchange.querysets import is_auditor, is_reviewer


@dataclass(slots=True)
class CaseView:
    """A case with its fetchings, the newest first; `answers` are the parts' values of those still kept, by fetching."""

    case: MatterCase
    fetches: list[MatterFetch]
    answers: dict[UUID, dict[str, Any]] = field(default_factory=dict)


def cases_visible_to(actor: Actor) -> QuerySet[MatterCase]:
    """Return the cases an actor may see."""
    seen = Q(pk__in=[])
    if actor.has(Role.OPERATOR, Role.HEAD):
        seen |= Q(department_id=actor.department_id)
    if is_reviewer(actor) or is_auditor(actor):
        seen = Q()
    return MatterCase.objects.filter(seen).select_related("system", "department")


def missing_part(*, case_uid: UUID, material: str, actor: Actor) -> MatterPart | None:
    """Return the last fetching of a material of a case when no license of that type was found; None otherwise."""
    parts = MatterPart.objects.filter(fetch__case__in=cases_visible_to(actor).filter(uid=case_uid), material=material)
    last = parts.select_related("fetch__case", "fetch__matter").order_by("-fetch_id").first()
    is_missing = last is not None and last.source == MaterialSource.LICENSE and last.state == PartState.NOT_FOUND
    return last if is_missing else None


def outcomes_of(cases: Iterable[MatterCase]) -> dict[int, tuple[int, int]]:
    """Return of each case how many materials its last fetching found and how many are left to bring."""
    last = MatterFetch.objects.filter(case__in=list(cases)).order_by("case_id", "-id").distinct("case_id").values("pk")
    counted = MatterPart.objects.filter(fetch__in=last).exclude(state=PartState.NOT_NEEDED).order_by().values_list("fetch__case_id")
    rows = counted.annotate(got=Count("pk", filter=Q(state=PartState.FOUND)), whole=Count("pk"))
    return {case: (got, whole - got) for case, got, whole in rows}


def _fetches(case: MatterCase) -> list[MatterFetch]:
    parts = Prefetch("parts", MatterPart.objects.order_by("ordinal"))
    return list(case.fetches.select_related("matter", "actor").prefetch_related(parts).order_by("-id"))


@transaction.atomic
def read_case(*, uid: UUID, actor: Actor, now: datetime) -> CaseView:
    """Return a case; the values still kept for an operator of its department, and the reading of them is recorded."""
    case = cases_visible_to(actor).filter(uid=uid).first()
    if case is None:
        raise NotFound("matter_case.not_found", _("没有这个办件，或您无权查看。"))
    found = CaseView(case, _fetches(case))
    if actor.has(Role.OPERATOR) and actor.department_id == case.department_id:
        for made in found.fetches:
            text = kept_answer(made, now)
            if text is not None:
                found.answers[made.uid] = {part["material"]: part["answer"] for part in json.loads(text)["parts"]}
    if found.answers or is_auditor(actor):
        audit.record(
            actor, "matter_case.read", case, at=now, department_ids=[case.department_id], values_shown=bool(found.answers),
        )  # fmt: skip
    return found


def case_of_system(*, system_id: int, case_number: str) -> CaseView:
    """Return a case of a calling system by its number, without values."""
    case = MatterCase.objects.select_related("system", "department").filter(system_id=system_id, case_number=case_number).first()
    if case is None:
        raise NotFound("matter_case.not_found", _("没有这个办件，或您无权查看。"))
    return CaseView(case, _fetches(case))


def told_without_values(made: MatterFetch, case: MatterCase) -> dict[str, Any]:
    """Return what is left of a fetching: states, names of items, call numbers."""
    parts = [part_of(row) | {"answer": None} for row in made.parts.order_by("ordinal")]
    return head_of(made, case) | {"values_kept": False, "parts": parts}
