"""The list of uses of licenses (用证清单): which items of a type a matter may ask for, for which purpose and on which basis."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User


class TypeUse(SharedObject):
    """A line of the list. Proposed while `effective` is null; a published line never changes, it only ends."""

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    matter = models.CharField(_("事项"), max_length=200)
    purpose = models.CharField(_("用途"), max_length=200)
    items = ArrayField(models.CharField(max_length=64), verbose_name=_("可用的照面项目"))
    basis = models.CharField(_("依据"), max_length=300)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("发布部门"))
    effective = DateRangeField(_("施行期"), null=True)  # type: ignore[misc]  # the stubs know no range that may be null
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    published_at = models.DateTimeField(_("发布时间"), null=True)

    class Meta:
        verbose_name = _("用证清单条目")
        ordering = ["type_code", "matter", "id"]
        constraints = [
            ExclusionConstraint(
                name="type_use_one_in_force",
                expressions=[
                    ("type_code", RangeOperators.EQUAL),
                    ("matter", RangeOperators.EQUAL),
                    ("purpose", RangeOperators.EQUAL),
                    ("effective", RangeOperators.OVERLAPS),
                ],
                condition=models.Q(effective__isnull=False),
            ),
            models.CheckConstraint(condition=models.Q(items__len__gt=0), name="type_use_some_item"),
        ]
        indexes = [models.Index(fields=["type_code", "matter"], name="type_use_of_matter")]

    def __str__(self) -> str:
        return f"{self.matter}·{self.purpose}"
