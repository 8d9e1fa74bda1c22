"""Lineage as people read it (血缘展示): what a node is called, where its page is, the tree as a list, the graph as a chart.

Nothing is asked of the database here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.masking import MASK_TITLES
from basedb.models import Strategy
from catalog.models import SharingMode
from core.audit import Actor
from core.texts import bracketed
from exchange.lineage.walking import Edge, Lineage
from exchange.models import LineageNode, NodeKind
from exchange.querysets import is_reviewer
from portal.actor import BUSINESS

MOST_LINES = 400
MOST_DRAWN = 150
ROW_HEIGHT, LOWEST, HIGHEST = 26, 240, 1400
LAYERS = {
    NodeKind.SOURCE: (0, "#626976"),
    NodeKind.COLUMN: (1, "#4299e1"),
    NodeKind.FIELD: (2, "#066fd1"),
    NodeKind.ITEM: (3, "#0ca678"),
    NodeKind.BACKFLOW: (3, "#ae3ec9"),
    NodeKind.SERVICE: (4, "#74b816"),
    NodeKind.GRANT: (5, "#f59f00"),
    NodeKind.SYSTEM: (6, "#d63939"),
}
PAGES = {
    NodeKind.RESOURCE: "portal:resource-detail",
    NodeKind.ITEM: "portal:resource-detail",
    NodeKind.SERVICE: "portal:resource-detail",
    NodeKind.GRANT: "portal:grant-detail",
}


@dataclass(slots=True)
class Line:
    """A node in the tree. `is_repeated`: it stands above already, with what follows it."""

    node: LineageNode
    title: str
    said: str
    page: str
    is_repeated: bool = False
    following: list[Line] = field(default_factory=list)


def title_of(node: LineageNode) -> str:
    """Return what a node is called; fields and datasets in the reader's language."""
    kind, _colon, rest = node.key.partition(":")
    dataset, _colon, name = rest.partition(":")
    if kind == "dataset" and dataset in DATASETS:
        return str(DATASETS[dataset].title)
    if kind == "field" and dataset in DATASETS and name in DATASETS[dataset].field_names:
        return f"{DATASETS[dataset].title} · {DATASETS[dataset].field(name).title}"
    if "database" in node.detail:
        return f"{node.detail['database']} · {node.title}"
    if node.kind == NodeKind.SERVICE:
        return f"{node.title} · {_mode(node)}"
    return node.title


def _mode(node: LineageNode) -> str:
    mode = str(node.detail.get("mode", ""))
    return str(dict(SharingMode.choices).get(mode, mode))


def page_of(node: LineageNode, actor: Actor) -> str:
    """Return the address of a node's page, empty when it has none the actor may open."""
    kind = NodeKind(node.kind)
    name = PAGES.get(kind, "")
    if kind in (NodeKind.DATASET, NodeKind.FIELD) and node.object_uid is not None:
        name = "portal:thematic-detail"
    if actor.has(*BUSINESS):
        if node.key.startswith("source:plan:"):
            name = "portal:plan-detail"
        elif kind == NodeKind.BACKFLOW:
            name = "portal:backflow-detail"
        elif kind == NodeKind.SYSTEM and (is_reviewer(actor) or node.department_id == actor.department_id):
            name = "portal:system-detail"
    return reverse(name, args=[node.object_uid]) if name else ""


def said_of(node: LineageNode, edge: Edge | None) -> str:
    """Return what is worth saying of a node, and of how it is reached, on one line."""
    told = [str(NodeKind(node.kind).label)]
    if node.department is not None and node.kind in (NodeKind.SOURCE, NodeKind.RESOURCE, NodeKind.SYSTEM, NodeKind.BACKFLOW):
        told.append(node.department.name)
    if node.kind == NodeKind.GRANT:
        told.append(_mode(node))
    if node.detail.get("steers"):
        told.append(_("主键或增量字段"))
    if node.kind == NodeKind.FIELD and "rules" in node.detail:
        if node.detail.get("strategy"):
            told.append(str(dict(Strategy.choices).get(node.detail["strategy"], node.detail["strategy"])))
        told.append(_("质量规则 %(count)s 条") % {"count": node.detail.get("rules", 0)})
    return " · ".join([*told, *(_said_of_edge(edge) if edge else ())])


