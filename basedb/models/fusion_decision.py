"""What people decide about fusion (融合决定): proposed by one, confirmed by another, carried out by a worker.

The row is the queue as well: what is confirmed and not applied yet is due.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import User


class DecisionKind(models.TextChoices):
    """What is to be done. The last two follow from an answer and from a changed rule: nobody has to confirm them."""

    MERGE = "MERGE", _("合并主体")
    UNMERGE = "UNMERGE", _("撤销合并")
    HOLD = "HOLD", _("记录暂不归并")
    RELEASE = "RELEASE", _("解除暂不归并")
    RECOMPUTE = "RECOMPUTE", _("重新取值")
    REBUILD = "REBUILD", _("按新规则重建")


class DecisionState(models.TextChoices):
    """A decision waits for a second person, then for the worker."""

    PROPOSED = "PROPOSED", _("待复核")
    CONFIRMED = "CONFIRMED", _("已确认，待执行")
    REFUSED = "REFUSED", _("已退回")
    APPLIED = "APPLIED", _("已执行")


class FusionDecision(models.Model):
    """One decision about an entity (`entity_key`), another merged into it (`other_key`), or one chain of records."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(_("事项"), max_length=10, choices=DecisionKind.choices)
    dataset = models.CharField(_("数据集"), max_length=60)
    entity_key = models.BinaryField(max_length=16, null=True)
    other_key = models.BinaryField(max_length=16, null=True)
    chain = models.BigIntegerField(null=True)
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=DecisionState.choices, default=DecisionState.PROPOSED)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("提出人"))
    proposed_at = models.DateTimeField(_("提出时间"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("复核人"))
    decided_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("融合决定")
        ordering = ["id"]
        indexes = [models.Index(fields=["due_at", "id"], condition=Q(state="CONFIRMED"), name="fusion_decision_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="fusion_decision_by_two_people"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["RECOMPUTE", "REBUILD"]) | Q(state__in=["PROPOSED"]) | Q(decided_by__isnull=False),
                name="fusion_decision_is_confirmed",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["MERGE", "UNMERGE"]) | (Q(other_key__isnull=False) & ~Q(other_key=F("entity_key"))),
                name="fusion_decision_names_two",
            ),
        ]

    def __str__(self) -> str:
        return str(DecisionKind(self.kind).label)
