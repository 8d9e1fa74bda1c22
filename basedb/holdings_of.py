"""What a person or an entity holds that must be looked at again when they die or end (在办事项): benefits, registrations, licenses.

Each base that keeps such things registers how to find the live ones; the event of the end marks them for their departments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Holding:
    """A kind of thing held. `live_sql` selects subject_key, row_key, owner_id (the department) of what is live now."""

    code: str
    title: _StrPromise
    live_sql: str


_holdings: dict[str, Holding] = {}


def register(holdings: Iterable[Holding]) -> None:
    """Have things of these kinds looked at again; called from `AppConfig.ready()`."""
    _holdings.update((holding.code, holding) for holding in holdings)


def all_holdings() -> list[Holding]:
    """Return the registered kinds."""
    return list(_holdings.values())


def title_of(code: str) -> str:
    """Return the name of a kind, or its code when nobody registered it."""
    holding = _holdings.get(code)
    return str(holding.title) if holding else code
