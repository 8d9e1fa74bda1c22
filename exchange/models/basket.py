"""Baskets (资源篮) and the bundles (一揽子申请) they become: one occasion of asking, one request for each resource."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, SharingMode
from core.ids import uuid7
from core.models import Department, SharedObject, User


class BasketEntry(models.Model):
    """A resource somebody put aside to ask for. It goes when it was asked for or taken out."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="basket")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="+", verbose_name=_("信息资源"))
    mode = models.CharField(_("共享方式"), max_length=10, choices=SharingMode.choices, blank=True, default="")
    fields = ArrayField(models.CharField(max_length=40), verbose_name=_("信息项"), default=list, blank=True)
    added_at = models.DateTimeField(_("加入时间"))

    class Meta:
        verbose_name = _("资源篮条目")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "resource"], name="basket_entry_once")]


class RequestBundle(SharedObject):
    """Requests that were submitted in one step; each goes its own way (`AccessRequest.bundle`)."""

    number = models.CharField(_("一揽子申请编号"), max_length=20, unique=True)
    requester = models.ForeignKey(Department, models.PROTECT, related_name="bundles", verbose_name=_("申请方"))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    purpose = models.CharField(_("使用目的"), max_length=200)
    submitted_at = models.DateTimeField(_("提交时间"))

    class Meta:
        verbose_name = _("一揽子申请")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number
