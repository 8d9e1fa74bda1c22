"""Rows of the call record and of its roll-ups, as calls would have left them."""

from __future__ import annotations

from datetime import datetime
from secrets import token_bytes
from typing import Any
from uuid import uuid4

from django.db import connection

from exchange.models import CallRecord, CallStatistic, Grant
from exchange.statistics.durations import BUCKET_COUNT


def counted(
    grant: Grant, at: datetime, *, grain: str, calls: int = 1, rows: int = 0, mode: str = "QUERY", outcome: str = "call.answered"
) -> CallStatistic:
    """Return a roll-up of the span a moment lies in."""
    starts: dict[str, dict[str, Any]] = {"MINUTE": {}, "HOUR": {"minute": 0}, "DAY": {"hour": 0, "minute": 0}}
    return CallStatistic.objects.create(
        grain=grain, starts_at=at.replace(second=0, microsecond=0, **starts[grain]), department_id=grant.system.department_id,
        consumer_id=grant.system_id, provider_id=grant.resource.provider_id, resource_id=grant.resource_id, grant_id=grant.pk,
        mode=mode, outcome=outcome, call_count=calls, row_count=rows, request_bytes=0, answer_bytes=0, duration_sum=0,
        buckets=[0] * BUCKET_COUNT,
    )  # fmt: skip


def recorded(
    grant: Grant,
    at: datetime,
    *,
    count: int,
    rows: int,
    mode: str = "QUERY",
    subject: bytes | None = None,
    matter: str | None = None,
) -> None:
    """Write records of answered calls, each about somebody else unless it is said about whom."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT exchange_make_call_record_partition(%s)", [at.date().replace(day=1)])
    CallRecord.objects.bulk_create(
        CallRecord(
            requested_at=at, consumer_id=grant.system_id, call_id=uuid4(), credential_id=1, grant_id=grant.pk,
            resource_id=grant.resource_id, provider_id=grant.resource.provider_id, department_id=grant.system.department_id,
            mode=mode, outcome="call.answered", subject_key=subject or token_bytes(16), row_count=rows, subject_count=1,
            matter=matter,
        )
        for _number in range(count)
    )  # fmt: skip
