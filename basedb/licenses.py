"""Licenses of the whole city (电子证照汇聚): what a holder has, and what in the delivered ones has to be looked at again.

An identifier with a wrong check character, an undefined type and a live license of somebody who is no more are marked for the
department that delivered them; nothing is refused or changed here. Issuing and presenting are not here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import CharField, F, Func, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from basedb import holdings_of
from basedb.dictionary.licenses import LICENSE, LIVE
from basedb.models import License, LicenseReview, MarkKind
from basedb.sql_text import quote

EXPIRED: Final = "EXPIRED"
_SHANGHAI_TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"


def live_sql(row: str, today: str = _SHANGHAI_TODAY) -> str:
    """Whether a license is valid on a day: its state says so, its department still vouches for it and it has not expired."""
    return (
        f"({row}.license_state = {quote(LIVE)} AND {row}.withdrawn_at IS NULL AND coalesce({row}.valid_to, 'infinity') >= {today})"
    )


def begun_sql(row: str, today: str = _SHANGHAI_TODAY) -> str:
    """Whether the validity of a license has begun: one issued ahead exists already, and is used from its first day on."""
    return f"coalesce({row}.valid_from, '-infinity') <= {today}"


def rows_of(identifier: str) -> QuerySet[License]:
    """Return the rows of an identifier, found by the index over its stem: there is none over the whole."""
    stem = Func(F("identifier"), Value(-6), function="LEFT", output_field=CharField())
    return License.objects.alias(stem=stem).filter(stem=identifier[:-6], identifier=identifier)


HOLDING = holdings_of.Holding(
    LICENSE.code,
    _("有效电子证照"),
    f"SELECT l.subject_key, l.row_key, l.source_department_id AS owner_id FROM basedb_license l WHERE {live_sql('l')}",
)

_IDENTIFIER = "l.identifier IS NOT NULL AND NOT basedb_license_identifier_ok(l.identifier)"
_UNKNOWN_TYPE = "NOT EXISTS (SELECT FROM basedb_licensetype t WHERE t.code = l.type_code)"
_MARKED_BY_EVENT = (
    f"EXISTS (SELECT FROM basedb_reviewmark m WHERE m.holding = {quote(LICENSE.code)} AND m.row_key = l.row_key "
    "AND m.closed_at IS NULL)"
)
_DEAD = "SELECT p.subject_key FROM basedb_person p WHERE p.person_status = '9' AND p.withdrawn_at IS NULL"
_CANCELLED = "SELECT e.subject_key FROM basedb_legalentity e WHERE e.registration_state IN ('3', '4') AND e.withdrawn_at IS NULL"
# What is wrong with a license `l`, and whether only those that changed need a look (other tables decide about the rest).
FINDINGS: Final[dict[MarkKind, tuple[str, bool]]] = {
    MarkKind.IDENTIFIER: (_IDENTIFIER, True),
    MarkKind.UNKNOWN_TYPE: (_UNKNOWN_TYPE, True),
    MarkKind.HOLDER_DEAD: (f"{live_sql('l')} AND l.subject_key IN ({_DEAD}) AND NOT {_MARKED_BY_EVENT}", False),
    MarkKind.HOLDER_CANCELLED: (f"{live_sql('l')} AND l.subject_key IN ({_CANCELLED}) AND NOT {_MARKED_BY_EVENT}", False),
}


@transaction.atomic
def review(*, now: datetime) -> dict[str, int]:
    """Mark what has to be looked at and close marks whose reason is gone; return how many were opened by kind.

    Checks of the row alone look at what transactions changed since the last review, none skipped and none lost.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20min'")  # a whole city
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('basedb.license_review'))")
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        horizon = int(cursor.fetchone()[0])
        since = LicenseReview.objects.values_list("through_xid", flat=True).first() or 0
        opened = {kind.value: _mark(cursor, kind, since) for kind in FINDINGS}
    LicenseReview.objects.update_or_create(id=1, defaults={"through_xid": horizon, "done_at": now})
    return opened


def _mark(cursor: Any, kind: MarkKind, since: int) -> int:
    condition, is_incremental = FINDINGS[kind]
    changed = f"AND l.changed_xid >= '{since:d}'::xid8" if is_incremental else ""
    cursor.execute(
        f"""UPDATE basedb_licensemark m SET closed_at = now() FROM basedb_license l
        WHERE m.kind = %s AND m.closed_at IS NULL AND l.row_key = m.row_key {changed}
        AND (l.withdrawn_at IS NOT NULL OR NOT ({condition}))""",
        [kind.value],
    )
    cursor.execute(
        f"""INSERT INTO basedb_licensemark (row_key, kind, source_department_id)
        SELECT l.row_key, %s, l.source_department_id FROM basedb_license l
        WHERE l.withdrawn_at IS NULL AND {condition} {changed} ON CONFLICT DO NOTHING""",
        [kind.value],
    )
    return int(cursor.rowcount)


def licenses_sql(today: date) -> str:
    """The licenses of holders, the live ones first; the parameter is an array of their keys."""
    day = f"DATE {quote(today.isoformat())}"
    expired = f"l.license_state = {quote(LIVE)} AND l.valid_to < {day}"
    return f"""
        SELECT encode(l.row_key, 'hex') AS row_key, l.type_code, coalesce(t.name, l.title) AS type_name, l.title, l.number,
            l.identifier, l.issuer, l.issued_on, l.valid_from, l.valid_to, l.license_version, l.source_record_id,
            l.source_department_id, CASE WHEN {expired} THEN '{EXPIRED}' ELSE l.license_state END AS state,
            {live_sql("l", day)} AS is_live,
            ARRAY(SELECT m.kind FROM basedb_licensemark m WHERE m.row_key = l.row_key AND m.closed_at IS NULL) AS marks
        FROM basedb_license l LEFT JOIN basedb_licensetype t ON t.code = l.type_code AND t.effective @> {day}
        WHERE l.subject_key = ANY (%s) AND l.withdrawn_at IS NULL ORDER BY is_live DESC, l.issued_on DESC, l.row_key"""


def licenses_of(*, subject_key: bytes, today: date) -> list[dict[str, Any]]:
    """Return a holder's licenses in one query, the live ones first: type, number, dates, `state` (`EXPIRED` is computed)."""
    with connection.cursor() as cursor:
        cursor.execute(licenses_sql(today), [[subject_key]])
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
