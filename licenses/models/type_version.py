"""The catalogue of license types (证照目录) with its rulebooks. A published version never changes; a change is the next version.

Publishing keeps the short entry of the base database (`basedb.LicenseType`), which holds every type the city knows, in step.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User


class TypeState(models.TextChoices):
    """Where a version of a type stands."""

    DRAFT = "DRAFT", _("编制中")
    PUBLISHED = "PUBLISHED", _("已发布")
    RETIRED = "RETIRED", _("已停用")


class HolderKind(models.TextChoices):
    """Whom a type is issued to (持证主体类型)."""

    PERSON = "PERSON", _("自然人")
    LEGAL_ENTITY = "LEGAL_ENTITY", _("法人和非法人组织")
    EITHER = "EITHER", _("自然人或法人")


class ValidityKind(models.TextChoices):
    """How the end of validity comes about (有效期规则)."""

    UNLIMITED = "UNLIMITED", _("长期有效")
    MONTHS = "MONTHS", _("自起始日起若干月")
    STATED = "STATED", _("逐证写明")


class TypeVersion(SharedObject):
    """A version of a license type (GB/T 36902): holder, validity, face items, layout. `rulebook` is `licenses.types.rulebook`'s."""

    code = models.CharField(_("证照类型代码"), max_length=21)
    number = models.PositiveSmallIntegerField(_("版本"), default=1)
    name = models.CharField(_("证照类型名称"), max_length=200)
    defining_body = models.CharField(_("定义机构"), max_length=200)
    defining_body_code = models.CharField(_("定义机构代码"), max_length=18)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("维护部门"))
    holder_kind = models.CharField(_("持证主体类型"), max_length=20, choices=HolderKind.choices)
    holders_at_most = models.PositiveSmallIntegerField(_("持证主体数上限"), default=1)
    is_repeatable = models.BooleanField(_("同一主体可持有多份"), default=False)  # one a house, a vehicle, a shop
    validity_kind = models.CharField(_("有效期规则"), max_length=20, choices=ValidityKind.choices)
    validity_months = models.PositiveSmallIntegerField(_("有效期（月）"), null=True, blank=True)
    rulebook = models.JSONField(_("照面项目"), default=list)
    layout = models.JSONField(_("版式"), default=dict)
    state = models.CharField(_("状态"), max_length=20, choices=TypeState.choices, default=TypeState.DRAFT)
    effective = DateRangeField(_("施行期"), null=True)  # type: ignore[misc]  # the stubs know no range that may be null
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revised_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    submitted_at = models.DateTimeField(_("送审时间"), null=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("发布时间"), null=True)

    class Meta:
        verbose_name = _("证照类型版本")
        ordering = ["code", "number"]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="type_version_once"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(state=TypeState.DRAFT), name="type_one_draft"),
            ExclusionConstraint(
                name="type_one_in_force",
                expressions=[("code", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
                condition=models.Q(effective__isnull=False),
            ),
            models.CheckConstraint(condition=models.Q(code__regex="^[0-9A-Z]{18}[0-9]{3}$"), name="type_version_code_form"),
            models.CheckConstraint(
                condition=models.Q(validity_kind=ValidityKind.MONTHS, validity_months__gt=0)
                | (~models.Q(validity_kind=ValidityKind.MONTHS) & models.Q(validity_months=None)),
                name="type_validity_whole",
            ),
            models.CheckConstraint(condition=models.Q(holders_at_most__gte=1), name="type_some_holder"),
            models.CheckConstraint(
                condition=models.Q(state=TypeState.DRAFT, effective=None)
                | ~models.Q(state=TypeState.DRAFT, effective__isnull=True),
                name="type_published_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
