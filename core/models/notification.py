"""Messages to a person inside the application (站内消息), written in the transaction of what they tell."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models.user import User


class Notification(models.Model):
    """One message for one user; `path` leads to the page where something is to be done or seen."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False, db_default=models.Func(function="gen_random_uuid"))
    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    title = models.CharField(_("标题"), max_length=200)
    body = models.CharField(_("内容"), max_length=500, blank=True)
    path = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("站内消息")
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notification_unread"),
        ]
