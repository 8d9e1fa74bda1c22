"""Thematic and special-topic databases (主题库, 专题库): definitions as data, their rows with history, their refreshes.

One table holds the rows of all of them: no table is created at run time, so privileges and migrations stay what they are. A row
that is found unchanged keeps its `changed_xid`; one that leaves is ended, not deleted.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User, XidField
from core.models.shared import CurrentXid


class ThematicKind(models.TextChoices):
    """A theme follows a kind of object, a special topic one task."""

    THEME = "THEME", _("主题库")
    TOPIC = "TOPIC", _("专题库")


class ThematicSubject(models.TextChoices):
    """Whom the rows are about."""

    PERSON = "PERSON", _("自然人")
    LEGAL_ENTITY = "LEGAL_ENTITY", _("法人")


class ThematicState(models.TextChoices):
    """A definition is drafted, approved by somebody else, and retired or superseded by its next version."""

    DRAFTED = "DRAFTED", _("待审核")
    APPROVED = "APPROVED", _("已生效")
    RETIRED = "RETIRED", _("已停用")


class ThematicDataset(models.Model):
    """One version of a definition. `spec` holds sources, joins, columns, rows kept; see `basedb.thematic.compiling`."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(_("代码"), max_length=60)
    version = models.PositiveIntegerField(_("版本"), default=1)
    title = models.CharField(_("名称"), max_length=100)
    kind = models.CharField(_("类别"), max_length=5, choices=ThematicKind.choices)
    subject = models.CharField(_("主体"), max_length=12, choices=ThematicSubject.choices)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("建设部门"))
    purpose = models.CharField(_("用途"), max_length=300)
    legal_basis = models.CharField(_("依据"), max_length=200)
    spec = models.JSONField(_("定义"))
    every_minutes = models.PositiveIntegerField(_("更新间隔(分钟)"), null=True, blank=True)
    daily_at = models.TimeField(_("每天更新时刻"), null=True, blank=True)
    state = models.CharField(_("状态"), max_length=8, choices=ThematicState.choices, default=ThematicState.DRAFTED)
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("起草人"))
    created_at = models.DateTimeField(_("起草时间"))
    approver = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("审核人"))
    approved_at = models.DateTimeField(_("生效时间"), null=True)
    retired_at = models.DateTimeField(_("停用时间"), null=True)
    next_refresh_at = models.DateTimeField(_("下次更新"), null=True)

    class Meta:
        verbose_name = _("主题库与专题库")
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="thematic_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="APPROVED"), name="thematic_one_in_force"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="DRAFTED"), name="thematic_one_draft"),
            models.CheckConstraint(
                condition=Q(every_minutes__isnull=True, daily_at__isnull=False) | Q(every_minutes__gte=5, daily_at__isnull=True),
                name="thematic_one_plan",
            ),
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | ~Q(approver=models.F("author")), name="thematic_approved_by_another"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ThematicRow(models.Model):
    """A subject in a thematic database, from when to when. `level` repeats the column people filter by."""

    code = models.CharField(max_length=60)
    subject_key = models.BinaryField(max_length=16)
    region_code = models.CharField(max_length=12)
    level = models.CharField(max_length=40, blank=True, db_default="")
    values = models.JSONField()
    definition_version = models.PositiveIntegerField()
    entered_at = models.DateTimeField(_("进入时间"), db_default=Now())
    changed_at = models.DateTimeField(_("变更时间"), db_default=Now())
    left_at = models.DateTimeField(_("移出时间"), null=True)
    changed_xid = XidField(db_default=CurrentXid())

    class Meta:
        verbose_name = _("主题库记录")
        indexes = [
            models.Index(fields=["code", "region_code", "id"], condition=Q(left_at=None), name="thematic_row_region"),
            models.Index(fields=["code", "level", "id"], condition=Q(left_at=None), name="thematic_row_level"),
            models.Index(fields=["code", "changed_xid", "id"], name="thematic_row_changed"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code", "subject_key"], condition=Q(left_at=None), name="thematic_row_once"),
        ]


class RefreshState(models.TextChoices):
    """A refresh is queued, runs, and ends one of two ways."""

    QUEUED = "QUEUED", _("排队中")
    RUNNING = "RUNNING", _("更新中")
    DONE = "DONE", _("已完成")
    FAILED = "FAILED", _("失败")


class ThematicRefresh(models.Model):
    """One refresh of a definition and what it counted; regions and levels are kept for the charts."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    definition = models.ForeignKey(ThematicDataset, models.PROTECT, related_name="refreshes")
    state = models.CharField(_("状态"), max_length=8, choices=RefreshState.choices, default=RefreshState.QUEUED)
    queued_at = models.DateTimeField(_("提交时间"))
    started_at = models.DateTimeField(_("开始时间"), null=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True)
    row_count = models.BigIntegerField(_("行数"), default=0)
    entered_count = models.BigIntegerField(_("进入"), default=0)
    changed_count = models.BigIntegerField(_("变更"), default=0)
    left_count = models.BigIntegerField(_("移出"), default=0)
    regions = models.JSONField(default=dict)
    levels = models.JSONField(default=dict)
    message = models.CharField(_("说明"), max_length=300, blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("主题库更新")
        ordering = ["-id"]
        indexes = [models.Index(fields=["definition", "-id"], name="thematic_refresh_of")]
        constraints = [
            models.UniqueConstraint(
                fields=["definition"], condition=Q(state__in=["QUEUED", "RUNNING"]), name="thematic_refresh_one_at_a_time"
            )
        ]

    @property
    def seconds(self) -> float | None:
        """Return how long it took; None while it is under way."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
