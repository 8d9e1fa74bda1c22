"""Authorization from above (上级授权): blanket (整体) or per case (非整体), and the relay of a request upward with its receipts.

What the platform above says stands beside our own states and never overwrites them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource
from core.ids import uuid7
from core.models import SharedObject, User
from exchange.models.access_request import AccessRequest
from exchange.models.source import UpstreamInterface


class AuthorizationKind(models.TextChoices):
    """How the authority above lets its interface be used."""

    BLANKET = "BLANKET", _("整体授权")
    PER_CASE = "PER_CASE", _("非整体授权")


class UpstreamAuthorization(SharedObject):
    """The terms under which a resource from above may be granted here."""

    resource = models.OneToOneField(Resource, models.PROTECT, related_name="upstream_authorization", verbose_name=_("信息资源"))
    kind = models.CharField(_("授权方式"), max_length=10, choices=AuthorizationKind.choices)
    authority = models.CharField(_("授权单位"), max_length=100)
    document_number = models.CharField(_("授权文号"), max_length=60)
    terms = models.CharField(_("授权条件"), max_length=500)
    valid_from = models.DateField(_("授权自"))
    valid_to = models.DateField(_("授权至"))
    relay_interface = models.ForeignKey(
        UpstreamInterface, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("转报接口")
    )

    class Meta:
        verbose_name = _("上级授权")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AuthorizationKind.values), name="upstream_authorization_kind_known"),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="upstream_authorization_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.authority} {self.document_number}"


class RelayState(models.IntegerChoices):
    """Where a relayed request stands above: the codes of the national platform."""

    NOT_REPORTED = 0, _("待转报")
    REPORTED = 1, _("已转报，待上级审核")
    REJECTED_LOCALLY = 2, _("本级管理员退回")
    REJECTED_ABOVE = 3, _("上级平台退回")
    WITHDRAWN = 4, _("已撤回转报")
    APPROVED = 5, _("上级已同意")
    REFUSED = 8, _("上级不同意")


class UpstreamRelay(SharedObject):
    """A request on its way through the platform above; `external_id` is its number there (up_apply_id)."""

    access_request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="upstream_relay")
    authorization = models.ForeignKey(UpstreamAuthorization, models.PROTECT, related_name="relays")
    state = models.PositiveSmallIntegerField(_("上级办理状态"), choices=RelayState.choices, default=RelayState.NOT_REPORTED)
    external_id = models.CharField(_("上级申请编号"), max_length=64, blank=True)
    idempotency_key = models.UUIDField(default=uuid7, unique=True, editable=False)
    reported_at = models.DateTimeField(_("转报时间"), null=True, blank=True)
    answered_at = models.DateTimeField(_("最近回执时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("上级转报")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(state__in=RelayState.values), name="upstream_relay_state_known")]

    def __str__(self) -> str:
        return self.access_request.number


class ReceiptOrigin(models.TextChoices):
    """Who told us."""

    RECORDED = "RECORDED", _("人工登记")
    RECEIVED = "RECEIVED", _("接口回执")


class UpstreamReceipt(models.Model):
    """One thing that was sent above or heard from there. Append-only."""

    relay = models.ForeignKey(UpstreamRelay, models.PROTECT, related_name="receipts")
    at = models.DateTimeField(_("时间"))
    state = models.PositiveSmallIntegerField(_("上级办理状态"), choices=RelayState.choices)
    document_number = models.CharField(_("文号或回执号"), max_length=64)
    note = models.CharField(_("说明"), max_length=500, blank=True)
    origin = models.CharField(_("来源"), max_length=10, choices=ReceiptOrigin.choices)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("登记人"), max_length=60)

    class Meta:
        verbose_name = _("上级回执")
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(state__in=RelayState.values), name="upstream_receipt_state_known")]
