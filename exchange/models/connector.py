"""What aggregation knows of sources (接入登记): schemas last seen, changes that wait for a person, plans being laid down."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, SealedSecret, SharedObject, User
from exchange.models.aggregation import AggregationPlan, ConnectorKind


class SchemaChangeState(models.TextChoices):
    """A new column waits until a person takes it in or leaves it out."""

    PENDING = "PENDING", _("待确认")
    ACCEPTED = "ACCEPTED", _("已纳入")
    IGNORED = "IGNORED", _("不纳入")


class SourceSchema(models.Model):
    """The columns of a plan's source as the last good run saw them: name -> type. `fingerprint` is their digest."""

    plan = models.OneToOneField(AggregationPlan, models.CASCADE, related_name="source_schema")
    columns = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("数源结构")


class SchemaChange(models.Model):
    """A column that appeared in a source. `field` is the field of the dataset it was mapped to when it was accepted."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    plan = models.ForeignKey(AggregationPlan, models.PROTECT, related_name="schema_changes")
    column = models.CharField(_("数源字段"), max_length=128)
    column_type = models.CharField(_("类型"), max_length=100, blank=True)
    comment = models.CharField(_("注释"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=8, choices=SchemaChangeState.choices, default=SchemaChangeState.PENDING)
    field = models.CharField(_("信息项"), max_length=60, blank=True)
    found_at = models.DateTimeField(_("发现时间"))
    decided_at = models.DateTimeField(_("确认时间"), null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("数源结构变化")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "column"], condition=Q(state="PENDING"), name="schema_change_once"),
            models.CheckConstraint(condition=Q(state__in=SchemaChangeState.values), name="schema_change_state_known"),
            models.CheckConstraint(
                condition=Q(state="PENDING", decided_at=None) | (~Q(state="PENDING") & Q(decided_at__isnull=False)),
                name="schema_change_decided",
            ),
        ]


class PlanDraft(SharedObject, SealedSecret):
    """A plan while it is laid down step by step; `columns` is what discovery found. Its password is sealed (`plan_draft:<uid>`)."""

    title = models.CharField(_("归集任务"), max_length=100)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("数源部门"))
    dataset = models.CharField(_("目标数据集"), max_length=60, blank=True)  # none when only the catalogue is meant
    connector = models.CharField(_("接入方式"), max_length=12, choices=ConnectorKind.choices)
    settings = models.JSONField(_("接入参数"), default=dict)
    mapping = models.JSONField(_("字段对应"), default=dict)  # columns, key_column, cursor_column
    plan = models.OneToOneField(AggregationPlan, models.PROTECT, null=True, related_name="draft")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("归集任务草稿")
        ordering = ["-id"]
