"""Backflow (回流, Order 809 art. 24): a city or county gets its own rows back, in batches with receipts."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Department, Region, SealedSecret, SharedObject, XidField


class SubscriptionState(models.TextChoices):
    """A subscription runs, waits, or has ended."""

    ACTIVE = "ACTIVE", _("有效")
    SUSPENDED = "SUSPENDED", _("已暂停")
    ENDED = "ENDED", _("已终止")


class BatchState(models.TextChoices):
    """A batch is prepared (rows fixed), delivered, and acknowledged by the receiver's receipt."""

    PREPARED = "PREPARED", _("待投递")
    ACKNOWLEDGED = "ACKNOWLEDGED", _("已签收")


class BackflowSubscription(SharedObject, SealedSecret):
    """A region's own rows of a dataset go to its database. The password is sealed (`backflow_subscription:<uid>`)."""

    title = models.CharField(_("回流任务"), max_length=100)
    department = models.ForeignKey(Department, models.PROTECT, related_name="backflows", verbose_name=_("接收部门"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="backflows", verbose_name=_("区划"))
    dataset = models.CharField(_("数据集"), max_length=60)
    fields = ArrayField(models.CharField(max_length=40), verbose_name=_("信息项"))
    settings = models.JSONField(_("目标库参数"), default=dict)  # host, port, database, user, table
    batch_size = models.PositiveIntegerField(_("批大小"), default=5_000)
    every_minutes = models.PositiveIntegerField(_("周期(分钟)"), default=1)
    state = models.CharField(_("状态"), max_length=10, choices=SubscriptionState.choices, default=SubscriptionState.ACTIVE)
    cursor_xid = XidField(default=0)
    cursor_id = models.BigIntegerField(default=0)
    starts_over = models.BooleanField(default=False)  # ordered; the next batch replaces the receiver's table
    whole_from_xid = XidField(default=0)  # not 0: everything is being delivered, then changes from this transaction on
    next_run_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(_("最近错误"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("回流任务")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["region", "dataset"], name="backflow_once")]

    def __str__(self) -> str:
        return self.title


class BackflowBatch(models.Model):
    """Rows between two cursors. Prepared before delivery, so that a killed worker delivers the very same range again."""

    subscription = models.ForeignKey(BackflowSubscription, models.PROTECT, related_name="batches")
    sequence = models.BigIntegerField(_("批次"))
    uid = models.UUIDField(default=uuid4, db_default=models.Func(function="gen_random_uuid"))  # fixed with the range
    state = models.CharField(_("状态"), max_length=12, choices=BatchState.choices, default=BatchState.PREPARED)
    from_xid = XidField()
    from_id = models.BigIntegerField()
    to_xid = XidField()
    to_id = models.BigIntegerField()
    row_count = models.IntegerField(_("行数"), default=0)
    removed_count = models.IntegerField(_("迁出"), default=0)
    starts_over = models.BooleanField(default=False)
    digest = models.BinaryField(max_length=32, null=True)
    prepared_at = models.DateTimeField(_("生成时间"))
    acknowledged_at = models.DateTimeField(_("签收时间"), null=True)
    receipt = models.JSONField(_("回执"), null=True)

    class Meta:
        verbose_name = _("回流批次")
        ordering = ["-sequence"]
        constraints = [models.UniqueConstraint(fields=["subscription", "sequence"], name="backflow_batch_once")]


class BackflowMember(models.Model):
    """Whom a receiver holds: a person who moves away must leave the receiver's table, too."""

    subscription = models.ForeignKey(BackflowSubscription, models.PROTECT, related_name="+")
    subject_key = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "subject_key"], name="backflow_member_once")]
