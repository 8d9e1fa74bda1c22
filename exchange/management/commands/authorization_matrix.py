"""Write docs/authorization-matrix.md out of the workflow table; `--check` fails when the page has drifted."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from exchange.granting.grant_workflow import GRANT_RULES, GrantCommand, GrantStanding
from exchange.models import Desk, GrantState, RequestState, Stage
from exchange.requests.workflow import (
    DESK_OF,
    REASON_REQUIRED,
    RULES,
    Rule,
    Seat,
    State,
)
from exchange.requests.workflow import (
    Command as RequestCommand,
)

PAGE = settings.BASE_DIR / "docs" / "authorization-matrix.md"
ORDER_809 = settings.BASE_DIR / "exchange" / "requests" / "order_809.json"
INTRODUCTION = """\
# Authorization matrix

Generated from `workflow.py` and `order_809.json` in `exchange/requests/` by `manage.py authorization_matrix`; a test watches it.

A seat says who somebody is towards one object: requester or provider by the department that owns it, operator or head by
appointment, data centre by being its reviewer. Auditors, system and security administrators have no seat. Four eyes: who drafted a
request does not endorse, approve or confirm it, who checked it for the provider does not clear it, who approved it does not confirm
it; one person may hold both roles, never both decisions. Highly sensitive data (grade L4) and data about minors need two reviewers.
Each side asks for missing material once, and for all of it; who asks for more on the way goes back to the own head. Closing is the
platform's own: the grant ended. The provider's operator passes on an opinion; a refusal is its head's (Order 809 art. 21).
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
    goes_on = "→ where it came from" if rule.is_back else f"→ {rule.to}"
    two = [f"(two reviewers: → {rule.to_if_two})"] if rule.to_if_two else []
    ways = [goes_on, *two, *(f"({route}: → {state})" for route, state in (rule.to_by_route or {}).items())]
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
    yield "Order 809 and the desks' share of it; stricter local rules are loaded by `manage.py load_sla_policies`.\n"
    yield from _row("stage", "sharing attribute", "days", "extension at most", "source")
    yield from _row(*["---"] * 5)
    for row in json.loads(ORDER_809.read_text(encoding="utf-8")):
        stage, extension = str(Stage(row["stage"]).label), row["extension_days"] or "—"
        yield from _row(stage, row["share_attribute"] or "all", row["days"], extension, row["source"])
    yield "\nWhile a request is returned for missing material the answer's clock stands still, then goes on with the days left.\n"


def _titles(seats: Iterable[Seat]) -> list[str]:
    return [str(Desk(seat).label) for seat in Seat if seat in set(seats)]


def _row(*cells: object) -> Iterable[str]:
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
