"""Lineage (数据血缘) at the door for systems: nodes to begin with, what they feed and are fed by, and who is affected."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.keyset import page
from exchange.lineage.impact import impact
from exchange.lineage.visibility import nodes_visible_to
from exchange.lineage.walking import DEEPEST, Direction, walk
from exchange.models import NodeKind
from exchange.models.lineage import LONGEST_KEY
from openapi.authentication import actor
from openapi.pagination import PageQuery
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictQuery


class NodesQuery(PageQuery):
    """Which nodes."""

    kind = serializers.ChoiceField(choices=NodeKind.choices, required=False)
    q = serializers.CharField(required=False, max_length=60, help_text="名称中的文字")


class WalkQuery(StrictQuery):
    """Where to begin, where to, how far, as of which day (Shanghai)."""

    node = serializers.CharField(max_length=LONGEST_KEY, help_text="节点标识，见 /lineage/nodes")
    direction = serializers.ChoiceField(choices=[way.value for way in Direction], default=Direction.BOTH.value)
    depth = serializers.IntegerField(min_value=1, max_value=DEEPEST, default=DEEPEST)
    day = serializers.DateField(required=False, help_text="当天的血缘关系；不填为现在")


class ImpactQuery(StrictQuery):
    """What changes, as of which day."""

    node = serializers.CharField(max_length=LONGEST_KEY, help_text="节点标识，见 /lineage/nodes")
    day = serializers.DateField(required=False, help_text="当天的血缘关系；不填为现在")


class LineageNodeOut(serializers.Serializer[Any]):
    """A node. `object_uid` names the plan, source, resource, grant, system or backflow it belongs to."""

    key = serializers.CharField()
    node_kind = serializers.ChoiceField(choices=NodeKind.choices, source="kind")
    title = serializers.CharField()
    container = serializers.CharField(source="parent", help_text="所属数源、数据集或信息资源的节点标识")
    object_uid = serializers.UUIDField(allow_null=True)
    department = serializers.CharField(source="department.name", default=None, allow_null=True)
    detail = serializers.DictField()


class LineageNodesOut(serializers.Serializer[Any]):
    """A page of nodes."""

    items = LineageNodeOut(many=True)
    next = serializers.CharField(allow_null=True)


class LineageEdgeOut(serializers.Serializer[Any]):
    """One node feeding another, since when and until when (null: still)."""

    upstream = serializers.CharField()
    downstream = serializers.CharField()
    detail = serializers.DictField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField(allow_null=True)


class LineageOut(serializers.Serializer[Any]):
    """The part of the lineage the caller may see. `is_cut`: there is more than is told."""

    starts = serializers.ListField(child=serializers.CharField())
    nodes = LineageNodeOut(many=True)
    edges = LineageEdgeOut(many=True)
    is_cut = serializers.BooleanField()
    refreshed_at = serializers.DateTimeField(allow_null=True)


class AffectedOut(serializers.Serializer[Any]):
    """A grant or backflow that carries something of the start."""

    node = serializers.CharField(source="node.key")
    uid = serializers.UUIDField(source="node.object_uid")
    resource = serializers.CharField()
    mode = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    consumer = serializers.CharField()
    system = serializers.CharField()


class ImpactOut(serializers.Serializer[Any]):
    """Who is affected, and how many of each kind."""

    counts = serializers.DictField(child=serializers.IntegerField())
    affected = AffectedOut(many=True, source="lines")
    is_cut = serializers.BooleanField(source="lineage.is_cut", help_text="起点过宽，未全部列出")


class Nodes(APIView):
    """The nodes the caller may see."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="lineage_nodes", parameters=[NodesQuery], responses=LineageNodesOut)
    def get(self, request: Request) -> Response:
        """Return a page of them."""
        asked = NodesQuery.of(request)
        rows = nodes_visible_to(actor(request))
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        if "q" in asked:
            rows = rows.filter(title__icontains=asked["q"])
        found = page(rows, order=("key",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LineageNodeOut(found.items, many=True).data, "next": found.next or None})


class Lineages(APIView):
    """What a node feeds and is fed by."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="lineage", parameters=[WalkQuery], responses=LineageOut)
    def get(self, request: Request) -> Response:
        """Return nodes and edges."""
        asked = WalkQuery.of(request)
        found = walk(
            starts=[asked["node"]],
            direction=Direction(asked["direction"]),
            actor=actor(request),
            depth=asked["depth"],
            day=asked.get("day"),
        )
        told = {
            "starts": found.starts,
            "nodes": list(found.nodes.values()),
            "edges": found.edges,
            "is_cut": found.is_cut,
            "refreshed_at": found.refreshed_at,
        }
        return Response(LineageOut(told).data)


class Impacts(APIView):
    """Who is affected when a node changes."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="lineage_impact", parameters=[ImpactQuery], responses=ImpactOut)
    def get(self, request: Request) -> Response:
        """Return counts, grants and backflows."""
        asked = ImpactQuery.of(request)
        found = impact(starts=[asked["node"]], actor=actor(request), day=asked.get("day"))
        return Response(ImpactOut(found).data)


urlpatterns = [
    path("lineage", Lineages.as_view(), name="lineage"),
    path("lineage/nodes", Nodes.as_view(), name="lineage-nodes"),
    path("lineage/impact", Impacts.as_view(), name="lineage-impact"),
]
