"""Where records are that left the table calls write to (转存记录): by month in the schema `retired`, later in the archives alone.

What was sealed is verified there as it was before. Taking months out, and dropping them, is `exchange.evidence.retention`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from exchange.models import Chain, RetiredMonth

KEPT: Final = timedelta(days=3 * 365 - 2)  # three years less what a record may come behind the end of its month


def tables_of(month: date) -> tuple[str, str]:
    """Return the tables that hold the records of a retired month and whom its calls with many keys were about."""
    return f"retired.exchange_callrecord_{month:%Y%m}", f"retired.exchange_callsubjects_{month:%Y%m}"


def records_tables(xid_from: int, xid_to: int) -> list[tuple[str, str]]:
    """Return the tables of the retired months that may hold records of these transactions."""
    return [tables_of(found.month) for found in _between(xid_from, xid_to).filter(dropped_at=None).order_by("month")]


def is_dropped(chain: str, xid_from: int, xid_to: int, first_at: str) -> bool:
    """Return whether a month was dropped that held records of these transactions.

    `first_at` is the oldest record's time out of the signed seal: of younger records no row in the database is believed.
    """
    if chain != Chain.CALLS or datetime.fromisoformat(first_at) > timezone.now() - KEPT:
        return False
    return _between(xid_from, xid_to).exclude(dropped_at=None).exists()


def _between(xid_from: int, xid_to: int) -> QuerySet[RetiredMonth]:
    return RetiredMonth.objects.filter(xid_last__gte=xid_from, xid_first__lt=xid_to)
