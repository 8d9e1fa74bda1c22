"""How well an entity's data hold (数据校验状态): computed by the platform, apart from the state of registration (登记状态).

After GLEIF's model: how far others corroborate the data, who did, when it was checked, and what speaks against it.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Corroboration(models.TextChoices):
    """How far other departments' data say the same."""

    FULLY = "FULLY", _("充分佐证")
    PARTIALLY = "PARTIALLY", _("部分佐证")
    REGISTRAR_ONLY = "REGISTRAR_ONLY", _("仅登记机关数据")


class VerificationState(models.TextChoices):
    """Whether anything speaks against the data."""

    CONFORMING = "CONFORMING", _("校验通过")
    QUESTIONED = "QUESTIONED", _("存在疑点")


class EntityVerification(models.Model):
    """The outcome of the last check of an entity. `reasons` are codes of `legal_entity.verification`; empty means conforming."""

    subject_key = models.BinaryField(max_length=16, primary_key=True)
    corroboration = models.CharField(_("佐证程度"), max_length=14, choices=Corroboration.choices)
    state = models.CharField(_("校验状态"), max_length=10, choices=VerificationState.choices)
    validated_by = ArrayField(models.CharField(max_length=30), verbose_name=_("佐证来源"))
    reasons = ArrayField(models.CharField(max_length=40), verbose_name=_("疑点"))
    checked_on = models.DateField(_("校验日期"))

    class Meta:
        verbose_name = _("法人数据校验状态")
        indexes = [models.Index(fields=["state"], condition=models.Q(state="QUESTIONED"), name="entity_questioned")]
