"""Presenting (亮证): sessions of holders, one-time codes, agents of enterprises, blocks, and tries that were refused.

A holder is known by its `subject_key` alone; of codes and session tokens only digests are kept. Grants and systems of the exchange
are named by their ids: what they allow is decided there.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7


class SubjectKind(models.TextChoices):
    """Whose licenses are presented (一人一码, 一企一码)."""

    PERSON = "PERSON", _("自然人")
    LEGAL_ENTITY = "LEGAL_ENTITY", _("法人和非法人组织")


class Assurance(models.IntegerChoices):
    """How sure the identity application is of the person (身份核验等级)."""

    LOW = 1, _("口令登录")
    REAL_NAME = 2, _("实名核验")
    IN_PERSON = 3, _("实人核验")


class EnterpriseAgent(models.Model):
    """A person an enterprise lets present its licenses (授权代办人): all of them or some types, for a period, until taken back."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    enterprise_key = models.BinaryField(max_length=16)
    agent_key = models.BinaryField(max_length=16)
    agent_name = models.CharField(_("代办人"), max_length=50)
    type_codes = ArrayField(models.CharField(max_length=21), default=list, verbose_name=_("可出示的证照类型"))
    period = DateRangeField(_("授权期限"))
    granted_by_key = models.BinaryField(max_length=16)
    granted_at = models.DateTimeField(_("授权时间"), db_default=Now())
    revoked_at = models.DateTimeField(_("撤回时间"), null=True)

    class Meta:
        verbose_name = _("企业代办人")
        ordering = ["-id"]
        constraints = [
            ExclusionConstraint(
                name="agent_one_at_a_time",
                expressions=[
                    ("enterprise_key", RangeOperators.EQUAL),
                    ("agent_key", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(revoked_at=None),
            ),
            models.CheckConstraint(
                condition=Q(period__startswith__isnull=False, period__endswith__isnull=False), name="agent_period_bounded"
            ),
        ]
        indexes = [
            models.Index(fields=["enterprise_key", "-id"], name="agent_of_enterprise"),
            models.Index(fields=["agent_key"], name="agent_person"),
        ]


class HolderSession(models.Model):
    """A holder at the phone, let in by a trusted identity application. The ticket opens it once, the token is the cookie's."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    subject_key = models.BinaryField(max_length=16)
    subject_kind = models.CharField(_("主体类型"), max_length=20, choices=SubjectKind.choices)
    person_key = models.BinaryField(max_length=16)
    agent = models.ForeignKey(EnterpriseAgent, models.PROTECT, null=True, related_name="+", db_index=False)
    assurance = models.PositiveSmallIntegerField(_("身份核验等级"), choices=Assurance.choices)
    system_id = models.BigIntegerField()
    system_name = models.CharField(_("身份应用"), max_length=60)
    ticket_digest = models.BinaryField(max_length=32, unique=True)
    ticket_until = models.DateTimeField(_("入口失效时间"))
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    opened_at = models.DateTimeField(_("打开时间"), null=True)
    expires_at = models.DateTimeField(_("会话失效时间"), null=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = _("持证人会话")
        indexes = [
            models.Index(fields=["subject_key"], condition=Q(ended_at=None), name="holder_session_live"),
            models.Index(fields=["person_key"], condition=Q(ended_at=None), name="holder_session_person"),
        ]


class CodeState(models.TextChoices):
    """Where a code stands. That its time is over is computed, never stored."""

    CREATED = "CREATED", _("待扫码")
    SCANNED = "SCANNED", _("待本人确认")
    CONFIRMED = "CONFIRMED", _("已确认")
    REFUSED = "REFUSED", _("本人已拒绝")
    READ = "READ", _("已完成")
    BLOCKED = "BLOCKED", _("已停用")


class PresentingCode(models.Model):
    """A code shown once (亮证码). `asked` is what the desk may ask, license by license; `given` what the holder agreed to."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    session = models.ForeignKey(HolderSession, models.PROTECT, related_name="codes", db_index=False)
    subject_key = models.BinaryField(max_length=16)
    subject_kind = models.CharField(_("主体类型"), max_length=20, choices=SubjectKind.choices)
    chosen = ArrayField(models.CharField(max_length=32), default=list, verbose_name=_("选定的证照"))
    type_codes = ArrayField(models.CharField(max_length=21), default=list, verbose_name=_("代办人可出示的证照类型"))
    state = models.CharField(_("状态"), max_length=10, choices=CodeState.choices, default=CodeState.CREATED)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(_("失效时间"))
    scanned_at = models.DateTimeField(_("扫码时间"), null=True)
    answer_until = models.DateTimeField(_("确认期限"), null=True)
    system_id = models.BigIntegerField(null=True)
    system_name = models.CharField(_("扫码系统"), max_length=60, blank=True, default="")
    department_id = models.BigIntegerField(null=True)
    department_name = models.CharField(_("扫码单位"), max_length=100, blank=True, default="")
    grant_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    matter = models.CharField(_("事项编码"), max_length=64, blank=True, default="")
    matter_title = models.CharField(_("事项"), max_length=200, blank=True, default="")
    purpose = models.CharField(_("用途"), max_length=200, blank=True, default="")
    basis = models.CharField(_("依据"), max_length=500, blank=True, default="")
    asked = models.JSONField(default=list)
    given = models.JSONField(null=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)
    read_until = models.DateTimeField(_("读取期限"), null=True)
    read_at = models.DateTimeField(_("读取时间"), null=True)
    rescans = models.PositiveSmallIntegerField(_("再次扫码次数"), default=0)
    rescanned_at = models.DateTimeField(_("再次扫码时间"), null=True)

    class Meta:
        verbose_name = _("亮证码")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CodeState.values), name="code_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=(CodeState.CREATED, CodeState.BLOCKED))
                | Q(scanned_at__isnull=False, grant_id__isnull=False, answer_until__isnull=False),
                name="code_scanned_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(CodeState.CONFIRMED, CodeState.READ))
                | Q(given__isnull=False, answered_at__isnull=False, read_until__isnull=False),
                name="code_confirmed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_key", "-id"], name="code_of_subject"),
            models.Index(fields=["department_id", "-id"], condition=Q(department_id__isnull=False), name="code_at_desk"),
        ]


