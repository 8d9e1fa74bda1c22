"""Keys that seal licenses (签章密钥): the public half only. Private halves lie in the encrypted key store outside the database."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class KeyPurpose(models.TextChoices):
    """What a key signs, and how."""

    DATA = "DATA", _("证照数据（SM2）")
    FILE = "FILE", _("版式文件（PAdES）")
    STATUS = "STATUS", _("状态清单（SM2）")
    NODE = "NODE", _("互认节点（SM2）")


class SealKey(models.Model):
    """A key and its certificate. A retired key signs no more and goes on verifying what it signed while it was in force."""

    code = models.CharField(_("密钥标识"), max_length=64, unique=True)
    purpose = models.CharField(_("用途"), max_length=10, choices=KeyPurpose.choices)
    public_key = models.TextField(_("公钥（PEM）"))
    certificate = models.TextField(_("证书（PEM）"), blank=True, default="")
    valid_from = models.DateTimeField(_("启用时间"), db_default=Now())
    retired_at = models.DateTimeField(_("停用时间"), null=True)
    compromised_at = models.DateTimeField(_("失密时间"), null=True)

    class Meta:
        verbose_name = _("签章密钥")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["purpose"], condition=Q(retired_at=None), name="seal_key_one_in_force"),
        ]

    def __str__(self) -> str:
        return self.code
