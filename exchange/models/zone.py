"""Figures of data zones (专区快照): what each department had on the platform on a day, kept for pages and their history."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Department


class ZoneFigure(models.Model):
    """One department's part of one dataset on one day. Counts only; the day's last measurement stands."""

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    dataset = models.CharField(_("数据集"), max_length=60)
    measured_on = models.DateField(_("日期"))
    measured_at = models.DateTimeField(_("统计时间"))
    row_count = models.BigIntegerField(_("行数"), default=0)
    source_count = models.IntegerField(_("数源数"), default=0)
    last_good_run_at = models.DateTimeField(_("最近成功归集"), null=True)
    promised_minutes = models.PositiveIntegerField(_("承诺周期(分钟)"), null=True)
    reject_count = models.BigIntegerField(_("待处理拒收"), default=0)
    quality_task_count = models.BigIntegerField(_("未办结整改单"), default=0)
    conflict_count = models.BigIntegerField(_("待核实校核单"), default=0)
    quality_percent = models.FloatField(_("质量得分"), null=True)
    grant_count = models.BigIntegerField(_("有效授权"), default=0)
    call_count = models.BigIntegerField(_("近30天调用"), default=0)

    class Meta:
        verbose_name = _("专区快照")
        ordering = ["department", "dataset", "measured_on"]
        constraints = [
            models.UniqueConstraint(fields=["department", "dataset", "measured_on"], name="zone_figure_once"),
        ]
