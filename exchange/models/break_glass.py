"""Break-glass access (应急访问): opened without the workflow for some hours, reviewed by both sides afterwards."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User
from exchange.models.grant import Grant
from exchange.models.material_return import ReturningSide


class Verdict(models.TextChoices):
    """What a review found."""

    JUSTIFIED = "JUSTIFIED", _("正当")
    UNJUSTIFIED = "UNJUSTIFIED", _("不正当")


class BreakGlass(SharedObject):
    """One opening: its grant is short, small, and marked by this row."""

    number = models.CharField(_("应急编号"), max_length=20, unique=True)
    grant = models.OneToOneField(Grant, models.PROTECT, related_name="break_glass", verbose_name=_("授权"))
    incident_number = models.CharField(_("事件编号"), max_length=64)
    reason = models.CharField(_("应急理由"), max_length=500)
    hours = models.PositiveSmallIntegerField(_("开放小时数"))
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_by_name = models.CharField(_("开启人"), max_length=60)
    opened_by_department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(_("开启时间"))
    review_due_at = models.DateTimeField(_("复核时限"))

    class Meta:
        verbose_name = _("应急访问")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason="") & ~Q(incident_number=""), name="break_glass_says_why"),
            models.CheckConstraint(condition=Q(hours__gte=1, hours__lte=24), name="break_glass_a_day_at_most"),
        ]
        indexes = [models.Index(fields=["review_due_at"], name="break_glass_due")]

    def __str__(self) -> str:
        return self.number


class BreakGlassReview(models.Model):
    """What one side found afterwards. One a side. Append-only."""

    break_glass = models.ForeignKey(BreakGlass, models.PROTECT, related_name="reviews")
    side = models.CharField(_("复核方"), max_length=12, choices=ReturningSide.choices)
    verdict = models.CharField(_("复核结论"), max_length=12, choices=Verdict.choices)
    opinion = models.CharField(_("复核意见"), max_length=500)
    reviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewer_name = models.CharField(_("复核人"), max_length=60)
    at = models.DateTimeField(_("复核时间"))

    class Meta:
        verbose_name = _("应急访问复核")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["break_glass", "side"], name="break_glass_review_once_a_side"),
            models.CheckConstraint(condition=~Q(opinion=""), name="break_glass_review_says_something"),
        ]
