"""A grant with limits in the demo (限制条件): only some rows, one matter, known addresses; narrowed once by the data centre."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from catalog.models import Resource
from core.calendar import SHANGHAI
from demo import entries
from demo.story import BENEFIT_SYSTEM, actor, carry
from exchange.granting import grant_narrowing
from exchange.granting.limits import Limits
from exchange.models import ConsumerSystem, Grant
from exchange.requests import access_requests
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command

MATTER = "XSRX"
LIMITS = Limits(
    row_filter=({"kind": "list", "item": "currency", "values": ["156"]},),
    matters=(MATTER, "WGZF"),
    ip_list=("127.0.0.0/8", "10.20.30.0/24"),
    quota_per_second=50,
)


def limit_one(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Grant with limits what is needed for watching wages, and narrow it when one item turns out to be too much."""
    week = now - timedelta(days=7)
    today = week.astimezone(SHANGHAI).date()
    terms = Terms(
        system=str(owned[BENEFIT_SYSTEM].uid), mode="QUERY", fields=("uscc", "name", "registration_state", "registered_capital"),
        purpose="农民工工资支付监控预警", legal_basis="《保障农民工工资支付条例》第四十八条",
        scenario="按月核对在建工程的施工单位。", term_from=today, term_to=today + timedelta(days=365),
        quota_per_day=5000, limits=LIMITS,
    )  # fmt: skip
    resource = Resource.objects.get(title=entries.ENTERPRISES)
    asked = access_requests.draft(resource_uid=resource.uid, terms=terms, actor=actor("hr_op"), now=week, submit=True)
    carry(asked, Command.ENDORSE, "hr_head", week)
    carry(asked, Command.APPROVE, "reviewer", week)
    grant = Grant.objects.get(access_request=asked)
    before = grant_narrowing.narrowable(grant)
    narrower = replace(
        before,
        fields=[name for name in before.fields if name != "registered_capital"],
        limits=replace(before.limits, matters=(MATTER,), quota_per_second=20),
        quota_per_day=2000,
    )
    reason = "监控预警用不到注册资本；“维权执法”事项已办结，按最小必要收窄。"
    grant_narrowing.narrow(grant_uid=grant.uid, asked=narrower, reason=reason, actor=actor("reviewer"), now=now)
