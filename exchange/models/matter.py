"""Matters (一件事一次办): what a matter asks of its parties, the versions of it, and the cases whose materials were fetched.

A published version never changes; a change is the next version. Of a case the platform keeps what was fetched by whom, never the
values, but for the sealed answer of the last minutes (`answer_ciphertext`), which a repeated request gets again.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, SharedObject, User
from exchange.models.system import ConsumerSystem


class MatterState(models.TextChoices):
    """Where a version of a matter stands."""

    DRAFT = "DRAFT", _("编制中")
    SUBMITTED = "SUBMITTED", _("待数据中心审核")
    PUBLISHED = "PUBLISHED", _("已发布")
    RETIRED = "RETIRED", _("已停用")


class PartyKind(models.TextChoices):
    """What a party is known by: a citizen id or a unified social credit code."""

    PERSON = "PERSON", _("自然人")
    LEGAL_ENTITY = "LEGAL_ENTITY", _("法人和非法人组织")


class MaterialSource(models.TextChoices):
    """What replaces a material, if anything."""

    LICENSE = "LICENSE", _("电子证照")
    DATASET = "DATASET", _("基础库数据")
    SUBMIT = "SUBMIT", _("须由申请人提交")


class PartState(models.TextChoices):
    """What became of a material of a case. Those from TO_SUBMIT on were never fetched."""

    FOUND = "FOUND", _("已取得")
    NOT_FOUND = "NOT_FOUND", _("没有查到")
    REFUSED_NO_GRANT = "REFUSED_NO_GRANT", _("没有授权")
    NOT_VALID = "NOT_VALID", _("证照无效")
    ERROR = "ERROR", _("取数失败")
    TO_SUBMIT = "TO_SUBMIT", _("须提交")
    NOT_NEEDED = "NOT_NEEDED", _("本次无此当事人")


class Matter(SharedObject):
    """One version of a matter: who answers for it, on what basis, which departments handle it and so fetch for it."""

    code = models.CharField(_("事项编码"), max_length=40)
    number = models.PositiveSmallIntegerField(_("版本"), default=1)
    name = models.CharField(_("事项名称"), max_length=100)
    summary = models.CharField(_("说明"), max_length=500, blank=True, default="")
    legal_basis = models.CharField(_("依据"), max_length=500)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("牵头部门"))
    consumers = ArrayField(models.BigIntegerField(), default=list, verbose_name=_("联办部门"))
    state = models.CharField(_("状态"), max_length=10, choices=MatterState.choices, default=MatterState.DRAFT)
    note = models.CharField(_("审核意见"), max_length=500, blank=True, default="")
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("发布时间"), null=True)
    retired_at = models.DateTimeField(_("停用时间"), null=True)

    class Meta:
        verbose_name = _("事项")
        ordering = ["code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="matter_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="PUBLISHED"), name="matter_one_in_force"),
            models.UniqueConstraint(fields=["code"], condition=Q(state__in=("DRAFT", "SUBMITTED")), name="matter_one_draft"),
            models.CheckConstraint(condition=Q(code__regex="^[A-Za-z0-9_-]{1,40}$"), name="matter_code_form"),
            models.CheckConstraint(condition=Q(state__in=MatterState.values), name="matter_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class MatterParty(models.Model):
    """A party of a matter (当事人): mother, buyer, enterprise. `may_coincide`: may be the same subject as another party."""

    matter = models.ForeignKey(Matter, models.CASCADE, related_name="parties", db_index=False)
    ordinal = models.PositiveSmallIntegerField(_("顺序"))
    role = models.CharField(_("标识"), max_length=40)
    title = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=12, choices=PartyKind.choices)
    is_required = models.BooleanField(_("必填"), default=True)
    may_coincide = models.BooleanField(_("可与其他当事人相同"), default=False)

    class Meta:
        verbose_name = _("当事人")
        ordering = ["matter", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["matter", "role"], name="matter_party_once"),
            models.CheckConstraint(condition=Q(role__regex="^[a-z][a-z0-9_]{0,39}$"), name="matter_party_role_form"),
            models.CheckConstraint(condition=Q(kind__in=PartyKind.values), name="matter_party_kind_known"),
        ]

    def __str__(self) -> str:
        return self.title


class Material(models.Model):
    """A material of a matter (申请材料): of which party, and by which items of a license type or a dataset it is replaced."""

    matter = models.ForeignKey(Matter, models.CASCADE, related_name="materials", db_index=False)
    party = models.ForeignKey(MatterParty, models.CASCADE, related_name="materials", db_index=False, verbose_name=_("当事人"))
    ordinal = models.PositiveSmallIntegerField(_("顺序"))
    code = models.CharField(_("标识"), max_length=40)
    title = models.CharField(_("材料名称"), max_length=100)
    is_required = models.BooleanField(_("必要"), default=True)
    source = models.CharField(_("替代来源"), max_length=10, choices=MaterialSource.choices)
    type_code = models.CharField(_("证照类型代码"), max_length=21, blank=True, default="")
    dataset = models.CharField(_("数据集"), max_length=60, blank=True, default="")
    items = ArrayField(models.CharField(max_length=64), default=list, verbose_name=_("信息项"))

    class Meta:
        verbose_name = _("申请材料")
        ordering = ["matter", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["matter", "code"], name="material_once"),
            models.CheckConstraint(condition=Q(code__regex="^[a-z][a-z0-9_]{0,39}$"), name="material_code_form"),
            models.CheckConstraint(
                condition=Q(source="LICENSE", dataset="", items__len__gt=0, type_code__regex="^[0-9A-Z]{18}[0-9]{3}$")
                | (Q(source="DATASET", type_code="", items__len__gt=0) & ~Q(dataset=""))
                | Q(source="SUBMIT", type_code="", dataset="", items=[]),
                name="material_source_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MatterCase(models.Model):
    """A case (办件) of a department's system, under the number it has there."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    system = models.ForeignKey(ConsumerSystem, models.PROTECT, related_name="+", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    matter_code = models.CharField(_("事项编码"), max_length=40)
    case_number = models.CharField(_("办件编号"), max_length=40)
    opened_at = models.DateTimeField(_("首次取数时间"))

    class Meta:
        verbose_name = _("办件")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["system", "case_number"], name="matter_case_once")]
        indexes = [models.Index(fields=["department", "-id"], name="matter_case_department")]

    def __str__(self) -> str:
        return self.case_number


