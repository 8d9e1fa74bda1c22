"""What a grant said when (授权版本), whose rows it reaches (服务对象), and the filing that ends it (终止备案)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import SealedSecret, User
from exchange.models.access_request import Desk
from exchange.models.grant import Grant


class GrantEvent(models.TextChoices):
    """What made a version."""

    ISSUED = "ISSUED", _("授权")
    SUSPENDED = "SUSPENDED", _("暂停")
    RESUMED = "RESUMED", _("恢复")
    REVOKED = "REVOKED", _("撤销")
    NARROWED = "NARROWED", _("收窄")
    TERMINATED = "TERMINATED", _("终止备案")
    ADDRESSES_LIMITED = "ADDRESSES_LIMITED", _("登记来源地址")
    CLIENTS_LOADED = "CLIENTS_LOADED", _("登记服务对象")
    ADOPTED = "ADOPTED", _("补录")


class GrantVersion(models.Model):
    """All terms of a grant from `at` until its next version. Append-only."""

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("授权版本"))
    at = models.DateTimeField(_("时间"))
    event = models.CharField(_("动作"), max_length=20, choices=GrantEvent.choices)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("办理人"), max_length=60, blank=True)
    actor_department = models.CharField(_("部门"), max_length=100, blank=True)
    reason = models.CharField(_("理由"), max_length=500, blank=True)
    terms = models.JSONField(_("授权内容"))

    class Meta:
        verbose_name = _("授权版本")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["grant", "number"], name="grant_version_once")]


class GrantSubject(models.Model):
    """A person or legal entity the consumer serves: under the rule "own clients" nobody else is answered about."""

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="subjects", db_index=False)
    subject_key = models.BinaryField(max_length=16)
    token = models.BinaryField(max_length=32, null=True)

    class Meta:
        verbose_name = _("服务对象")
        constraints = [
            models.UniqueConstraint(fields=["grant", "subject_key"], name="grant_subject_once"),
            models.UniqueConstraint(fields=["grant", "token"], name="grant_token_once"),
        ]


class GrantTokenKey(SealedSecret):
    """The sealed key under which a grant's clients have tokens."""

    grant = models.OneToOneField(Grant, models.PROTECT, related_name="token_key")
    issued_at = models.DateTimeField(_("生成时间"))

    class Meta:
        verbose_name = _("对象令牌密钥")


class TerminationFiling(models.Model):
    """The record filed with the data centre when a service is ended (Order 809 art. 27). Append-only."""

    number = models.CharField(_("备案编号"), max_length=20, unique=True)
    grant = models.OneToOneField(Grant, models.PROTECT, related_name="termination")
    reason = models.CharField(_("终止理由"), max_length=500)
    negotiated_on = models.DateField(_("协商日期"))
    ends_on = models.DateField(_("停止服务日期"))
    previous_valid_to = models.DateTimeField(_("原失效时间"))
    desk = models.CharField(_("办理岗位"), max_length=20, choices=Desk.choices)
    filed_at = models.DateTimeField(_("备案时间"))
    filed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    filed_by_name = models.CharField(_("备案人"), max_length=60)

    class Meta:
        verbose_name = _("终止备案")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="termination_has_reason"),
        ]

    def __str__(self) -> str:
        return self.number
