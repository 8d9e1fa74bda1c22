"""Deriving the lineage (血缘推导): the whole graph out of what the platform knows already, in a fixed number of queries.

Plans say which column feeds which field, rules of authority in which order, mountings which field is which item, grants who
gets it. Keys of nodes are stable; nothing of a source's place is in them, and no person's data anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import translation

from basedb.dictionary import BY_SUBJECT, DATASETS, Dataset, Kind
from basedb.models import AuthorityRule, QualityRule, ThematicDataset, ThematicState
from catalog.models import Binding, DataItem, ResourceState
from exchange.lineage.thematic_columns import origins
from exchange.models import (
    AggregationPlan,
    BackflowSubscription,
    Grant,
    GrantState,
    NodeKind,
    SourceConnection,
    SubscriptionState,
    UpstreamInterface,
)
from exchange.sources.terms import INTERFACE_PREFIX, TABLE_PREFIX, is_remote

LONGEST_TITLE = 200
Rules = Mapping[tuple[str, str], AuthorityRule]


@dataclass(frozen=True, slots=True)
class Node:
    """A node as it is to be kept; see `LineageNode`."""

    key: str
    kind: NodeKind
    title: str
    parent: str = ""
    object_uid: UUID | None = None
    department_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """Nodes by key, and what is known of each edge."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, key: str, kind: NodeKind, title: Any, **values: Any) -> str:
        """Add a node and return its key."""
        self.nodes[key] = Node(key, kind, str(title)[:LONGEST_TITLE], **values)
        return key

    def link(self, upstream: str, downstream: str, **detail: Any) -> None:
        """Say that one node feeds another."""
        self.edges[upstream, downstream] = detail


def key_of(kind: NodeKind, *names: object) -> str:
    """Return the key of a node: its kind and the names of what it stands for."""
    return ":".join((kind.lower(), *(str(name) for name in names)))


def derive(*, now: datetime) -> Graph:
    """Return the lineage as it is now. Titles are Chinese, whoever asks."""
    graph = Graph()
    with translation.override(None):
        rules = _rules(now)
        _contract(graph, rules)
        _plans(graph, rules)
        _remote_sources(graph)
        _thematic(graph)
        _backflows(graph)
        grants = list(live_grants(now).select_related("resource", "system").order_by("id"))
        _mountings(graph, grants)
        _grants(graph, grants)
    return graph


def live_grants(now: datetime) -> QuerySet[Grant]:
    """Return the grants that stand: not revoked, within their dates."""
    return Grant.objects.filter(state__in=(GrantState.ACTIVE, GrantState.SUSPENDED), valid_from__lte=now, valid_to__gt=now)


def _contract(graph: Graph, rules: Rules) -> None:
    checked: Counter[tuple[str, str]] = Counter()
    counted = QualityRule.objects.filter(retired_at=None, is_active=True).exclude(field="").order_by()
    for row in counted.values("dataset", "field").annotate(count=Count("pk")):
        checked[row["dataset"], row["field"]] = row["count"]
    for dataset in DATASETS.values():
        holder = graph.add(key_of(NodeKind.DATASET, dataset.code), NodeKind.DATASET, dataset.title)
        for item in dataset.fields:
            detail: dict[str, Any] = {"writing": str(item.writing), "rules": checked[dataset.code, item.name]}
            rule = rules.get((dataset.code, item.name))
            if dataset.kind is Kind.MASTER:
                detail["strategy"] = rule.strategy if rule else "AUTHORITY"
                detail["basis"] = rule.legal_basis if rule else ""
            key = key_of(NodeKind.FIELD, dataset.code, item.name)
            graph.add(key, NodeKind.FIELD, item.title, parent=holder, detail=detail)


def _rules(now: datetime) -> Rules:
    return {(rule.dataset, rule.field): rule for rule in AuthorityRule.objects.filter(effective__contains=now)}