def _said_of_edge(edge: Edge) -> list[str]:
    told = []
    if edge.detail.get("rank"):
        told.append(_("数源顺序第 %(rank)s") % {"rank": edge.detail["rank"]})
    elif "rank" in edge.detail:
        told.append(_("不在数源顺序中"))
    mask = edge.detail.get("mask", "NONE")
    if mask != "NONE":
        told.append(_("脱敏：%(mask)s") % {"mask": MASK_TITLES.get(mask, mask)})
    if edge.last_seen is not None:
        told.append(_("已于 %(day)s 终止") % {"day": f"{localtime(edge.last_seen):%Y-%m-%d}"})
    return told


def tree(lineage: Lineage, actor: Actor, *, upstream: bool) -> tuple[list[Line], bool]:
    """Return what follows the starts, each node's own following once, and whether lines were left off."""
    following: dict[str, list[Edge]] = defaultdict(list)
    for edge in lineage.edges:
        following[edge.downstream if upstream else edge.upstream].append(edge)
    shown: set[str] = set()
    left = [MOST_LINES]

    def line_of(key: str, edge: Edge | None) -> Line:
        node = lineage.nodes[key]
        line = Line(node, title_of(node), said_of(node, edge), page_of(node, actor), is_repeated=key in shown and key in following)
        if key in shown:
            return line
        shown.add(key)
        for further in following.get(key, ()):
            if left[0] <= 0:
                break
            left[0] -= 1
            line.following.append(line_of(further.upstream if upstream else further.downstream, further))
        return line

    return [line_of(key, None) for key in lineage.starts if key in following], left[0] <= 0


def graph(lineage: Lineage) -> tuple[dict[str, Any] | None, int]:
    """Return the lineage as a layered graph and its height; None when there is nothing to draw, or too much to be read."""
    drawn = {key: _drawn(node) for key, node in lineage.nodes.items() if node.kind in LAYERS}
    links = dict.fromkeys(
        (drawn[edge.upstream], drawn[edge.downstream])
        for edge in lineage.edges
        if edge.upstream in drawn and edge.downstream in drawn
    )
    if not links or len(set(drawn.values())) > MOST_DRAWN:
        return None, 0
    linked = {end for link in links for end in link}  # a node with neither end would stand over another's label
    nodes = {drawn[key]: node for key, node in lineage.nodes.items() if drawn.get(key) in linked}
    names = _names(nodes)
    first = min(_layer(node) for node in nodes.values())
    crowd = Counter(_layer(node) for node in nodes.values())
    option = {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 150,
                "nodeGap": 10,
                "layoutIterations": 32,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "label": {"width": 120, "overflow": "truncate"},
                "data": [
                    {
                        "name": names[key],
                        "depth": _layer(node) - first,
                        "itemStyle": {"color": LAYERS[NodeKind(node.kind)][1]},
                    }
                    for key, node in nodes.items()
                ],
                "links": [{"source": names[one], "target": names[other], "value": 1} for one, other in links],
            }
        ],
    }
    return option, max(LOWEST, min(HIGHEST, 40 + ROW_HEIGHT * max(crowd.values())))


def _layer(node: LineageNode) -> int:
    """Return how far right a node stands; columns of thematic databases are made of fields and stand right of them."""
    return LAYERS[NodeKind(node.kind)][0] + ("database" in node.detail)


def _drawn(node: LineageNode) -> str:
    """Return the key a node is drawn by: the items of a service are one."""
    return f"{node.parent}:{node.detail.get('mode')}" if node.kind == NodeKind.SERVICE else node.key


def _names(nodes: Mapping[str, LineageNode]) -> dict[str, str]:
    """Return a name for each node, no two alike: the chart knows nodes by their names."""
    used: Counter[str] = Counter()
    names = {}
    for key, node in nodes.items():
        title = title_of(node).rpartition(" · ")[2] if node.kind == NodeKind.FIELD else title_of(node)
        used[title] += 1
        names[key] = title if used[title] == 1 else bracketed(title, used[title])
    return names
