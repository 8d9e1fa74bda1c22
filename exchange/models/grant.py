"""Grants (授权): a domain row, not a permission. The call path reads nothing else."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, SharingMode
from core.models import SharedObject
from exchange.models.access_request import AccessRequest, Desk
from exchange.models.limits import LimitColumns
from exchange.models.system import ConsumerSystem


class GrantState(models.TextChoices):
    """Expiry is not a state: it follows from `valid_to`, checked at every call."""

    ACTIVE = "ACTIVE", _("有效")
    SUSPENDED = "SUSPENDED", _("已暂停")
    REVOKED = "REVOKED", _("已撤销")


class SuspensionGround(models.TextChoices):
    """Why a grant was suspended. Misuse is put right by a day that is set (Order 809 art. 25)."""

    CHECK = "CHECK", _("核查")
    MISUSE = "MISUSE", _("违规使用")


class Grant(LimitColumns, SharedObject):
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
    valid_from = models.DateTimeField(_("生效时间"))
    valid_to = models.DateTimeField(_("失效时间"))
    state = models.CharField(_("状态"), max_length=10, choices=GrantState.choices, default=GrantState.ACTIVE)
    state_desk = models.CharField(_("办理岗位"), max_length=20, choices=Desk.choices, blank=True, default="")
    state_reason = models.CharField(_("原因"), max_length=500, blank=True)
    suspension_ground = models.CharField(_("暂停事由"), max_length=10, choices=SuspensionGround.choices, blank=True, default="")
    put_right_by = models.DateField(_("限期整改"), null=True, blank=True)
    client_count = models.PositiveIntegerField(_("服务对象数"), default=0)
    client_digest = models.CharField(_("服务对象清单摘要"), max_length=64, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    renewed_by = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="renewed")

    class Meta:
        verbose_name = _("授权")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="grant_dates"),
            models.CheckConstraint(condition=Q(state__in=GrantState.values), name="grant_state_known"),
            models.CheckConstraint(condition=Q(fields__len__gt=0), name="grant_has_fields"),
            models.CheckConstraint(
                condition=~Q(suspension_ground="MISUSE") | Q(put_right_by__isnull=False), name="misuse_has_deadline"
            ),
        ]
        indexes = [models.Index(fields=["system", "-id"], name="grant_system")]

    def __str__(self) -> str:
        return f"{self.resource.title} · {self.system.name}"
