"""Statutory holidays and make-up days (节假日与调休), the table behind every working-day clock."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Holiday(models.Model):
    """A day that differs from the weekday rule. Years nobody announced yet have no rows: weekends then count alone."""

    on = models.DateField(_("日期"), primary_key=True)
    name = models.CharField(_("名称"), max_length=30)
    is_working = models.BooleanField(_("调休上班"))

    class Meta:
        verbose_name = _("节假日")
        ordering = ["on"]
