"""Limits of use (限制条件): the columns a request asks for and a grant keeps, alike in both tables.

What may stand in them, and which of two is the stricter, is in `exchange.granting.limits`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from exchange.granting.limits import Limits


class LimitColumns(models.Model):
    """Rows, parameters, matters, addresses and the quota of a second; empty means no such limit."""

    row_filter = models.JSONField(_("行过滤"), default=list, blank=True)
    control_parameters = models.JSONField(_("管控参数"), default=dict, blank=True)
    matters = ArrayField(models.CharField(max_length=64), default=list, blank=True, verbose_name=_("事项"))
    ip_list = ArrayField(models.CharField(max_length=43), default=list, blank=True, verbose_name=_("来源地址"))
    quota_per_second = models.PositiveIntegerField(_("每秒调用量"), default=100)

    class Meta:
        abstract = True

    @property
    def limits(self) -> Limits:
        """The limits as the rules compare them."""
        return Limits(
            row_filter=self.row_filter,
            control_parameters=self.control_parameters,
            matters=self.matters,
            ip_list=self.ip_list,
            quota_per_second=self.quota_per_second,
        )
