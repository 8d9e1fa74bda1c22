"""Life events that go out to those who must act (生命事件): an append-only outbox in the order of the transactions.

An event is announced once, however many departments report it, and withdrawn when none of them does any more: `turn` is odd for an
announcement and even for its withdrawal. Things to be looked at again because of it are `ReviewMark` rows.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User, XidField
from core.models.shared import CurrentXid


class LifeEventKind(models.TextChoices):
    """What happened. Codes of people are those of the code set of vital events."""

    BIRTH = "10", _("出生")
    DEATH = "20", _("死亡")
    MARRIAGE = "30", _("结婚")
    DIVORCE = "40", _("离婚")
    MOVED_IN = "50", _("迁入")
    MOVED_OUT = "51", _("迁出")
    CANCELLED = "C4", _("法人注销")
    REVOKED = "C2", _("法人吊销")


class LifeEvent(models.Model):
    """One announcement or withdrawal. Readers follow (changed_xid, id) below the horizon of transactions."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False, db_default=models.Func(function="gen_random_uuid"))
    kind = models.CharField(_("事件类别"), max_length=2, choices=LifeEventKind.choices)
    subject_key = models.BinaryField(max_length=16)
    occurred_on = models.DateField(_("发生日期"))
    turn = models.PositiveSmallIntegerField()
    source_department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("数源部门"))
    source_record_id = models.BigIntegerField()
    recorded_at = models.DateTimeField(_("记录时间"), db_default=Now())
    changed_xid = XidField(db_default=CurrentXid())

    class Meta:
        verbose_name = _("生命事件")
        ordering = ["-id"]
        indexes = [models.Index(fields=["changed_xid", "id"], name="life_event_order")]
        constraints = [
            # A life has one birth and one death, whatever day each source says.
            models.UniqueConstraint(
                fields=["subject_key", "kind", "turn"], condition=Q(kind__in=("10", "20")), name="life_event_once"
            ),
            models.UniqueConstraint(
                fields=["subject_key", "kind", "occurred_on", "turn"],
                condition=~Q(kind__in=("10", "20")),
                name="life_event_once_a_day",
            ),
        ]

    @property
    def is_withdrawal(self) -> bool:
        """Whether this takes an announcement back."""
        return self.turn % 2 == 0


class LifeEventSubscription(models.Model):
    """A department that is told of a kind of event, and by which law."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("接收部门"))
    kind = models.CharField(_("事件类别"), max_length=2, choices=LifeEventKind.choices)
    legal_basis = models.CharField(_("依据"), max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(_("登记时间"))
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("生命事件订阅")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["department", "kind"], name="life_event_subscription_once")]


class LifeEventNotice(models.Model):
    """An event a department was told of; `seen_at` when somebody there acknowledged it."""

    event = models.ForeignKey(LifeEvent, models.PROTECT, related_name="notices", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    seen_at = models.DateTimeField(_("签收时间"), null=True)
    seen_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("生命事件通知")
        ordering = ["-id"]
        indexes = [models.Index(fields=["department", "-id"], name="life_event_notice_department")]
        constraints = [models.UniqueConstraint(fields=["event", "department"], name="life_event_notice_once")]


class ReviewMark(models.Model):
    """Something still live though its holder is not: a benefit, a registration (待复核); closed when that is over."""

    event = models.ForeignKey(LifeEvent, models.PROTECT, related_name="marks")
    subject_key = models.BinaryField(max_length=16)
    holding = models.CharField(_("事项"), max_length=60)
    row_key = models.BinaryField(max_length=16)
    owner = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("复核部门"))
    opened_at = models.DateTimeField(_("发现时间"), db_default=Now())
    closed_at = models.DateTimeField(_("消除时间"), null=True)

    class Meta:
        verbose_name = _("待复核事项")
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "-id"], condition=Q(closed_at=None), name="review_mark_open")]
        constraints = [
            models.UniqueConstraint(fields=["holding", "row_key"], condition=Q(closed_at=None), name="review_mark_once"),
        ]
