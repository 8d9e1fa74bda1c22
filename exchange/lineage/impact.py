"""Impact (影响分析): who is affected when something upstream changes, down to systems, departments and receivers."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from basedb.models import ThematicKind
from catalog.models import SharingMode
from core.audit import Actor
from core.texts import harmless_cell, listed
from exchange.lineage.deriving import column_key
from exchange.lineage.walking import Direction, Lineage, walk
from exchange.models import AggregationPlan, ColumnBreak, LineageNode, NodeKind


@dataclass(frozen=True, slots=True)
class Affected:
    """One grant, backflow or thematic database that carries something of the start: through which items, to whom."""

    node: LineageNode
    resource: str
    mode: str
    items: tuple[str, ...]
    consumer: str
    system: str


@dataclass(frozen=True, slots=True)
class Impact:
    """Who is affected, and how many of each kind."""

    lineage: Lineage
    lines: tuple[Affected, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many items, services, grants, systems, departments and backflows."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for node in self.lineage.nodes.values():
            name = f"{node.parent}:{node.detail.get('mode')}" if node.kind == NodeKind.SERVICE else node.key
            kinds[node.kind].add(name)
        counted = {
            "resources": {node.parent for node in self.lineage.nodes.values() if node.kind == NodeKind.ITEM},
            "items": kinds[NodeKind.ITEM],
            "services": kinds[NodeKind.SERVICE],
            "grants": kinds[NodeKind.GRANT],
            "systems": kinds[NodeKind.SYSTEM],
            "thematic": {line.node.parent for line in self.lines if line.node.kind == NodeKind.FIELD},
            "backflows": kinds[NodeKind.BACKFLOW],
            "departments": {line.consumer for line in self.lines if line.consumer},
        }
        return {name: len(found) for name, found in counted.items()}


def impact(*, starts: Sequence[str], actor: Actor, day: date | None = None) -> Impact:
    """Return who is affected by a change of the starts, as it stands or as it stood on a day."""
    lineage = walk(starts=starts, direction=Direction.DOWNSTREAM, actor=actor, day=day, with_steered=True)
    before: dict[str, list[LineageNode]] = defaultdict(list)
    after: dict[str, list[LineageNode]] = defaultdict(list)
    for edge in lineage.edges:
        before[edge.downstream].append(lineage.nodes[edge.upstream])
        after[edge.upstream].append(lineage.nodes[edge.downstream])
    ends = [node for node in lineage.nodes.values() if node.kind in (NodeKind.GRANT, NodeKind.BACKFLOW)]
    lines = [_line(node, before[node.key], after[node.key]) for node in ends]
    lines += _thematic(lineage)
    return Impact(lineage, tuple(sorted(lines, key=lambda line: (line.consumer, line.system, line.resource, line.node.key))))


def _line(node: LineageNode, before: Sequence[LineageNode], after: Sequence[LineageNode]) -> Affected:
    department = node.department.name if node.department else ""
    if node.kind == NodeKind.BACKFLOW:
        fields = tuple(dict.fromkeys(field.title for field in before))
        return Affected(node, node.title, str(NodeKind.BACKFLOW.label), fields, department, "")
    services = [one for one in before if one.kind == NodeKind.SERVICE]
    items = tuple(dict.fromkeys(str(one.detail.get("item", one.title)) for one in services))
    resource = services[0].title if services else node.title
    mode = str(dict(SharingMode.choices).get(str(node.detail.get("mode")), ""))
    system = next((one.title for one in after if one.kind == NodeKind.SYSTEM), "")
    return Affected(node, resource, mode, items, department, system)


def _thematic(lineage: Lineage) -> list[Affected]:
    """Return one line a thematic database some column of which is made of the start."""
    columns: dict[str, list[LineageNode]] = defaultdict(list)
    for node in lineage.nodes.values():
        if node.kind == NodeKind.FIELD and node.object_uid is not None:
            columns[node.parent].append(node)
    return [
        Affected(
            node=of_one[0],
            resource=str(of_one[0].detail.get("database", "")),
            mode=str(dict(ThematicKind.choices).get(str(of_one[0].detail.get("kind")), "")),
            items=tuple(node.title for node in of_one),
            consumer=of_one[0].department.name if of_one[0].department else "",
            system="",
        )
        for of_one in columns.values()
    ]


def csv_lines(found: Impact) -> Iterator[str]:
    """Yield the lines as a file for spreadsheet programs, UTF-8 with a byte order mark."""
    yield "\ufeff" + _csv([_("使用方"), _("使用方系统"), _("资源"), _("方式"), _("受影响的信息项"), _("编号")])
    for line in found.lines:
        yield _csv([line.consumer, line.system, line.resource, line.mode, listed(line.items), str(line.node.object_uid)])


def _csv(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless_cell(cell) for cell in cells])
    return text.getvalue()


def broken_columns(plan: AggregationPlan) -> list[ColumnBreak]:
    """Return the columns of a plan that are missing or changed their type and were not found again since."""
    return list(ColumnBreak.objects.filter(plan=plan, mended_at=None))


def impact_of_breaks(*, plan: AggregationPlan, breaks: Sequence[ColumnBreak], actor: Actor) -> Impact:
    """Return who waits for the columns that broke; the caller holds a plan the actor may see."""
    return impact(starts=[column_key(plan, one.column) for one in breaks], actor=actor)
