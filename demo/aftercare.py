"""After the grant in the demo: an alert to handle, an emergency to review, a usage record, data to dispose of, a legal hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog.models import Resource
from core.calendar import SHANGHAI
from demo import entries
from demo.story import MARKET_SYSTEM, REGISTRATION, SCHOOL_SYSTEM, Ask, actor, carry, submitted
from exchange.care import break_glass, disposals, holds, usage_records
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state
from exchange.models import Alert, ConsumerSystem, Grant, HoldScope
from exchange.requests.workflow import Command


def look_after(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Leave something on each page of what follows a grant."""
    school = Grant.objects.filter(system=owned[SCHOOL_SYSTEM]).order_by("id").first()
    if school is None:
        return
    population = Resource.objects.get(title=entries.POPULATION)
    _alert(school, now)
    _record(school, now)
    _end(population, owned[MARKET_SYSTEM], now)
    _emergency(population, owned[MARKET_SYSTEM], now)
    holds.place(
        case_number="（2026）苏01行初88号",
        reason="行政诉讼取证，调用记录不得清理",
        scope=holds.Scope(HoldScope.GRANT, grant=school.uid),
        actor=actor("auditor"),
        now=now,
    )


def _alert(grant: Grant, now: datetime) -> None:
    Alert.objects.create(
        kind="ENUMERATION",
        grant=grant,
        system=grant.system,
        department=grant.system.department,
        opened_at=now,
        last_seen_at=now,
        measure=412,
        threshold=240,
        evidence={"asked": 480, "missed": 412, "subjects": 480, "invalid": 9},
    )


def _record(grant: Grant, now: datetime) -> None:
    today = now.astimezone(SHANGHAI).date()
    usage = usage_records.Usage(
        first_day=today - timedelta(days=30),
        last_day=today,
        scenario="小学、初中入学网上报名",
        process="报名系统逐件核对，经办人不接触原始数据，未与其他数据汇聚。",
        results="核对 1,860 件，免交户口簿复印件 1,860 份。",
        storage="只留存核对结论，保存至当年招生结束。",
        destruction="尚在使用。",
    )
    usage_records.record(grant_uid=grant.uid, usage=usage, actor=actor("edu_op"), now=now)


def _end(resource: Resource, system: ConsumerSystem, now: datetime) -> None:
    begun = now - timedelta(days=90)
    made = submitted(Ask(resource, system, "market", "VERIFY", ("name",), REGISTRATION), begun)
    carry(made, Command.ENDORSE, "market_head", begun)
    carry(made, Command.APPROVE, "reviewer", begun)
    grant = Grant.objects.get(access_request=made)
    change_state(
        grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="登记流程调整，不再需要", actor=actor("reviewer"), now=now
    )
    disposals.open_due(now=now)


def _emergency(resource: Resource, system: ConsumerSystem, now: datetime) -> None:
    opener = actor("market_head")
    if break_glass.may_open(opener):
        wanted = break_glass.Emergency(
            system.uid, "VERIFY", ("name",), "市监应急〔2026〕3号", "特种设备事故，须立即核对现场人员身份"
        )
        break_glass.open_access(resource_uid=resource.uid, wanted=wanted, actor=opener, now=now)
