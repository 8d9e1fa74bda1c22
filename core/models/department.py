"""Departments (部门): opaque id, code, validity range, successor, so that a reorganization rewrites no history."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.region import Region
from core.models.shared import SharedObject


class Department(SharedObject):
    """An organ that provides or consumes data. `is_data_centre` marks the authority that publishes and grants (主管部门)."""

    code = models.CharField(_("部门代码"), max_length=18, help_text=_("统一社会信用代码，18 位"))
    name = models.CharField(_("部门名称"), max_length=100)
    short_name = models.CharField(_("简称"), max_length=30)
    region = models.ForeignKey(Region, models.PROTECT, related_name="departments", verbose_name=_("所属区划"))
    is_data_centre = models.BooleanField(_("数据主管部门"), default=False)
    valid_from = models.DateField(_("设立日期"), null=True, blank=True)
    valid_to = models.DateField(_("撤销日期"), null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="predecessors")

    class Meta:
        verbose_name = _("部门")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=models.Q(valid_to=None), name="department_code_once"),
            models.UniqueConstraint(fields=["region", "name"], condition=models.Q(valid_to=None), name="department_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
