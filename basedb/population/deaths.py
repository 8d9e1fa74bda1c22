"""Deaths and the golden row (死亡投影): a person a department reports dead is dead in the base, whoever reported it.

The state in the records of the person stays what the sources say; over it lies the standing death event, in the projection
itself, so that a rebuild finds nothing to change. When no department reports the death any more, the row is projected anew from its
records.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from basedb.dictionary import PERSON
from basedb.followers import Touched
from basedb.fusion import projecting
from basedb.rules.stored import DEAD

OVERLAY = projecting.Overlay(
    join=(
        "LEFT JOIN LATERAL (SELECT true AS is_reported, min(v.occurred_on) AS died_on FROM basedb_vitalevent v"
        " WHERE v.subject_key = s.entity_key AND v.vital_event = '20' AND v.withdrawn_at IS NULL HAVING count(*) > 0) death ON true"
    ),
    values={
        "person_status": f"CASE WHEN death.is_reported THEN '{DEAD}' ELSE {{chosen}} END",
        "died_on": "CASE WHEN death.is_reported THEN coalesce({chosen}, death.died_on) ELSE {chosen} END",
    },
)


def overlay(touched: Touched) -> None:
    """Lay standing death events over golden rows that were added without a look at them; doing it again changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {PERSON.table} p SET person_status = %s, died_on = coalesce(p.died_on, d.died_on), version = p.version + 1,
                changed_at = %s, changed_xid = pg_current_xact_id()
            FROM (
                SELECT v.subject_key, min(v.occurred_on) AS died_on FROM basedb_vitalevent v
                WHERE v.vital_event = '20' AND v.withdrawn_at IS NULL AND v.subject_key IN (SELECT subject_key FROM {touched.table})
                GROUP BY v.subject_key
            ) d
            WHERE p.subject_key = d.subject_key AND p.withdrawn_at IS NULL AND (p.person_status <> %s OR p.died_on IS NULL)""",
            [DEAD, touched.now, DEAD],
        )


def follow_vital_events(touched: Touched) -> None:
    """Project the people anew whose death is reported or no longer reported; projection lays the death over them.

    The lock comes before the look: a person who is just being added elsewhere is there after it.
    """
    projecting.lock(PERSON)
    mine = f"{touched.table}_dead"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS {mine};
            CREATE TEMPORARY TABLE {mine} ON COMMIT DROP AS
            SELECT t.subject_key FROM {touched.table} t JOIN {PERSON.table} p ON p.subject_key = t.subject_key
            WHERE EXISTS (SELECT FROM basedb_vitalevent v WHERE v.subject_key = t.subject_key AND v.vital_event = '20')"""
        )
    project_people(mine, touched.now)


def project_people(table: str, now: datetime) -> None:
    """Bring the golden rows of the people in a temporary table up to their records and deaths."""
    projecting.project(PERSON, touched=table, run_id=None, now=now)
