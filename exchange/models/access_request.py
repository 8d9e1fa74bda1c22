"""Access requests (共享申请, Order 809 art. 20-22) and the steps they went through."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, SharingMode
from core.models import Department, SharedObject, User
from exchange.models.basket import RequestBundle
from exchange.models.limits import LimitColumns
from exchange.models.system import ConsumerSystem


class RequestState(models.TextChoices):
    """Where a request stands. The state says which desk has the ball."""

    DRAFTED = "DRAFTED", _("草稿")
    SUBMITTED = "SUBMITTED", _("待本部门负责人同意")
    ENDORSED = "ENDORSED", _("待提供方经办")
    CHECKED = "CHECKED", _("待提供方负责人")
    CLEARED = "CLEARED", _("待数据中心审核")
    RETURNED = "RETURNED", _("待补正")
    CONFIRMING = "CONFIRMING", _("待第二人复核")
    APPROVED = "APPROVED", _("已授权")
    REFUSED = "REFUSED", _("已拒绝")
    WITHDRAWN = "WITHDRAWN", _("已撤回")
    CLOSED = "CLOSED", _("已办结归档")


class Route(models.TextChoices):
    """Who must review after the requester's own head (seed 000)."""

    DATA_CENTRE_ALONE = "DATA_CENTRE_ALONE", _("数据中心直接审核")
    PROVIDER_FIRST = "PROVIDER_FIRST", _("提供方审核后数据中心审核")


class Desk(models.TextChoices):
    """Who has the ball."""

    REQUESTER_OPERATOR = "REQUESTER_OPERATOR", _("申请方经办人")
    REQUESTER_HEAD = "REQUESTER_HEAD", _("申请方负责人")
    PROVIDER_OPERATOR = "PROVIDER_OPERATOR", _("提供方经办人")
    PROVIDER_HEAD = "PROVIDER_HEAD", _("提供方负责人")
    DATA_CENTRE = "DATA_CENTRE", _("数据中心")
    PLATFORM = "PLATFORM", _("平台自动办理")
    NOBODY = "NOBODY", _("已办结")


class Reminder(models.TextChoices):
    """What the desk that has the ball was last reminded of; every step clears it."""

    SOON = "SOON", _("即将到期")
    OVERDUE = "OVERDUE", _("已超期")


class AccessRequest(LimitColumns, SharedObject):
    """A department asks to use items of a resource for a purpose."""

    number = models.CharField(_("申请编号"), max_length=20, unique=True)
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="access_requests", verbose_name=_("信息资源"))
    resource_version = models.PositiveIntegerField(_("目录版本"))
    requester = models.ForeignKey(Department, models.PROTECT, related_name="access_requests", verbose_name=_("申请方"))
    system = models.ForeignKey(ConsumerSystem, models.PROTECT, related_name="access_requests", verbose_name=_("使用方系统"))
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    mode = models.CharField(_("共享方式"), max_length=10, choices=SharingMode.choices)
    fields = ArrayField(models.CharField(max_length=40), verbose_name=_("信息项"))
    purpose = models.CharField(_("使用目的"), max_length=200)
    legal_basis = models.CharField(_("使用依据"), max_length=500)
    scenario = models.CharField(_("使用场景"), max_length=500)
    scope = models.CharField(_("使用范围"), max_length=500, blank=True)
    region_prefix = models.CharField(_("数据范围(区划)"), max_length=12, blank=True)
    quota_per_day = models.PositiveIntegerField(_("日调用量"), default=1000)
    masks = models.JSONField(_("审批确定的脱敏"), default=dict, blank=True)
    term_from = models.DateField(_("使用期限自"))
    term_to = models.DateField(_("使用期限至"))
    state = models.CharField(_("状态"), max_length=10, choices=RequestState.choices, default=RequestState.DRAFTED)
    route = models.CharField(_("审批路径"), max_length=20, choices=Route.choices, blank=True)
    desk = models.CharField(_("当前办理"), max_length=20, choices=Desk.choices, default=Desk.REQUESTER_OPERATOR)
    returned_from = models.CharField(_("补正后返回"), max_length=10, choices=RequestState.choices, blank=True, default="")
    due_at = models.DateTimeField(_("办理时限"), null=True, blank=True)
    answer_due_at = models.DateTimeField(_("答复时限"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("提交时间"), null=True, blank=True)
    decided_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    refusal_reason = models.CharField(_("拒绝理由"), max_length=500, blank=True)
    reminder = models.CharField(_("催办"), max_length=8, choices=Reminder.choices, blank=True, default="")

    # Where the request comes from: one of a bundle, a copy of an earlier one, or the next term of a grant.
    bundle = models.ForeignKey(RequestBundle, models.PROTECT, null=True, blank=True, related_name="parts")
    copied_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="copies")
    renews = models.ForeignKey("exchange.Grant", models.PROTECT, null=True, blank=True, related_name="renewals")

    class Meta:
        verbose_name = _("共享申请")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="request_state_known"),
            models.CheckConstraint(condition=~Q(state="REFUSED") | ~Q(refusal_reason=""), name="refusal_has_reason"),
            models.CheckConstraint(
                condition=(Q(state="RETURNED") & ~Q(returned_from="")) | (~Q(state="RETURNED") & Q(returned_from="")),
                name="returned_from_somewhere",
            ),
            models.CheckConstraint(condition=Q(term_to__gte=models.F("term_from")), name="request_term"),
            # A grant has one renewal at a time; one that was refused, withdrawn or closed makes room for the next.
            models.UniqueConstraint(
                fields=["renews"], condition=~Q(state__in=["REFUSED", "WITHDRAWN", "CLOSED"]), name="renewal_once"
            ),
        ]
        indexes = [
            models.Index(fields=["desk", "due_at"], name="request_desk"),
            models.Index(fields=["requester", "-id"], name="request_requester"),
        ]

    def __str__(self) -> str:
        return self.number


class AccessRequestStep(models.Model):
    """One command that was carried out on a request. Append-only."""

    access_request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="steps")
    at = models.DateTimeField(_("时间"))
    command = models.CharField(_("动作"), max_length=12)
    from_state = models.CharField(max_length=10, choices=RequestState.choices)
    to_state = models.CharField(max_length=10, choices=RequestState.choices)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    on_behalf_of = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("办理人"), max_length=60)
    actor_department = models.CharField(_("部门"), max_length=100)
    desk = models.CharField(_("岗位"), max_length=20, choices=Desk.choices)
    reason = models.CharField(_("意见"), max_length=500, blank=True)
    was_due_at = models.DateTimeField(_("当时的办理时限"), null=True)

    class Meta:
        verbose_name = _("申请办理记录")
        ordering = ["id"]
