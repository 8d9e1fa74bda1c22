"""Missing licenses (缺失电子证照): reports that a license is not there electronically, is lost or wrong, and their clocks."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User
from licenses.models.license import License


class MissingKind(models.TextChoices):
    """What is wrong."""

    PAPER_ONLY = "PAPER_ONLY", _("只有纸质证照")
    NOT_FOUND = "NOT_FOUND", _("应有而查不到")
    LOST = "LOST", _("证照遗失")
    WRONG = "WRONG", _("电子证照内容有误")


class MissingState(models.TextChoices):
    """Where a report is."""

    REPORTED = "REPORTED", _("待接收")
    CHECKING = "CHECKING", _("正在核查档案")
    DENYING = "DENYING", _("拟答复查无，待负责人确认")
    REISSUING = "REISSUING", _("正在补发")
    REISSUED = "REISSUED", _("已补发")
    FOUND = "FOUND", _("已有电子证照")
    ABSENT = "ABSENT", _("档案中查无此证")
    WITHDRAWN = "WITHDRAWN", _("已撤回")
    JOINED = "JOINED", _("已并入他人的报告")


OPEN_MISSING = ("REPORTED", "CHECKING", "DENYING", "REISSUING")


class MissingStage(models.TextChoices):
    """The part of the work a clock is for."""

    RECEIVE = "RECEIVE", _("接收")
    CHECK = "CHECK", _("核查档案")
    EXTENSION = "EXTENSION", _("延长核查")
    REISSUE = "REISSUE", _("补发")


class MissingReminder(models.TextChoices):
    """What the desk has been reminded of."""

    NONE = "NONE", _("未提醒")
    SOON = "SOON", _("已提醒将到期")
    OVERDUE = "OVERDUE", _("已提醒超期")


class MissingClock(models.Model):
    """How many working days a stage may take, in force for a range of days."""

    stage = models.CharField(_("环节"), max_length=10, choices=MissingStage.choices)
    days = models.PositiveSmallIntegerField(_("工作日"))
    citation = models.CharField(_("依据"), max_length=200)
    effective = DateRangeField(_("施行期"))

    class Meta:
        verbose_name = _("缺失证照办理期限")
        ordering = ["stage", "effective"]
        constraints = [
            ExclusionConstraint(
                name="missing_clock_one_at_a_time",
                expressions=[("stage", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=60), name="missing_clock_days"),
        ]


class MissingReport(models.Model):
    """A license that should be there and is not: whose, of which type, with which department the report lies until when."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    number = models.CharField(_("编号"), max_length=30, unique=True)
    kind = models.CharField(_("情形"), max_length=20, choices=MissingKind.choices)
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    type_name = models.CharField(_("证照类型"), max_length=200)
    region_code = models.CharField(_("管辖属地"), max_length=12)
    holder_name = models.CharField(_("持证主体"), max_length=200)
    holder_code = models.CharField(_("持证主体代码"), max_length=18)
    holder_code_type = models.CharField(_("持证主体代码类型"), max_length=3)
    subject_key = models.BinaryField(max_length=16)
    paper_number = models.CharField(_("证照编号"), max_length=100, blank=True, default="")
    note = models.CharField(_("情况说明"), max_length=500)
    is_by_holder = models.BooleanField(_("持证人报告"), default=False)
    reported_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("报告人"))
    reported_from = models.ForeignKey(
        Department, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("报告部门")
    )
    reported_at = models.DateTimeField(_("报告时间"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False, verbose_name=_("核查部门"))
    state = models.CharField(_("状态"), max_length=10, choices=MissingState.choices, default=MissingState.REPORTED)
    due_at = models.DateTimeField(_("办理期限"), null=True)
    is_extended = models.BooleanField(_("已延长"), default=False)
    reminder = models.CharField(_("提醒"), max_length=10, choices=MissingReminder.choices, default=MissingReminder.NONE)
    decided_at = models.DateTimeField(_("办结时间"), null=True)
    answer = models.CharField(_("答复"), max_length=500, blank=True, default="")
    identifier = models.CharField(_("电子证照标识"), max_length=128, blank=True, default="")
    draft_uid = models.UUIDField(null=True)
    license = models.ForeignKey(License, models.PROTECT, null=True, related_name="+", db_index=False)
    joined_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="joined")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("缺失证照报告")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["type_code", "subject_key", "paper_number"], condition=Q(state__in=OPEN_MISSING), name="missing_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="JOINED", joined_into__isnull=False) | (~Q(state="JOINED") & Q(joined_into=None)),
                name="missing_joined_into",
            ),
            models.CheckConstraint(condition=Q(state__in=MissingState.values), name="missing_state_known"),
        ]
        indexes = [
            models.Index(fields=["department", "state", "-id"], name="missing_desk"),
            models.Index(fields=["reported_from", "-id"], name="missing_reporter"),
            models.Index(fields=["subject_key", "-id"], name="missing_subject"),
            models.Index(fields=["due_at"], condition=Q(state__in=OPEN_MISSING), name="missing_due"),
        ]

    def __str__(self) -> str:
        return self.number


class MissingStep(models.Model):
    """What was done about a report, in order; append-only."""

    report = models.ForeignKey(MissingReport, models.PROTECT, related_name="steps")
    command = models.CharField(_("办理"), max_length=20)
    state = models.CharField(_("办理后状态"), max_length=10, choices=MissingState.choices)
    actor_name = models.CharField(_("办理人"), max_length=60)
    department_name = models.CharField(_("部门"), max_length=100, blank=True)
    note = models.CharField(_("说明"), max_length=500, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("缺失证照办理记录")
        ordering = ["id"]
