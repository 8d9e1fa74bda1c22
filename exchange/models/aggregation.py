"""Aggregation (归集): plans, runs, their batches and the rows they could not take."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from basedb.models import DataSource
from core.ids import uuid7
from core.models import Department, SealedSecret, SharedObject, User


class ConnectorKind(models.TextChoices):
    """Where rows come from."""

    POSTGRESQL = "POSTGRESQL", _("部门数据库(PostgreSQL)")
    MYSQL = "MYSQL", _("部门数据库(MySQL/MariaDB)")
    SQL_SERVER = "SQL_SERVER", _("部门数据库(SQL Server)")
    ORACLE = "ORACLE", _("部门数据库(Oracle)")
    DM = "DM", _("部门数据库(达梦)")
    CSV_DROP = "CSV_DROP", _("前置机文件(CSV)")
    EXCEL_DROP = "EXCEL_DROP", _("前置机文件(Excel)")
    JSON_DROP = "JSON_DROP", _("前置机文件(JSON 行)")
    GEO_DROP = "GEO_DROP", _("前置机空间数据文件")
    HTTP_PAGES = "HTTP_PAGES", _("接口分页读取(HTTP)")


class RunState(models.TextChoices):
    """A run is queued, runs, and ends one of three ways."""

    QUEUED = "QUEUED", _("排队中")
    RUNNING = "RUNNING", _("运行中")
    SUCCEEDED = "SUCCEEDED", _("已完成")
    STOPPED = "STOPPED", _("已停止")
    FAILED = "FAILED", _("失败")


class DeleteMode(models.TextChoices):
    """How a plan learns that rows are gone at the source."""

    NONE = "NONE", _("不处理删除")
    TOMBSTONE = "TOMBSTONE", _("按删除标志")
    FULL_KEYS = "FULL_KEYS", _("全量主键比对")


class FileState(models.TextChoices):
    """What became of a dropped file."""

    TAKEN = "TAKEN", _("已归集")
    REFUSED = "REFUSED", _("已退回")


class RejectState(models.TextChoices):
    """What became of a rejected row."""

    OPEN = "OPEN", _("待处理")
    CORRECTED = "CORRECTED", _("已更正，待重放")
    REPLAYED = "REPLAYED", _("已重放入库")
    DISMISSED = "DISMISSED", _("不再处理")


class AggregationPlan(SharedObject, SealedSecret):
    """What is aggregated from whom, into which dataset, how often. The source's password is sealed (`aggregation_plan:<uid>`)."""

    title = models.CharField(_("归集任务"), max_length=100)
    department = models.ForeignKey(Department, models.PROTECT, related_name="aggregation_plans", verbose_name=_("数源部门"))
    dataset = models.CharField(_("目标数据集"), max_length=60)
    source = models.ForeignKey(DataSource, models.PROTECT, related_name="+", verbose_name=_("数源"))
    connector = models.CharField(_("接入方式"), max_length=12, choices=ConnectorKind.choices)
    settings = models.JSONField(_("接入参数"), default=dict)  # PostgreSQL: host, port, database, user, table; CSV: folder, pattern
    columns = models.JSONField(_("字段对应"), default=dict)  # field of the dataset -> column of the source
    key_column = models.CharField(_("源主键"), max_length=60, blank=True)
    cursor_column = models.CharField(_("增量字段"), max_length=60, blank=True)
    valid_from_column = models.CharField(
        _("生效时间字段"), max_length=60, blank=True
    )  # none: a row holds from when it was received
    delete_mode = models.CharField(_("删除处理"), max_length=10, choices=DeleteMode.choices, default=DeleteMode.NONE)
    tombstone_column = models.CharField(_("删除标志字段"), max_length=60, blank=True)
    tombstone_value = models.CharField(_("删除标志值"), max_length=20, blank=True)
    delete_limit_percent = models.PositiveSmallIntegerField(_("删除上限(%)"), default=10)
    parts = models.PositiveSmallIntegerField(_("并行分片"), default=1)
    lag_seconds = models.PositiveIntegerField(_("回看窗口(秒)"), default=300)
    every_minutes = models.PositiveIntegerField(_("周期(分钟)"), null=True, blank=True)
    batch_size = models.PositiveIntegerField(_("批大小"), default=50_000)
    reject_limit_percent = models.PositiveSmallIntegerField(_("拒收上限(%)"), default=20)
    reject_limit_count = models.PositiveIntegerField(_("拒收上限(行)"), null=True, blank=True)  # null: by percentage alone
    is_active = models.BooleanField(_("启用"), default=True)
    checkpoint = models.JSONField(default=dict)  # where the next run starts; saved with the batch that reached it
    next_run_at = models.DateTimeField(_("下次运行"), null=True, blank=True)

    class Meta:
        verbose_name = _("归集任务")
        ordering = ["id"]
        indexes = [models.Index(fields=["next_run_at"], condition=Q(is_active=True), name="plan_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(reject_limit_percent__lte=100, delete_limit_percent__lte=100), name="plan_limits_are_percentages"
            ),
            # What a plan that compares all keys does not find at its source ends, whichever plan of the data source brought it.
            models.UniqueConstraint(
                fields=["source"], condition=Q(is_active=True, delete_mode="FULL_KEYS"), name="plan_one_compares_all_keys"
            ),
            ExclusionConstraint(
                name="plan_comparing_keys_is_alone",
                expressions=[
                    ("source", RangeOperators.EQUAL),
                    (
                        Case(When(delete_mode="FULL_KEYS", then=Value(1)), default=Value(0), output_field=models.IntegerField()),
                        RangeOperators.NOT_EQUAL,
                    ),
                ],
                condition=Q(is_active=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AggregationRun(models.Model):
    """One run of a plan. Counts are the sum of its committed batches; `lease_until` tells a dead worker from a slow one.

    Of a batch that went past a limit the rejected rows and those held back with them are counted, too.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    plan = models.ForeignKey(AggregationPlan, models.PROTECT, related_name="runs")
    state = models.CharField(_("状态"), max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(_("提交时间"))
    started_at = models.DateTimeField(_("开始时间"), null=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True)
    checkpoint = models.JSONField(default=dict)
    expected_count = models.BigIntegerField(_("源记录数"), null=True)
    read_count = models.BigIntegerField(_("读取"), default=0)
    accepted_count = models.BigIntegerField(_("接收"), default=0)
    changed_count = models.BigIntegerField(_("变更"), default=0)
    rejected_count = models.BigIntegerField(_("拒收"), default=0)
    unchanged_count = models.BigIntegerField(_("未变"), default=0)
    deleted_count = models.BigIntegerField(_("删除"), default=0)
    held_back_count = models.BigIntegerField(_("未入库"), default=0, db_default=0)
    manifest = models.JSONField(_("清单"), default=dict)  # what the source says of itself: count, checksum, highest cursor
    message = models.CharField(_("说明"), max_length=500, blank=True)
    is_replay = models.BooleanField(_("重放"), default=False)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("归集批次")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["plan"], condition=Q(state__in=["QUEUED", "RUNNING"]), name="run_one_at_a_time"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
        ]

    @property
    def file_name(self) -> str:
        """The file the run took, empty when it took none."""
        return str(self.checkpoint.get("file", ""))


class AggregationPart(models.Model):
    """A share of a run's keys (分片): after `after`, up to and including `upto`, both null at the ends. Worked by itself."""

    run = models.ForeignKey(AggregationRun, models.PROTECT, related_name="parts")
    number = models.PositiveSmallIntegerField()
    after = models.CharField(max_length=200, null=True)
    upto = models.CharField(max_length=200, null=True)
    state = models.CharField(_("状态"), max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    checkpoint = models.JSONField(default=dict)
    manifest = models.JSONField(default=dict)
    read_count = models.BigIntegerField(_("读取"), default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("归集分片")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="part_once"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="part_state_known"),
        ]


class AggregationBatch(models.Model):
    """A committed part of a run: written in the same transaction as its rows and the run's checkpoint. Append-only."""

    run = models.ForeignKey(AggregationRun, models.PROTECT, related_name="batches")
    sequence = models.PositiveIntegerField()
    checkpoint = models.JSONField()
    read_count = models.IntegerField()
    accepted_count = models.IntegerField()
    changed_count = models.IntegerField()
    rejected_count = models.IntegerField()
    unchanged_count = models.IntegerField(default=0)
    deleted_count = models.IntegerField(default=0)
    part = models.PositiveSmallIntegerField(null=True)
    committed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="batch_once")]
        ordering = ["sequence"]


class RejectedRow(models.Model):
    """A row a run could not take: which rule, which field, and the row as it came. Corrected and replayed by its owner."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False, db_default=models.Func(function="gen_random_uuid"))
    run = models.ForeignKey(AggregationRun, models.PROTECT, related_name="rejected_rows")
    plan = models.ForeignKey(AggregationPlan, models.PROTECT, related_name="rejected_rows")
    line_number = models.BigIntegerField(_("行号"), null=True)
    related_line = models.BigIntegerField(_("相关行号"), null=True)  # the line a duplicate repeats
    source_key = models.CharField(_("源主键"), max_length=64, blank=True)
    rule = models.CharField(_("规则"), max_length=60)
    field = models.CharField(_("字段"), max_length=60, blank=True)
    raw = models.JSONField(_("原始记录"))
    correction = models.JSONField(_("更正"), null=True)
    state = models.CharField(_("状态"), max_length=10, choices=RejectState.choices, default=RejectState.OPEN, db_default="OPEN")
    reason = models.CharField(_("不再处理的原因"), max_length=200, blank=True, db_default="")
    replay_run = models.ForeignKey(AggregationRun, models.PROTECT, null=True, related_name="replayed_rows")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("拒收记录")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["plan", "state", "id"], name="rejected_plan"),
            models.Index(fields=["run", "id"], name="rejected_run"),
            models.Index(fields=["plan", "source_key"], name="rejected_source"),
            models.Index(fields=["plan", "rule", "id"], name="rejected_rule"),
        ]


class DropFile(models.Model):
    """A file of the exchange node folder that was dealt with: never taken twice, whatever its time stamp says."""

    plan = models.ForeignKey(AggregationPlan, models.PROTECT, related_name="files")
    run = models.ForeignKey(AggregationRun, models.PROTECT, related_name="files")
    name = models.CharField(_("文件名"), max_length=255)
    size = models.BigIntegerField(_("大小"))
    digest = models.BinaryField(max_length=32)
    modified_ns = models.BigIntegerField()  # spares reading an unchanged file again
    state = models.CharField(_("状态"), max_length=8, choices=FileState.choices)
    settled_at = models.DateTimeField(_("处理时间"))

    class Meta:
        verbose_name = _("前置机文件")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["plan", "name", "size", "digest"], name="drop_file_once")]