def _plans(graph: Graph, rules: Rules) -> None:
    for plan in AggregationPlan.objects.select_related("source").order_by("id"):
        dataset = DATASETS.get(plan.dataset)
        if dataset is None:
            continue
        owned: dict[str, Any] = {"object_uid": plan.uid, "department_id": plan.department_id}
        detail = {"connector": plan.connector, "is_active": plan.is_active, "is_lead": plan.source.is_lead}
        holder = graph.add(key_of(NodeKind.SOURCE, "plan", plan.uid), NodeKind.SOURCE, plan.title, detail=detail, **owned)
        steering = {plan.key_column, plan.cursor_column, plan.valid_from_column, plan.tombstone_column} - {""}
        for column in dict.fromkeys([*plan.columns.values(), *sorted(steering)]):
            key = column_key(plan, column)
            graph.add(key, NodeKind.COLUMN, column, parent=holder, detail={"steers": column in steering}, **owned)
            graph.link(holder, key)
        for name, column in plan.columns.items():
            if name in dataset.field_names:
                told = _authority(dataset, name, plan.source.collector, rules)
                graph.link(column_key(plan, column), key_of(NodeKind.FIELD, dataset.code, name), **told)


def column_key(plan: AggregationPlan, column: str) -> str:
    """Return the key of a plan's column."""
    return key_of(NodeKind.COLUMN, "plan", plan.uid, column)


def _authority(dataset: Dataset, name: str, collector: str, rules: Rules) -> dict[str, Any]:
    """Return whose word it is and where it stands in the order; events are not fused and have none."""
    if dataset.kind is not Kind.MASTER:
        return {"collector": collector}
    rule = rules.get((dataset.code, name))
    order = list(rule.collectors) if rule else [str(dataset.field(name).source)]
    return {"collector": collector, "rank": order.index(collector) + 1 if collector in order else None}


def _remote_sources(graph: Graph) -> None:
    """Tables and interfaces that are asked at the call itself; their columns are what they offer."""
    offered: tuple[tuple[str, QuerySet[Any]], ...] = (
        (TABLE_PREFIX, SourceConnection.objects.all()),
        (INTERFACE_PREFIX, UpstreamInterface.objects.all()),
    )
    for prefix, rows in offered:
        for source in rows.only("uid", "title", "department_id", "columns", "is_active").order_by("id"):
            code = f"{prefix}{source.uid.hex}"
            owned = {"object_uid": source.uid, "department_id": source.department_id}
            detail = {"connector": prefix.rstrip(".").upper(), "is_active": source.is_active}
            holder = graph.add(key_of(NodeKind.SOURCE, code), NodeKind.SOURCE, source.title, detail=detail, **owned)
            for column in source.columns:
                key = key_of(NodeKind.COLUMN, code, column["name"])
                graph.add(key, NodeKind.COLUMN, column.get("title") or column["name"], parent=holder, **owned)
                graph.link(holder, key)


def _thematic(graph: Graph) -> None:
    """Thematic databases in force: each column out of the fields it is made of."""
    bases = {str(dataset.subject): dataset for dataset in BY_SUBJECT.values()}
    for definition in ThematicDataset.objects.filter(state=ThematicState.APPROVED).order_by("id"):
        owned: dict[str, Any] = {"object_uid": definition.uid, "department_id": definition.department_id}
        holder = graph.add(key_of(NodeKind.DATASET, "thematic", definition.code), NodeKind.DATASET, definition.title, **owned)
        titles = {str(column["name"]): column["title"] for column in definition.spec["columns"]}
        for name, made_of in origins(bases[definition.subject], definition.spec).items():
            detail = {"database": definition.title, "kind": definition.kind}
            key = key_of(NodeKind.FIELD, "thematic", definition.code, name)
            graph.add(key, NodeKind.FIELD, titles[name], parent=holder, detail=detail, **owned)
            for dataset, field_name in made_of:
                _link_known(graph, key_of(NodeKind.FIELD, dataset, field_name), key)


