"""Lineage (数据血缘) as data: what stands on the way from a source column to a consumer, and since when one feeds another.

Nodes and edges are derived from plans, contract, rules, mountings and grants by `exchange.lineage`; nobody writes them by hand.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Department
from exchange.models.aggregation import AggregationPlan

LONGEST_KEY = 250


class NodeKind(models.TextChoices):
    """What a node is, from left to right; datasets and resources hold their fields and items together and have no edges."""

    SOURCE = "SOURCE", _("数源")
    COLUMN = "COLUMN", _("数源字段")
    DATASET = "DATASET", _("数据集")
    FIELD = "FIELD", _("数据集字段")
    RESOURCE = "RESOURCE", _("信息资源")
    ITEM = "ITEM", _("信息项")
    SERVICE = "SERVICE", _("共享服务")
    GRANT = "GRANT", _("授权")
    SYSTEM = "SYSTEM", _("使用方系统")
    BACKFLOW = "BACKFLOW", _("数据回流")


class LineageNode(models.Model):
    """A thing on the way. `object_uid` names the plan, resource, grant, system or subscription that decides who may see it."""

    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    kind = models.CharField(_("类别"), max_length=10, choices=NodeKind.choices)
    title = models.CharField(_("名称"), max_length=200)
    parent = models.CharField(max_length=LONGEST_KEY, blank=True)
    object_uid = models.UUIDField(null=True)
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", verbose_name=_("部门"))
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("血缘节点")
        ordering = ["kind", "key"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=NodeKind.values), name="lineage_node_kind_known")]
        indexes = [
            models.Index(fields=["parent"], name="lineage_node_parent"),
            models.Index(fields=["kind", "object_uid"], name="lineage_node_object"),
        ]

    def __str__(self) -> str:
        return self.title


class LineageEdge(models.Model):
    """That one node feeds another, from when it was first seen to when it was last (null: still). What changes opens a new one."""

    upstream = models.CharField(max_length=LONGEST_KEY)
    downstream = models.CharField(max_length=LONGEST_KEY)
    detail = models.JSONField(default=dict)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("血缘关系")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream"], condition=Q(last_seen=None), name="lineage_edge_open_once"),
            models.CheckConstraint(
                condition=Q(last_seen=None) | Q(last_seen__gte=F("first_seen")), name="lineage_edge_seen_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["upstream"], name="lineage_edge_upstream"),
            models.Index(fields=["downstream"], name="lineage_edge_downstream"),
        ]


class LineageRefresh(models.Model):
    """When the lineage was last derived: one row."""

    at = models.DateTimeField()

    class Meta:
        verbose_name = _("血缘更新")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="lineage_refresh_one_row")]


class ColumnBreak(models.Model):
    """A mapped column a run found missing or of another type, until a run finds it again (数源字段异常)."""

    plan = models.ForeignKey(AggregationPlan, models.PROTECT, related_name="column_breaks")
    column = models.CharField(_("数源字段"), max_length=128)
    is_missing = models.BooleanField(_("缺失"))
    found_at = models.DateTimeField(_("发现时间"))
    mended_at = models.DateTimeField(_("恢复时间"), null=True)

    class Meta:
        verbose_name = _("数源字段异常")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "column"], condition=Q(mended_at=None), name="column_break_open_once")
        ]
