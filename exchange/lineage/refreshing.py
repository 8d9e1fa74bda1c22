"""Keeping the lineage (血缘快照): what was derived is held against what is kept; what is gone ends, what is new begins.

Ended edges stay: they answer what fed whom on an earlier day. A worker does this every few minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from exchange.lineage.deriving import Graph, Node, derive
from exchange.models import LineageEdge, LineageNode, LineageRefresh

_LOCK = "exchange.lineage"
_KEPT = ("kind", "title", "parent", "object_uid", "department_id", "detail")
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How much a refresh changed."""

    nodes: int
    begun: int
    ended: int


@transaction.atomic
def refresh(*, now: datetime) -> Refreshed:
    """Derive the lineage and keep what changed; one worker at a time, another one's turn is as good."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [_LOCK])
        if not cursor.fetchone()[0]:
            return Refreshed(0, 0, 0)
    graph = derive(now=now)
    nodes = _keep_nodes(graph.nodes)
    begun, ended = _keep_edges(graph, now)
    LineageRefresh.objects.update_or_create(pk=1, defaults={"at": now})
    return Refreshed(nodes, begun, ended)


def _keep_nodes(nodes: Mapping[str, Node]) -> int:
    """Write nodes that are new or say something else; nodes are never removed, earlier days speak of them."""
    kept = {row["key"]: row for row in LineageNode.objects.values("key", *_KEPT)}
    changed = [node for key, node in nodes.items() if kept.get(key) != _row(node)]
    LineageNode.objects.bulk_create(
        (LineageNode(**_row(node)) for node in changed),
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["kind", "title", "parent", "object_uid", "department", "detail"],
    )
    return len(changed)


def _row(node: Node) -> dict[str, Any]:
    values = {name: getattr(node, name) for name in _KEPT}
    return {"key": node.key, **values, "kind": str(node.kind), "detail": dict(node.detail)}


def _keep_edges(graph: Graph, now: datetime) -> tuple[int, int]:
    standing = {
        (upstream, downstream): (pk, detail)
        for pk, upstream, downstream, detail in LineageEdge.objects.filter(last_seen=None).values_list(
            "pk", "upstream", "downstream", "detail"
        )
    }
    gone = [pk for ends, (pk, detail) in standing.items() if graph.edges.get(ends) != detail]
    fresh = [ends for ends, detail in graph.edges.items() if ends not in standing or standing[ends][1] != detail]
    LineageEdge.objects.filter(pk__in=gone).update(last_seen=now)
    LineageEdge.objects.bulk_create(
        (
            LineageEdge(upstream=upstream, downstream=downstream, detail=graph.edges[upstream, downstream], first_seen=now)
            for upstream, downstream in fresh
        ),
        batch_size=_BATCH,
    )
    return len(fresh), len(gone)
