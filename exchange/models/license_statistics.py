"""Figures of the city's licenses (证照统计): what is held, how far it covers those who should hold it, what it was used for.

Written by a task as a whole; pages read these rows and count nothing themselves.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LicenseFigure(models.Model):
    """Licenses of one type, issuer and county, by month of issue; `month` is null for those older than the months told apart."""

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    issuer = models.CharField(_("颁发机构"), max_length=200)
    region_code = models.CharField(_("区划"), max_length=6)
    month = models.DateField(_("颁发月份"), null=True)
    total = models.BigIntegerField(_("证照数"))
    live = models.BigIntegerField(_("有效"))
    expired = models.BigIntegerField(_("已过期"))
    ended = models.BigIntegerField(_("其他状态"))
    measured_at = models.DateTimeField(_("统计时间"))

    class Meta:
        verbose_name = _("证照统计")
        ordering = ["type_code", "issuer", "region_code", "month"]
        constraints = [
            models.UniqueConstraint(
                fields=["type_code", "issuer", "region_code", "month"], name="license_figure_once", nulls_distinct=False
            ),
        ]


class LicenseCoverage(models.Model):
    """Of those expected to hold a type, how many hold a valid electronic one. `rule` names the denominator."""

    type_code = models.CharField(_("证照类型代码"), max_length=21)
    rule = models.CharField(_("应持证口径"), max_length=40)
    expected = models.BigIntegerField(_("应持证数"))
    held = models.BigIntegerField(_("已持有数"))
    measured_at = models.DateTimeField(_("统计时间"))

    class Meta:
        verbose_name = _("证照覆盖率")
        ordering = ["type_code"]
        constraints = [models.UniqueConstraint(fields=["type_code"], name="license_coverage_once")]


class LicenseUsage(models.Model):
    """Uses of a month by type, channel, department and matter."""

    month = models.DateField(_("月份"))
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    channel = models.CharField(_("用证方式"), max_length=20)
    department = models.CharField(_("用证单位"), max_length=100)
    matter = models.CharField(_("事项"), max_length=200)
    use_count = models.BigIntegerField(_("用证次数"))
    measured_at = models.DateTimeField(_("统计时间"))

    class Meta:
        verbose_name = _("用证统计")
        ordering = ["month", "type_code", "channel"]
        constraints = [
            models.UniqueConstraint(fields=["month", "type_code", "channel", "department", "matter"], name="license_usage_once"),
        ]