class BlockedBy(models.TextChoices):
    """Who stopped a holder's codes."""

    HOLDER = "HOLDER", _("本人")
    HOTLINE = "HOTLINE", _("热线")


class HolderBlock(models.Model):
    """All codes and sessions of a holder are stopped (停用), as after the loss of a phone, until it is lifted."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    subject_key = models.BinaryField(max_length=16)
    by = models.CharField(_("停用方式"), max_length=10, choices=BlockedBy.choices)
    reason = models.CharField(_("原因"), max_length=200)
    actor_id = models.BigIntegerField(null=True)
    blocked_at = models.DateTimeField(_("停用时间"), db_default=Now())
    lifted_at = models.DateTimeField(_("恢复时间"), null=True)
    lifted_by_id = models.BigIntegerField(null=True)
    lifted_reason = models.CharField(_("恢复原因"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("亮证停用")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["subject_key"], condition=Q(lifted_at=None), name="holder_block_once"),
        ]


class PresentingTry(models.Model):
    """A code that was refused (未通过的扫码), so that guessing ends and the holder can be told. Append-only."""

    system_id = models.BigIntegerField()
    actor_id = models.BigIntegerField(null=True)
    code = models.CharField(_("原因"), max_length=40)
    subject_key = models.BinaryField(max_length=16, null=True)
    at = models.DateTimeField(_("时间"), db_default=Now())

    class Meta:
        verbose_name = _("未通过的扫码")
        indexes = [
            models.Index(fields=["system_id", "-at"], name="presenting_try_system"),
            models.Index(fields=["subject_key", "-at"], condition=Q(subject_key__isnull=False), name="presenting_try_subject"),
        ]