def _backflows(graph: Graph) -> None:
    live = BackflowSubscription.objects.exclude(state=SubscriptionState.ENDED).order_by("id")
    for backflow in live.only("uid", "title", "department_id", "dataset", "fields", "state"):
        key = key_of(NodeKind.BACKFLOW, backflow.uid)
        owned = {"object_uid": backflow.uid, "department_id": backflow.department_id}
        graph.add(key, NodeKind.BACKFLOW, backflow.title, detail={"state": backflow.state}, **owned)
        for name in backflow.fields:
            _link_known(graph, key_of(NodeKind.FIELD, backflow.dataset, name), key)


def _link_known(graph: Graph, upstream: str, downstream: str, **detail: Any) -> None:
    if upstream in graph.nodes and downstream in graph.nodes:
        graph.link(upstream, downstream, **detail)


def _mountings(graph: Graph, grants: Iterable[Grant]) -> None:
    """Published resources, and those somebody still holds a grant on: their items, and each item under each mode of sharing."""
    granted = {grant.resource_id for grant in grants}
    shown = Q(resource__state=ResourceState.PUBLISHED) | Q(resource_id__in=granted)
    bindings = list(Binding.objects.filter(shown, resource__change_of=None).select_related("resource").order_by("id"))
    modes = {binding.resource_id: set(binding.resource.sharing_modes) for binding in bindings}
    for grant in grants:
        modes.get(grant.resource_id, set()).add(grant.mode)
    served = {binding.resource_id: binding for binding in bindings}
    for binding in bindings:
        resource = binding.resource
        owned = {"object_uid": resource.uid, "department_id": resource.provider_id}
        detail = {"code": resource.code or "", "state": resource.state}
        graph.add(key_of(NodeKind.RESOURCE, resource.uid), NodeKind.RESOURCE, resource.title, detail=detail, **owned)
    mounted = Exists(Binding.objects.filter(shown, resource__change_of=None, resource_id=OuterRef("resource_id")))
    for item in DataItem.objects.filter(mounted).order_by("resource_id", "position"):
        _item(graph, item, served[item.resource_id], sorted(modes[item.resource_id]))


def _item(graph: Graph, item: DataItem, binding: Binding, modes: Iterable[str]) -> None:
    resource = binding.resource
    holder = key_of(NodeKind.RESOURCE, resource.uid)
    owned: dict[str, Any] = {"parent": holder, "object_uid": resource.uid, "department_id": resource.provider_id}
    key = key_of(NodeKind.ITEM, resource.uid, item.name)
    graph.add(key, NodeKind.ITEM, item.title, detail={"grade": item.grade, "mask": item.mask}, **owned)
    column = binding.columns.get(item.name)
    if column:
        remote = is_remote(binding.dataset)
        _link_known(graph, key_of(NodeKind.COLUMN if remote else NodeKind.FIELD, binding.dataset, column), key)
    for mode in modes:
        service = service_key(resource.uid, mode, item.name)
        graph.add(service, NodeKind.SERVICE, resource.title, detail={"mode": mode, "item": item.title}, **owned)
        graph.link(key, service)


def service_key(resource_uid: UUID, mode: str, item: str) -> str:
    """Return the key of one item under one mode of sharing: apart by item, so that a path never leaves its column."""
    return key_of(NodeKind.SERVICE, resource_uid, mode, item)


def _grants(graph: Graph, grants: Iterable[Grant]) -> None:
    for grant in grants:
        system = grant.system
        consumer = graph.add(
            key_of(NodeKind.SYSTEM, system.uid),
            NodeKind.SYSTEM,
            system.name,
            object_uid=system.uid,
            department_id=system.department_id,
        )
        key = graph.add(
            key_of(NodeKind.GRANT, grant.uid),
            NodeKind.GRANT,
            grant,
            parent=key_of(NodeKind.RESOURCE, grant.resource.uid),
            object_uid=grant.uid,
            department_id=system.department_id,
            detail={"mode": grant.mode, "state": grant.state},
        )
        graph.link(key, consumer)
        for name in grant.fields:
            mask = grant.masks.get(name, "NONE")
            _link_known(graph, service_key(grant.resource.uid, grant.mode, name), key, mask=mask)
