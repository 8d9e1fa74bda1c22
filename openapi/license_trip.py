"""One trip for all lookups of licenses that wait (合并核验): the limits of who asks in Redis, then one statement in PostgreSQL.

Each is counted against its own limit and gets the row of its own identifier, or a refusal, as if it came alone. What the row comes
to is judged by whoever asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from core.errors import DomainError, Unavailable
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.together import Together
from licenses.numbering import Identifier
from licenses.verification import limits
from licenses.verification.limits import Allowance, Limit
from licenses.verification.statement import PARAMETERS, TEMPLATE, Found, found_in, values

Asked = tuple[Limit, Identifier]
Told = tuple[Allowance, Found]


def count_and_find(address: str, asked: Identifier) -> Told:
    """Count a lookup of an address, then return what the registers say; raises what refuses it."""
    return _trips.ask((limits.lookups_of(address), asked))


def _travel(lookups: Sequence[Asked]) -> list[Told | Exception]:
    counted = limits.take_all([[limit] for limit, _asked in lookups])
    found = iter(
        _found([asked for (_limit, asked), outcome in zip(lookups, counted, strict=True) if isinstance(outcome, Allowance)])
    )
    return [outcome if isinstance(outcome, DomainError) else _both(outcome, next(found)) for outcome in counted]


def _found(asked: Sequence[Identifier]) -> list[Found | Unavailable]:
    """Return what the registers say of each; Unavailable for each when they cannot be asked."""
    if not asked:
        return []
    try:
        return list(found_in(connections.rows(TEMPLATE, PARAMETERS, values(asked))))
    except Refusal:
        return [Unavailable("platform.unavailable", _("平台暂时不可用，请稍后再试。")) for _one in asked]


def _both(allowance: Allowance, found: Found | Unavailable) -> Told | Exception:
    return found if isinstance(found, Unavailable) else (allowance, found)


_trips: Final[Together[Asked, Told]] = Together(_travel)
