"""Licenses this office issued (证照), their holders and what happened to them. Licenses of the whole city are `basedb.License`.

A version is a row; the next version supersedes it. Whether a license has expired is computed from `valid_to`, never stored.
"""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User, XidField
from core.models.shared import CurrentXid
from licenses.models.key import SealKey
from licenses.models.type_version import TypeVersion


class LicenseState(models.TextChoices):
    """State codes of a license (证照状态, standards §4.2)."""

    VALID = "01", _("有效")
    SUSPENDED = "02", _("暂扣")
    RESCINDED = "03", _("撤销")
    CANCELLED = "04", _("注销")
    LAPSED = "05", _("失效")
    MOVED_AWAY = "06", _("办理转出")
    REVOKED = "07", _("吊销")
    OTHER = "99", _("其他")


class Operation(models.TextChoices):
    """Operation codes (业务操作, standards §4.2); those from 21 on are our own, for what the list has no word for."""

    ISSUED = "01", _("新发")
    RENEWED = "02", _("延续")
    SUSPENDED = "03", _("暂扣")
    EXPIRED = "04", _("过期失效")
    CANCELLED = "05", _("注销")
    RESUMED = "06", _("暂扣发还")
    OTHER = "07", _("其他")
    MOVED_IN = "08", _("转入")
    CHANGED = "09", _("变更")
    MOVE_CANCELLED = "10", _("取消转出")
    REVOKED = "21", _("吊销")
    RESCINDED = "22", _("撤销")
    REISSUED = "23", _("补发")
    MOVED_AWAY = "24", _("办理转出")
    PAPER = "25", _("纸质证照状态登记")


class PaperState(models.TextChoices):
    """The paper beside the electronic license (纸质证照): both change together or the difference is shown."""

    NONE = "NONE", _("不发纸质")
    TO_PRINT = "TO_PRINT", _("待打印")
    HANDED_OUT = "HANDED_OUT", _("已发放")
    TO_RECALL = "TO_RECALL", _("待收回")
    RECALLED = "RECALLED", _("已收回")
    LOST = "LOST", _("已声明遗失")


