"""Asking what is known of licenses to be (签发核查): are the holders there, is the number free, is there such a license already.

Set-based: a draft asks the same statements as two thousand rows of a batch. Whoever issues holds `lock` until the commit, so that
two who issue at once do not miss each other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from basedb.holders import Standing, joins_sql, standing_sql
from basedb.licenses import live_sql
from basedb.sql_text import quote
from licenses.issuing.candidates import Candidate
from licenses.models import License, LicenseState, TypeVersion
from licenses.types.faults import Fault

LIVE_STATES: Final = (LicenseState.VALID, LicenseState.SUSPENDED)
_HOLDERS = f"""
SELECT h.place, h.ordinal, {standing_sql("h")} AS standing
FROM unnest(%s::int[], %s::int[], %s::text[], %s::bytea[], %s::text[]) AS h (place, ordinal, code_type, subject_key, name)
{joins_sql("h")}"""
_NUMBERS = """
SELECT n.place FROM unnest(%s::int[], %s::text[]) AS n (place, number)
JOIN licenses_license l ON l.type_code = %s AND l.issuer_code = %s AND l.number = n.number AND l.is_current AND l.id <> %s"""
_OWN = """
SELECT DISTINCT h.place
FROM unnest(%s::int[], %s::bytea[], %s::text[]) AS h (place, subject_key, face)
JOIN licenses_licenseholder k ON k.subject_key = h.subject_key
JOIN licenses_license l ON l.id = k.license_id AND l.type_code = %s AND l.is_current AND l.state = ANY (%s)
    AND coalesce(l.valid_to, 'infinity') >= %s AND l.id <> %s
WHERE NOT %s OR l.face = h.face::jsonb"""
_OTHERS = """
SELECT DISTINCT h.place
FROM unnest(%s::int[], %s::bytea[], %s::text[]) AS h (place, subject_key, number)
JOIN basedb_license b ON b.subject_key = h.subject_key AND b.type_code = %s AND {live}
    AND b.number NOT IN (h.number, %s) AND NOT EXISTS (SELECT FROM licenses_license l WHERE l.identifier = b.identifier)"""


def lock(*, type_code: str, candidates: Sequence[Candidate], is_batch: bool = False) -> None:
    """Keep others from issuing the same type to the same holders until the commit; a batch keeps everybody from its type."""
    with connection.cursor() as cursor:
        shared = "" if is_batch else "_shared"
        cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(hashtextextended(%s, 5))", [f"licenses.issue:{type_code}"])
        if not is_batch:
            keys = sorted({holder.key.hex() for candidate in candidates for holder in candidate.holders})
            for key in keys:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", [f"licenses.issue:{type_code}:{key}"])


def known_faults(
    candidates: Sequence[Candidate], *, version: TypeVersion, issuer_code: str, today: date, supersedes: License | None = None
) -> Mapping[int, list[Fault]]:
    """Return by place what speaks against issuing; those of wrong codes are not asked about."""
    faults: dict[int, list[Fault]] = defaultdict(list)
    _ask_holders(candidates, faults)
    previous = supersedes.pk if supersedes else 0
    _ask_numbers(candidates, faults, [version.code, issuer_code, previous])
    _ask_licenses(candidates, faults, version, today, supersedes)
    _compare(candidates, faults, is_repeatable=version.is_repeatable)
    return faults


def _ask_holders(candidates: Sequence[Candidate], faults: dict[int, list[Fault]]) -> None:
    asked = [(c.place, n, h) for c in candidates for n, h in enumerate(c.holders, start=1) if h.key]
    columns = [
        [place for place, _n, _h in asked], [number for _p, number, _h in asked], [holder.code_type for _p, _n, holder in asked],
        [holder.key for _p, _n, holder in asked], [holder.name for _p, _n, holder in asked],
    ]  # fmt: skip
    for place, number, standing in _rows(_HOLDERS, columns) if asked else ():
        if standing != Standing.FINE:
            field = "name" if standing == Standing.NAME else "code"
            faults[place].append(Fault(f"holders[{number}].{field}", f"holder.{standing.lower()}", _said(Standing(standing))))


def _said(standing: Standing) -> str:
    match standing:
        case Standing.UNKNOWN:
            return _("基础库中没有这个持证主体代码，请核对代码，或先由登记部门归集。")
        case Standing.NAME:
            return _("持证主体名称与基础库登记的不一致，请核对姓名（名称）与代码。")
        case Standing.DEAD:
            return _("基础库登记该人已死亡，不能签发。")
        case _:
            return _("基础库登记该主体已注销、撤销或被吊销，不能签发。")


def _ask_numbers(candidates: Sequence[Candidate], faults: dict[int, list[Fault]], of: list[Any]) -> None:
    numbered = [candidate for candidate in candidates if candidate.number]
    columns: list[Any] = [[c.place for c in numbered], [c.number for c in numbered], *of]
    for (place,) in _rows(_NUMBERS, columns) if numbered else ():
        faults[place].append(Fault("number", "number.taken", _("这个证照编号已用于本机构签发的另一份证照，请核对编号。")))


def _ask_licenses(
    candidates: Sequence[Candidate], faults: dict[int, list[Fault]], version: TypeVersion, today: date, supersedes: License | None
) -> None:
    keyed = [(candidate, holder) for candidate in candidates for holder in candidate.holders if holder.key]
    if not keyed:
        return
    places, keys = [candidate.place for candidate, _h in keyed], [holder.key for _c, holder in keyed]
    several, type_code = version.is_repeatable, version.code
    previous = supersedes.pk if supersedes else 0
    faces = [_json(candidate.face) if several else "{}" for candidate, _h in keyed]
    own = [places, keys, faces, type_code, list(LIVE_STATES), today, previous, several]
    found = {place for (place,) in _rows(_OWN, own)}
    if not several:
        numbers = [candidate.number for candidate, _h in keyed]
        others = _OTHERS.format(live=live_sql("b", f"DATE {quote(today.isoformat())}"))
        found |= {place for (place,) in _rows(others, [places, keys, numbers, type_code, supersedes.number if supersedes else ""])}
    for place in sorted(found):
        text = _("持证主体已有同类型的有效证照，请办理变更、延续或补发，不能重复签发。")
        faults[place].append(Fault("holders", "license.already_held", text))


def _compare(candidates: Sequence[Candidate], faults: dict[int, list[Fault]], *, is_repeatable: bool) -> None:
    """Rows that are after what an earlier good row of the set gets: its number or, where only one is held, its holder."""
    numbers: dict[str, int] = {}
    holders: dict[bytes, int] = {}
    for candidate in candidates:
        if candidate.place in faults:
            continue
        keys = [] if is_repeatable else [holder.key for holder in candidate.holders]
        earlier = numbers.get(candidate.number)
        if candidate.number and earlier is not None:
            text = _("证照编号与本批第 %(line)d 行重复。") % {"line": earlier}
            faults[candidate.place].append(Fault("number", "number.twice", text))
        elif twice := [holders[key] for key in keys if key in holders]:
            text = _("持证主体与本批第 %(line)d 行相同，这类证照同一主体只能有一份。") % {"line": twice[0]}
            faults[candidate.place].append(Fault("holders", "holder.twice_in_batch", text))
        else:
            numbers[candidate.number] = candidate.place
            holders |= dict.fromkeys(keys, candidate.place)


def _json(face: Mapping[str, str]) -> str:
    return json.dumps(dict(face), ensure_ascii=False)


def _rows(sql: str, values: Collection[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
