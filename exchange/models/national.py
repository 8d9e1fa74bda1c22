"""The national calling convention served here (国家平台规范): who calls under which rid, which service code is which grant."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import SealedSecret, SharedObject
from exchange.models.grant import Grant
from exchange.models.system import Credential


class NationalRequester(SharedObject):
    """A system of ours that calls by the national convention. Its app key is the secret of its credential."""

    rid = models.CharField(_("请求者标识"), max_length=64, unique=True)
    credential = models.OneToOneField(Credential, models.PROTECT, related_name="national_requester")
    requires_v2 = models.BooleanField(_("必须携带随机数和正文摘要"), default=False)

    class Meta:
        verbose_name = _("国家规范调用方")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.rid


class NationalSession(SealedSecret):
    """A session secret handed to a requester (`national_session:<rid>:<slot>`): the current one and the one before it."""

    requester = models.ForeignKey(NationalRequester, models.PROTECT, related_name="sessions")
    slot = models.PositiveSmallIntegerField()
    issued_at = models.DateTimeField(_("签发时间"))
    ends_at = models.DateTimeField(_("到期时间"))

    class Meta:
        verbose_name = _("国家规范会话密钥")
        constraints = [
            models.UniqueConstraint(fields=["requester", "slot"], name="national_session_slot_once"),
            models.CheckConstraint(condition=models.Q(slot__in=[0, 1]), name="national_session_two_slots"),
        ]


class NationalService(SharedObject):
    """A service code (sid) under which a grant is called; `parameters` names what integrators send: theirs -> ours."""

    sid = models.CharField(_("服务编码"), max_length=64, unique=True)
    grant = models.OneToOneField(Grant, models.PROTECT, related_name="national_service")
    key_parameter = models.CharField(_("主键参数"), max_length=40, blank=True)
    attribute_parameters = models.JSONField(_("比对参数"), default=dict)

    class Meta:
        verbose_name = _("国家规范服务编码")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.sid
