"""Source records (来源记录): what a department delivered, kept as it came. Immutable; every value in a base traces back here."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import Department, XidField
from core.models.shared import CurrentXid


class SourceRecord(models.Model):
    """One accepted version of one source row. `run_id` names the aggregation run of the room above (no foreign key upward)."""

    dataset = models.CharField(max_length=60)
    source_department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    run_id = models.BigIntegerField()
    source_key = models.CharField(max_length=64)
    subject_key = models.BinaryField(max_length=16)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("来源记录")
        indexes = [models.Index(fields=["subject_key"], name="source_record_subject")]


class Provenance(models.Model):
    """Columns every base row carries: subject, where it came from, which transaction changed it last."""

    subject_key = models.BinaryField(max_length=16, unique=True)
    source_department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    source_record_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())
    changed_xid = XidField(db_default=CurrentXid())

    class Meta:
        abstract = True
