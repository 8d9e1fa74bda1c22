"""Bulk jobs (批量作业): a copy of all granted rows in parts, each with digests and a mark that names the receiver."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from exchange.models.grant import Grant


class FileFormat(models.TextChoices):
    """How a part is written."""

    CSV = "csv", _("CSV 文件")
    JSON_LINES = "jsonl", _("JSON 行文件")
    EXCEL = "xlsx", _("Excel 文件")


class JobState(models.TextChoices):
    """A job waits, is written, can be fetched; or has ended without files."""

    QUEUED = "QUEUED", _("等待生成")
    RUNNING = "RUNNING", _("正在生成")
    READY = "READY", _("可以领取")
    STOPPED = "STOPPED", _("已中止")
    CANCELLED = "CANCELLED", _("已取消")
    EXPIRED = "EXPIRED", _("已过期清除")


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
HELD = (*UNFINISHED, JobState.READY)


class BulkJob(models.Model):
    """One order for a copy, given under the terms `terms_digest`; under others nothing more is written or handed over."""

    uid = models.UUIDField(_("作业编号"), unique=True, default=uuid4)
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="bulk_jobs", verbose_name=_("授权"))
    credential_id = models.BigIntegerField()
    opened_call_id = models.UUIDField(_("调用编号"))
    grant_version = models.PositiveIntegerField(_("授权版本"))
    terms_digest = models.BinaryField(max_length=32)
    fields = ArrayField(models.CharField(max_length=40), verbose_name=_("信息项"))
    format = models.CharField(_("格式"), max_length=5, choices=FileFormat.choices)
    rows_a_part = models.PositiveIntegerField(_("每部分行数"))
    state = models.CharField(_("状态"), max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    reason = models.CharField(_("原因"), max_length=40, blank=True)
    expected_count = models.BigIntegerField(_("预计行数"))
    row_count = models.BigIntegerField(_("行数"), default=0)
    part_count = models.PositiveIntegerField(_("部分数"), default=0)
    after_key = models.BinaryField(max_length=16, default=b"")
    opened_at = models.DateTimeField(_("受理时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True)
    expires_at = models.DateTimeField(_("清除时间"))
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("批量作业")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="bulk_job_state_known"),
            models.CheckConstraint(condition=Q(format__in=FileFormat.values), name="bulk_job_format_known"),
            models.UniqueConstraint(fields=["grant"], condition=Q(state__in=UNFINISHED), name="bulk_job_one_unfinished"),
        ]
        indexes = [
            models.Index(fields=["grant", "-id"], name="bulk_job_grant"),
            models.Index(fields=["expires_at"], condition=Q(state__in=HELD), name="bulk_job_held"),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class BulkPart(models.Model):
    """One file of a job. The row stays when the file has expired: the mark in a file found later still names the receiver."""

    job = models.ForeignKey(BulkJob, models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField(_("部分"))
    row_count = models.BigIntegerField(_("行数"))
    byte_count = models.BigIntegerField(_("字节数"))
    sha256 = models.BinaryField(max_length=32)
    sm3 = models.BinaryField(max_length=32)
    mark = models.CharField(_("领取标记"), max_length=26, unique=True)
    as_of = models.DateTimeField(_("数据时间"))
    written_at = models.DateTimeField(_("生成时间"))

    class Meta:
        verbose_name = _("批量作业部分")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="bulk_part_once")]


class BulkFetch(models.Model):
    """Somebody was handed a part or a range of it; how that ended stands in the call record."""

    part = models.ForeignKey(BulkPart, models.PROTECT, related_name="fetches")
    call_id = models.UUIDField(_("调用编号"))
    credential_id = models.BigIntegerField()
    first_byte = models.BigIntegerField(_("起始字节"))
    byte_count = models.BigIntegerField(_("字节数"))
    fetched_at = models.DateTimeField(_("领取时间"))

    class Meta:
        verbose_name = _("批量作业领取")
        ordering = ["-id"]
