"""Who sees which part of the lineage (可见范围): what a node stands for decides, by the filters of plans, resources and grants.

Reviewers and the auditor see all of it; business roles see the contract, and what they may see of the rest; others nothing.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from basedb.thematic.definitions import definitions_visible_to
from catalog.models import Resource
from core.audit import Actor
from core.roles import Role
from exchange.aggregation.visibility import plans_visible_to
from exchange.backflow.subscriptions import subscriptions_visible_to
from exchange.models import LineageNode, NodeKind
from exchange.querysets import grants_visible_to, is_auditor, is_reviewer, systems_visible_to
from exchange.sources.registering import connections_visible_to, interfaces_visible_to


def nodes_visible_to(actor: Actor) -> QuerySet[LineageNode]:
    """Return the nodes the actor may see; a consumer is seen by whoever sees a grant it holds."""
    rows = LineageNode.objects.select_related("department")
    if is_reviewer(actor) or is_auditor(actor):
        return rows
    if not actor.has(Role.OPERATOR, Role.HEAD):
        return rows.none()
    grants = grants_visible_to(actor)
    seen = Q(kind__in=(NodeKind.DATASET, NodeKind.FIELD), object_uid=None)
    for kinds, things in (
        ((NodeKind.DATASET, NodeKind.FIELD), definitions_visible_to(actor)),
        ((NodeKind.SOURCE, NodeKind.COLUMN), plans_visible_to(actor)),
        ((NodeKind.SOURCE, NodeKind.COLUMN), connections_visible_to(actor)),
        ((NodeKind.SOURCE, NodeKind.COLUMN), interfaces_visible_to(actor)),
        ((NodeKind.RESOURCE, NodeKind.ITEM, NodeKind.SERVICE), Resource.objects.visible_to(actor)),
        ((NodeKind.GRANT,), grants),
        ((NodeKind.SYSTEM,), systems_visible_to(actor)),
        ((NodeKind.BACKFLOW,), subscriptions_visible_to(actor)),
    ):
        seen |= Q(kind__in=kinds, object_uid__in=things.order_by().values("uid"))
    seen |= Q(kind=NodeKind.SYSTEM, object_uid__in=grants.order_by().values("system__uid"))
    return rows.filter(seen)
