"""Passwords of sources and receivers (接入口令): sealed under the key file, bound to the row they belong to."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.crypto import SealBroken, Sealed
from core.errors import Invalid
from exchange.models import AggregationPlan, BackflowSubscription, PlanDraft
from exchange.systems import key_ring

Holder = AggregationPlan | BackflowSubscription | PlanDraft
_KINDS = {AggregationPlan: "aggregation_plan", BackflowSubscription: "backflow_subscription", PlanDraft: "plan_draft"}


def _place(holder: Holder) -> bytes:
    return f"{_KINDS[type(holder)]}:{holder.uid}".encode()


def seal_password(holder: Holder, password: str) -> None:
    """Put a sealed password on the row; saving it is the caller's."""
    sealed = key_ring().seal(password.encode(), _place(holder))
    holder.secret_key_id, holder.secret_nonce, holder.secret_ciphertext = sealed


def password_of(holder: Holder) -> str:
    """Return the password, empty when there is none; Invalid when it cannot be opened."""
    if holder.secret_key_id is None or holder.secret_nonce is None or holder.secret_ciphertext is None:
        return ""
    sealed = Sealed(holder.secret_key_id, bytes(holder.secret_nonce), bytes(holder.secret_ciphertext))
    try:
        return key_ring().open(sealed, _place(holder)).decode()
    except SealBroken as error:
        raise Invalid("secret.broken", _("保存的口令无法解封，请重新填写。")) from error
