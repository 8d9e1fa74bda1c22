"""Looking at what calls left behind."""

from __future__ import annotations

from exchange.models import CallRecord, Grant


def records_of(grant: Grant) -> list[CallRecord]:
    return list(CallRecord.objects.filter(grant_id=grant.id).order_by("recorded_at"))


def outcomes_of(grant: Grant) -> list[str]:
    return [record.outcome for record in records_of(grant)]
