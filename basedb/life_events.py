"""Life events as they are announced and taken back (生命事件联动), set-based, in the transaction of the records they follow from.

What is announced is a function of the facts as they stand: a second report of a death, by the same department or another, says
nothing new; when the last report is gone the announcement is withdrawn. Deaths and ends of entities always go out, other kinds
from when a department subscribes to them. Who is told what is a subscription; what has to be looked at again, `holdings_of`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from basedb import holdings_of
from basedb.followers import Touched
from basedb.models.life_events import LifeEventKind
from basedb.sql_text import quote
from core.notifications import notify_role
from core.roles import Role

PAGE: Final = "/life-events/"
ENDS: Final = (LifeEventKind.DEATH, LifeEventKind.CANCELLED, LifeEventKind.REVOKED)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('basedb_lifeevent'))"  # the last lock of every transaction that takes it
_ONCE_A_LIFE: Final = "('10', '20')"
# What each kind is announced from: the standing facts of a person, or the state of an entity.
_PERSON_EVENTS: Final = """
    SELECT DISTINCT ON (v.subject_key, v.vital_event, day) v.subject_key, v.vital_event AS kind, v.occurred_on,
        CASE WHEN v.vital_event IN ('10', '20') THEN NULL ELSE v.occurred_on END AS day, v.source_department_id, v.source_record_id
    FROM basedb_vitalevent v WHERE v.subject_key IN (SELECT subject_key FROM {touched}) AND v.withdrawn_at IS NULL
    ORDER BY v.subject_key, v.vital_event, day, v.source_record_id"""
_ENTITY_EVENTS: Final = """
    SELECT e.subject_key, CASE WHEN e.registration_state IN ('3', '4') THEN 'C4' ELSE 'C2' END AS kind,
        coalesce(e.cancelled_on, current_date) AS occurred_on, NULL::date AS day, e.source_department_id, e.source_record_id
    FROM basedb_legalentity e
    WHERE e.subject_key IN (SELECT subject_key FROM {touched}) AND e.withdrawn_at IS NULL
    AND e.registration_state IN ('2', '3', '4')"""
# When the row behind an event first came: what was known before somebody subscribed is no news to them.
_FIRST_HEARD: Final = """(SELECT min(v.received_at) FROM basedb_sourcerecord v WHERE v.chain = (
                    SELECT r.chain FROM basedb_sourcerecord r WHERE r.id = n.source_record_id))"""
_PERSON_KINDS: Final = "kind IN ('10', '20', '30', '40', '50', '51')"
_ENTITY_KINDS: Final = "kind IN ('C2', 'C4')"


def follow_people(touched: Touched) -> None:
    """Announce and withdraw the events of people whose vital events changed."""
    _follow(touched, _PERSON_EVENTS, _PERSON_KINDS)


def follow_entities(touched: Touched) -> None:
    """Announce entities that were struck off or cancelled (吊销, 注销), and take back what was corrected."""
    _follow(touched, _ENTITY_EVENTS, _ENTITY_KINDS)


def _follow(touched: Touched, standing: str, kinds: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute(_announce_sql(touched.table, standing.format(touched=touched.table), kinds))
        events = [row[0] for row in cursor.fetchall()]
        if not events:
            return
        cursor.execute(
            "INSERT INTO basedb_lifeeventnotice (event_id, department_id) SELECT e.id, s.department_id FROM basedb_lifeevent e"
            " JOIN basedb_lifeeventsubscription s ON s.kind = e.kind AND s.is_active WHERE e.id = ANY (%s)"
            " ON CONFLICT DO NOTHING RETURNING department_id",
            [events],
        )
        told: dict[int, int] = {}
        for (department,) in cursor.fetchall():
            told[department] = told.get(department, 0) + 1
    follow_holdings(touched)
    _tell(told, touched.now)


def _announce_sql(touched: str, standing: str, kinds: str) -> str:
    """What stands and is not announced goes out, what is announced and does not stand is withdrawn; nothing else."""
    wanted = ", ".join(quote(kind) for kind in ENDS)
    day = f"CASE WHEN kind IN {_ONCE_A_LIFE} OR kind LIKE 'C%' THEN NULL ELSE occurred_on END"
    return f"""
        WITH standing AS MATERIALIZED ({standing}),
        said AS MATERIALIZED (
            SELECT DISTINCT ON (subject_key, kind, day) * FROM (
                SELECT *, {day} AS day FROM basedb_lifeevent
                WHERE subject_key IN (SELECT subject_key FROM {touched}) AND {kinds}
            ) e ORDER BY subject_key, kind, day, turn DESC, id DESC
        )
        INSERT INTO basedb_lifeevent (kind, subject_key, occurred_on, turn, source_department_id, source_record_id)
        SELECT n.kind, n.subject_key, n.occurred_on, coalesce(l.turn, 0) + 1, n.source_department_id, n.source_record_id
        FROM standing n LEFT JOIN said l ON l.subject_key = n.subject_key AND l.kind = n.kind AND l.day IS NOT DISTINCT FROM n.day
        WHERE mod(coalesce(l.turn, 0), 2) = 0 AND (n.kind IN ({wanted})
            OR EXISTS (SELECT FROM basedb_lifeeventsubscription s WHERE s.kind = n.kind AND s.is_active AND (
                l.turn IS NOT NULL OR s.created_at <= {_FIRST_HEARD})))
        UNION ALL
        SELECT l.kind, l.subject_key, l.occurred_on, l.turn + 1, l.source_department_id, l.source_record_id
        FROM said l WHERE mod(l.turn, 2) = 1 AND NOT EXISTS (
            SELECT FROM standing n WHERE n.subject_key = l.subject_key AND n.kind = l.kind AND n.day IS NOT DISTINCT FROM l.day)
        ORDER BY 2, 1
        RETURNING id"""


def follow_holdings(touched: Touched) -> None:
    """Mark what the dead and the ended still hold, whichever came first, and close the marks of what they no longer do.

    A revoked entity still exists: nothing of it is marked.
    """
    standing = f"""
        SELECT id, subject_key FROM (
            SELECT DISTINCT ON (subject_key, kind) id, subject_key, turn FROM basedb_lifeevent
            WHERE kind IN ('20', 'C4') AND subject_key IN (SELECT subject_key FROM {touched.table})
            ORDER BY subject_key, kind, turn DESC, id DESC
        ) e WHERE mod(turn, 2) = 1"""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)  # a death and a benefit that arrive at the same moment see each other
        for holding in holdings_of.all_holdings():
            held = f"SELECT e.id, h.* FROM ({standing}) e JOIN ({holding.live_sql}) h ON h.subject_key = e.subject_key"
            cursor.execute(
                f"""
                UPDATE basedb_reviewmark m SET closed_at = %s
                WHERE m.closed_at IS NULL AND m.holding = %s AND m.subject_key IN (SELECT subject_key FROM {touched.table})
                AND m.row_key NOT IN (SELECT row_key FROM ({held}) h)""",
                [touched.now, holding.code],
            )
            cursor.execute(
                f"""
                INSERT INTO basedb_reviewmark (event_id, subject_key, holding, row_key, owner_id)
                SELECT id, subject_key, %s, row_key, owner_id FROM ({held}) h ON CONFLICT DO NOTHING""",
                [holding.code],
            )


def _tell(told: dict[int, int], now: datetime) -> None:
    for department, count in sorted(told.items()):
        notify_role(
            Role.OPERATOR,
            department_id=department,
            title=_("收到 %(count)d 条生命事件") % {"count": count},
            body=_("请核对本部门的待遇、登记和证照并签收。"),
            path=PAGE,
            now=now,
        )
