"""Returns for missing material (补正): what one side asked for, once, what the clocks had left, and what changed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from exchange.models.access_request import AccessRequest, Desk


class ReturningSide(models.TextChoices):
    """Who asked for the material."""

    PROVIDER = "PROVIDER", _("提供方")
    DATA_CENTRE = "DATA_CENTRE", _("数据中心")


class MaterialReturn(models.Model):
    """A request went back to its operator. Each side may ask once, for everything at once (Order 809 art. 21)."""

    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="returns")
    side = models.CharField(_("要求补正方"), max_length=12, choices=ReturningSide.choices)
    desk = models.CharField(_("岗位"), max_length=20, choices=Desk.choices)
    returned_at = models.DateTimeField(_("退回时间"))
    missing = models.CharField(_("所缺材料"), max_length=500)
    terms = models.JSONField(_("退回时的申请内容"))
    desk_days_left = models.PositiveSmallIntegerField(_("岗位剩余工作日"), null=True)
    answer_days_left = models.PositiveSmallIntegerField(_("答复剩余工作日"), null=True)
    resubmitted_at = models.DateTimeField(_("补正时间"), null=True, blank=True)
    changes = models.JSONField(_("改动"), default=dict, blank=True)

    class Meta:
        verbose_name = _("补正记录")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["access_request", "side"], name="material_asked_once"),
            models.CheckConstraint(condition=~models.Q(missing=""), name="material_return_says_what"),
        ]
