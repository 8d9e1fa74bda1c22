"""Counting the city's licenses (证照统计任务): one scan for what is held, one a type for coverage, one for uses.

The tables are written as a whole in one transaction; pages and REST read them and count nothing. A row of the license base is a
license of one holder: one with two holders counts twice, and the pages say so.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction

from basedb.licenses import live_sql
from core.calendar import SHANGHAI, month_start
from exchange.evidence import retention
from exchange.license_statistics.expected import RULES, Expected
from exchange.license_uses import calls
from exchange.models import LicenseCoverage, LicenseFigure, LicenseUsage
from exchange.statistics import sides
from licenses.uses import FIRST_OF_USE

MONTHS: Final = 24  # of issue told apart; older licenses stand in one line
USE_MONTHS: Final = 24
_LIVE: Final = live_sql("l")
_FIGURES: Final = f"""
INSERT INTO exchange_licensefigure (type_code, issuer, region_code, month, total, live, expired, ended, measured_at)
SELECT type_code, issuer, left(region_code, 6), CASE WHEN issued_on >= %(since)s THEN date_trunc('month', issued_on)::date END,
    count(*), count(*) FILTER (WHERE {_LIVE}), count(*) FILTER (WHERE license_state = '01' AND NOT {_LIVE}),
    count(*) FILTER (WHERE license_state <> '01'), %(now)s
FROM basedb_license l WHERE withdrawn_at IS NULL GROUP BY 1, 2, 3, 4"""
_USES: Final = f"""
INSERT INTO exchange_licenseusage (month, type_code, channel, department, matter, use_count, measured_at)
SELECT date_trunc('month', at AT TIME ZONE 'Asia/Shanghai')::date, type_code, channel, department_name, matter, count(*), %(now)s
FROM licenses_licenseuse WHERE at >= %(since)s AND {FIRST_OF_USE} GROUP BY 1, 2, 3, 4, 5"""
# Ordinary calls that handed something over. Of a type only when the grant is limited to one; "" stands for all a holder has.
_CALLS: Final = f"""
INSERT INTO exchange_licenseusage (month, type_code, channel, department, matter, use_count, measured_at)
SELECT date_trunc('month', r.requested_at AT TIME ZONE 'Asia/Shanghai')::date, g.type_code, '{calls.PREFIX}' || r.mode,
    coalesce(d.name, ''), coalesce((SELECT m.name FROM exchange_matter m WHERE m.code = r.matter AND m.state = 'PUBLISHED' LIMIT 1),
    r.matter, ''), count(*), %(now)s
FROM json_to_recordset(%(grants)s) AS g (id bigint, type_code text) JOIN exchange_callrecord r ON r.grant_id = g.id
LEFT JOIN core_department d ON d.id = r.department_id
WHERE r.requested_at >= %(since)s AND r.outcome = ANY (%(answered)s) AND (r.row_count > 0 OR r.mode = ANY (%(whole)s))
    AND NOT {calls.HANDED}
GROUP BY 1, 2, 3, 4, 5"""


@transaction.atomic
def measure(*, now: datetime) -> int:
    """Count everything anew; return how many lines of held licenses there are. A second one at a time waits for the first."""
    today = now.astimezone(SHANGHAI).date()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20min'")  # a whole city
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange_licensefigure'))")
        for model in (LicenseFigure, LicenseCoverage):
            model._default_manager.all().delete()
        cursor.execute(_FIGURES, {"now": now, "since": month_start(today, MONTHS)})
        lines = int(cursor.rowcount)
        for expected in RULES:
            for type_code in expected.types:
                _cover(cursor, expected, type_code, now)
        _count_uses(cursor, month_start(today, USE_MONTHS), now)
    return lines


def _count_uses(cursor: Any, first: date, now: datetime) -> None:
    """Count uses and calls. Calls of months that are no longer at hand stay as they were counted last."""
    called = max(first, retention.hot_since(now))
    kept = LicenseUsage.objects.filter(channel__startswith=calls.PREFIX, month__gte=first, month__lt=called)
    LicenseUsage.objects.exclude(pk__in=kept.values("pk")).delete()
    cursor.execute(_USES, {"now": now, "since": _midnight(first)})
    named = [(grant.pk, calls.types_of(grant) or []) for grant in calls.grants().select_related("resource__binding")]
    grants = [{"id": pk, "type_code": types[0] if len(types) == 1 else ""} for pk, types in named]
    values = {"grants": json.dumps(grants), "answered": list(sides.ANSWERED), "whole": list(calls.WHOLE)}
    cursor.execute(_CALLS, {**values, "now": now, "since": _midnight(called)})


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def _cover(cursor: Any, expected: Expected, type_code: str, now: datetime) -> None:
    cursor.execute(
        f"""INSERT INTO exchange_licensecoverage (type_code, rule, expected, held, measured_at)
        SELECT %(type)s, %(rule)s, count(*), count(h.subject_key), %(now)s
        FROM {expected.table} s LEFT JOIN (
            SELECT DISTINCT l.subject_key FROM basedb_license l WHERE l.type_code = %(type)s AND {_LIVE}
        ) h ON h.subject_key = s.subject_key
        WHERE s.withdrawn_at IS NULL AND {expected.condition}""",
        {"type": type_code, "rule": expected.rule, "now": now},
    )
