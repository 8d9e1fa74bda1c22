"""Links of chains as rows (对照): closed and opened, never changed, and given back when a merge is taken back.

Who may decide about them, and what is projected afterwards, is `merging`'s; links that follow from the rules are `linking`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, QuerySet, Value
from django.db.models.functions import Cast

from basedb.fusion.linking import MERGE
from basedb.models import Crosswalk, MatchTier, SourceRecord


class _Link(NamedTuple):
    """What a link says, so that one given back is known again."""

    entity_key: bytes | None
    tier: str
    rule_version: str
    reason: str
    decided_by_id: int | None


def as_bigint(chain: int) -> Cast:
    """Return a chain as the index of links knows it: that one takes no number of another width."""
    return Cast(Value(chain), BigIntegerField())


def links_of(dataset: str, key: bytes) -> QuerySet[Crosswalk]:
    """Return the links in force that lead to an entity."""
    return Crosswalk.objects.filter(dataset=dataset, entity_key=key, linked__upper_inf=True)


def close(chains: Iterable[int], now: datetime) -> set[bytes]:
    """Close the links of chains; return the entities they led to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE basedb_crosswalk SET linked = tstzrange(lower(linked), greatest(lower(linked), %s))"
            " WHERE chain = ANY (%s::bigint[]) AND upper_inf(linked) RETURNING entity_key",
            [now, list(chains)],
        )
        return {bytes(row[0]) for row in cursor.fetchall() if row[0] is not None}


def since(chain: int, now: datetime) -> datetime:
    """Return the moment a new link of a chain may begin: not before the last one ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(%s, max(upper(linked)), max(lower(linked))) FROM basedb_crosswalk WHERE chain = %s::bigint",
            [now, chain],
        )
        moment: datetime = cursor.fetchone()[0]
        return moment


def wait(chain: int, dataset: str, rule_version: str, reason: str, now: datetime) -> None:
    """Hold a record without an identifier apart until it is matched."""
    Crosswalk.objects.create(
        chain=chain, dataset=dataset, entity_key=None, tier=MatchTier.HELD, rule_version=rule_version, reason=reason,
        linked=(since(chain, now), None),
    )  # fmt: skip


def merged(dataset: str, entity_key: bytes, other_key: bytes) -> list[int]:
    """Return the chains a merge took from one entity to another."""
    chains = list(links_of(dataset, entity_key).filter(rule_version=MERGE).values_list("chain", flat=True))
    return [chain for chain, (_row, link) in _before(chains).items() if link.entity_key == other_key]


def reopen(chains: Collection[int], now: datetime) -> None:
    """Give chains the link they had before the merge just closed."""
    with connection.cursor() as cursor:
        for chain, (row, _link) in _before(chains).items():
            cursor.execute(
                "INSERT INTO basedb_crosswalk"
                " (chain, dataset, entity_key, tier, score, rule_version, reason, decided_by_id, linked)"
                " SELECT chain, dataset, entity_key, tier, score, rule_version, reason, decided_by_id, tstzrange(%s, NULL)"
                " FROM basedb_crosswalk WHERE id = %s",
                [since(chain, now), row],
            )


def own_keys(chains: Iterable[int]) -> set[bytes]:
    """Return the keys that records of chains carry themselves, or carried before."""
    keys = SourceRecord.objects.filter(chain__in=list(chains), known__upper_inf=True).values_list("subject_key", flat=True)
    return {bytes(key) for key in keys if key is not None}


def _before(chains: Collection[int]) -> dict[int, tuple[int, _Link]]:
    """Return, by chain, the row of the link its last merge replaced. Merges that were taken back since count no more.

    A link that says what the one under a merge said is that one, given back: of A, B, C, B there is left A, B.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chain, id, entity_key, tier, rule_version, reason, decided_by_id FROM basedb_crosswalk"
            " WHERE chain = ANY (%s::bigint[]) ORDER BY chain, id",
            [list(chains)],
        )
        rows = cursor.fetchall()
    lines: dict[int, list[tuple[int, _Link]]] = {}
    for chain, row, entity_key, *said in rows:
        link, line = _Link(bytes(entity_key) if entity_key is not None else None, *said), lines.setdefault(chain, [])
        if len(line) > 1 and line[-1][1].rule_version == MERGE and line[-2][1] == link:
            line.pop()
        else:
            line.append((row, link))
    return {chain: line[-2] for chain, line in lines.items() if len(line) > 1}
