"""What unusual use of a grant looks like (异常使用): rules over roll-ups and records; the thresholds are settings.

A rule returns sightings; what becomes of them is `alerts`. Only counts leave here: no subject, no key, no address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from core.calendar import SHANGHAI
from exchange.models import AlertKind
from exchange.statistics.sides import ANSWERED, ENDINGS

NIGHT_BEGINS: Final = time(22)
NIGHT: Final = timedelta(hours=8)
LATE_RECORDS: Final = timedelta(minutes=10)
HABIT_DAYS: Final = 14
KNOWN_AFTER_DAYS: Final = 3
BROKEN_OFF: Final = 3  # copies that broke off carry no count of rows; several of them in a night are looked at as well
OUT_OF_SCOPE: Final = ("grant.matter_not_granted", "grant.ip_not_listed", "grant.field_not_granted", "call.control_parameter")

NIGHT_BULK: Final = """
SELECT consumer_id, grant_id, sum(row_count) AS rows, sum(call_count) FILTER (WHERE outcome = 'call.aborted') AS broken_off,
    sum(call_count) AS copies
FROM exchange_callstatistic
WHERE grain = 'HOUR' AND starts_at >= %(since)s AND starts_at < %(until)s AND mode IN ('BULK', 'SUBSCRIBE')
    AND outcome = ANY(%(endings)s) AND grant_id IS NOT NULL
GROUP BY 1, 2"""
ENUMERATION: Final = """
SELECT consumer_id, grant_id, sum(coalesce(subject_count, 1)) AS asked,
    sum(coalesce(subject_count, 1) - CASE WHEN outcome = 'call.answered' THEN least(row_count, subject_count) ELSE 0 END) AS missed,
    count(DISTINCT subject_key) AS subjects, count(*) FILTER (WHERE outcome <> 'call.answered') AS invalid
FROM exchange_callrecord
WHERE requested_at >= %(since)s AND mode IN ('QUERY', 'VERIFY') AND grant_id IS NOT NULL
    AND outcome IN ('call.answered', 'call.invalid_parameter')
GROUP BY 1, 2 HAVING sum(coalesce(subject_count, 1)) >= %(questions)s"""
VOLUME: Final = """
SELECT consumer_id, grant_id, coalesce(sum(calls) FILTER (WHERE is_today), 0) AS calls,
    coalesce(sum(row_count) FILTER (WHERE is_today), 0) AS rows, coalesce(sum(calls) FILTER (WHERE NOT is_today), 0) AS past_calls,
    coalesce(sum(row_count) FILTER (WHERE NOT is_today), 0) AS past_rows,
    (extract(epoch FROM %(today)s - min(starts_at)) / 86400)::int AS days
