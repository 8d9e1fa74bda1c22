"""Source records (来源记录): what a department delivered, kept as it came. Every value in a base traces back here.

A record is one version of one row of one source. Two ranges say when it holds: `valid` in the world, `known` on the platform.
What the payload says never changes; a correction closes `known` of the old versions and adds new ones. Nothing is deleted.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import Department, XidField
from core.models.shared import CurrentXid


class DataSource(models.Model):
    """A table or file series one department delivers into one dataset (数源).

    `collector` is the kind of department it speaks for (`dictionary.Source`), by which rules of survivorship rank it. Rows of a
    lead source make entities and need every required field; those of a supplement add to entities made by others. `row_key_kind`
    says which old identifier the key of its rows is (旧标识), as `matching.legacy` knows them; empty is none.
    """

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(_("数源代码"), max_length=60, unique=True)
    title = models.CharField(_("数源名称"), max_length=100)
    dataset = models.CharField(_("目标数据集"), max_length=60)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("数源部门"))
    collector = models.CharField(_("采集责任"), max_length=30)
    is_lead = models.BooleanField(_("主数源"), default=True)
    is_keyless = models.BooleanField(_("可缺标识"), default=False)  # rows without an identifier wait for matching
    row_key_kind = models.CharField(_("行键所用旧标识"), max_length=10, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("数源")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title


class SourceRecord(models.Model):
    """One version of one source row. `chain` is the id of its first version; `run_id` names the run of the room above.

    `subject_key` is what the row's own identifier says, never what matching made of it: that is the crosswalk's.
    """

    source = models.ForeignKey(DataSource, models.PROTECT, related_name="+", db_index=False)
    source_key = models.CharField(max_length=64)
    chain = models.BigIntegerField()
    run_id = models.BigIntegerField()
    row_hash = models.BinaryField(max_length=16)
    subject_key = models.BinaryField(max_length=16, null=True)
    payload = models.JSONField()  # field -> cleaned text, without empty ones
    valid = DateTimeRangeField()
    known = DateTimeRangeField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("来源记录")
        indexes = [
            models.Index(fields=["subject_key"], name="source_record_subject"),
            models.Index(fields=["chain"], name="source_record_chain"),
            models.Index(
                fields=["source", "source_key"],
                condition=Q(known__upper_inf=True, valid__upper_inf=False),
                name="source_record_ended",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"],
                condition=Q(known__upper_inf=True, valid__upper_inf=True),
                name="source_record_current",
            ),
            ExclusionConstraint(
                name="source_record_periods",
                expressions=[("chain", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(known__upper_inf=True),
            ),
        ]


class Provenance(models.Model):
    """Columns every row of a base carries: whom it is about, where it came from, which transaction changed it last.

    A row no source vouches for any more is withdrawn, not deleted: feeds have to tell its receivers.
    """

    subject_key = models.BinaryField(max_length=16)
    source_department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    source_record_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())
    changed_xid = XidField(db_default=CurrentXid())
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class MasterRow(Provenance):
    """A row of a MASTER dataset: one a subject, a projection of its source records. `doubtful` names its fields in doubt (存疑)."""

    subject_key = models.BinaryField(max_length=16, unique=True)
    doubtful = models.JSONField(default=list, db_default=models.Value([], output_field=models.JSONField()))

    class Meta:
        abstract = True


class FactRow(Provenance):
    """A row of a FACT dataset: an event or a document. `row_key` is the digest of the dataset's `row_fields`."""

    row_key = models.BinaryField(max_length=16, unique=True)

    class Meta:
        abstract = True
