"""Walking the lineage (血缘查询): upstream or downstream from nodes, as far as asked, as it stands or as it stood on a day.

A walk reads the kept graph in a fixed number of queries. What the actor may not see is left out, and with it whatever is
reached only through it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import NotFound
from exchange.lineage.visibility import nodes_visible_to
from exchange.models import LineageNode, LineageRefresh, NodeKind

DEEPEST = 8
MOST_EDGES = 20_000
_CONTENT = {NodeKind.DATASET: NodeKind.FIELD, NodeKind.RESOURCE: NodeKind.ITEM}
_WALK = """
WITH RECURSIVE reached (node, depth) AS (
    SELECT unnest(%(starts)s::varchar[]), 0
    UNION
    SELECT e.{far}, r.depth + 1 FROM reached r JOIN exchange_lineageedge e ON e.{near} = r.node
    WHERE r.depth < %(depth)s AND {standing}
)
SELECT e.upstream, e.downstream, e.detail, e.first_seen, e.last_seen
FROM (SELECT node, min(depth) AS depth FROM reached GROUP BY node) r JOIN exchange_lineageedge e ON e.{near} = r.node
WHERE r.depth < %(depth)s AND {standing} ORDER BY r.depth, e.id LIMIT %(limit)s"""  # the nearest first: what is cut is far away
_NOW = "e.last_seen IS NULL"
_THEN = "e.first_seen <= %(until)s AND (e.last_seen IS NULL OR e.last_seen >= %(since)s)"


class Direction(StrEnum):
    """Where to from the start."""

    UPSTREAM = "UPSTREAM"
    DOWNSTREAM = "DOWNSTREAM"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class Edge:
    """One node feeding another, and since when."""

    upstream: str
    downstream: str
    detail: dict[str, Any]
    first_seen: datetime
    last_seen: datetime | None


@dataclass(slots=True)
class Lineage:
    """What a walk found: its starts, nodes by key, edges. `is_cut`: there was more than is shown."""

    starts: list[str]
    nodes: dict[str, LineageNode]
    edges: list[Edge] = field(default_factory=list)
    is_cut: bool = False
    refreshed_at: datetime | None = None


def walk(
    *,
    starts: Sequence[str],
    direction: Direction,
    actor: Actor,
    depth: int = DEEPEST,
    day: date | None = None,
    with_steered: bool = False,
) -> Lineage:
    """Return what the starts feed or are fed by; NotFound when the actor may see none of them.

    `with_steered`: a column that says which rows there are (key, cursor) stands for all columns of its table.
    """
    seen = nodes_visible_to(actor)
    found = {node.key: node for node in seen.filter(key__in=starts)}
    if not found:
        raise NotFound("lineage.not_found", _("血缘关系中没有这个起点，或您无权查看。"))
    begin = _begin(list(found.values()), with_steered=with_steered)
    rows: list[Edge] = []
    cut = False
    for way in (Direction.UPSTREAM, Direction.DOWNSTREAM):
        if direction in (way, Direction.BOTH):
            edges = _edges(begin, way, min(depth, DEEPEST), day)
            cut = cut or len(edges) > MOST_EDGES
            rows += edges[:MOST_EDGES]
    keys = {key for edge in rows for key in (edge.upstream, edge.downstream)} | set(begin)
    nodes = {node.key: node for node in seen.filter(key__in=keys)}
    known = [edge for edge in rows if edge.upstream in nodes and edge.downstream in nodes]
    starts_seen = [key for key in begin if key in nodes]
    kept = _connected(starts_seen, known)
    reached = {key for edge in kept for key in (edge.upstream, edge.downstream)} | set(starts_seen)
    refreshed = LineageRefresh.objects.values_list("at", flat=True).first()
    return Lineage(starts_seen, {key: nodes[key] for key in sorted(reached)}, kept, cut, refreshed)


def _begin(found: Sequence[LineageNode], *, with_steered: bool) -> list[str]:
    """Return where to begin: a dataset at its fields, a resource at its items."""
    steered = [node.parent for node in found if with_steered and node.kind == NodeKind.COLUMN and node.detail.get("steers")]
    holders = {node.key: _CONTENT[NodeKind(node.kind)] for node in found if node.kind in _CONTENT}
    holders |= dict.fromkeys(steered, NodeKind.COLUMN)
    begin = [node.key for node in found if node.key not in holders]
    if holders:
        content = LineageNode.objects.filter(parent__in=holders).values_list("key", "kind", "parent")
        begin += [key for key, kind, parent in content if kind == holders[parent]]
    return sorted(dict.fromkeys(begin))


def _edges(starts: Sequence[str], way: Direction, depth: int, day: date | None) -> list[Edge]:
    near, far = ("upstream", "downstream") if way is Direction.DOWNSTREAM else ("downstream", "upstream")
    values: dict[str, Any] = {"starts": list(starts), "depth": depth, "limit": MOST_EDGES + 1}
    if day is not None:
        values["since"] = datetime.combine(day, time.min, tzinfo=SHANGHAI)
        values["until"] = datetime.combine(day, time.max, tzinfo=SHANGHAI)
    statement = _WALK.format(near=near, far=far, standing=_NOW if day is None else _THEN)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Edge(up, down, json.loads(detail), first, last) for up, down, detail, first, last in cursor.fetchall()]


def _connected(starts: Sequence[str], edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges that are reached from the starts going one way only, in their order."""
    kept: set[int] = set()
    for leaving, arriving in (("upstream", "downstream"), ("downstream", "upstream")):
        by_node: dict[str, list[tuple[int, Edge]]] = defaultdict(list)
        for number, edge in enumerate(edges):
            by_node[getattr(edge, leaving)].append((number, edge))
        kept |= _reached(starts, by_node, arriving)
    return [edge for number, edge in enumerate(edges) if number in kept]


def _reached(starts: Iterable[str], by_node: dict[str, list[tuple[int, Edge]]], arriving: str) -> set[int]:
    waiting, done, kept = list(starts), set(starts), set()
    while waiting:
        for number, edge in by_node.get(waiting.pop(), ()):
            kept.add(number)
            following = getattr(edge, arriving)
            if following not in done:
                done.add(following)
                waiting.append(following)
    return kept
