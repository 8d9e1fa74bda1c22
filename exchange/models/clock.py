"""Clocks as data (办理时限): how long each stage has, by sharing attribute and region, and extensions of an answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import ShareAttribute
from core.models import SharedObject, User
from exchange.models.access_request import AccessRequest, Desk


class Stage(models.TextChoices):
    """What a limit is for: a desk, the answer as a whole, or another duty of Order 809."""

    REQUESTER_OPERATOR = "REQUESTER_OPERATOR", _("申请方补正")
    REQUESTER_HEAD = "REQUESTER_HEAD", _("申请方负责人")
    PROVIDER_OPERATOR = "PROVIDER_OPERATOR", _("提供方经办人")
    PROVIDER_HEAD = "PROVIDER_HEAD", _("提供方负责人")
    DATA_CENTRE = "DATA_CENTRE", _("数据中心")
    ANSWER = "ANSWER", _("答复申请")
    DELIVERY = "DELIVERY", _("同意后共享数据")
    VERIFICATION = "VERIFICATION", _("校核反馈")
    CATALOG_UPDATE = "CATALOG_UPDATE", _("更新目录")
    CATALOG_REVIEW = "CATALOG_REVIEW", _("审核发布目录")


class SlaPolicy(models.Model):
    """Working days of a stage. A blank sharing attribute or region means all; the most specific row that is valid counts."""

    stage = models.CharField(_("环节"), max_length=20, choices=Stage.choices)
    share_attribute = models.CharField(_("共享属性"), max_length=15, choices=ShareAttribute.choices, blank=True, default="")
    region_code = models.CharField(_("区划代码"), max_length=12, blank=True, default="")
    days = models.PositiveSmallIntegerField(_("工作日"))
    extension_days = models.PositiveSmallIntegerField(_("最多延长工作日"), default=0)
    consent_by = models.CharField(_("延期由谁同意"), max_length=20, choices=Desk.choices, blank=True, default="")
    source = models.CharField(_("依据"), max_length=200)
    valid_from = models.DateField(_("施行日期"))

    class Meta:
        verbose_name = _("时限规则")
        ordering = ["stage", "share_attribute", "region_code", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "share_attribute", "region_code", "valid_from"], name="sla_policy_once"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="sla_policy_stage_known"),
            models.CheckConstraint(condition=Q(extension_days=0) | ~Q(consent_by=""), name="sla_extension_has_consent"),
        ]


class ExtensionState(models.TextChoices):
    """Where an extension stands."""

    ASKED = "ASKED", _("待数据中心同意")
    CONSENTED = "CONSENTED", _("已同意延期")
    REFUSED = "REFUSED", _("未同意延期")


class ClockExtension(SharedObject):
    """The desk that has the ball asks for more days for a special reason (Order 809 art. 21); one open, one granted."""

    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="extensions")
    desk = models.CharField(_("岗位"), max_length=20, choices=Desk.choices)
    days = models.PositiveSmallIntegerField(_("延长工作日"))
    reason = models.CharField(_("特殊原因"), max_length=500)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_by_name = models.CharField(_("申请延期人"), max_length=60)
    asked_for = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("申请延期时间"))
    state = models.CharField(_("状态"), max_length=10, choices=ExtensionState.choices, default=ExtensionState.ASKED)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_by_name = models.CharField(_("同意人"), max_length=60, blank=True, default="")
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    decision_reason = models.CharField(_("意见"), max_length=500, blank=True, default="")
    old_due_at = models.DateTimeField(_("原答复时限"), null=True, blank=True)
    new_due_at = models.DateTimeField(_("新答复时限"), null=True, blank=True)

    class Meta:
        verbose_name = _("延期")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=10), name="extension_at_most_ten_days"),
            models.CheckConstraint(condition=Q(state__in=ExtensionState.values), name="extension_state_known"),
            models.CheckConstraint(condition=~Q(state="REFUSED") | ~Q(decision_reason=""), name="extension_refusal_has_reason"),
            models.UniqueConstraint(fields=["access_request"], condition=Q(state="ASKED"), name="extension_one_open"),
            models.UniqueConstraint(fields=["access_request"], condition=Q(state="CONSENTED"), name="extension_granted_once"),
        ]
