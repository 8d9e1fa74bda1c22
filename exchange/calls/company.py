"""The one statement of calls that go together (合并语句): a row for each call, one transaction for all of one form.

A form is a statement and the values of its row filter. What one call brings along harms no other: when a transaction fails
because of one of them, each has one of its own. Texts come back as bytes: an answer leaves as it came.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg2 import errors

from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.statement import refusal_of

# The statement of a form reads its calls from `asked` and returns `place` and whatever else it tells.
ASKED_ALL: Final = "asked AS MATERIALIZED (SELECT * FROM json_to_recordset(<<calls>>) AS asked ({columns}))"

Found = tuple[Any, ...]  # what the statement tells of one call


class Row(NamedTuple):
    """One call: the statement of its form, the lists of its row filter, its own values by the names of their columns."""

    template: str
    lists: tuple[tuple[str, ...], ...]
    values: dict[str, Any]


def asked_sql(columns: Mapping[str, str]) -> str:
    """Return the first part of a statement, `asked`: the calls with their values as columns of these types."""
    return ASKED_ALL.format(columns=", ".join(f'"{name}" {kind}' for name, kind in {"place": "integer", **columns}.items()))


def out_of(table: str, sql: str, columns: Mapping[str, str]) -> str:
    """Let the marks of one call's values stand for the columns of many calls."""
    return connections.MARK.sub(lambda mark: f"{table}.{mark[1]}" if mark[1] in columns else mark[0], sql)


@lru_cache(maxsize=16)
def parameters_of(list_count: int) -> tuple[tuple[str, str], ...]:
    """Return names and types of the parameters of a form: the calls, and the lists of their row filter."""
    return ("calls", "json"), *((f"list_{number}", "text[]") for number in range(list_count))


def values_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the values of the parameters of a form, for calls of that form."""
    values: dict[str, Any] = {f"list_{number}": list(allowed) for number, allowed in enumerate(rows[0].lists)}
    calls = [row.values | {"place": place} for place, row in enumerate(rows)]
    return values | {"calls": json.dumps(calls, ensure_ascii=False, default=str)}


def run(row: Row) -> Found | None:
    """Run the statement for one call, committed; None when the grant has changed."""
    (outcome,) = run_all([row])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def run_all(rows: Sequence[Row]) -> list[Found | Refusal | None]:
    """Run the statements of several calls, committed; None for those whose grant has changed.

    Once the database is found away, the forms that follow are refused without waiting for it again.
    """
    outcomes: list[Found | Refusal | None] = [None] * len(rows)
    forms = defaultdict(list)
    for place, row in enumerate(rows):
        forms[row.template, row.lists].append(place)
    is_away = False
    for places in forms.values():
        of_form = [_away() for _ in places] if is_away else _of_one_form([rows[place] for place in places])
        is_away = any(_is_away(outcome) for outcome in of_form)
        for place, outcome in zip(places, of_form, strict=True):
            outcomes[place] = outcome
    return outcomes


def _away() -> Refusal:
    return Refusal("platform.unavailable")


def _is_away(outcome: Found | Refusal | None) -> bool:
    """Whether the database did not answer; what it refused to run, it did answer."""
    return isinstance(outcome, Refusal) and outcome.code == "platform.unavailable" and not isinstance(outcome, connections.Rejected)


def _of_one_form(rows: Sequence[Row]) -> list[Found | Refusal | None]:
    """Run one transaction for all; when it fails because of one of them, each has one of its own."""
    template, lists, _ = rows[0]
    try:
        found = connections.rows(template, parameters_of(len(lists)), values_of(rows), as_bytes=True)
    except (errors.IntegrityError, connections.Rejected) as error:
        if len(rows) == 1:
            return [error if isinstance(error, Refusal) else refusal_of(error)]
        return [outcome for row in rows for outcome in _of_one_form([row])]
    except Refusal as refusal:
        return [Refusal(refusal.code, refusal.details) for _ in rows]
    told = {place: tuple(rest) for place, *rest in found}
    return [told.get(place) for place in range(len(rows))]
