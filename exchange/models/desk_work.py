"""What the people of a desk keep beside the requests: claims (认领), delegations (外出委托), bulk decisions, saved filters.

None of it moves a request or opens a door: whose turn it is stays with `exchange.requests.workflow`.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User
from core.roles import Role
from exchange.models.access_request import AccessRequest, Desk

DELEGABLE = (Role.OPERATOR, Role.HEAD, Role.REVIEWER)


class Claim(models.Model):
    """A person of the desk says "I take care of this"; locks nobody out, ends when the ball moves."""

    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="claims")
    desk = models.CharField(_("岗位"), max_length=20, choices=Desk.choices)
    claimed_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("认领人"))
    assigned_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("转办人"))
    claimed_at = models.DateTimeField(_("认领时间"))
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("认领")
        constraints = [
            models.UniqueConstraint(fields=["access_request"], condition=Q(released_at=None), name="one_open_claim"),
        ]


class Delegation(models.Model):
    """Somebody who is away leaves one role to a colleague of the same department, for a time."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    giver = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("委托人"))
    delegate = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("受托人"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("部门"))
    role = models.CharField(_("角色"), max_length=30, choices=[(role.value, role.label) for role in DELEGABLE])
    valid_from = models.DateTimeField(_("委托期限自"))
    valid_to = models.DateTimeField(_("委托期限至"))
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("外出委托")
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in DELEGABLE]), name="delegation_role"),
            models.CheckConstraint(condition=~Q(giver=F("delegate")), name="delegation_to_another"),
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="delegation_period"),
            ExclusionConstraint(
                name="delegation_once_at_a_time",
                expressions=[
                    ("giver", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (
                        Func("valid_from", "valid_to", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(revoked_at=None),
            ),
        ]
        indexes = [models.Index(fields=["delegate", "valid_to"], name="delegation_delegate")]


class SavedFilter(models.Model):
    """A name for what somebody filters by often."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    page = models.CharField(max_length=20)
    name = models.CharField(_("名称"), max_length=30)
    query = models.CharField(max_length=1000)
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("常用筛选")
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_name"),
            models.UniqueConstraint(fields=["user", "page"], condition=Q(is_default=True), name="saved_filter_default"),
        ]


class BulkOutcome(models.TextChoices):
    """What became of one request of a bulk decision."""

    PENDING = "PENDING", _("未办理")
    DONE = "DONE", _("已办理")
    DECLINED = "DECLINED", _("不能办理")


class BulkDecision(models.Model):
    """Several requests of one desk that were decided with one opinion; `token` makes a double submit harmless."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    token = models.CharField(max_length=64)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("批量办理")
        constraints = [models.UniqueConstraint(fields=["decided_by", "token"], name="bulk_decision_once")]


class BulkLine(models.Model):
    """One request of a bulk decision, as the person saw it; the outcome is written with the decision itself."""

    bulk = models.ForeignKey(BulkDecision, models.PROTECT, related_name="lines")
    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField()
    outcome = models.CharField(_("结果"), max_length=8, choices=BulkOutcome.choices, default=BulkOutcome.PENDING)
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(_("说明"), max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "access_request"], name="bulk_line_once")]


class DailyDigest(models.Model):
    """Somebody was told of the day's work; the constraint keeps it at once a day."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "on"], name="digest_once_a_day")]
