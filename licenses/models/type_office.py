"""Offices a type is issued by besides the department that keeps it (签发机构): since when, until when, by whose decision."""

from __future__ import annotations

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User


class TypeOffice(SharedObject):
    """An office entrusted with issuing a type. Proposed while `effective` is null; what was confirmed never changes, it only ends.

    `effective` takes in the day it ended on: what was issued that morning stays good. `is_former_keeper`: it kept the type itself.
    """

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("签发机构"))
    basis = models.CharField(_("依据"), max_length=300)
    is_former_keeper = models.BooleanField(default=False)
    effective = DateRangeField(_("签发期"), null=True)  # type: ignore[misc]  # the stubs know no range that may be null
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(_("终止时间"), null=True)
    end_reason = models.CharField(_("终止原因"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("签发机构")
        ordering = ["type_code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["type_code", "department"], condition=Q(ended_at=None), name="type_office_once"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | ~Q(confirmed_by=F("proposed_by")), name="type_office_confirmed_by_another"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(effective=None) | Q(effective__upper_inf=False), name="type_office_end_dated"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(effective=None) | Q(effective__upper_inf=True),
                name="type_office_open_undated",
            ),
            models.CheckConstraint(
                condition=Q(effective=None, confirmed_at=None) | Q(effective__isnull=False, confirmed_at__isnull=False),
                name="type_office_effective_confirmed",
            ),
        ]
        indexes = [models.Index(fields=["type_code", "department"], name="type_office_of_type")]

    def __str__(self) -> str:
        return f"{self.department.name}·{self.type_code}"
