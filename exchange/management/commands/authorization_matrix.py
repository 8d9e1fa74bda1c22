"""Write docs/authorization-matrix.md out of the workflow table; `--check` fails when the page has drifted."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from exchange.clocks import ANSWER_DAYS, DESK_DAYS
from exchange.models import Desk, GrantState, RequestState
from exchange.workflow import (
    DESK_OF,
    GRANT_RULES,
    REASON_REQUIRED,
    RULES,
    GrantCommand,
    GrantStanding,
    Rule,
    Seat,
    State,
)
from exchange.workflow import (
    Command as RequestCommand,
)

PAGE = settings.BASE_DIR / "docs" / "authorization-matrix.md"
INTRODUCTION = """\
# Authorization matrix

Generated from `exchange/workflow.py` and `exchange/clocks.py` by `manage.py authorization_matrix`; a test fails when it drifts.

A seat says who somebody is towards one object: requester or provider by the department that owns it, operator or head by
appointment, data centre by being its reviewer. Auditors, system and security administrators have no seat. Four eyes: who drafted a
request does not endorse or approve it, who checked it for the provider does not clear it; one person may hold both roles, never
both decisions. The provider's operator passes on an opinion; a refusal is its head's (Order 809 art. 21).
"""


def page() -> str:
    """Return the whole page."""
    with translation.override(settings.LANGUAGE_CODE):
        return "\n".join([INTRODUCTION, *_requests(), *_grants(), *_clocks()]) + "\n"


def _requests() -> Iterable[str]:
    yield "## Requests\n"
    yield from _row("state", "who has the ball", *RequestCommand)
    yield from _row(*["---"] * (len(RequestCommand) + 2))
    for state in State:
        cells = [_rule(RULES.get((state, command))) for command in RequestCommand]
        yield from _row(f"{state} {RequestState(state).label}", str(Desk(DESK_OF[state]).label), *cells)
    needed = ", ".join(sorted(REASON_REQUIRED))
    yield f"\nA reason is required for: {needed}. Every pair without an entry is refused and changes nothing.\n"


def _rule(rule: Rule | None) -> str:
    if rule is None:
        return "—"
    ways = [f"→ {rule.to}", *(f"({route}: → {state})" for route, state in (rule.to_by_route or {}).items())]
    return "<br>".join([*_titles(rule.seats), *ways])


def _grants() -> Iterable[str]:
    yield "## Grants\n"
    yield from _row("state", *GrantCommand)
    yield from _row(*["---"] * (len(GrantCommand) + 1))
    for state in GrantStanding:
        rules = [GRANT_RULES.get((state, command)) for command in GrantCommand]
        cells = ["—" if rule is None else "<br>".join([*_titles(rule[0]), f"→ {rule[1]}"]) for rule in rules]
        yield from _row(f"{state} {GrantState(state).label}", *cells)
    yield "\nA reason is always required. What the data centre suspended only the data centre resumes.\n"


def _clocks() -> Iterable[str]:
    yield "## Clocks (working days)\n"
    desks = [seat for seat in Seat if any(seat in days for days in DESK_DAYS.values())]
    yield from _row("sharing attribute", *(str(Desk(seat).label) for seat in desks), "whole answer, from receipt")
    yield from _row(*["---"] * (len(desks) + 2))
    for attribute, days in DESK_DAYS.items():
        yield from _row(attribute, *(str(days[seat]) for seat in desks), str(ANSWER_DAYS[attribute]))


def _titles(seats: Iterable[Seat]) -> list[str]:
    return [str(Desk(seat).label) for seat in Seat if seat in set(seats)]


def _row(*cells: str) -> Iterable[str]:
    yield "| " + " | ".join(str(cell) for cell in cells) + " |"


class Command(BaseCommand):
    """Writes or checks the page."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare instead of writing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            PAGE.write_text(page(), encoding="utf-8")
        elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            raise CommandError("docs/authorization-matrix.md has drifted: run manage.py authorization_matrix")
