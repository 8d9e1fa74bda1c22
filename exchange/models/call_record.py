"""The call record (调用记录): what was exchanged. Append-only, partitioned by month of the signed request time (Shanghai).

No personal identifier and no payload stands here: subjects as `subject_key`, contents as digests.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import XidField
from core.models.shared import CurrentXid


class CallRecord(models.Model):
    """One admitted or refused call of a known system. The table is made by SQL in the migration: partitions, no default one.

    `outcome` is `call.answered`, `call.opened` / `call.closed` (bulk: before the first byte, after the last) or the refusal's
    code. A closed record has its own `call_id` and names the opened one in `parent_call_id`.
    """

    pk = models.CompositePrimaryKey("requested_at", "consumer_id", "call_id")
    requested_at = models.DateTimeField(_("请求时间"))
    consumer_id = models.BigIntegerField()
    call_id = models.UUIDField(_("调用编号"))
    parent_call_id = models.UUIDField(null=True)
    credential_id = models.BigIntegerField()
    nonce = models.CharField(max_length=64, null=True)
    grant_id = models.BigIntegerField(null=True)
    grant_version = models.IntegerField(null=True)
    resource_id = models.BigIntegerField(null=True)
    provider_id = models.BigIntegerField(null=True)
    department_id = models.BigIntegerField()
    mode = models.CharField(_("方式"), max_length=10)
    outcome = models.CharField(_("结果"), max_length=40)
    fields = ArrayField(models.CharField(max_length=40), null=True, verbose_name=_("信息项"))
    subject_key = models.BinaryField(max_length=16, null=True)
    row_count = models.BigIntegerField(_("行数"), null=True)
    request_digest = models.BinaryField(max_length=32, null=True)
    answer_digest = models.BinaryField(max_length=32, null=True)
    client_ip = models.GenericIPAddressField(null=True)
    recorded_at = models.DateTimeField(_("留痕时间"), db_default=Now())
    xid = XidField(db_default=CurrentXid())
    status = models.SmallIntegerField(_("状态码"), null=True)
    duration_us = models.BigIntegerField(_("耗时（微秒）"), null=True)  # from the request's arrival until the record
    request_bytes = models.IntegerField(_("请求字节数"), null=True)
    answer_bytes = models.BigIntegerField(_("应答字节数"), null=True)
    quota_left = models.IntegerField(_("当日剩余次数"), null=True)
    subject_count = models.IntegerField(_("查询对象数"), null=True)
    matter = models.CharField(_("办理事项"), max_length=64, null=True)
    officer = models.CharField(_("经办人工号"), max_length=40, null=True)
    case_number = models.CharField(_("办件编号"), max_length=64, null=True)
    subjects_digest = models.BinaryField(max_length=32, null=True)  # of a call with many keys: SHA-256 of them, see CallSubjects

    class Meta:
        managed = False
        db_table = "exchange_callrecord"
        verbose_name = _("调用记录")
        ordering = ["-requested_at"]


class CallSubjects(models.Model):
    """Whom a call with many keys was about, in the order asked, duplicates included; the record holds the SHA-256 of the keys."""

    pk = models.CompositePrimaryKey("requested_at", "consumer_id", "call_id")
    requested_at = models.DateTimeField()
    consumer_id = models.BigIntegerField()
    call_id = models.UUIDField()
    subject_keys = ArrayField(models.UUIDField())

    class Meta:
        managed = False
        db_table = "exchange_callsubjects"
        verbose_name = _("调用的对象")


class RejectedAttempt(models.Model):
    """Unknown keys and bad signatures, counted by minute: recording each would let anyone fill the disk."""

    minute = models.DateTimeField(_("时间"))
    code = models.CharField(_("原因"), max_length=40)
    key_digest = models.BinaryField(max_length=8)
    client_ip = models.GenericIPAddressField(null=True)
    count = models.PositiveIntegerField(_("次数"), default=1)

    class Meta:
        verbose_name = _("未识别的调用")
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "code", "key_digest", "client_ip"], name="rejected_attempt_once", nulls_distinct=False
            )
        ]
