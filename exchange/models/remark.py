"""Remarks (备注) on requests and the files attached (附件) to requests and remarks. The files' contents are on disk."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import User
from exchange.models.access_request import AccessRequest


class Remark(models.Model):
    """What somebody noted on a request. A private one is for the reviewing sides only. Append-only."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="remarks")
    at = models.DateTimeField(_("时间"))
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    author_name = models.CharField(_("备注人"), max_length=60)
    author_department = models.CharField(_("部门"), max_length=100)
    is_private = models.BooleanField(_("仅审核方可见"))
    text = models.CharField(_("备注"), max_length=1000)

    class Meta:
        verbose_name = _("备注")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.access_request.number


class Attachment(models.Model):
    """A file of a request, or of a remark on it. Redacted: the name stays, the content is gone."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="attachments")
    remark = models.ForeignKey(Remark, models.PROTECT, related_name="attachments", null=True)
    name = models.CharField(_("文件名"), max_length=120)
    kind = models.CharField(_("类型"), max_length=8)
    size = models.PositiveIntegerField(_("大小"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    place = models.CharField(max_length=64, unique=True)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_by_name = models.CharField(_("上传人"), max_length=60)
    uploaded_at = models.DateTimeField(_("上传时间"))
    redacted_at = models.DateTimeField(_("删除内容时间"), null=True, blank=True)
    redacted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    redaction_reason = models.CharField(_("删除内容的原因"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("附件")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="attachment_not_empty"),
            models.CheckConstraint(condition=Q(redacted_at=None) | ~Q(redaction_reason=""), name="redaction_has_reason"),
        ]

    def __str__(self) -> str:
        return self.name


class GrantEndReminder(models.Model):
    """That the operators were told of a grant's coming end, so many days before. Append-only."""

    grant = models.ForeignKey("exchange.Grant", models.PROTECT, related_name="end_reminders")
    days = models.PositiveSmallIntegerField(_("提前天数"))
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("到期提醒")
        constraints = [models.UniqueConstraint(fields=["grant", "days"], name="grant_end_reminder_once")]
