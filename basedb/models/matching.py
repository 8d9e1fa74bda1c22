"""Candidates of matching (匹配候选): a record without an identifier and the entity it may belong to, with how and why.

`why` holds levels and weights of each comparison, never a value. What a person refused is not proposed again while both sides say
the same (`basis`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from basedb.models.fusion import MatchTier
from basedb.models.source_record import DataSource
from core.ids import uuid7
from core.models import User


class CandidateState(models.TextChoices):
    """A candidate waits for a person unless the rules were certain; new data may take it off the desk."""

    OPEN = "OPEN", _("待判定")
    ACCEPTED = "ACCEPTED", _("已关联")
    REFUSED = "REFUSED", _("已拒绝")
    SUPERSEDED = "SUPERSEDED", _("已失效")


class MatchCandidate(models.Model):
    """One pair: the chain of a record (at version `record_id`) and an entity. Decided by a person, or by the rules (nobody)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    source = models.ForeignKey(DataSource, models.PROTECT, related_name="+", verbose_name=_("数源"))
    chain = models.BigIntegerField()
    record_id = models.BigIntegerField()
    entity_key = models.BinaryField(max_length=16)
    tier = models.CharField(_("匹配方式"), max_length=8, choices=MatchTier.choices)
    score = models.DecimalField(_("匹配分"), max_digits=5, decimal_places=4, null=True)
    why = models.JSONField(default=list)
    model_version = models.CharField(_("模型版本"), max_length=20)
    basis = models.BinaryField(max_length=16)
    state = models.CharField(_("状态"), max_length=10, choices=CandidateState.choices, default=CandidateState.OPEN)
    found_at = models.DateTimeField(_("发现时间"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("判定人"))
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    applied_at = models.DateTimeField(null=True)  # when the worker linked or parted what was decided

    class Meta:
        verbose_name = _("匹配候选")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["source", "state", "id"], name="match_candidate_source"),
            models.Index(fields=["chain"], name="match_candidate_chain"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["ACCEPTED", "REFUSED"], applied_at__isnull=True),
                name="match_candidate_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["chain", "entity_key"], condition=Q(state="OPEN"), name="match_candidate_once"),
            models.UniqueConstraint(fields=["chain"], condition=Q(state="ACCEPTED"), name="match_candidate_one_entity"),
            models.CheckConstraint(
                condition=Q(tier__in=["LEGACY", "PROBABLE"]) & (Q(tier="LEGACY") | Q(score__isnull=False)),
                name="match_candidate_has_score",
            ),
            models.CheckConstraint(
                condition=~Q(state="REFUSED") | Q(decided_by__isnull=False), name="match_candidate_refused_by_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.get_state_display()}"
