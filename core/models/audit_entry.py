"""The audit trail (留痕): who decided what, in the same transaction as the decision. Append-only for every role."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models.shared import CurrentXid, XidField


class AuditEntry(models.Model):
    """One decision or one reading of the trail. Carries snapshots, not foreign keys: it must outlive what it names."""

    at = models.DateTimeField(_("时间"))
    recorded_at = models.DateTimeField(db_default=Now())
    action = models.CharField(_("动作"), max_length=60)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(_("操作人"), max_length=60)
    actor_department_id = models.BigIntegerField(null=True)
    actor_department = models.CharField(_("部门"), max_length=100, blank=True)
    object_kind = models.CharField(_("对象类型"), max_length=40, blank=True)
    object_uid = models.CharField(_("对象标识"), max_length=64, blank=True)
    object_title = models.CharField(_("对象"), max_length=200, blank=True)
    department_ids = ArrayField(
        models.BigIntegerField(), default=list
    )  # departments that own what was touched and may see the entry
    detail = models.JSONField(default=dict)
    client_ip = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=36, blank=True)
    xid = XidField(db_default=CurrentXid())

    class Meta:
        verbose_name = _("审计记录")
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_time"),
            models.Index(fields=["object_uid", "-id"], name="audit_object"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["xid"], name="audit_xid"),
            GinIndex(fields=["department_ids"], name="audit_department"),
        ]
