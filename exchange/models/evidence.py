"""Seals and archives (存证): append-only, and only the database role `sealer` may add a seal.

A seal covers every record of a chain whose transaction lies in [xid_from, xid_to); the next one begins where it ends.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import XidField


class Chain(models.TextChoices):
    """What is sealed, each in a chain of its own."""

    CALLS = "CALLS", _("调用记录")
    AUDIT = "AUDIT", _("审计记录")
    USES = "USES", _("用证记录")


class Seal(models.Model):
    """One sealed batch. `statement` is what was signed; the columns beside it repeat it for looking up."""

    chain = models.CharField(_("链"), max_length=10, choices=Chain)
    number = models.BigIntegerField(_("序号"))
    xid_from = XidField()
    xid_to = XidField()
    record_count = models.IntegerField(_("记录数"))
    first_at = models.DateTimeField(_("最早记录时间"))
    last_at = models.DateTimeField(_("最晚记录时间"))
    sealed_at = models.DateTimeField(_("封存时间"))
    statement = models.TextField(_("封存声明"))
    signature = models.BinaryField()
    record_digests = models.BinaryField()  # 32 bytes a record, in order: they tell which record of a batch is not what it was

    class Meta:
        verbose_name = _("封存批次")
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="seal_number_once")]
        indexes = [
            models.Index(fields=["chain", "sealed_at"], name="seal_time"),
            models.Index(fields=["chain", "xid_to"], name="seal_xid"),
        ]


class Archive(models.Model):
    """One archive file: the seals first_seal to last_seal of a chain. The digests are those of X-Road's `linkinginfo`."""

    chain = models.CharField(_("链"), max_length=10, choices=Chain)
    number = models.BigIntegerField(_("序号"))
    name = models.CharField(_("文件名"), max_length=120, unique=True)
    first_seal = models.BigIntegerField(_("起始批次"))
    last_seal = models.BigIntegerField(_("截止批次"))
    last_digest = models.CharField(max_length=128)
    file_digest = models.CharField(max_length=64)
    size = models.BigIntegerField(_("大小"))
    archived_at = models.DateTimeField(_("归档时间"))

    class Meta:
        verbose_name = _("存证归档")
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="archive_number_once")]


class SealTimestamp(models.Model):
    """What an outside authority says of a seal: it existed then (RFC 3161, 可信时间戳). Append-only."""

    seal = models.OneToOneField(Seal, models.PROTECT, related_name="timestamp")
    stamped_at = models.DateTimeField(_("时间戳时间"))
    token = models.BinaryField()  # the authority's whole answer (TimeStampResp, DER) over the seal's statement

    class Meta:
        verbose_name = _("可信时间戳")


class RetiredMonth(models.Model):
    """A month of call records that left the table calls write to. Kept by the functions that detach and drop it."""

    month = models.DateField(_("月份"), unique=True)
    record_count = models.BigIntegerField(_("记录数"))
    # Null for a month without records.
    xid_first = XidField(null=True)  # type: ignore[misc]  # the field is typed by its value alone
    xid_last = XidField(null=True)  # type: ignore[misc]
    retired_at = models.DateTimeField(_("转存时间"))
    dropped_at = models.DateTimeField(_("销毁时间"), null=True)

    class Meta:
        verbose_name = _("转存月份")
