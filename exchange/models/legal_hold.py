"""Legal holds (法律保全): what must not be deleted while somebody's case is open, whatever its term of keeping."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import SharedObject, User
from exchange.models.access_request import AccessRequest
from exchange.models.grant import Grant


class HoldScope(models.TextChoices):
    """What a hold keeps."""

    ALL = "ALL", _("全部")
    GRANT = "GRANT", _("一项授权")
    REQUEST = "REQUEST", _("一项申请")
    SUBJECT = "SUBJECT", _("一个对象")
    PERIOD = "PERIOD", _("一段时间")


class LegalHold(SharedObject):
    """One hold. A subject is kept as its key only; days are Shanghai days, both included."""

    number = models.CharField(_("保全编号"), max_length=20, unique=True)
    case_number = models.CharField(_("案件编号"), max_length=64)
    reason = models.CharField(_("保全理由"), max_length=500)
    scope = models.CharField(_("保全范围"), max_length=10, choices=HoldScope.choices)
    grant = models.ForeignKey(Grant, models.PROTECT, null=True, related_name="legal_holds", verbose_name=_("授权"))
    access_request = models.ForeignKey(AccessRequest, models.PROTECT, null=True, related_name="legal_holds")
    subject_key = models.BinaryField(max_length=16, null=True)
    first_day = models.DateField(_("自"), null=True, blank=True)
    last_day = models.DateField(_("至"), null=True, blank=True)
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    placed_by_name = models.CharField(_("保全人"), max_length=60)
    placed_at = models.DateTimeField(_("保全时间"))
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    released_by_name = models.CharField(_("解除人"), max_length=60, blank=True, default="")
    released_at = models.DateTimeField(_("解除时间"), null=True, blank=True)
    release_reason = models.CharField(_("解除理由"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("法律保全")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason="") & ~Q(case_number=""), name="hold_says_why"),
            models.CheckConstraint(
                condition=Q(scope="GRANT", grant__isnull=False) | ~Q(scope="GRANT") & Q(grant=None),
                name="hold_names_its_grant",
            ),
            models.CheckConstraint(
                condition=Q(scope="REQUEST", access_request__isnull=False) | ~Q(scope="REQUEST") & Q(access_request=None),
                name="hold_names_its_request",
            ),
            models.CheckConstraint(
                condition=Q(scope="SUBJECT", subject_key__isnull=False) | ~Q(scope="SUBJECT") & Q(subject_key=None),
                name="hold_names_its_subject",
            ),
            models.CheckConstraint(
                condition=Q(scope="PERIOD", first_day__isnull=False, last_day__gte=F("first_day"))
                | ~Q(scope="PERIOD") & Q(first_day=None, last_day=None),
                name="hold_names_its_days",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | (~Q(release_reason="") & ~Q(released_by=F("placed_by"))),
                name="hold_released_by_another",
            ),
        ]
        indexes = [models.Index(fields=["scope"], condition=Q(released_at=None), name="hold_open")]

    def __str__(self) -> str:
        return self.number
