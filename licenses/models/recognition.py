"""Mutual recognition across regions (跨区域互认): trusted nodes and keys, what goes up and comes in, questions, differences."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, User, XidField


class NodeRelation(models.TextChoices):
    """Where a node stands seen from here."""

    ABOVE = "ABOVE", _("上级节点")
    BELOW = "BELOW", _("下级节点")
    PEER = "PEER", _("其他地区")


class TrustedNode(models.Model):
    """A node that issues or collects licenses (互认节点). It is trusted through its confirmed keys only."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(_("节点代码"), max_length=12, unique=True)
    name = models.CharField(_("节点名称"), max_length=100)
    region_code = models.CharField(_("所属区划"), max_length=12)
    relation = models.CharField(_("与本节点关系"), max_length=10, choices=NodeRelation.choices)
    endpoint = models.URLField(_("接口地址"), blank=True, default="")
    created_at = models.DateTimeField(_("登记时间"))
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("互认节点")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(relation__in=NodeRelation.values), name="trusted_node_relation"),
            models.CheckConstraint(condition=Q(code__regex="^[0-9A-Z]{2,12}$"), name="trusted_node_code_form"),
        ]

    def __str__(self) -> str:
        return self.name


class TrustedKey(models.Model):
    """A public key of a node (SM2): proposed by one person of the data centre, confirmed by another who knows its fingerprint."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="keys")
    key_id = models.CharField(_("密钥标识"), max_length=16, unique=True)
    fingerprint = models.CharField(_("指纹(SM3)"), max_length=64, unique=True)
    public_key = models.TextField(_("公钥（PEM）"))
    valid_from = models.DateTimeField(_("启用时间"))
    valid_to = models.DateTimeField(_("停用时间"))
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("提交人"))
    proposed_at = models.DateTimeField(_("提交时间"))
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("复核人"))
    confirmed_at = models.DateTimeField(_("复核时间"), null=True)
    revoked_at = models.DateTimeField(_("撤销时间"), null=True)
    revoked_reason = models.CharField(_("撤销原因"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("互认公钥")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("proposed_by")), name="trusted_key_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None) | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="trusted_key_confirmed_whole",
            ),
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="trusted_key_validity"),
        ]

    def __str__(self) -> str:
        return self.key_id


class NodePosition(models.Model):
    """How far the exchange with a node has come: what was put into batches for it, and what it delivered."""

    node = models.OneToOneField(TrustedNode, models.PROTECT, primary_key=True, related_name="position")
    sent_xid = XidField(default=0)
    sent_id = models.BigIntegerField(default=0)
    sent_number = models.BigIntegerField(default=0)
    sent_digest = models.CharField(max_length=64, blank=True, default="")
    received_number = models.BigIntegerField(default=0)
    received_digest = models.CharField(max_length=64, blank=True, default="")
    received_at = models.DateTimeField(null=True)
    gap_number = models.BigIntegerField(null=True)
    gap_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("互认进度")


class OutState(models.TextChoices):
    """Where a batch on its way out is."""

    PENDING = "PENDING", _("待发送")
    ACKNOWLEDGED = "ACKNOWLEDGED", _("已签收")
    STOPPED = "STOPPED", _("已停止，待处理")


class OutBatch(models.Model):
    """A signed batch for a node (推送批次). Its content never changes; what is sent again is the same bytes."""

    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="out_batches", db_index=False)
    number = models.BigIntegerField(_("批次号"))
    rows = models.PositiveIntegerField(_("行数"))
    envelope = models.TextField()
    digest = models.CharField(_("摘要"), max_length=64)
    made_at = models.DateTimeField(_("生成时间"))
    state = models.CharField(_("状态"), max_length=20, choices=OutState.choices, default=OutState.PENDING)
    attempts = models.PositiveIntegerField(_("已尝试"), default=0)
    next_attempt_at = models.DateTimeField(_("下次发送"), db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    fault = models.CharField(_("原因"), max_length=100, blank=True, default="")
    acknowledged_at = models.DateTimeField(_("签收时间"), null=True)
    rejected_count = models.PositiveIntegerField(_("被退回行数"), default=0)
    receipt = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("推送批次")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["node", "number"], name="out_batch_once")]
        indexes = [models.Index(fields=["node", "number"], condition=~Q(state="ACKNOWLEDGED"), name="out_batch_waiting")]


class InBatch(models.Model):
    """A batch a node delivered (接收批次), under the node's own number; the receipt is what was answered and is answered again."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="in_batches", db_index=False)
    number = models.BigIntegerField(_("批次号"))
    digest = models.CharField(_("摘要"), max_length=64)
    key = models.ForeignKey(TrustedKey, models.PROTECT, related_name="+", db_index=False)
    rows = models.PositiveIntegerField(_("行数"))
    rejected = models.PositiveIntegerField(_("退回行数"))
    receipt = models.TextField()
    received_at = models.DateTimeField(_("接收时间"))
    delivered_at = models.DateTimeField(_("入库时间"), null=True)

    class Meta:
        verbose_name = _("接收批次")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["node", "number"], name="in_batch_once")]
        indexes = [models.Index(fields=["id"], condition=Q(delivered_at=None), name="in_batch_waiting")]


