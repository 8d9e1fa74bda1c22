"""Counting the city's licenses (证照统计任务): one scan for what is held, one a type for coverage, one for uses.

The tables are written as a whole in one transaction; pages and REST read them and count nothing. A row of the license base is a
license of one holder: one with two holders counts twice, and the pages say so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from basedb.licenses import live_sql
from core.calendar import SHANGHAI, month_start
from exchange.license_statistics.expected import RULES, Expected
from exchange.models import LicenseCoverage, LicenseFigure, LicenseUsage

MONTHS: Final = 24  # of issue told apart; older licenses stand in one line
USE_MONTHS: Final = 24
_LIVE: Final = live_sql("l")
_FIGURES: Final = f"""
INSERT INTO exchange_licensefigure (type_code, issuer, region_code, month, total, live, expired, ended, measured_at)
SELECT type_code, issuer, left(region_code, 6), CASE WHEN issued_on >= %(since)s THEN date_trunc('month', issued_on)::date END,
    count(*), count(*) FILTER (WHERE {_LIVE}), count(*) FILTER (WHERE license_state = '01' AND NOT {_LIVE}),
    count(*) FILTER (WHERE license_state <> '01'), %(now)s
FROM basedb_license l WHERE withdrawn_at IS NULL GROUP BY 1, 2, 3, 4"""
_USES: Final = """
INSERT INTO exchange_licenseusage (month, type_code, channel, department, matter, use_count, measured_at)
SELECT date_trunc('month', at AT TIME ZONE 'Asia/Shanghai')::date, type_code, channel, department_name, matter, count(*), %(now)s
FROM licenses_licenseuse WHERE at >= %(since)s GROUP BY 1, 2, 3, 4, 5"""


@transaction.atomic
def measure(*, now: datetime) -> int:
    """Count everything anew; return how many lines of held licenses there are. A second one at a time waits for the first."""
    today = now.astimezone(SHANGHAI).date()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20min'")  # a whole city
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange_licensefigure'))")
        for model in (LicenseFigure, LicenseCoverage, LicenseUsage):
            model._default_manager.all().delete()
        cursor.execute(_FIGURES, {"now": now, "since": month_start(today, MONTHS)})
        lines = int(cursor.rowcount)
        for expected in RULES:
            for type_code in expected.types:
                _cover(cursor, expected, type_code, now)
        since = month_start(today, USE_MONTHS)
        cursor.execute(_USES, {"now": now, "since": datetime(since.year, since.month, 1, tzinfo=SHANGHAI)})
    return lines


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
