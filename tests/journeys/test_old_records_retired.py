"""Policy: old records leave the table of the day only when they are proven and nobody holds them, and can be traced ever after."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from core.audit import PLATFORM
from core.errors import NotFound
from exchange import tracing
from exchange.care import holds
from exchange.evidence import retention
from exchange.models import CallRecord, HoldScope
from tests import factories
from tests.exchange.sealed import sealable
from tests.exchange.test_retention import proven, retirable

__all__ = ["retirable", "sealable"]


def test_old_records_are_retired_only_when_proven(retirable: date) -> None:
    city, now = factories.make_city(), timezone.now()
    auditor = city.actor("auditor")
    old = CallRecord.objects.order_by("requested_at", "xid")[3]

    def verdict() -> str:
        verdicts = retention.retire_due(before=None, actor=PLATFORM, now=timezone.now())
        return next(verdict.reason for verdict in verdicts if verdict.month == retirable)

    assert "未封存" in verdict()
    proven()
    scope = holds.Scope(HoldScope.ALL)
    held = holds.place(case_number="2026-7", reason="案件调查", scope=scope, actor=auditor, now=now)
    assert "法律保全" in verdict()
    holds.release(hold_uid=held.uid, reason="结案", actor=city.actor("security_admin"), now=now)
    assert verdict() == ""
    assert not CallRecord.objects.filter(call_id=old.call_id).exists()

    chain = tracing.trace(call_id=old.call_id, actor=auditor, now=now)
    assert chain.call.line.record.request_digest is not None
    assert chain.proof is not None
    assert (chain.proof.is_intact, chain.proof.position, chain.proof.archive != "") == (True, 4, True)
    with pytest.raises(NotFound):
        tracing.trace(call_id=old.call_id, actor=city.actor("education_head"), now=now)
