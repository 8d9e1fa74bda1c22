"""Ordinary calls on the licenses of the city (证照共享调用), read from the call records: they say who, when, which items, for what.

Nothing is written twice. Presenting and matters leave a use record in the transaction of their call; such calls are told by
those and left out here. A record names a holder and not which licenses were read: of what types is what the grant allows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from basedb.dictionary.licenses import LICENSE
from catalog.models import SharingMode
from exchange import finding
from exchange.finding import Place
from exchange.models import CallRecord, Grant
from exchange.statistics import sides
from licenses.models import LicenseUse

CHANNELS: Final = {
    SharingMode.QUERY: _("共享查询"),
    SharingMode.VERIFY: _("共享核验"),
    SharingMode.BULK: _("整批提供"),
    SharingMode.SUBSCRIBE: _("订阅提供"),
}
PREFIX: Final = "CALL_"  # of their channels in statistics
WHOLE: Final = (SharingMode.BULK, SharingMode.SUBSCRIBE)
LOOKED_AT: Final = 500  # calls, in one statement
ROUNDS: Final = 10
ISSUED: Final = """l.issuer_code = %(issuer)s AND starts_with(l.region_code, g.prefix)
        AND (g.types IS NULL OR l.type_code = ANY (g.types))
        AND l.issued_on <= (r.requested_at AT TIME ZONE 'Asia/Shanghai')::date"""
# Of an issuer: calls about somebody who holds a license of it, or that copied all there are.
REACHES: Final = f"""
CASE WHEN r.mode = ANY (%(whole)s) THEN g.types IS NULL OR g.types && %(kept)s
    WHEN r.subject_key IS NOT NULL THEN EXISTS (SELECT FROM basedb_license l WHERE l.subject_key = r.subject_key AND {ISSUED})
    ELSE EXISTS (
        SELECT FROM exchange_callsubjects s, unnest(s.subject_keys) AS k (key)
            JOIN basedb_license l ON l.subject_key = uuid_send(k.key)
        WHERE s.requested_at = r.requested_at AND s.consumer_id = r.consumer_id AND s.call_id = r.call_id AND {ISSUED}) END"""
HANDED: Final = "EXISTS (SELECT FROM licenses_licenseuse u WHERE u.xid = r.xid AND u.call_id = r.call_id)"
# Each grant's newest calls by the index (grant, time), then the newest of all: as much is read as is looked at.
NEWEST: Final = """
SELECT r.requested_at, r.consumer_id, r.call_id,
    (r.row_count > 0 OR r.mode = ANY (%(whole)s)) AND NOT {handed} AND {reaches}
FROM (
    SELECT c.*, g.prefix, g.types
    FROM json_to_recordset(%(grants)s) AS g (id bigint, prefix text, types text[]) CROSS JOIN LATERAL (
        SELECT requested_at, consumer_id, call_id, grant_id, mode, subject_key, row_count, xid FROM exchange_callrecord
        WHERE grant_id = g.id AND outcome = ANY (%(answered)s) AND requested_at >= %(since)s AND {beyond}
        ORDER BY requested_at DESC, consumer_id DESC, call_id DESC LIMIT %(size)s) AS c
    ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT %(size)s
) AS r CROSS JOIN LATERAL (SELECT r.prefix, r.types) AS g ORDER BY 1 DESC, 2 DESC, 3 DESC"""
BEYOND: Final = "(requested_at, consumer_id, call_id) < (%(at)s, %(consumer)s, %(call)s) AND requested_at <= %(at)s"


@dataclass(frozen=True, slots=True)
class Looked:
    """Calls found, newest first, and how far was looked: None when there is nothing further."""

    records: Sequence[CallRecord]
    through: Place | None = None


def grants() -> QuerySet[Grant]:
    """Return the grants on resources mounted on the licenses of the city, those that ended among them."""
    return Grant.objects.filter(resource__binding__dataset=LICENSE.code)


def types_of(grant: Grant) -> list[str] | None:
    """Return the types a grant's row filter names, None when it names none. Needs `resource__binding`."""
    columns: Mapping[str, str] = grant.resource.binding.columns
    named = [
        set(map(str, rule["values"]))
        for rule in grant.row_filter
        if rule.get("kind") == "list" and columns.get(rule["item"]) == "type_code"
    ]
    return sorted(set.intersection(*named)) if named else None


def about(subject_key: bytes, *, since: datetime, after: Place | None, size: int) -> list[CallRecord]:
    """Return the answered calls about a holder, newest first: by the index that finds the calls about a subject."""
    served = set(grants().values_list("pk", flat=True))
    found: list[CallRecord] = []
    while len(found) < size:
        looked = finding.about(subject_key, since=since, after=after, size=LOOKED_AT)
        found += _not_handed([record for record in looked if record.grant_id in served])
        if len(looked) < LOOKED_AT:
            break
        after = finding.place_of(looked[-1])
    return found[:size]


def _not_handed(records: Sequence[CallRecord]) -> list[CallRecord]:
    """Return the calls that have no use records of their own; those stand in the transaction of the call."""
    told = set(
        LicenseUse.objects.filter(xid__in={record.xid for record in records}).values_list("xid", "call_id") if records else ()
    )
    return [record for record in records if (record.xid, record.call_id) not in told]


def newest(
    *, since: datetime, after: Place | None, size: int, issuer: str = "", kept: Sequence[str] = (), type_code: str = ""
) -> Looked:
    """Return the calls that handed something over, of everybody or about holders of an issuer's licenses.

    So many calls are looked at and no more: what was found may be less than asked for. `kept` are the types of the issuer.
    """
    values: dict[str, Any] = {
        "grants": json.dumps(_scopes(type_code)), "answered": list(sides.ANSWERED), "whole": list(WHOLE), "since": since,
        "size": LOOKED_AT, "issuer": issuer, "kept": list(kept),
    }  # fmt: skip
    fitting: list[Place] = []
    for _round in range(ROUNDS):
        places = _places(values, after, issuer)
        fitting += [place for place, fits in places if fits]
        after = places[-1][0] if len(places) == LOOKED_AT else None
        if after is None or len(fitting) >= size:
            break
    if len(fitting) > size:
        fitting, after = fitting[:size], fitting[size - 1]
    found = CallRecord.objects.filter(pk__in=fitting) if fitting else CallRecord.objects.none()
    return Looked(sorted(found, key=finding.place_of, reverse=True), after)


def _scopes(type_code: str) -> list[dict[str, Any]]:
    """Return which licenses each grant reaches; of a type, the grants that may reach it."""
    found = [(grant, types_of(grant)) for grant in grants().select_related("resource__binding")]
    return [
        {"id": grant.pk, "prefix": grant.region_prefix, "types": types}
        for grant, types in found
        if not type_code or types is None or type_code in types
    ]


def _places(values: Mapping[str, Any], after: Place | None, issuer: str) -> list[tuple[Place, bool]]:
    """Return the next calls and whether they are to be told."""
    place: dict[str, Any] = {"at": after[0], "consumer": after[1], "call": after[2]} if after else {}
    sql = NEWEST.format(handed=HANDED, reaches=REACHES if issuer else "true", beyond=BEYOND if after else "true")
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, **place})
        return [((at, consumer, call), bool(fits)) for at, consumer, call, fits in cursor.fetchall()]
