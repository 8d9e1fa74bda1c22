"""Tables of issuing (签发): drafts on their way to a signature, batches with their rows, counters of serials, delivery.

A license itself is `license.License`. Drafts and rows of batches name holders; only the issuing department sees them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User, XidField
from licenses.models.license import License
from licenses.models.type_version import TypeVersion


class SerialCounter(models.Model):
    """The last serial given out for a type by an issuer. A number taken by what was rolled back or refused is given again."""

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    issuer_code = models.CharField(_("颁发机构代码"), max_length=18)
    last = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("流水号计数")
        constraints = [models.UniqueConstraint(fields=["type_code", "issuer_code"], name="serial_counter_once")]


class DraftKind(models.TextChoices):
    """What a draft will become."""

    NEW = "NEW", _("新发")
    CHANGE = "CHANGE", _("变更")
    RENEWAL = "RENEWAL", _("延续")
    REISSUE = "REISSUE", _("补发")


class DraftState(models.TextChoices):
    """Where a draft is: with its maker, with who signs, or at an end."""

    DRAFT = "DRAFT", _("起草中")
    TO_SIGN = "TO_SIGN", _("待签发")
    RETURNED = "RETURNED", _("已退回")
    ISSUED = "ISSUED", _("已签发")
    WITHDRAWN = "WITHDRAWN", _("已撤回")


class IssuingDraft(SharedObject):
    """A license before it is issued (证照草稿). `holders`: name, code, code_type each; `findings`: what the last check found."""

    kind = models.CharField(_("办理类型"), max_length=10, choices=DraftKind.choices, default=DraftKind.NEW)
    state = models.CharField(_("环节"), max_length=10, choices=DraftState.choices, default=DraftState.DRAFT)
    type_version = models.ForeignKey(TypeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("证照类型"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False, verbose_name=_("颁发机构"))
    supersedes = models.ForeignKey(License, models.PROTECT, null=True, related_name="drafts", verbose_name=_("原证照"))
    number = models.CharField(_("证照编号"), max_length=100, blank=True, default="")
    region_code = models.CharField(_("管辖属地"), max_length=12)
    holders = models.JSONField(default=list)
    face = models.JSONField(default=dict)
    valid_from = models.DateField(_("有效期起"))
    valid_to = models.DateField(_("有效期止"), null=True, blank=True)
    has_paper = models.BooleanField(_("同时发放纸质证照"), default=False)
    reason = models.CharField(_("事由"), max_length=500, blank=True, default="")
    basis = models.CharField(_("依据"), max_length=500, blank=True, default="")
    remark = models.CharField(_("退回意见"), max_length=500, blank=True, default="")
    findings = models.JSONField(default=list)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("经办人"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("签发人"))
    submitted_at = models.DateTimeField(_("提交时间"), null=True)
    decided_at = models.DateTimeField(_("办结时间"), null=True)
    issued = models.OneToOneField(License, models.PROTECT, null=True, related_name="draft")

    class Meta:
        verbose_name = _("证照草稿")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DraftState.values), name="draft_state_known"),
            models.CheckConstraint(condition=Q(kind=DraftKind.NEW) ^ Q(supersedes__isnull=False), name="draft_supersedes_or_new"),
            models.CheckConstraint(condition=~Q(decided_by=models.F("made_by")), name="draft_signed_by_another"),
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="draft_validity"),
            models.UniqueConstraint(
                fields=["supersedes"], condition=Q(state__in=("DRAFT", "TO_SIGN", "RETURNED")), name="draft_one_open_change"
            ),
        ]
        indexes = [models.Index(fields=["department", "state", "-id"], name="draft_of_desk")]

    def __str__(self) -> str:
        return f"{self.type_version.name} {self.get_kind_display()}"


class BatchSource(models.TextChoices):
    """How a batch came."""

    PAGE = "PAGE", _("页面导入")
    REST = "REST", _("接口提交")
    AGGREGATION = "AGGREGATION", _("数据归集")


class BatchState(models.TextChoices):
    """Where a batch is: checked by the platform, with its maker, with who signs, being issued, at an end."""

    CHECKING = "CHECKING", _("校验中")
    CHECKED = "CHECKED", _("待提交")
    TO_SIGN = "TO_SIGN", _("待签发")
    ISSUING = "ISSUING", _("签发中")
    DONE = "DONE", _("已办结")
    CANCELLED = "CANCELLED", _("已取消")


class IssuingBatch(SharedObject):
    """Many licenses of one type to be issued together (批量签发). `lease_*` is held by the worker that has it in hand."""

    number = models.CharField(_("批次号"), max_length=30, unique=True)
    source = models.CharField(_("来源"), max_length=20, choices=BatchSource.choices)
    state = models.CharField(_("环节"), max_length=10, choices=BatchState.choices, default=BatchState.CHECKING)
    type_version = models.ForeignKey(TypeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("证照类型"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False, verbose_name=_("颁发机构"))
    file_name = models.CharField(_("文件名"), max_length=200, blank=True, default="")
    is_submitted = models.BooleanField(default=False)  # goes to who signs as soon as it is checked
    row_count = models.PositiveIntegerField(_("行数"), default=0)
    good_count = models.PositiveIntegerField(_("可签发"), default=0)
    refused_count = models.PositiveIntegerField(_("未通过"), default=0)
    issued_count = models.PositiveIntegerField(_("已签发"), default=0)
    remark = models.CharField(_("意见"), max_length=500, blank=True, default="")
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("经办人"))
    system_id = models.BigIntegerField(null=True)
    made_by_name = models.CharField(_("提交方"), max_length=100)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("签发人"))
    decided_at = models.DateTimeField(_("签发时间"), null=True)
    finished_at = models.DateTimeField(_("办结时间"), null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("批量签发批次")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BatchState.values), name="issuing_batch_state_known"),
            models.CheckConstraint(condition=~Q(decided_by=models.F("made_by")), name="issuing_batch_signed_by_another"),
        ]
        indexes = [
            models.Index(fields=["department", "-id"], name="issuing_batch_of_desk"),
            models.Index(fields=["id"], condition=Q(state__in=("CHECKING", "ISSUING")), name="issuing_batch_at_work"),
        ]

    def __str__(self) -> str:
        return self.number


class IssuingRowState(models.TextChoices):
    """What became of a row of a batch."""

    WAITING = "WAITING", _("待校验")
    GOOD = "GOOD", _("校验通过")
    REFUSED = "REFUSED", _("未通过")
    ISSUED = "ISSUED", _("已签发")


class IssuingRow(models.Model):
    """One license to be, as it was delivered. `faults`: field, code and message each."""

    batch = models.ForeignKey(IssuingBatch, models.PROTECT, related_name="rows", db_index=False)
    place = models.PositiveIntegerField(_("行号"))
    state = models.CharField(_("结果"), max_length=10, choices=IssuingRowState.choices, default=IssuingRowState.WAITING)
    content = models.JSONField()
    faults = models.JSONField(default=list, db_default=models.Value([], output_field=models.JSONField()))
    license_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("批量签发行")
        ordering = ["batch", "place"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "place"], name="issuing_row_once"),
            models.CheckConstraint(condition=Q(state="ISSUED") ^ Q(license_id=None), name="issuing_row_issued_has_license"),
        ]
        indexes = [
            models.Index(fields=["batch", "state", "place"], name="issuing_row_by_state"),
        ]


class IssuingFeed(models.Model):
    """A type whose rows a department aggregates without an identifier are to be issued (归集签发): opened by its head."""

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("颁发机构"))
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    opened_at = models.DateTimeField(_("开通时间"), db_default=Now())
    closed_at = models.DateTimeField(_("停止时间"), null=True)
    through_xid = XidField(default=0)

    class Meta:
        verbose_name = _("归集签发")
        constraints = [
            models.UniqueConstraint(fields=["department", "type_code"], condition=Q(closed_at=None), name="issuing_feed_once")
        ]


class LicenseDelivery(models.Model):
    """How far the licenses issued here have been delivered into the base database (入库进度): one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    through_xid = XidField(default=0)
    delivered = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("证照入库进度")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="license_delivery_one")]
