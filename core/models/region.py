"""Administrative divisions (行政区划, GB/T 2260 and GB/T 10114), dated, with successors."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.shared import SharedObject


class RegionLevel(models.TextChoices):
    """Level of a division."""

    PROVINCE = "PROVINCE", _("省")
    CITY = "CITY", _("市")
    COUNTY = "COUNTY", _("县(区)")
    STREET = "STREET", _("街道(乡镇)")


class Region(SharedObject):
    """A division during one validity range. Codes change: an old code stays valid for its time."""

    code = models.CharField(_("区划代码"), max_length=12)
    name = models.CharField(_("名称"), max_length=64)
    level = models.CharField(_("级别"), max_length=10, choices=RegionLevel.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    successors = models.ManyToManyField("self", symmetrical=False, related_name="predecessors", blank=True)
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_to = models.DateField(_("失效日期"), null=True, blank=True)

    class Meta:
        verbose_name = _("行政区划")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="region_code_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?$"), name="region_code_form"
            ),
        ]
        indexes = [models.Index(fields=["parent", "code"], name="region_parent")]

    def __str__(self) -> str:
        return self.name
