"""Fusion (融合): which record belongs to which entity, whose word counts for a field, and where sources disagree.

An entity is known by the `subject_key` of its main identifier. Merging adds crosswalks and unmerging closes them; no record and
no value is touched, so both can be undone.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User


class MatchTier(models.TextChoices):
    """How a record came to its entity."""

    EXACT = "EXACT", _("标识一致且姓名相符")
    LEGACY = "LEGACY", _("旧标识换算")
    PROBABLE = "PROBABLE", _("概率匹配")
    MANUAL = "MANUAL", _("人工判定")
    HELD = "HELD", _("暂不归并")


class Crosswalk(models.Model):
    """The link of one chain of records to an entity for a while (对照); `entity_key` is null while it is held apart.

    Links of a person's decision have `decided_by`; the others follow from the rules and are computed anew when records change.
    """

    chain = models.BigIntegerField()
    dataset = models.CharField(max_length=60)
    entity_key = models.BinaryField(max_length=16, null=True)
    tier = models.CharField(_("匹配方式"), max_length=8, choices=MatchTier.choices)
    score = models.DecimalField(_("匹配分"), max_digits=5, decimal_places=4, null=True)
    rule_version = models.CharField(_("规则版本"), max_length=20)
    reason = models.CharField(_("依据"), max_length=200, blank=True, db_default="")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    linked = DateTimeRangeField()

    class Meta:
        verbose_name = _("主体对照")
        indexes = [
            models.Index(fields=["entity_key"], condition=Q(entity_key__isnull=False), name="crosswalk_entity"),
            models.Index(fields=["dataset", "chain"], condition=Q(tier="HELD", linked__upper_inf=True), name="crosswalk_held"),
            # Few: whole entities people merged (`fusion.linking.MERGE`), asked for with every golden row that is computed.
            models.Index(
                fields=["entity_key"], condition=Q(rule_version="entity-merge", linked__upper_inf=True), name="crosswalk_merged"
            ),
        ]
        constraints = [
            ExclusionConstraint(
                name="crosswalk_one_at_a_time",
                expressions=[("chain", RangeOperators.EQUAL), ("linked", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                condition=Q(entity_key__isnull=True, tier="HELD") | (Q(entity_key__isnull=False) & ~Q(tier="HELD")),
                name="crosswalk_held_has_no_entity",
            ),
        ]


class Strategy(models.TextChoices):
    """How one of several values is chosen."""

    AUTHORITY = "AUTHORITY", _("按数源责任")
    NEWEST = "NEWEST", _("取生效时间最新")
    MAJORITY = "MAJORITY", _("取多数一致")


class AuthorityRule(models.Model):
    """Whose word counts for a field, from when to when, and by which law (数源责任规则). Fields of one `group` survive together."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    field = models.CharField(_("字段"), max_length=60)
    group = models.CharField(_("同组字段"), max_length=60, blank=True)
    collectors = ArrayField(models.CharField(max_length=30), verbose_name=_("数源顺序"))
    strategy = models.CharField(_("取值方式"), max_length=10, choices=Strategy.choices, default=Strategy.AUTHORITY)
    max_age_days = models.PositiveIntegerField(_("最长有效天数"), null=True, blank=True)
    legal_basis = models.CharField(_("依据"), max_length=200)
    effective = DateTimeRangeField(_("生效期"))

    class Meta:
        verbose_name = _("数源责任规则")
        ordering = ["dataset", "field", "id"]
        constraints = [
            ExclusionConstraint(
                name="authority_rule_one_at_a_time",
                expressions=[
                    ("dataset", RangeOperators.EQUAL),
                    ("field", RangeOperators.EQUAL),
                    ("effective", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.field}"

    @property
    def group_name(self) -> str:
        """What people call the group: the field it is named after, without since when."""
        return self.group.partition("@")[0]


class ConflictKind(models.TextChoices):
    """What sources disagree about."""

    VALUE = "VALUE", _("取值不一致")
    IDENTITY = "IDENTITY", _("同一标识姓名不符")


class ConflictState(models.TextChoices):
    """A conflict waits for its department, and ends when the sources agree again or the department says which is right."""

    OPEN = "OPEN", _("待核实")
    ANSWERED = "ANSWERED", _("已答复，待来源更正")
    RESOLVED = "RESOLVED", _("已解决")


class FusionConflict(models.Model):
    """A disagreement between sources about one field of an entity: a task of the department whose word counts (校核单).

    `records` are the chains on either side; the values themselves stay in the records.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False, db_default=models.Func(function="gen_random_uuid"))
    dataset = models.CharField(_("数据集"), max_length=60)
    entity_key = models.BinaryField(max_length=16)
    kind = models.CharField(_("类别"), max_length=10, choices=ConflictKind.choices)
    field = models.CharField(_("字段"), max_length=60, blank=True)
    records = ArrayField(models.BigIntegerField())
    owner = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("核实部门"))
    state = models.CharField(_("状态"), max_length=10, choices=ConflictState.choices, default=ConflictState.OPEN, db_default="OPEN")
    opened_at = models.DateTimeField(_("发现时间"), db_default=Now())
    due_at = models.DateTimeField(_("办理期限"), null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answer = models.CharField(_("答复"), max_length=500, blank=True, db_default="")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("校核单")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "state", "id"], name="fusion_conflict_owner"),
            models.Index(fields=["entity_key"], name="fusion_conflict_entity"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "entity_key", "kind", "field"],
                condition=~Q(state="RESOLVED"),
                name="fusion_conflict_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="IDENTITY") | ~Q(field=""),
                name="fusion_conflict_names_its_field",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.field}".strip()
