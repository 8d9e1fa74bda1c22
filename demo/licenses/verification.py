"""Verification in the demo (演示核验): status lists are there from the beginning, so that a code can be checked offline at once."""

from __future__ import annotations

from datetime import datetime

from core.audit import PLATFORM
from licenses.status import publishing


def publish_lists(now: datetime) -> int:
    """Publish the status lists that are due; return how many."""
    return len(publishing.publish_due(actor=PLATFORM, now=now))
