"""Roll-ups of the call record (调用统计): what was called by whom how often, how fast and how much, by minute, hour, day and ever.

Kept longer than the records they were made of. Nobody is named in them: no subject, no key, no address.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import XidField


class Grain(models.TextChoices):
    """How long the span is that a roll-up stands for."""

    MINUTE = "MINUTE", _("分钟")
    HOUR = "HOUR", _("小时")
    DAY = "DAY", _("日")
    EVER = "EVER", _("累计")


class CallStatistic(models.Model):
    """The calls of one span with the same parties, grant, mode and outcome.

    `buckets` counts calls by duration (`exchange.statistics.durations`), `hours` (days only) by hour of the day in Shanghai. The
    closing record of a bulk call has an outcome of its own; it brings rows and bytes, and no duration.
    """

    grain = models.CharField(_("粒度"), max_length=6, choices=Grain)
    starts_at = models.DateTimeField(_("起始时间"))
    department_id = models.BigIntegerField()
    consumer_id = models.BigIntegerField()
    provider_id = models.BigIntegerField(null=True)
    resource_id = models.BigIntegerField(null=True)
    grant_id = models.BigIntegerField(null=True)
    mode = models.CharField(_("方式"), max_length=10)
    outcome = models.CharField(_("结果"), max_length=40)
    call_count = models.BigIntegerField(_("次数"))
    row_count = models.BigIntegerField(_("行数"))
    request_bytes = models.BigIntegerField(_("请求字节数"))
    answer_bytes = models.BigIntegerField(_("应答字节数"))
    duration_sum = models.BigIntegerField(_("耗时合计（微秒）"))
    duration_min = models.BigIntegerField(_("最短耗时（微秒）"), null=True)
    duration_max = models.BigIntegerField(_("最长耗时（微秒）"), null=True)
    buckets = ArrayField(models.IntegerField())
    hours = ArrayField(models.IntegerField(), null=True)

    class Meta:
        verbose_name = _("调用统计")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("grain", "starts_at", "department_id", "consumer_id", "provider_id", "resource_id", "grant_id"),
                    *("mode", "outcome"),
                ],
                name="call_statistic_once",
                nulls_distinct=False,
            )
        ]


class StatisticsCursor(models.Model):
    """How far the roll-ups go: every record of a transaction below `xid_to` is in them, and no other."""

    xid_to = XidField()
    folded_at = models.DateTimeField(_("汇总时间"))

    class Meta:
        verbose_name = _("统计进度")
