"""Supervision notices (督办通知): the data centre asks a desk that is late, or soon will be, why; the desk must reply."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Department, SharedObject, User
from exchange.models.access_request import AccessRequest, Desk


class SupervisionNotice(SharedObject):
    """One notice on one request to the desk that had the ball. One open notice a desk."""

    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="supervision_notices")
    desk = models.CharField(_("被督办岗位"), max_length=20, choices=Desk.choices)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("被督办部门"))
    text = models.CharField(_("督办意见"), max_length=500)
    due_at = models.DateTimeField(_("督办时的办理时限"))
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    issued_by_name = models.CharField(_("督办人"), max_length=60)
    issued_at = models.DateTimeField(_("督办时间"))
    reply = models.CharField(_("回复"), max_length=500, blank=True, default="")
    replied_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    replied_by_name = models.CharField(_("回复人"), max_length=60, blank=True, default="")
    replied_at = models.DateTimeField(_("回复时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("督办")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["access_request", "desk"], condition=Q(replied_at=None), name="supervision_one_open_a_desk"
            ),
            models.CheckConstraint(condition=Q(replied_at=None) | ~Q(reply=""), name="supervision_reply_says_something"),
        ]
        indexes = [models.Index(fields=["department", "-id"], name="supervision_department")]
