"""Consumer systems (使用方系统) and the keys they sign with."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, SealedSecret, SharedObject, User
from core.signing import key_id


class ConsumerSystem(SharedObject):
    """A department's system that calls the exchange."""

    name = models.CharField(_("系统名称"), max_length=60)
    department = models.ForeignKey(Department, models.PROTECT, related_name="systems", verbose_name=_("使用方"))
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = _("使用方系统")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["department", "name"], name="system_name_once")]

    def __str__(self) -> str:
        return self.name


class SignatureAlgorithm(models.TextChoices):
    """How a call is signed."""

    HMAC_SHA256 = "HMAC-SHA256", "HMAC-SHA256"
    HMAC_SM3 = "HMAC-SM3", "HMAC-SM3"
    SM2 = "SM2", "SM2"
    ED25519 = "ED25519", "Ed25519"


PUBLIC_KEY_ALGORITHMS = (SignatureAlgorithm.SM2, SignatureAlgorithm.ED25519)


class CredentialState(models.TextChoices):
    """A credential lives or is revoked; expiry follows from its dates."""

    ACTIVE = "ACTIVE", _("有效")
    REVOKED = "REVOKED", _("已吊销")


class Credential(SealedSecret):
    """A key of a system. A shared secret is shown once and kept sealed (AES-256-GCM, associated data `credential:<key>`); of
    SM2 and Ed25519 only the public key is ever here, as SubjectPublicKeyInfo (DER).
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    system = models.ForeignKey(ConsumerSystem, models.PROTECT, related_name="credentials")
    key = models.CharField(_("应用标识"), max_length=40, unique=True)
    algorithm = models.CharField(_("签名算法"), max_length=12, choices=SignatureAlgorithm.choices)
    state = models.CharField(_("状态"), max_length=8, choices=CredentialState.choices, default=CredentialState.ACTIVE)
    valid_from = models.DateTimeField(_("生效时间"))
    valid_to = models.DateTimeField(_("失效时间"))
    shown_at = models.DateTimeField(_("密钥展示时间"), null=True)
    public_key = models.BinaryField(max_length=91, null=True, unique=True, editable=False)
    last_used_at = models.DateTimeField(_("最近使用"), null=True)  # to the minute
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("访问凭证")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(valid_to__gt=models.F("valid_from")), name="credential_dates"),
            models.CheckConstraint(
                condition=models.Q(algorithm__in=PUBLIC_KEY_ALGORITHMS, public_key__isnull=False, secret_ciphertext=None)
                | models.Q(~models.Q(algorithm__in=PUBLIC_KEY_ALGORITHMS), public_key=None),
                name="credential_one_kind_of_key",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def public_key_id(self) -> str:
        """The name of the public key, "" where the secret is shared."""
        return key_id(bytes(self.public_key)) if self.public_key else ""


class CredentialEndReminder(models.Model):
    """That the operators were told how many days are left; each threshold once."""

    credential = models.ForeignKey(Credential, models.PROTECT, related_name="end_reminders")
    days = models.PositiveSmallIntegerField(_("剩余天数"))
    at = models.DateTimeField(_("提醒时间"))

    class Meta:
        verbose_name = _("凭证到期提醒")
        constraints = [models.UniqueConstraint(fields=["credential", "days"], name="credential_end_reminded_once")]
