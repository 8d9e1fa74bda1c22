"""Household, offices, branches, heirs, licenses and credit of a dossier in words (档案用语): told alike by page and service. Pure.

Codes become labels, what the view does not show plainly is masked, times of change become moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from basedb.code_sets import CODE_SETS
from basedb.credit.records import DISPLAY_TITLES
from basedb.dictionary import DATASETS
from basedb.dictionary.legal_entity_facts import BRANCH, OFFICER
from basedb.dictionary.licenses import LICENSE
from basedb.dictionary.population_facts import HOUSEHOLD, HOUSEHOLD_MEMBER
from basedb.legal_entity.verification import title_of
from basedb.licenses import EXPIRED
from basedb.models import Corroboration, MarkKind, VerificationState
from exchange.dossiers.rights import View

Line = Mapping[str, Any]
Told = dict[str, Any]


def household_of(line: Line, view: View) -> list[tuple[str, str]]:
    """Return the titles and texts of a household."""
    fields = [HOUSEHOLD.field(name) for name in ("household_number", "household_kind", "region_code", "address")]
    return [(str(field.title), view.show(field, line[field.name])) for field in fields if line[field.name]]


def member_of(line: Line, view: View) -> Told:
    """Return a member of the household."""
    relation = view.show(HOUSEHOLD_MEMBER.field("household_relation"), line["household_relation"])
    return _dated(line) | {"name": view.show_name(line["name"]), "relation": relation}


def role_of(line: Line) -> Told:
    """Return an office, or a share where no office is named."""
    role = _label(OFFICER.field("officer_role").code_set, line["officer_role"]) if line["officer_role"] else _("出资人")
    return _dated(line) | {"role": role, "state": _label("registration_state", line["registration_state"])}


def branch_of(line: Line) -> Told:
    """Return a branch."""
    kind = _label(BRANCH.field("branch_kind").code_set, line["branch_kind"])
    return _dated(line) | {"branch": kind, "state": _label("registration_state", line["registration_state"])}


def heir_of(line: Line) -> Told:
    """Return who took over."""
    return dict(line) | {"state": _label("registration_state", line["registration_state"])}


def verification_of(line: Line) -> Told:
    """Return how well the data of an entity hold."""
    return {
        "state": line["state"],
        "title": VerificationState(line["state"]).label,
        "corroboration": Corroboration(line["corroboration"]).label,
        "reasons": [title_of(code) for code in line["reasons"]],
        "checked_on": line["checked_on"],
    }


def license_of(line: Line, view: View) -> Told:
    """Return a license."""
    state = _("已过期") if line["state"] == EXPIRED else _label("license_state", line["state"])
    marks = [MarkKind(mark).label for mark in line["marks"]]
    return dict(line) | {"state": state, "number": view.show(LICENSE.field("number"), line["number"]), "marks": marks}


def credit_of(line: Line) -> Told:
    """Return a credit record."""
    return _dated(line) | {"kind": DATASETS[line["dataset"]].title, "display": DISPLAY_TITLES[line["display"]]}


def _dated(line: Line) -> Told:
    return dict(line) | {"changed_at": datetime.fromisoformat(line["changed_at"])}


def _label(code_set: str, code: str | None) -> str:
    return str(CODE_SETS[code_set].label(code)) if code and code_set in CODE_SETS else code or ""
