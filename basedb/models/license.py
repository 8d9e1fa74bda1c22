"""Electronic licenses (电子证照) of the whole city: types, the licenses themselves, what a review found about them.

Whether a license has expired is computed from `valid_to`, never stored.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import FactRow
from core.models import XidField


class LicenseType(models.Model):
    """A type of license (证照类型): 18 characters of the defining body and a serial of three. Versions follow each other."""

    code = models.CharField(_("证照类型代码"), max_length=21)
    name = models.CharField(_("证照类型名称"), max_length=200)
    version = models.CharField(_("版本"), max_length=20)
    defining_body = models.CharField(_("定义机构"), max_length=200)
    defining_body_code = models.CharField(_("定义机构代码"), max_length=18)
    holder_kind = models.CharField(_("持证主体类型"), max_length=20)
    validity_months = models.PositiveSmallIntegerField(_("有效期（月）"), null=True)
    effective = DateRangeField(_("施行期"))

    class Meta:
        verbose_name = _("证照类型")
        ordering = ["code", "effective"]
        constraints = [
            ExclusionConstraint(
                name="license_type_one_at_a_time",
                expressions=[("code", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=models.Q(code__regex="^[0-9A-Z]{18}[0-9]{3}$"), name="license_type_code_form"),
        ]

    def __str__(self) -> str:
        return self.name


class License(FactRow):
    """A license and one of its holders. A later version of the same license takes the row over."""

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    identifier = models.CharField(_("电子证照标识"), max_length=128, null=True)
    title = models.CharField(_("证照名称"), max_length=200)
    number = models.CharField(_("证照编号"), max_length=100)
    holder_name = models.CharField(_("持证主体"), max_length=200)
    holder_code = models.CharField(_("持证主体代码"), max_length=18)
    holder_code_type = models.CharField(_("持证主体代码类型"), max_length=3)
    issuer = models.CharField(_("颁发机构"), max_length=200)
    issuer_code = models.CharField(_("颁发机构代码"), max_length=18, null=True)
    issued_on = models.DateField(_("颁发日期"))
    valid_from = models.DateField(_("有效期起"), null=True)
    valid_to = models.DateField(_("有效期止"), null=True)
    region_code = models.CharField(_("管辖属地"), max_length=12)
    license_state = models.CharField(_("证照状态"), max_length=2)
    license_version = models.CharField(_("版本号"), max_length=3, null=True)
    face = models.JSONField(_("照面数据"), null=True)

    class Meta:
        verbose_name = _("电子证照")
        indexes = [
            models.Index(fields=["subject_key"], name="license_subject"),
            models.Index(fields=["changed_xid", "id"], name="license_changed"),
            # An identifier without version and check character (".001.X"): verification finds the other versions, too. A hash,
            # because comparing long identifiers in the language's order would slow down the loading of a whole city.
            HashIndex(models.Func(models.F("identifier"), models.Value(-6), function="LEFT"), name="license_stem"),
        ]


class MarkKind(models.TextChoices):
    """What a review found about a license."""

    IDENTIFIER = "IDENTIFIER", _("证照标识校验位不符")
    UNKNOWN_TYPE = "UNKNOWN_TYPE", _("证照类型不在目录中")
    HOLDER_DEAD = "HOLDER_DEAD", _("持证人已死亡")
    HOLDER_CANCELLED = "HOLDER_CANCELLED", _("持证主体已注销")


class LicenseMark(models.Model):
    """A mark on a license for its issuer to look at (复核标记); closed when the reason is gone."""

    row_key = models.BinaryField(max_length=16)
    kind = models.CharField(_("复核事项"), max_length=20, choices=MarkKind.choices)
    source_department_id = models.BigIntegerField()
    opened_at = models.DateTimeField(_("发现时间"), db_default=Now())
    closed_at = models.DateTimeField(_("消除时间"), null=True)

    class Meta:
        verbose_name = _("证照复核")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["source_department_id", "kind", "id"], condition=models.Q(closed_at=None), name="license_mark_open"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["row_key", "kind"], condition=models.Q(closed_at=None), name="license_mark_once")
        ]


class LicenseReview(models.Model):
    """How far the review has looked: licenses changed by transactions from `through_xid` on are still to be looked at."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    through_xid = XidField()
    done_at = models.DateTimeField()

    class Meta:
        verbose_name = _("证照复核进度")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="license_review_one")]
