"""Identity applications (可信身份应用): systems trusted to say who is at the phone when licenses are presented."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import SharedObject, User
from exchange.models.system import ConsumerSystem


class IdentityApplication(SharedObject):
    """A system that may let holders in, up to a level of assurance, once a second person confirmed it. Ended, never deleted."""

    system = models.OneToOneField(ConsumerSystem, models.PROTECT, related_name="identity_application", verbose_name=_("系统"))
    assurance_at_most = models.PositiveSmallIntegerField(_("最高核验等级"))
    basis = models.CharField(_("依据"), max_length=200)
    registered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("复核人"))
    confirmed_at = models.DateTimeField(_("复核时间"), null=True)
    ended_at = models.DateTimeField(_("停用时间"), null=True)

    class Meta:
        verbose_name = _("可信身份应用")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(assurance_at_most__gte=1, assurance_at_most__lte=3), name="identity_assurance"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by=None) | ~models.Q(confirmed_by=models.F("registered_by")),
                name="identity_two_persons",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by=None, confirmed_at=None)
                | models.Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="identity_confirmed_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.system.name
