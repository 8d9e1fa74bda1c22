"""Finding call records (调用查找): one by its number, and those about a person or an enterprise, those with many keys included.

A call's number tells when it was made, so that one month is looked into and not all of them. Who may see what is found is decided
by the rules that ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from exchange.evidence.retired import tables_of
from exchange.models import CallRecord, RetiredMonth
from exchange.statistics import sides

BEFORE: Final = timedelta(minutes=10)  # a call is signed at most five minutes from its number's time
CLOSING: Final = timedelta(days=1)  # the record of an end has a number of its own, long after the signed time
Place = tuple[datetime, int, UUID]

# Newest first. The subject of a call with one key stands in its record, those of a call with many beside it. The sum with nothing
# keeps the planner from the indexes by time; it takes a Bloom filter for a way to read everything, and what is left to it here for
# dearer still.
ABOUT: Final = """
SELECT requested_at, consumer_id, call_id FROM (
    SELECT requested_at, consumer_id, call_id FROM exchange_callrecord
    WHERE subject_key = %(key)s AND outcome = ANY(%(answered)s) AND requested_at + interval '0' >= %(since)s AND {of_one}
    UNION ALL
    SELECT requested_at, consumer_id, call_id FROM exchange_callsubjects
    WHERE subject_keys @> ARRAY[encode(%(key)s, 'hex')::uuid] AND requested_at >= %(since)s AND {of_many}
) AS found ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT %(size)s"""
BEYOND: Final = "({at}, consumer_id, call_id) < (%(at)s, %(consumer)s, %(call)s)"
BY_FILTER: Final = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL max_parallel_workers_per_gather = 0"
AS_USUAL: Final = (
    "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_indexscan TO DEFAULT; "
    "SET LOCAL max_parallel_workers_per_gather TO DEFAULT"
)


def made_at(call_id: UUID) -> datetime | None:
    """Return when a number was given, None for one that does not tell (RFC 9562: version 7 begins with milliseconds)."""
    if call_id.version != 7:
        return None
    try:
        return datetime.fromtimestamp((call_id.int >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def by_number(rows: QuerySet[CallRecord], call_id: UUID) -> CallRecord | None:
    """Return the record of this number among those that may be seen: near its time first, then newest first."""
    named = rows.filter(call_id=call_id)
    for since, until in _spans(call_id):
        if found := named.filter(requested_at__range=(since, until)).first():
            return found
    return named.order_by("-requested_at", "-consumer_id", "-call_id").first()


def _spans(call_id: UUID) -> Iterator[tuple[datetime, datetime]]:
    at = made_at(call_id)
    if at is not None:
        yield at - BEFORE, at + BEFORE
        yield at - CLOSING, at - BEFORE


def in_retired_months(call_id: UUID) -> CallRecord | None:
    """Return the record of this number among the months that left the table calls write to; for overseers."""
    at = made_at(call_id)
    months = RetiredMonth.objects.filter(dropped_at=None).order_by("-month")
    if at is not None:
        months = months.filter(month__lte=at + timedelta(days=1), month__gte=at - timedelta(days=33))
    known = {field.attname for field in CallRecord._meta.concrete_fields}
    for retired in months:
        table, _subjects = tables_of(retired.month)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} WHERE call_id = %s", [call_id])
            if row := cursor.fetchone():
                values = {column.name: value for column, value in zip(cursor.description or (), row, strict=True)}
                values["xid"] = int(values["xid"])
                return CallRecord(**{name: value for name, value in values.items() if name in known})
    return None


def about(subject_key: bytes, *, since: datetime, after: Place | None = None, size: int) -> list[CallRecord]:
    """Return the answered calls about a subject since a moment, newest first, those with many keys among them."""
    values: dict[str, Any] = {"key": subject_key, "since": since, "size": size, "answered": list(sides.ANSWERED)}
    if after is not None:
        values |= {"at": after[0], "consumer": after[1], "call": after[2]}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_FILTER)
        of_one, of_many = (BEYOND.format(at=at) if after else "true" for at in ("requested_at + interval '0'", "requested_at"))
        cursor.execute(ABOUT.format(of_one=of_one, of_many=of_many), values)
        places = cursor.fetchall()
        cursor.execute(AS_USUAL)
    found = CallRecord.objects.filter(pk__in=places) if places else CallRecord.objects.none()
    return sorted(found, key=place_of, reverse=True)


def place_of(record: CallRecord) -> Place:
    """Return where a record stands among all."""
    return record.requested_at, record.consumer_id, record.call_id


def subjects_of(record: CallRecord) -> Sequence[bytes]:
    """Return whom a call was about, each once; nobody for a copy."""
    if record.subject_key is not None:
        return [bytes(record.subject_key)]
    if record.subjects_digest is None:
        return []
    table = "exchange_callsubjects"
    if RetiredMonth.objects.filter(xid_first__lte=record.xid, xid_last__gte=record.xid, dropped_at=None).exists():
        table = f"(SELECT * FROM exchange_callsubjects UNION ALL SELECT * FROM {_retired_subjects(record)}) AS every"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT uuid_send(key) FROM (SELECT DISTINCT unnest(subject_keys) AS key FROM {table}"
            " WHERE requested_at = %s AND consumer_id = %s AND call_id = %s) AS kept",
            list(place_of(record)),
        )
        return [bytes(key) for (key,) in cursor.fetchall()]


def _retired_subjects(record: CallRecord) -> str:
    month = RetiredMonth.objects.filter(xid_first__lte=record.xid, xid_last__gte=record.xid, dropped_at=None).order_by("-month")
    return tables_of(month[0].month)[1]
