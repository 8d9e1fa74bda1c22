"""Published status lists (状态清单) and counts of verifications (核验计数). What happened to a license is in its events."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import XidField
from licenses.models.key import SealKey


class ListName(models.TextChoices):
    """Whose states a list tells: licenses issued here by their position, those of the whole city by their row."""

    ISSUED = "issued", _("本平台签发的证照")
    AGGREGATED = "aggregated", _("全市归集的证照")


class StatusList(models.Model):
    """A published list. `document` is what was served, byte for byte; only how far the list was checked afterwards changes.

    `digest` is the SHA-256 of the uncompressed bit string, `sha256` that of the document.
    """

    name = models.CharField(_("清单"), max_length=20, choices=ListName.choices)
    number = models.PositiveIntegerField(_("期号"))
    length = models.BigIntegerField(_("位置数"))
    counts = models.JSONField(_("各状态件数"), default=dict)
    document = models.BinaryField()
    size = models.PositiveIntegerField(_("字节数"))
    sha256 = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    key = models.ForeignKey(SealKey, models.PROTECT, related_name="+", db_index=False, verbose_name=_("签名密钥"))
    built_at = models.DateTimeField(_("生成时间"))
    valid_until = models.DateTimeField(_("有效至"))
    through_xid = XidField()
    checked_at = models.DateTimeField(_("最近核对"))

    class Meta:
        verbose_name = _("证照状态清单")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="status_list_once"),
            models.CheckConstraint(condition=Q(name__in=ListName.values), name="status_list_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class VerificationDoor(models.TextChoices):
    """Where a license was verified."""

    PAGE = "PAGE", _("网页")
    REST = "REST", _("接口")
    FILE = "FILE", _("文件")


class VerificationCount(models.Model):
    """How many verifications of a day came to which outcome. Nobody's address and no identifier is kept."""

    day = models.DateField(_("日期"))
    door = models.CharField(_("入口"), max_length=10, choices=VerificationDoor.choices)
    outcome = models.CharField(_("结果"), max_length=60)
    count = models.BigIntegerField(_("次数"))

    class Meta:
        verbose_name = _("核验计数")
        ordering = ["-day", "door", "outcome"]
        constraints = [models.UniqueConstraint(fields=["day", "door", "outcome"], name="verification_count_once")]
