"""What a dossier's page says: lines of household, offices, branches, heirs, licenses and credit with labels instead of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from catalog.models import SharingMode
from exchange.dossiers.reading import Dossier
from exchange.dossiers.rights import DossierKind, Reason, View
from portal.fusion.forms import collector_title

Token = Callable[[DossierKind, str], str]
Line = Mapping[str, Any]


def presented(dossier: Dossier, token: Token) -> dict[str, Any]:
    """Return what the template shows beside the dossier itself."""
    view, related = dossier.view, dossier.relations
    context: dict[str, Any] = {
        "dossier": dossier,
        "is_person": dossier.kind is DossierKind.PERSON,
        "sections": [presented_section(section, token) for section in dossier.sections],
        "uses": [_use(use) for use in dossier.uses or []],
    }
    if related is not None:
        context |= {
            "household": related.household and _household(related.household, view),
            "members": [_member(line, view, token) for line in related.members],
            "roles": [_role(line, token) for line in related.roles],
            "branches": [_branch(line, token) for line in related.branches],
            "heirs": [_heir(line, token) for line in related.heirs],
            "verification": related.verification and _verification(related.verification),
        }
    if (holdings := dossier.holdings) is not None:
        context |= {
            "licenses": [_license(line, view) for line in holdings.licenses],
            "credit": [_credit(line) for line in holdings.credit],
            "credit_counts": [
                (DATASETS[code].title, sum(counts.values()), code, [(DISPLAY_TITLES[d], n) for d, n in counts.items()])
                for code, counts in sorted(holdings.credit_counts.items())
            ],
        }
    return context


def presented_section(section: Any, token: Token) -> dict[str, Any]:
    """Return a section whose named subjects have a token each."""
    lines = [
        {
            "line": line,
            "cells": list(zip(section.heads, line.cells, strict=True)),
            "links": [
                {"head": head, "name": who.name, "token": token(who.kind, who.key) if who.kind else ""}
                for head, who in zip(section.link_heads, line.related, strict=True)
            ],
        }
        for line in section.lines
    ]
    return {"section": section, "lines": lines, "anchor": section.code.replace(".", "-")}


def _household(line: Line, view: View) -> list[tuple[Any, str]]:
    fields = [HOUSEHOLD.field(name) for name in ("household_number", "household_kind", "region_code", "address")]
    return [(field.title, view.show(field, line[field.name])) for field in fields if line[field.name]]


def _member(line: Line, view: View, token: Token) -> dict[str, Any]:
    relation = view.show(HOUSEHOLD_MEMBER.field("household_relation"), line["household_relation"])
    name = view.show_name(line["name"])
    return dict(line) | {"name": name, "relation": relation, "token": token(DossierKind.PERSON, line["key"]) if name else ""}


def _role(line: Line, token: Token) -> dict[str, Any]:
    role = _label(OFFICER.field("officer_role").code_set, line["officer_role"]) if line["officer_role"] else _("出资人")
    return dict(line) | {
        "role": role,
        "state": _label("registration_state", line["registration_state"]),
        "token": token(DossierKind.ENTERPRISE, line["key"]) if line["name"] else "",
    }


def _branch(line: Line, token: Token) -> dict[str, Any]:
    return dict(line) | {
        "branch": _label(BRANCH.field("branch_kind").code_set, line["branch_kind"]),
        "state": _label("registration_state", line["registration_state"]),
        "token": token(DossierKind.ENTERPRISE, line["key"]) if line["name"] else "",
    }


def _heir(line: Line, token: Token) -> dict[str, Any]:
    return dict(line) | {
        "state": _label("registration_state", line["registration_state"]),
        "token": token(DossierKind.ENTERPRISE, line["key"]) if line["name"] else "",
    }


def _verification(line: Line) -> dict[str, Any]:
    return {
        "state": line["state"],
        "title": VerificationState(line["state"]).label,
        "corroboration": Corroboration(line["corroboration"]).label,
        "by": [collector_title(code) for code in line["validated_by"]],
        "reasons": [title_of(code) for code in line["reasons"]],
        "checked_on": line["checked_on"],
    }


def _license(line: Line, view: View) -> dict[str, Any]:
    state = _("已过期") if line["state"] == EXPIRED else _label("license_state", line["state"])
    return dict(line) | {
        "state": state,
        "number": view.show(LICENSE.field("number"), line["number"]),
        "marks": [MarkKind(mark).label for mark in line["marks"]],
    }


def _credit(line: Line) -> dict[str, Any]:
    return dict(line) | {"kind": DATASETS[line["dataset"]].title, "display": DISPLAY_TITLES[line["display"]]}


def _use(use: Any) -> dict[str, Any]:
    if use.is_dossier:
        reason = Reason(use.purpose).label if use.purpose in Reason.values else use.purpose
        return {"use": use, "purpose": reason, "mode": _("调阅档案")}
    return {"use": use, "purpose": use.purpose, "mode": dict(SharingMode.choices).get(use.mode, use.mode)}


def _label(code_set: str, code: str | None) -> str:
    return str(CODE_SETS[code_set].label(code)) if code and code_set in CODE_SETS else code or ""
