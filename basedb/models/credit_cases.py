"""What the office does about credit records (信用业务): catalogue versions, tiers of repair, repairs, objections, shields.

A record is named by its dataset and `row_key`, which outlive a rebuild of its table.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User


class CreditCatalogVersion(models.Model):
    """A version of the catalogue of public credit information (全国公共信用信息基础目录), in force for a range of days."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(_("版本"), max_length=40, unique=True)
    title = models.CharField(_("目录名称"), max_length=200)
    issued_by = models.CharField(_("发布机关"), max_length=200)
    effective = DateRangeField(_("施行期"))
    loaded_at = models.DateTimeField(_("载入时间"))
    loaded_by_name = models.CharField(_("载入人"), max_length=60)

    class Meta:
        verbose_name = _("公共信用信息目录")
        ordering = ["-effective"]
        constraints = [
            ExclusionConstraint(name="credit_catalog_one_at_a_time", expressions=[("effective", RangeOperators.OVERLAPS)])
        ]

    def __str__(self) -> str:
        return self.title


class CreditCatalogItem(models.Model):
    """One item of a version: which kind of record it is, and on what it rests."""

    version = models.ForeignKey(CreditCatalogVersion, models.PROTECT, related_name="items")
    code = models.CharField(_("条目编码"), max_length=20)
    name = models.CharField(_("条目名称"), max_length=200)
    dataset = models.CharField(_("数据集"), max_length=60)
    basis = models.CharField(_("归集依据"), max_length=300)

    class Meta:
        verbose_name = _("目录条目")
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["version", "code", "dataset"], name="credit_catalog_item_once")]


