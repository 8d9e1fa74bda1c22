"""Quality (数据质量): rules as data, what a check found, and the rows their owners have to see to."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User


class Dimension(models.TextChoices):
    """The six dimensions of GB/T 36344-2018, and uniqueness."""

    CONFORMITY = "CONFORMITY", _("规范性")
    COMPLETENESS = "COMPLETENESS", _("完整性")
    ACCURACY = "ACCURACY", _("准确性")
    CONSISTENCY = "CONSISTENCY", _("一致性")
    TIMELINESS = "TIMELINESS", _("时效性")
    ACCESSIBILITY = "ACCESSIBILITY", _("可访问性")
    UNIQUENESS = "UNIQUENESS", _("唯一性")


class RuleKind(models.TextChoices):
    """What a rule asks; `basedb.quality.compiling` says which parameters each kind takes."""

    REQUIRED = "REQUIRED", _("必填")
    FORM = "FORM", _("格式、长度与代码")
    CODES = "CODES", _("取值范围")
    RANGE = "RANGE", _("数值与日期范围")
    COMPARE = "COMPARE", _("字段间比较")
    AGREES = "AGREES", _("与标识一致")
    CHECK_DIGIT = "CHECK_DIGIT", _("校验码")
    REFERENCE = "REFERENCE", _("跨库引用")
    NOT_DOUBTFUL = "NOT_DOUBTFUL", _("多源一致")
    UNIQUE = "UNIQUE", _("唯一")
    MUTUAL = "MUTUAL", _("双方一致")
    MEASURE = "MEASURE", _("运行指标")


class QualityRule(models.Model):
    """One version of a rule. A change retires it and adds the next version, so that old results keep their meaning."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    code = models.CharField(_("规则代码"), max_length=80)
    version = models.PositiveIntegerField(_("版本"), default=1)
    title = models.CharField(_("规则"), max_length=100)
    dimension = models.CharField(_("维度"), max_length=14, choices=Dimension.choices)
    kind = models.CharField(_("类别"), max_length=14, choices=RuleKind.choices)
    field = models.CharField(_("字段"), max_length=60, blank=True)
    parameters = models.JSONField(_("参数"), default=dict, blank=True)
    warn_below = models.DecimalField(_("预警线(%)"), max_digits=5, decimal_places=2, default=99)
    fail_below = models.DecimalField(_("不合格线(%)"), max_digits=5, decimal_places=2, default=95)
    weight = models.PositiveSmallIntegerField(_("权重"), default=1)
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("质量规则")
        ordering = ["dataset", "code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "code", "version"], name="quality_rule_version_once"),
            models.UniqueConstraint(fields=["dataset", "code"], condition=Q(retired_at=None), name="quality_rule_one_current"),
            models.CheckConstraint(condition=Q(fail_below__lte=F("warn_below")), name="quality_rule_lines_in_order"),
            models.CheckConstraint(condition=Q(warn_below__lte=100), name="quality_rule_lines_percent"),
        ]

    def __str__(self) -> str:
        return self.title


class CheckState(models.TextChoices):
    """A check is queued, runs, and ends one of two ways."""

    QUEUED = "QUEUED", _("排队中")
    RUNNING = "RUNNING", _("检查中")
    DONE = "DONE", _("已完成")
    FAILED = "FAILED", _("失败")


class QualityCheck(models.Model):
    """One check of a dataset, of all its rows or of those an aggregation run changed (`batch` is that run's uid)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    batch = models.UUIDField(_("归集批次"), null=True)
    run_id = models.BigIntegerField(null=True)
    state = models.CharField(_("状态"), max_length=8, choices=CheckState.choices, default=CheckState.QUEUED)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(_("提交时间"))
    started_at = models.DateTimeField(_("开始时间"), null=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True)
    row_count = models.BigIntegerField(_("检查行数"), default=0)
    message = models.CharField(_("说明"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("质量检查")
        ordering = ["-id"]
        indexes = [models.Index(fields=["dataset", "-id"], name="quality_check_dataset")]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"], condition=Q(state__in=["QUEUED", "RUNNING"], batch=None), name="quality_check_one_at_a_time"
            ),
            models.UniqueConstraint(fields=["batch"], condition=~Q(state="FAILED"), name="quality_check_batch_once"),
        ]


class QualityResult(models.Model):
    """What one rule found among the rows of one department. A rule that could not be carried out has `error` and no counts."""

    check_of = models.ForeignKey(QualityCheck, models.CASCADE, related_name="results")
    rule = models.ForeignKey(QualityRule, models.PROTECT, related_name="results")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    checked = models.BigIntegerField(_("检查数"), default=0)
    failed = models.BigIntegerField(_("不合格数"), default=0)
    error = models.CharField(_("未能执行"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("质量结果")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "rule", "department"], nulls_distinct=False, name="quality_result_once"),
            models.CheckConstraint(condition=Q(failed__gte=0, failed__lte=F("checked")), name="quality_result_counts"),
            models.CheckConstraint(condition=Q(error="") | Q(checked=0), name="quality_error_has_no_counts"),
        ]

    @property
    def passed(self) -> int:
        """The rows that passed."""
        return self.checked - self.failed


class FaultState(models.TextChoices):
    """A fault waits for its owner, is gone at a later check, or stays with a reason."""

    OPEN = "OPEN", _("待处理")
    FIXED = "FIXED", _("已改正")
    ACCEPTED = "ACCEPTED", _("情况属实，不改")


class QualityTask(models.Model):
    """What one rule found wrong at one department, until all of it is settled (质量整改单)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    rule_code = models.CharField(_("规则代码"), max_length=80)
    title = models.CharField(_("事项"), max_length=100)
    dimension = models.CharField(_("维度"), max_length=14, choices=Dimension.choices)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    opened_at = models.DateTimeField(_("发现时间"))
    due_at = models.DateTimeField(_("整改期限"))
    closed_at = models.DateTimeField(_("办结时间"), null=True)
    open_count = models.BigIntegerField(_("待处理行数"), default=0)
    unlisted_count = models.BigIntegerField(_("未列出行数"), default=0)  # beyond what a task lists one by one

    class Meta:
        verbose_name = _("质量整改单")
        ordering = ["id"]
        indexes = [models.Index(fields=["department", "closed_at", "id"], name="quality_task_department")]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "rule_code", "department"], condition=Q(closed_at=None), name="quality_task_one_open"
            ),
        ]


class QualityFault(models.Model):
    """One row that failed a rule: the id of the base row and its version then, never a value."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False, db_default=models.Func(function="gen_random_uuid"))
    task = models.ForeignKey(QualityTask, models.CASCADE, related_name="faults", db_index=False)
    row_id = models.BigIntegerField()
    row_version = models.PositiveIntegerField()
    state = models.CharField(_("状态"), max_length=8, choices=FaultState.choices, default=FaultState.OPEN, db_default="OPEN")
    reason = models.CharField(_("说明"), max_length=200, blank=True, db_default="")
    found_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("问题数据")
        ordering = ["id"]
        indexes = [models.Index(fields=["task", "state", "id"], name="quality_fault_task")]
        constraints = [
            models.UniqueConstraint(fields=["task", "row_id"], condition=~Q(state="FIXED"), name="quality_fault_once"),
        ]