class RowState(models.TextChoices):
    """What became of a row."""

    WAITING = "WAITING", _("待入库")
    DELIVERED = "DELIVERED", _("已入库")
    REJECTED = "REJECTED", _("已退回")


class ExchangeRow(models.Model):
    """A row of a batch that was delivered. The data of what has been taken in or sent back are not kept twice."""

    batch = models.ForeignKey(InBatch, models.PROTECT, related_name="exchange_rows", db_index=False)
    row_number = models.PositiveIntegerField(_("行号"))
    identifier = models.CharField(_("电子证照标识"), max_length=128, blank=True, default="")
    state = models.CharField(_("状态"), max_length=10, choices=RowState.choices)
    code = models.CharField(_("原因代码"), max_length=100, blank=True, default="")
    document = models.JSONField(null=True)

    class Meta:
        verbose_name = _("互认数据行")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["batch", "row_number"], name="exchange_row_once")]
        indexes = [models.Index(fields=["-id"], condition=Q(state="REJECTED"), name="exchange_row_rejected")]


class NodeQuestion(models.Model):
    """A question a node asked here, signed: who asked for what, for which matter. Its nonce works once. Append-only."""

    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="questions")
    nonce = models.CharField(max_length=64)
    kind = models.CharField(_("种类"), max_length=20)
    matter = models.CharField(_("事项"), max_length=200, blank=True, default="")
    purpose = models.CharField(_("用途"), max_length=200, blank=True, default="")
    is_answered = models.BooleanField(_("有结果"))
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("互认询问")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["node", "nonce"], name="node_question_once")]


class NodeStatusList(models.Model):
    """A status list a node published, as it was fetched: its form is `licenses.status.checker`'s."""

    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="status_lists", db_index=False)
    name = models.CharField(_("清单"), max_length=20)
    content = models.TextField()
    built_at = models.DateTimeField(_("生成时间"))
    valid_until = models.DateTimeField(_("有效至"))
    fetched_at = models.DateTimeField(_("取得时间"))

    class Meta:
        verbose_name = _("互认状态清单")
        constraints = [models.UniqueConstraint(fields=["node", "name"], name="node_status_list_once")]


class ForeignLicense(models.Model):
    """A license of another region fetched for one matter (异地证照); its document is dropped when the time is over."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="+", db_index=False)
    identifier = models.CharField(_("电子证照标识"), max_length=128)
    matter = models.CharField(_("事项"), max_length=200)
    purpose = models.CharField(_("用途"), max_length=200)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("调取部门"))
    fetched_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False, verbose_name=_("调取人"))
    fetched_at = models.DateTimeField(_("调取时间"))
    expires_at = models.DateTimeField(_("保留至"))
    result = models.JSONField()
    document = models.JSONField(null=True)

    class Meta:
        verbose_name = _("异地证照")
        ordering = ["-id"]
        indexes = [models.Index(fields=["expires_at"], condition=Q(document__isnull=False), name="foreign_license_expiry")]


class DifferenceReport(models.Model):
    """What we hold against what a node says it has (差异报告)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    node = models.ForeignKey(TrustedNode, models.PROTECT, related_name="difference_reports")
    made_at = models.DateTimeField(_("生成时间"))
    ours = models.PositiveIntegerField(_("本节点"))
    theirs = models.PositiveIntegerField(_("对方节点"))
    different = models.PositiveIntegerField(_("有差异的类型月份"))

    class Meta:
        verbose_name = _("差异报告")
        ordering = ["-id"]


class DifferenceLine(models.Model):
    """A type and month of a report whose counts or digests differ, or agree."""

    report = models.ForeignKey(DifferenceReport, models.PROTECT, related_name="lines")
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    month = models.CharField(_("颁发月份"), max_length=7)
    ours = models.PositiveIntegerField(_("本节点"))
    theirs = models.PositiveIntegerField(_("对方节点"))
    is_same = models.BooleanField(_("一致"))

    class Meta:
        verbose_name = _("差异明细")
        ordering = ["is_same", "type_code", "month"]


class DifferenceKind(models.TextChoices):
    """How a license differs."""

    HERE_ONLY = "HERE_ONLY", _("仅本节点有")
    THERE_ONLY = "THERE_ONLY", _("仅对方有")
    STATE = "STATE", _("状态不一致")


class DifferenceItem(models.Model):
    """A license that is missing here or there, or has another state."""

    report = models.ForeignKey(DifferenceReport, models.PROTECT, related_name="items")
    kind = models.CharField(_("差异"), max_length=10, choices=DifferenceKind.choices)
    type_code = models.CharField(_("证照类型代码"), max_length=21)
    identifier = models.CharField(_("电子证照标识"), max_length=128)
    our_state = models.CharField(_("本节点状态"), max_length=2, blank=True, default="")
    their_state = models.CharField(_("对方状态"), max_length=2, blank=True, default="")

    class Meta:
        verbose_name = _("差异证照")
        ordering = ["id"]