class CreditTier(models.Model):
    """A tier of dishonesty: how long it is shown, after which time repair may be asked for, in how many working days answered."""

    code = models.CharField(_("失信程度"), max_length=1)
    name = models.CharField(_("名称"), max_length=20)
    min_months = models.PositiveSmallIntegerField(_("最短公示期(月)"))
    max_months = models.PositiveSmallIntegerField(_("最长公示期(月)"))
    accept_days = models.PositiveSmallIntegerField(_("受理期限(工作日)"))
    answer_days = models.PositiveSmallIntegerField(_("办结期限(工作日)"))
    extension_days = models.PositiveSmallIntegerField(_("可延长(工作日)"))
    citation = models.CharField(_("依据"), max_length=200)
    effective = DateRangeField(_("施行期"))

    class Meta:
        verbose_name = _("信用修复规则")
        ordering = ["code", "effective"]
        constraints = [
            ExclusionConstraint(
                name="credit_tier_one_at_a_time",
                expressions=[("code", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=Q(min_months__lte=F("max_months")), name="credit_tier_min_before_max"),
        ]

    def __str__(self) -> str:
        return self.name


class CreditStanding(models.Model):
    """What stands against showing a record: retracted, repaired, or in dispute. A record without one stands as delivered."""

    dataset = models.CharField(max_length=60)
    row_key = models.BinaryField(max_length=16)
    retracted_at = models.DateTimeField(null=True)
    repaired_at = models.DateTimeField(null=True)
    disputed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("公示状态")
        constraints = [models.UniqueConstraint(fields=["dataset", "row_key"], name="credit_standing_once")]


class CreditShield(models.Model):
    """All records of an entity are not shown for a while, since a court approved its reorganization or settlement (重整、和解)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    subject_key = models.BinaryField(max_length=16)
    court = models.CharField(_("裁定法院"), max_length=100)
    case_number = models.CharField(_("裁定文书号"), max_length=100)
    period = DateRangeField(_("屏蔽期"))
    made_by_name = models.CharField(_("办理人"), max_length=60)
    made_at = models.DateTimeField(_("办理时间"))

    class Meta:
        verbose_name = _("临时屏蔽")
        ordering = ["-id"]
        constraints = [
            ExclusionConstraint(
                name="credit_shield_one_at_a_time",
                expressions=[("subject_key", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
            )
        ]


class CreditEvent(models.Model):
    """What was done about a record, in order; append-only."""

    dataset = models.CharField(max_length=60)
    row_key = models.BinaryField(max_length=16)
    at = models.DateTimeField(_("时间"))
    kind = models.CharField(_("事项"), max_length=30)
    actor_name = models.CharField(_("办理人"), max_length=60)
    department = models.CharField(_("部门"), max_length=100, blank=True)
    note = models.CharField(_("说明"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("信用记录事项")
        ordering = ["id"]
        indexes = [models.Index(fields=["row_key"], name="credit_event_record")]


class CreditTakedown(models.Model):
    """The records whose last day of showing this was, taken down when it ended (自动下架); one row a dataset and day."""

    dataset = models.CharField(_("数据集"), max_length=60)
    last_day = models.DateField(_("公示截止期"))
    records = models.PositiveIntegerField(_("下架条数"))
    done_at = models.DateTimeField(_("办理时间"))

    class Meta:
        verbose_name = _("自动下架")
        ordering = ["-last_day", "dataset"]
        constraints = [models.UniqueConstraint(fields=["dataset", "last_day"], name="credit_takedown_once")]


class RepairState(models.TextChoices):
    """Where an application for repair is."""

    SUBMITTED = "SUBMITTED", _("待受理")
    ACCEPTED = "ACCEPTED", _("已受理，待核实")
    CHECKED = "CHECKED", _("已核实，待决定")
    GRANTED = "GRANTED", _("准予修复")
    REFUSED = "REFUSED", _("不予修复")
    DECLINED = "DECLINED", _("不予受理")
    CANCELLED = "CANCELLED", _("已撤回")


OPEN_REPAIRS = ("SUBMITTED", "ACCEPTED", "CHECKED")


class CreditCase(models.Model):
    """What repairs and objections share: the record, who applies, whose task it is until when, and the answer."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    number = models.CharField(_("编号"), max_length=30, unique=True)
    dataset = models.CharField(_("数据集"), max_length=60)
    row_key = models.BinaryField(max_length=16)
    document_number = models.CharField(_("决定文书号"), max_length=128)
    owner = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("认定部门"))
    submitted_from = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("提交部门"))
    submitted_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("提交人"))
    submitted_at = models.DateTimeField(_("提交时间"))
    reason = models.CharField(_("理由"), max_length=500)
    due_at = models.DateTimeField(_("办理期限"), null=True)
    decided_at = models.DateTimeField(_("决定时间"), null=True)
    answer = models.CharField(_("答复"), max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class CreditRepair(CreditCase):
    """An application to end the showing and the effect of a record early (信用修复); whoever determined it repairs it."""

    state = models.CharField(_("状态"), max_length=10, choices=RepairState.choices, default=RepairState.SUBMITTED)
    severity = models.CharField(_("失信程度"), max_length=1)
    evidence = models.CharField(_("义务履行证明"), max_length=500)
    finding = models.CharField(_("核实意见"), max_length=500, blank=True)
    is_extended = models.BooleanField(_("已延长"), default=False)

    class Meta:
        verbose_name = _("信用修复")
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "state", "id"], name="credit_repair_owner")]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "row_key"], condition=Q(state__in=OPEN_REPAIRS), name="credit_repair_one_open"
            )
        ]


class ObjectionState(models.TextChoices):
    """Where an objection to a record is."""

    RAISED = "RAISED", _("待核实")
    RETRACTED = "RETRACTED", _("异议成立，记录已撤销")
    CORRECTED = "CORRECTED", _("异议成立，待来源更正")
    DISMISSED = "DISMISSED", _("异议不成立")


class CreditObjection(CreditCase):
    """An objection to a record (信用异议): it is marked while the determining department checks."""

    state = models.CharField(_("状态"), max_length=10, choices=ObjectionState.choices, default=ObjectionState.RAISED)

    class Meta:
        verbose_name = _("信用异议")
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "state", "id"], name="credit_objection_owner")]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "row_key"], condition=Q(state="RAISED"), name="credit_objection_one_open")
        ]