FROM (
    SELECT consumer_id, grant_id, starts_at, starts_at >= %(today)s AS is_today, row_count,
        CASE WHEN outcome = ANY(%(answered)s) THEN call_count ELSE 0 END AS calls
    FROM exchange_callstatistic
    WHERE grain = 'DAY' AND starts_at >= %(since)s AND grant_id IS NOT NULL AND outcome = ANY(%(answered)s || %(endings)s)
) AS days GROUP BY 1, 2"""
REFUSED: Final = """
SELECT consumer_id, grant_id, outcome, sum(call_count) AS calls
FROM exchange_callstatistic
WHERE grain = 'MINUTE' AND starts_at >= %(since)s AND (outcome = ANY(%(codes)s) OR outcome LIKE 'auth.%%')
GROUP BY 1, 2, 3"""
# Attempts with a wrong signature are counted under a digest of the key they named.
FORGED: Final = """
SELECT c.system_id AS consumer_id, a.code AS outcome, sum(a.count) AS calls
FROM exchange_rejectedattempt a
JOIN exchange_credential c ON a.key_digest = substring(sha256(convert_to(c.key, 'UTF8')) FROM 1 FOR 8)
WHERE a.minute >= %(since)s GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Use that went past a threshold: how much, and the counts around it."""

    kind: AlertKind
    system_id: int
    grant_id: int | None
    measure: int
    threshold: int
    evidence: Mapping[str, int]


def look(now: datetime) -> list[Sighting]:
    """Return everything unusual that is to be seen now."""
    rules: tuple[Callable[[datetime], list[Sighting]], ...] = (
        night_bulk,
        enumeration,
        unusual_volume,
        subject_limit,
        refusals,
    )
    return [sighting for rule in rules for sighting in rule(now)]


def night_bulk(now: datetime) -> list[Sighting]:
    """Return who copied more rows in this night than anybody has to."""
    local = now.astimezone(SHANGHAI)
    first = local.date() if local.time() >= NIGHT_BEGINS else local.date() - timedelta(days=1)
    since = datetime.combine(first, NIGHT_BEGINS, tzinfo=SHANGHAI)
    if now >= since + NIGHT + LATE_RECORDS:
        return []
    at_most = settings.ALERT_THRESHOLDS["night_bulk_rows"]
    found = []
    for line in _ask(NIGHT_BULK, since=since, until=since + NIGHT, endings=list(ENDINGS)):
        if line["rows"] > at_most or (line["broken_off"] or 0) >= BROKEN_OFF:
            evidence = {"rows": int(line["rows"]), "copies": int(line["copies"]), "broken_off": int(line["broken_off"] or 0)}
            found.append(_sighting(AlertKind.NIGHT_BULK, line, evidence["rows"], at_most, evidence))
    return found


def enumeration(now: datetime) -> list[Sighting]:
    """Return who asks about many subjects nobody knows: ids are being tried out."""
    limits = settings.ALERT_THRESHOLDS
    since = now - timedelta(minutes=limits["enumeration_minutes"])
    found = []
    for line in _ask(ENUMERATION, since=since, questions=limits["enumeration_questions"]):
        evidence = {name: int(line[name]) for name in ("asked", "missed", "subjects", "invalid")}
        at_most = evidence["asked"] * limits["enumeration_missed_percent"] // 100
        if evidence["missed"] > at_most:
            found.append(_sighting(AlertKind.ENUMERATION, line, evidence["missed"], at_most, evidence))
    return found


def unusual_volume(now: datetime) -> list[Sighting]:
    """Return who uses far more today than a day usually brings; without some days of use there is no habit yet."""
    limits = settings.ALERT_THRESHOLDS
    today = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, tzinfo=SHANGHAI)
    since = today - timedelta(days=HABIT_DAYS)
    found = []
    for line in _ask(VOLUME, today=today, since=since, answered=list(ANSWERED), endings=list(ENDINGS)):
        if line["days"] < KNOWN_AFTER_DAYS:
            continue
        for what in ("calls", "rows"):
            usual = int(line[f"past_{what}"]) // line["days"]
            at_most = limits["volume_times"] * usual + limits[f"volume_{what}"]
            if line[what] > at_most:
                evidence = {"calls": int(line["calls"]), "rows": int(line["rows"]), f"usual_{what}": usual}
                found.append(_sighting(AlertKind.UNUSUAL_VOLUME, line, int(line[what]), at_most, evidence))
                break
    return found


def subject_limit(now: datetime) -> list[Sighting]:
    """Return who keeps asking about the same subjects after having been refused."""
    at_most = settings.ALERT_THRESHOLDS["subject_limit_refusals"]
    lines = _ask(REFUSED, since=now - timedelta(hours=1), codes=["quota.subject_exceeded"])
    return [
        _sighting(AlertKind.SUBJECT_LIMIT, line, int(line["calls"]), at_most, {"refused": int(line["calls"])})
        for line in lines
        if line["outcome"] == "quota.subject_exceeded" and line["calls"] > at_most
    ]


def refusals(now: datetime) -> list[Sighting]:
    """Return who is refused again and again for the same reason: wrong keys, foreign addresses, matters, items."""
    at_most = settings.ALERT_THRESHOLDS["refusals"]
    since = now - timedelta(hours=1)
    lines = _ask(REFUSED, since=since, codes=list(OUT_OF_SCOPE))
    lines += [line | {"grant_id": None} for line in _ask(FORGED, since=since)]
    counted: dict[tuple[int, int | None], dict[str, int]] = {}
    for line in lines:
        if line["calls"] > at_most:
            counted.setdefault((line["consumer_id"], line["grant_id"]), {})[line["outcome"]] = int(line["calls"])
    return [
        Sighting(AlertKind.REFUSALS, system_id, grant_id, max(counts.values()), at_most, counts)
        for (system_id, grant_id), counts in counted.items()
    ]


def _sighting(kind: AlertKind, line: Mapping[str, Any], measure: int, threshold: int, evidence: Mapping[str, int]) -> Sighting:
    return Sighting(kind, line["consumer_id"], line["grant_id"], measure, threshold, evidence)


def _ask(sql: str, **values: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