class License(models.Model):
    """One version of a license. `digest`: SM3 of its canonical data; `signature`: SM2 (DER) over them; `position`: its bit."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    type_version = models.ForeignKey(TypeVersion, models.PROTECT, related_name="licenses", db_index=False)
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    issuer = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False, verbose_name=_("颁发机构"))
    issuer_code = models.CharField(_("颁发机构代码"), max_length=18)
    issuer_name = models.CharField(_("颁发机构名称"), max_length=200)
    serial = models.CharField(_("流水号"), max_length=32)
    version = models.PositiveSmallIntegerField(_("版本号"), default=1)
    identifier = models.CharField(_("电子证照标识"), max_length=128, unique=True)
    number = models.CharField(_("证照编号"), max_length=100)
    region_code = models.CharField(_("管辖属地"), max_length=12)
    face = models.JSONField(_("照面数据"), default=dict)
    issued_on = models.DateField(_("颁发日期"))
    valid_from = models.DateField(_("有效期起"))
    valid_to = models.DateField(_("有效期止"), null=True)
    state = models.CharField(_("证照状态"), max_length=2, choices=LicenseState.choices, default=LicenseState.VALID)
    state_at = models.DateTimeField(_("状态时间"), db_default=Now())
    paper_state = models.CharField(_("纸质证照"), max_length=20, choices=PaperState.choices, default=PaperState.NONE)
    paper_number = models.CharField(_("纸质印制号"), max_length=50, blank=True, default="")
    previous = models.OneToOneField("self", models.PROTECT, null=True, related_name="next")
    is_current = models.BooleanField(default=True)
    position = models.BigIntegerField(unique=True, db_default=models.Func(models.Value("licenses_position"), function="nextval"))
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=80, null=True)
    key = models.ForeignKey(SealKey, models.PROTECT, null=True, related_name="+", db_index=False)
    issued_at = models.DateTimeField(_("签发时间"), db_default=Now())
    issued_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    batch_id = models.BigIntegerField(null=True)
    changed_xid = XidField(db_default=CurrentXid())

    class Meta:
        verbose_name = _("电子证照")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["type_code", "issuer_code", "serial", "version"], name="license_version_once"),
            models.UniqueConstraint(
                fields=["type_code", "issuer_code", "serial"], condition=Q(is_current=True), name="license_one_current"
            ),
            models.UniqueConstraint(
                fields=["type_code", "issuer_code", "number"], condition=Q(is_current=True), name="license_number_once"
            ),
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="license_validity"),
            models.CheckConstraint(condition=Q(version__gte=1, version__lte=999), name="license_version_form"),
            models.CheckConstraint(condition=Q(state__in=LicenseState.values), name="license_state_known"),
        ]
        indexes = [
            models.Index(fields=["issuer", "-id"], name="license_of_issuer"),
            models.Index(fields=["changed_xid", "id"], name="license_changes"),
            models.Index(fields=["batch_id"], condition=Q(batch_id__isnull=False), name="license_of_batch"),
        ]

    def __str__(self) -> str:
        return self.identifier

    def is_live(self, today: date) -> bool:
        """Return whether this is the current version, valid and not expired."""
        return self.is_current and self.state == LicenseState.VALID and (self.valid_to is None or self.valid_to >= today)


class LicenseHolder(models.Model):
    """A holder of a license (持证主体); several where the type allows. `subject_key` is the key of the base databases."""

    license = models.ForeignKey(License, models.PROTECT, related_name="holders", db_index=False)
    ordinal = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(_("持证主体"), max_length=200)
    code = models.CharField(_("持证主体代码"), max_length=18)
    code_type = models.CharField(_("持证主体代码类型"), max_length=3)
    subject_key = models.BinaryField(max_length=16)

    class Meta:
        verbose_name = _("持证主体")
        ordering = ["license", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["license", "ordinal"], name="holder_ordinal_once"),
            models.UniqueConstraint(fields=["license", "subject_key"], name="holder_once"),
            models.CheckConstraint(condition=Q(code_type__in=("111", "001")), name="holder_code_type_known"),
        ]
        indexes = [models.Index(fields=["subject_key"], name="holder_subject")]


class LicenseEvent(models.Model):
    """What was done to a license and why (办理记录). Append-only; the audit entry of the same transaction is what gets sealed."""

    license = models.ForeignKey(License, models.PROTECT, related_name="events")
    operation = models.CharField(_("业务操作"), max_length=2, choices=Operation.choices)
    state = models.CharField(_("办理后状态"), max_length=2, choices=LicenseState.choices)
    paper_state = models.CharField(_("纸质证照"), max_length=20, choices=PaperState.choices, default=PaperState.NONE)
    reason = models.CharField(_("事由"), max_length=500, blank=True, default="")
    basis = models.CharField(_("依据"), max_length=500, blank=True, default="")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(_("时间"), db_default=Now())

    class Meta:
        verbose_name = _("证照办理记录")
        ordering = ["id"]


class FileKind(models.TextChoices):
    """Formats a license is given out in (GB/T 36905: OFD; PDF for everybody else)."""

    PDF = "PDF", "PDF"
    OFD = "OFD", "OFD"


class LicenseFile(models.Model):
    """A sealed file of a license (证照文件); the bytes lie in the file store under their SHA-256."""

    license = models.ForeignKey(License, models.PROTECT, related_name="files", db_index=False)
    kind = models.CharField(_("格式"), max_length=3, choices=FileKind.choices)
    sha256 = models.BinaryField(max_length=32)
    sm3 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField(_("字节数"))
    key = models.ForeignKey(SealKey, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(_("制作时间"), db_default=Now())

    class Meta:
        verbose_name = _("证照文件")
        constraints = [models.UniqueConstraint(fields=["license", "kind"], name="license_file_once")]
        indexes = [models.Index(fields=["sha256"], name="license_file_digest")]


class UseChannel(models.TextChoices):
    """How a license was used (用证方式)."""

    PRESENTED = "PRESENTED", _("亮证")
    MATTER = "MATTER", _("一件事调取")
    COPY = "COPY", _("加注件")
    DOWNLOADED = "DOWNLOADED", _("下载")
    QUERIED = "QUERIED", _("查询")
    VERIFIED = "VERIFIED", _("核验")
    RECOGNIZED = "RECOGNIZED", _("跨区域互认")


class LicenseUse(models.Model):
    """Who used what of a license, for which matter and purpose (用证记录). Append-only, sealed, kept at least three years."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    identifier = models.CharField(_("电子证照标识"), max_length=128)
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    issuer_code = models.CharField(_("颁发机构代码"), max_length=18, blank=True, default="")
    subject_key = models.BinaryField(max_length=16, null=True)
    channel = models.CharField(_("用证方式"), max_length=20, choices=UseChannel.choices)
    department_id = models.BigIntegerField(null=True)
    department_name = models.CharField(_("用证单位"), max_length=100, blank=True, default="")
    system_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    matter = models.CharField(_("事项"), max_length=200, blank=True, default="")
    purpose = models.CharField(_("用途"), max_length=200, blank=True, default="")
    items = ArrayField(models.CharField(max_length=64), default=list)
    call_id = models.UUIDField(null=True)
    at = models.DateTimeField(_("时间"), db_default=Now())
    xid = XidField(db_default=CurrentXid())

    class Meta:
        verbose_name = _("用证记录")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_key", "-id"], name="use_of_subject"),
            models.Index(fields=["identifier", "-id"], name="use_of_license"),
            models.Index(fields=["issuer_code", "-id"], name="use_of_issuer"),
            models.Index(fields=["xid", "id"], name="use_by_xid"),
        ]
