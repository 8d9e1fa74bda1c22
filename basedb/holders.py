"""Whether those who are to hold something are there (持证主体核对): known by code, of that name, alive, not cancelled.

One SQL expression answers it for one holder and for a batch. What follows from the answer is decided above; no row leaves here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from basedb.fusion.names import normalized_sql
from basedb.sql_text import quote

PERSON: Final = "111"
ENTITY: Final = "001"


class Standing(StrEnum):
    """What keeps somebody from holding anything; FINE is nothing."""

    FINE = "FINE"
    UNKNOWN = "UNKNOWN"
    NAME = "NAME"
    DEAD = "DEAD"
    CANCELLED = "CANCELLED"


# Person states (人员状态): 1 注销, 9 死亡. Registration states (登记状态): 2 and 3 吊销, 4 注销, 5 撤销.
_PERSON_GONE, _PERSON_DEAD = "('1')", "('9')"
_ENTITY_GONE = "('2', '3', '4', '5')"


def standing_sql(holder: str) -> str:
    """The standing of a row `holder` with columns code_type, subject_key and name; needs the joins of `joins_sql`."""
    return f"""CASE
        WHEN {holder}.code_type = {quote(PERSON)} THEN CASE
            WHEN known_person.subject_key IS NULL THEN 'UNKNOWN'
            WHEN NOT ({_same("known_person", holder)}) THEN 'NAME'
            WHEN known_person.person_status IN {_PERSON_DEAD} OR known_person.died_on IS NOT NULL THEN 'DEAD'
            WHEN known_person.person_status IN {_PERSON_GONE} THEN 'CANCELLED'
            ELSE 'FINE' END
        WHEN {holder}.code_type = {quote(ENTITY)} THEN CASE
            WHEN known_entity.subject_key IS NULL THEN 'UNKNOWN'
            WHEN NOT ({_same("known_entity", holder)}) THEN 'NAME'
            WHEN known_entity.registration_state IN {_ENTITY_GONE} OR known_entity.cancelled_on IS NOT NULL THEN 'CANCELLED'
            ELSE 'FINE' END
        ELSE 'UNKNOWN' END"""


def joins_sql(holder: str) -> str:
    """The joins `standing_sql` reads."""
    return (
        f"LEFT JOIN basedb_person known_person ON {holder}.code_type = {quote(PERSON)}"
        f" AND known_person.subject_key = {holder}.subject_key AND known_person.withdrawn_at IS NULL"
        f" LEFT JOIN basedb_legalentity known_entity ON {holder}.code_type = {quote(ENTITY)}"
        f" AND known_entity.subject_key = {holder}.subject_key AND known_entity.withdrawn_at IS NULL"
    )


def _same(known: str, holder: str) -> str:
    return f"{normalized_sql(f'{known}.name')} = {normalized_sql(f'{holder}.name')}"
