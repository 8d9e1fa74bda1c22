"""`quality.population`: all standard quality rules over a population, against one scan that touches every column.

The yardstick `scan` adds up the length of every column's text over the same rows. Both are queries of one connection with the
cluster's own settings. QUALITY_ROWS sets how many people there are (a million; a city has 4.12).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import datetime

from bench import frame

ROWS = int(os.environ.get("QUALITY_ROWS", "1000000"))
DIRTY_EVERY = 50
FILL = """
INSERT INTO basedb_person (subject_key, source_department_id, source_record_id, run_id, version, citizen_id, name, former_name, sex,
    ethnicity, birth_on, person_status, region_code, address, household_head, household_relation, marital_status, phone)
SELECT int8send(n) || int8send(n), %(department)s + n %% 2, n, 1, 1,
    body || substr('10X98765432', mod(total, 11)::integer + 1, 1), '张' || n, NULL,
    CASE WHEN n %% %(dirty)s = 0 THEN '9' WHEN (n / 28000) %% 2 = 1 THEN '1' ELSE '2' END, lpad((n %% 56 + 1)::text, 2, '0'),
    born, '0', '3201' || lpad((n %% 18 + 2)::text, 2, '0'),
    '南京市玄武区珠江路' || n %% 900 || '号' || n %% 30 || '栋' || n %% 2600 || '室',
    '张' || n - n %% 4, '01', '20', '139' || lpad(n::text, 8, '0')
FROM (
    SELECT n, born, '99010' || (n %% 9 + 1) || to_char(born, 'YYYYMMDD') || lpad((n / 28000)::text, 3, '0') AS body
    FROM (SELECT n, date '1945-01-01' + (n %% 28000)::integer AS born FROM generate_series(1, %(rows)s::bigint) n) d) p,
LATERAL (SELECT sum(substr(body, i, 1)::int * (ARRAY[7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2])[i]) AS total
    FROM generate_series(1, 17) i) t
"""


def run() -> Iterable[dict[str, object]]:
    """Yield the rate of a whole check and how it stands to the scan."""
    from django.utils import timezone

    from basedb.dictionary import DATASETS
    from basedb.models import QualityRule, RuleKind
    from basedb.quality import checking, rulebook

    now, dataset = timezone.now(), DATASETS["population.person"]
    frame.say(f"Filling {ROWS:,} people ...")
    _fill()
    rulebook.load_standard_rules(now=now)
    rules = list(QualityRule.objects.filter(dataset=dataset.code).exclude(kind=RuleKind.MEASURE))
    frame.say(f"{len(rules)} rules")

    def check() -> float:
        started = time.perf_counter()
        found = checking.look(dataset, rules, rows="b.withdrawn_at IS NULL", now=now)
        seconds = time.perf_counter() - started
        if found.rows != ROWS or found.errors:
            raise RuntimeError(f"the check did not see what it should: {found.rows} rows, {found.errors}")
        return ROWS / seconds

    medians = frame.in_turn({"check": check, "scan": lambda: _scan(dataset.field_names, now)})
    yield frame.figure("quality.population", medians["check"], "rows/s", scan=medians["check"] / medians["scan"])


def _fill() -> None:
    from django.db import connection

    from core.models import Department, Region

    region = Region.objects.create(code="3201", name="南京市", level="CITY")
    codes = [f"3201{number:02d}" for number in range(2, 20)]
    Region.objects.bulk_create(Region(code=code, name=code, level="COUNTY", parent=region) for code in codes)
    first, _second = (
        Department.objects.create(code=f"11320100000000000{number}", name=f"局{number}", short_name=f"局{number}", region=region)
        for number in range(2)
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"department": first.pk, "rows": ROWS, "dirty": DIRTY_EVERY})
        cursor.execute("VACUUM ANALYZE basedb_person")


def _scan(fields: tuple[str, ...], _now: datetime) -> float:
    """Touch every column of every row once."""
    from django.db import connection

    columns = ("subject_key", "source_department_id", "source_record_id", "run_id", "version", "changed_at", "doubtful", *fields)
    touched = ", ".join(f"sum(length({column}::text))" for column in columns)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {touched} FROM basedb_person")
        cursor.fetchone()
    return ROWS / (time.perf_counter() - started)
