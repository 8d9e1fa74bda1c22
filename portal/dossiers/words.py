"""What a dossier's page shows (档案页面): its parts in words, with a token for everybody whose own dossier it may lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from basedb.credit.records import DISPLAY_TITLES
from basedb.dictionary import DATASETS
from catalog.models import SharingMode
from exchange.dossiers import telling
from exchange.dossiers.reading import Dossier
from exchange.dossiers.rights import DossierKind, Reason
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
            "household": related.household and telling.household_of(related.household, view),
            "members": [_named(telling.member_of(line, view), DossierKind.PERSON, token) for line in related.members],
            "roles": [_named(telling.role_of(line), DossierKind.ENTERPRISE, token) for line in related.roles],
            "branches": [_named(telling.branch_of(line), DossierKind.ENTERPRISE, token) for line in related.branches],
            "heirs": [_named(telling.heir_of(line), DossierKind.ENTERPRISE, token) for line in related.heirs],
            "verification": related.verification and _verification(related.verification),
        }
    if (holdings := dossier.holdings) is not None:
        context |= {
            "licenses": [telling.license_of(line, view) for line in holdings.licenses],
            "credit": [telling.credit_of(line) for line in holdings.credit],
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


def _named(told: dict[str, Any], kind: DossierKind, token: Token) -> dict[str, Any]:
    return told | {"token": token(kind, told["key"]) if told["name"] else ""}


def _verification(line: Line) -> dict[str, Any]:
    return telling.verification_of(line) | {"by": [collector_title(code) for code in line["validated_by"]]}


def _use(use: Any) -> dict[str, Any]:
    if use.is_dossier:
        reason = Reason(use.purpose).label if use.purpose in Reason.values else use.purpose
        return {"use": use, "purpose": reason, "mode": _("调阅档案")}
    return {"use": use, "purpose": use.purpose, "mode": dict(SharingMode.choices).get(use.mode, use.mode)}
