"""What an outcome of a call is called on pages; the sentences of refusals are those the caller was answered with."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from exchange.calls.refusals import REFUSALS

ANSWERS = {
    "call.answered": _("已应答"),
    "call.opened": _("批量开始传输"),
    "call.closed": _("批量传输完成"),
    "call.aborted": _("批量传输中断"),
}


def outcome_title(outcome: str) -> Any:
    """Return the outcome in words; a code nobody wrote words for stands for itself."""
    if outcome in ANSWERS:
        return ANSWERS[outcome]
    return REFUSALS[outcome].message if outcome in REFUSALS else outcome
