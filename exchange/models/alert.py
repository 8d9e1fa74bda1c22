"""Alerts (告警): unusual use of a grant that somebody has to look at; and what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User
from exchange.models.grant import Grant
from exchange.models.system import ConsumerSystem


class AlertKind(models.TextChoices):
    """What was unusual."""

    NIGHT_BULK = "NIGHT_BULK", _("夜间大批量复制")
    ENUMERATION = "ENUMERATION", _("疑似逐个试号")
    UNUSUAL_VOLUME = "UNUSUAL_VOLUME", _("用量远超平时")
    SUBJECT_LIMIT = "SUBJECT_LIMIT", _("反复比对同一对象")
    REFUSALS = "REFUSALS", _("同类拒绝集中出现")


class AlertState(models.TextChoices):
    """Whether somebody looked at it, and what came of it."""

    OPEN = "OPEN", _("待处置")
    ACKNOWLEDGED = "ACKNOWLEDGED", _("核查中")
    DISMISSED = "DISMISSED", _("已排除")
    ACTED = "ACTED", _("已暂停授权")


UNSETTLED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)


class Alert(SharedObject):
    """One alert; while it is unsettled the same use of the same grant brings it up to date and makes no second one.

    `measure` is the figure that was too high, `evidence` the counts around it: never a name, a key or an address.
    """

    kind = models.CharField(_("告警"), max_length=16, choices=AlertKind.choices)
    grant = models.ForeignKey(Grant, models.PROTECT, null=True, related_name="alerts", verbose_name=_("授权"))
    system = models.ForeignKey(ConsumerSystem, models.PROTECT, related_name="alerts", verbose_name=_("使用方系统"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="alerts", verbose_name=_("使用方"))
    opened_at = models.DateTimeField(_("发现时间"))
    last_seen_at = models.DateTimeField(_("最近一次"))
    measure = models.BigIntegerField(_("数量"))
    threshold = models.BigIntegerField(_("阈值"))
    evidence = models.JSONField(default=dict)
    state = models.CharField(_("状态"), max_length=12, choices=AlertState.choices, default=AlertState.OPEN)
    handled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    handled_by_name = models.CharField(_("处置人"), max_length=60, blank=True, default="")
    handled_at = models.DateTimeField(_("处置时间"), null=True, blank=True)
    reason = models.CharField(_("处置说明"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("告警")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "system", "grant"],
                condition=Q(state__in=["OPEN", "ACKNOWLEDGED"]),
                name="alert_one_unsettled",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(state__in=AlertState.values), name="alert_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "ACKNOWLEDGED"]) | (~Q(reason="") & Q(handled_at__isnull=False)),
                name="alert_settled_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="alert_state")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.system.name}"