class MatterFetch(models.Model):
    """One fetching of a case's materials: by whom, what for, when. `digest` is of what was asked, with the parties' keys."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    case = models.ForeignKey(MatterCase, models.PROTECT, related_name="fetches", db_index=False)
    matter = models.ForeignKey(Matter, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(_("幂等键"), max_length=80)
    digest = models.BinaryField(max_length=32)
    purpose = models.CharField(_("用途"), max_length=200)
    officer = models.CharField(_("经办人工号"), max_length=40, blank=True, default="")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("经办人"))
    at = models.DateTimeField(_("取数时间"))
    answer_digest = models.BinaryField(max_length=32)
    answer_key_id = models.IntegerField(null=True)
    answer_nonce = models.BinaryField(max_length=12, null=True)
    answer_ciphertext = models.BinaryField(null=True)
    kept_until = models.DateTimeField(_("应答保存至"))

    class Meta:
        verbose_name = _("取数记录")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["case", "key"], name="matter_fetch_once")]
        indexes = [
            models.Index(fields=["kept_until"], condition=Q(answer_ciphertext__isnull=False), name="matter_fetch_kept"),
            models.Index(fields=["at"], name="matter_fetch_at"),
        ]


class MatterPart(models.Model):
    """What became of one material in one fetching: its state, its call record, the names of its items. Append-only."""

    fetch = models.ForeignKey(MatterFetch, models.PROTECT, related_name="parts", db_index=False)
    ordinal = models.PositiveSmallIntegerField(_("顺序"))
    material = models.CharField(_("材料标识"), max_length=40)
    title = models.CharField(_("材料名称"), max_length=100)
    party = models.CharField(_("当事人"), max_length=40)
    source = models.CharField(_("替代来源"), max_length=10, choices=MaterialSource.choices)
    type_code = models.CharField(_("证照类型代码"), max_length=21, blank=True, default="")
    dataset = models.CharField(_("数据集"), max_length=60, blank=True, default="")
    state = models.CharField(_("结果"), max_length=20, choices=PartState.choices)
    reason = models.CharField(_("原因代码"), max_length=40, blank=True, default="")
    call_id = models.UUIDField(_("调用编号"), null=True)
    items = ArrayField(models.CharField(max_length=64), default=list, verbose_name=_("取得的信息项"))
    missing_items = ArrayField(models.CharField(max_length=64), default=list, verbose_name=_("未授权的信息项"))
    provider = models.CharField(_("数源部门"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("取数结果")
        ordering = ["fetch", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["fetch", "ordinal"], name="matter_part_once"),
            models.CheckConstraint(condition=Q(state__in=PartState.values), name="matter_part_state_known"),
        ]


class MatterFigure(models.Model):
    """The parts of a month by matter, fetching department and state (免提交统计); written by a task."""

    month = models.DateField(_("月份"))
    matter_code = models.CharField(_("事项编码"), max_length=40)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(_("结果"), max_length=20, choices=PartState.choices)
    part_count = models.BigIntegerField(_("材料数"))
    case_count = models.BigIntegerField(_("办件数"))
    measured_at = models.DateTimeField(_("统计时间"))

    class Meta:
        verbose_name = _("事项统计")
        ordering = ["month", "matter_code"]
        constraints = [
            models.UniqueConstraint(fields=["month", "matter_code", "department", "state"], name="matter_figure_once"),
        ]
