"""Checking entities against other bases (法人数据校验): who else says the same, and what speaks against it. Never delivered.

After GLEIF's model the outcome stands apart from the state of registration. Bases that know more - bans, live licenses - register a
doubt: an SQL condition over the entity `e` and its representative `p`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from basedb.dictionary import PERSON, Source, Subject
from basedb.dictionary.legal_entity_facts import (
    INSURANCE_REGISTRATION,
    LEGACY_IDENTIFIER,
    QUALIFICATION,
    TAX_REGISTRATION,
)
from basedb.fusion.linking import MERGE
from basedb.fusion.names import normalized_sql
from basedb.links import identifier_of
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

CHUNK: Final = 20_000
_TABLE: Final = "entity_check"
_OURS: Final = "f.subject_key = e.subject_key AND f.withdrawn_at IS NULL"
# 注销 ends an entity and what it holds; 吊销 takes the license of business, the entity is still to be wound up.
ENDED: Final = "e.registration_state IN ('3', '4')"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may speak against an entity: a condition over `e` (the entity) and `p` (its representative, null when unknown)."""

    code: str
    title: _StrPromise
    condition: str


_doubts: dict[str, Doubt] = {}


def register(doubts: Iterable[Doubt]) -> None:
    """Have more doubts looked into; called from `AppConfig.ready()`."""
    _doubts.update((doubt.code, doubt) for doubt in doubts)


def title_of(code: str) -> str:
    """Return the sentence of a reason, or its code when nobody registered it."""
    return str(_doubts[code].title) if code in _doubts else code


def _live(table: str, condition: str) -> str:
    return f"{ENDED} AND EXISTS (SELECT FROM {table} f WHERE {_OURS} AND {condition})"


register(
    (
        Doubt(
            "REPRESENTATIVE_UNKNOWN", _("法定代表人不在人口库中"), "c.representative IS NOT NULL AND p.subject_key IS NULL"
        ),
        Doubt("REPRESENTATIVE_DEAD", _("法定代表人已死亡或注销户口"), "p.person_status IN ('1', '9') AND NOT " + ENDED),
        Doubt(
            "REPRESENTATIVE_NAME",
            _("法定代表人姓名与人口库不一致"),
            f"{normalized_sql('p.name')} <> {normalized_sql('e.legal_representative')}",
        ),
        Doubt("ORGANIZATION_CODE", _("组织机构代码与统一社会信用代码不一致"),
              f"EXISTS (SELECT FROM {LEGACY_IDENTIFIER.table} f WHERE {_OURS} AND f.legacy_kind = '2'"
              " AND f.legacy_number <> substr(e.uscc, 9, 9))"),
        Doubt("CANCELLED_WITHOUT_DAY", _("已注销但没有注销日期"), "e.registration_state IN ('3', '4') AND e.cancelled_on IS NULL"),
        Doubt("LIVE_QUALIFICATION", _("注销后仍有有效资质"), _live(QUALIFICATION.table, "f.qualification_state IN ('1', '2')")),
        Doubt("LIVE_TAX_REGISTRATION", _("注销后税务登记仍有效"), _live(TAX_REGISTRATION.table, "f.tax_state <> '4'")),
        Doubt(
            "LIVE_INSURANCE_REGISTRATION", _("注销后仍在参保"), _live(INSURANCE_REGISTRATION.table, "f.insurance_state <> '3'")
        ),
    )
)  # fmt: skip

# The person behind a number: whose it is, or who it was merged into.
_REPRESENTATIVE: Final = f"""coalesce(
                (SELECT n.subject_key FROM basedb_person n WHERE n.subject_key = c.representative AND n.withdrawn_at IS NULL),
                (SELECT x.entity_key FROM basedb_sourcerecord o JOIN basedb_crosswalk x ON x.chain = o.chain
                WHERE o.subject_key = c.representative AND upper_inf(o.known) AND upper_inf(x.linked)
                AND x.dataset = {quote(PERSON.code)} AND x.rule_version = {quote(MERGE)} LIMIT 1))"""
