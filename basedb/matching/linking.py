"""Linking what matching found (批量关联): the links of many chains at once, and the golden rows that follow, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from basedb.dictionary import DATASETS
from basedb.fusion.rebuilding import project_keys
from basedb.models import MatchTier


@dataclass(frozen=True, slots=True)
class Link:
    """A chain and the entity it belongs to, by which version of which rules."""

    chain: int
    entity_key: bytes
    score: Decimal | None


def lock(dataset: str) -> None:
    """Keep batches of the dataset out until the transaction ends: what was read about its records stays true."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [DATASETS[dataset].table])


def link_all(dataset: str, links: Sequence[Link], *, tier: MatchTier, rule_version: str, now: datetime) -> None:
    """Open the links by rule, and project their entities; the caller holds the lock and knows that the chains have no key."""
    if not links:
        return
    chains = [link.chain for link in links]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE basedb_crosswalk SET linked = tstzrange(lower(linked), greatest(lower(linked), %s))"
            " WHERE chain = ANY (%s::bigint[]) AND upper_inf(linked)",
            [now, chains],
        )
        cursor.execute(
            """
            INSERT INTO basedb_crosswalk (chain, dataset, entity_key, tier, score, rule_version, linked)
            SELECT g.chain, %s, g.entity_key, %s, g.score, %s, tstzrange(greatest(%s, (
                SELECT max(upper(x.linked)) FROM basedb_crosswalk x WHERE x.chain = g.chain)), NULL)
            FROM unnest(%s::bigint[], %s::bytea[], %s::numeric[]) AS g (chain, entity_key, score)""",
            [dataset, tier, rule_version, now, chains, [link.entity_key for link in links], [link.score for link in links]],
        )
    project_keys(DATASETS[dataset], {link.entity_key for link in links}, now=now)
