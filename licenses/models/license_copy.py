"""Copies of licenses made for a purpose (加注件): for whom, what for, until when, and how often they were fetched."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User
from licenses.models.key import SealKey
from licenses.models.license import License


class LicenseCopy(models.Model):
    """A signed file of its own with purpose, receiver and date across the page."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    license = models.ForeignKey(License, models.PROTECT, related_name="copies")
    purpose = models.CharField(_("用途"), max_length=100)
    receiver = models.CharField(_("接收方"), max_length=100)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("申请人"))
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("申请部门")
    )
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField(_("字节数"))
    key = models.ForeignKey(SealKey, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(_("制作时间"), db_default=Now())
    expires_at = models.DateTimeField(_("有效至"))
    downloads = models.PositiveIntegerField(_("下载次数"), default=0)
    downloaded_at = models.DateTimeField(_("最近下载"), null=True)

    class Meta:
        verbose_name = _("加注件")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("made_at")), name="license_copy_ends"),
        ]
        indexes = [models.Index(fields=["sha256"], name="license_copy_digest")]