# Departments besides the registrar that know the entity, each with the condition that they do.
_CORROBORATED: Final = (
    (
        Source.PUBLIC_SECURITY,
        f"p.subject_key IS NOT NULL AND {normalized_sql('p.name')} = {normalized_sql('e.legal_representative')}",
    ),
    (Source.TAX, f"EXISTS (SELECT FROM {TAX_REGISTRATION.table} f WHERE {_OURS})"),
    (Source.SOCIAL_SECURITY, f"EXISTS (SELECT FROM {INSURANCE_REGISTRATION.table} f WHERE {_OURS})"),
)


def verify_entities(*, keys: Sequence[bytes] | None, subject_key: Callable[[str], bytes], today: date) -> int:
    """Check the entities of these keys, or all of them, chunk by chunk; return how many outcomes are new or different."""
    changed = 0
    for chunk in _chunks(keys):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {_TABLE} (subject_key bytea, representative bytea) ON COMMIT DELETE ROWS;"
                f" TRUNCATE {_TABLE}"
            )
            cursor.copy_expert(f"COPY {_TABLE} FROM STDIN", _lines(chunk, subject_key))
            cursor.execute(f"ANALYZE {_TABLE}")
            cursor.execute(_outcome_sql(), [today, today])
            changed += cursor.rowcount
    return changed


def _chunks(keys: Sequence[bytes] | None) -> Iterator[list[tuple[int, bytes, str]]]:
    """Entities in the order of their ids, with the paper number of their representative."""
    last = 0
    chosen = "" if keys is None else " AND subject_key = ANY (%s)"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, subject_key, coalesce(legal_representative_id, '') FROM basedb_legalentity"
                f" WHERE id > %s AND withdrawn_at IS NULL{chosen} ORDER BY id LIMIT %s",
                [last, *([] if keys is None else [list(keys)]), CHUNK],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield rows


def _lines(chunk: Sequence[tuple[int, Any, str]], subject_key: Callable[[str], bytes]) -> io.StringIO:
    lines = io.StringIO()
    for _id, key, paper in chunk:
        person = identifier_of(Subject.PERSON, paper)
        representative = f"\\\\x{subject_key(person).hex()}" if person else "\\N"
        lines.write(f"\\\\x{bytes(key).hex()}\t{representative}\n")
    lines.seek(0)
    return lines


def _outcome_sql() -> str:
    reasons = ", ".join(f"CASE WHEN ({doubt.condition}) THEN {quote(doubt.code)} END" for _code, doubt in sorted(_doubts.items()))
    sources = ", ".join(f"CASE WHEN ({condition}) THEN {quote(source)} END" for source, condition in _CORROBORATED)
    full = len(_CORROBORATED)
    return f"""
        INSERT INTO basedb_entityverification AS v (subject_key, corroboration, state, validated_by, reasons, checked_on)
        SELECT o.subject_key,
            CASE cardinality(o.sources) WHEN {full} THEN 'FULLY' WHEN 0 THEN 'REGISTRAR_ONLY' ELSE 'PARTIALLY' END,
            CASE WHEN o.reasons = '{{}}' THEN 'CONFORMING' ELSE 'QUESTIONED' END, o.sources, o.reasons, %s
        FROM (
            SELECT e.subject_key, array_remove(ARRAY[{sources}]::text[], NULL) AS sources,
                array_remove(ARRAY[{reasons}]::text[], NULL) AS reasons
            FROM {_TABLE} c JOIN basedb_legalentity e ON e.subject_key = c.subject_key
            LEFT JOIN LATERAL (SELECT {_REPRESENTATIVE} AS key) r ON true
            LEFT JOIN basedb_person p ON p.subject_key = r.key AND p.withdrawn_at IS NULL
        ) o
        ON CONFLICT (subject_key) DO UPDATE SET corroboration = excluded.corroboration, state = excluded.state,
            validated_by = excluded.validated_by, reasons = excluded.reasons, checked_on = %s
        WHERE (v.corroboration, v.state, v.validated_by, v.reasons, v.checked_on) IS DISTINCT FROM
            (excluded.corroboration, excluded.state, excluded.validated_by, excluded.reasons, excluded.checked_on)"""
