"""Grants (授权): a domain row, not a permission. The call path reads nothing else."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, SharingMode
from core.models import SharedObject
from exchange.models.access_request import AccessRequest, Desk
from exchange.models.system import ConsumerSystem


class GrantState(models.TextChoices):
    """Expiry is not a state: it follows from `valid_to`, checked at every call."""

    ACTIVE = "ACTIVE", _("有效")
    SUSPENDED = "SUSPENDED", _("已暂停")
    REVOKED = "REVOKED", _("已撤销")


class Grant(SharedObject):
    """What a system may do with a resource: fields, masks, rows, purpose, quota, dates, state. `version` counts changes."""

    access_request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="grant")
    system = models.ForeignKey(ConsumerSystem, models.PROTECT, related_name="grants", verbose_name=_("使用方系统"))
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="grants", verbose_name=_("信息资源"))
    mode = models.CharField(_("共享方式"), max_length=10, choices=SharingMode.choices)
    fields = ArrayField(models.CharField(max_length=40), verbose_name=_("信息项"))
    masks = models.JSONField(_("脱敏"), default=dict)
    region_prefix = models.CharField(_("数据范围(区划)"), max_length=12, blank=True)
    purpose = models.CharField(_("使用目的"), max_length=200)
    quota_per_day = models.PositiveIntegerField(_("日调用量"))
    quota_per_second = models.PositiveIntegerField(_("每秒调用量"), default=100)
    valid_from = models.DateTimeField(_("生效时间"))
    valid_to = models.DateTimeField(_("失效时间"))
    state = models.CharField(_("状态"), max_length=10, choices=GrantState.choices, default=GrantState.ACTIVE)
    state_desk = models.CharField(_("办理岗位"), max_length=20, choices=Desk.choices, blank=True, default="")
    state_reason = models.CharField(_("原因"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    renewed_by = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="renewed")

    class Meta:
        verbose_name = _("授权")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="grant_dates"),
            models.CheckConstraint(condition=Q(state__in=GrantState.values), name="grant_state_known"),
            models.CheckConstraint(condition=Q(fields__len__gt=0), name="grant_has_fields"),
        ]
        indexes = [models.Index(fields=["system", "-id"], name="grant_system")]

    def __str__(self) -> str:
        return f"{self.resource.title} · {self.system.name}"
