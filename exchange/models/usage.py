"""After the grant (Order 809 art. 27-29): usage records (使用记录), inspections of them, and disposal (数据处置)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import SharedObject, User
from exchange.models.grant import Grant
from exchange.models.material_return import ReturningSide


class UsageRecord(models.Model):
    """What the requester did with the data in a period. Append-only: a correction is a row and names what it corrects."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="usage_records", verbose_name=_("授权"))
    first_day = models.DateField(_("使用期间自"))
    last_day = models.DateField(_("使用期间至"))
    scenario = models.CharField(_("使用场景"), max_length=500)
    process = models.CharField(_("使用过程"), max_length=1000)
    results = models.CharField(_("应用成效"), max_length=1000)
    storage = models.CharField(_("存储情况"), max_length=500)
    destruction = models.CharField(_("销毁情况"), max_length=500)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="corrected_by")
    correction_reason = models.CharField(_("更正原因"), max_length=500, blank=True, default="")
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    recorded_by_name = models.CharField(_("登记人"), max_length=60)
    recorded_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("使用记录")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="usage_period"),
            models.CheckConstraint(condition=Q(corrects=None) | ~Q(correction_reason=""), name="usage_correction_says_why"),
        ]
        indexes = [models.Index(fields=["grant", "-id"], name="usage_grant")]

    def __str__(self) -> str:
        return f"{self.grant} {self.first_day}—{self.last_day}"


class UsageInspection(models.Model):
    """What the provider or the centre found in the usage records. Append-only; findings with a deadline wait for a record."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="usage_inspections", verbose_name=_("授权"))
    side = models.CharField(_("检查方"), max_length=12, choices=ReturningSide.choices)
    findings = models.CharField(_("检查情况"), max_length=1000)
    put_right_by = models.DateField(_("限期整改"), null=True, blank=True)
    inspected_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    inspected_by_name = models.CharField(_("检查人"), max_length=60)
    inspected_at = models.DateTimeField(_("检查时间"))

    class Meta:
        verbose_name = _("使用检查")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(findings=""), name="inspection_says_something")]


class UsageReminder(models.Model):
    """That the operators were asked for the usage record of a quarter. Append-only."""

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="usage_reminders")
    quarter = models.DateField()  # its first day
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("使用记录提醒")
        constraints = [models.UniqueConstraint(fields=["grant", "quarter"], name="usage_reminder_once")]


class DisposalState(models.TextChoices):
    """Who has the ball: the requester, the provider, nobody."""

    DUE = "DUE", _("待使用方处置")
    REPORTED = "REPORTED", _("待提供方确认")
    CONFIRMED = "CONFIRMED", _("已确认")


class DisposalManner(models.TextChoices):
    """What became of the data."""

    DESTROYED = "DESTROYED", _("已销毁")
    RETURNED = "RETURNED", _("已归还")
    NOTHING_KEPT = "NOTHING_KEPT", _("未留存数据")


class Disposal(SharedObject):
    """What has to become of the data when the purpose of a grant has ended (Order 809 art. 27). One a grant."""

    grant = models.OneToOneField(Grant, models.PROTECT, related_name="disposal", verbose_name=_("授权"))
    opened_at = models.DateTimeField(_("开始时间"))
    due_at = models.DateTimeField(_("处置时限"))
    state = models.CharField(_("状态"), max_length=10, choices=DisposalState.choices, default=DisposalState.DUE)
    manner = models.CharField(_("处置方式"), max_length=12, choices=DisposalManner.choices, blank=True, default="")
    account = models.CharField(_("处置说明"), max_length=1000, blank=True, default="")
    reported_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reported_by_name = models.CharField(_("报告人"), max_length=60, blank=True, default="")
    reported_at = models.DateTimeField(_("报告时间"), null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_by_name = models.CharField(_("确认人"), max_length=60, blank=True, default="")
    decided_at = models.DateTimeField(_("确认时间"), null=True, blank=True)
    opinion = models.CharField(_("提供方意见"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("数据处置")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DisposalState.values), name="disposal_state_known"),
            models.CheckConstraint(
                condition=Q(state="DUE") | (~Q(manner="") & ~Q(account="") & Q(reported_at__isnull=False)),
                name="disposal_reported_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(state="CONFIRMED") | Q(decided_by__isnull=False), name="disposal_confirmed_by_somebody"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="disposal_due")]

    def __str__(self) -> str:
        return str(self.grant)
