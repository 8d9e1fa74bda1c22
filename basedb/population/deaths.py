"""Deaths and the golden row (死亡投影): a person a department reports dead is dead in the base, whoever reported it.

The state in the records of the person stays what the sources say; over it lies the standing death event, in the projection
itself, so that a rebuild finds nothing to change. Of people who were merged a death under any of their identifiers counts. When no
department reports the death any more, the row is projected anew from its records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection

from basedb.dictionary import PERSON
from basedb.dossier.facts import FactRow
from basedb.followers import Touched
from basedb.fusion import projecting
from basedb.fusion.linking import merged_keys_sql
from basedb.fusion.reading import Candidate, Golden, GoldenValue
from basedb.models import MatchTier
from basedb.rules.stored import DEAD

OVERLAY = projecting.Overlay(
    join=f"""
        LEFT JOIN LATERAL (
            SELECT true AS is_reported, min(v.occurred_on) AS died_on
            FROM (SELECT s.entity_key AS key UNION ALL {merged_keys_sql("s.entity_key")}) k CROSS JOIN LATERAL (
                SELECT v.occurred_on FROM basedb_vitalevent v
                WHERE v.subject_key = k.key AND v.vital_event = '20' AND v.withdrawn_at IS NULL OFFSET 0
            ) v HAVING count(*) > 0
        ) death ON true""",
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


def over(golden: Golden, events: Sequence[FactRow]) -> Golden:
    """Return what is read of a person with a reported death over it, as it lies over the golden row; `events` are vital events."""
    reported = [row for row in events if row.values.get("vital_event") == "20"]
    if not reported:
        return golden
    first = min(reported, key=lambda row: row.values.get("occurred_on", ""))
    values = {**golden.values, "person_status": _said(golden.values["person_status"], DEAD, first)}
    if values["died_on"].value is None:
        values["died_on"] = _said(values["died_on"], first.values.get("occurred_on", ""), first)
    return replace(golden, values=values)


def _said(value: GoldenValue, text: str, row: FactRow) -> GoldenValue:
    if value.value == text:
        return value
    chosen = Candidate(
        value=text,
        department_id=row.department_id,
        department=row.department,
        source=row.source,
        record_id=row.record_id,
        chain=row.record_id,
        received_at=row.received_at,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        tier=MatchTier.EXACT,
        is_chosen=True,
    )
    others = tuple(replace(candidate, is_chosen=False) for candidate in value.candidates)
    return replace(value, value=text, chosen=chosen, is_doubtful=False, candidates=(chosen, *others))


def follow_vital_events(touched: Touched) -> None:
    """Project the people anew whose death is reported or no longer reported; projection lays the death over them.

    Whose number was merged into another person's is projected with that person.
    """
    mine = f"{touched.table}_dead"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS {mine};
            CREATE TEMPORARY TABLE {mine} ON COMMIT DROP AS
            SELECT t.subject_key FROM {touched.table} t
            WHERE EXISTS (SELECT FROM basedb_vitalevent v WHERE v.subject_key = t.subject_key AND v.vital_event = '20')"""
        )
    project_people(mine, touched.now)


def project_people(table: str, now: datetime) -> None:
    """Bring the golden rows of the people in a temporary table up to their records and deaths."""
    projecting.project(PERSON, touched=table, run_id=None, now=now)
