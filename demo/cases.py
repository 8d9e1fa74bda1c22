"""Cases of the demo that took a turn: one returned for missing material, one extended, one late desk supervised."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog.models import Resource
from demo import entries
from demo.story import BENEFIT_SYSTEM, BENEFITS, Ask, actor, carry, submitted
from exchange.models import AccessRequest, ConsumerSystem
from exchange.requests import extensions, supervision
from exchange.requests.workflow import Command


def take_turns(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Return one request, let another ask for an extension, and supervise the one that is late longest."""
    marriage, benefit = Resource.objects.get(title=entries.MARRIAGE), owned[BENEFIT_SYSTEM]
    yesterday = now - timedelta(days=1)
    late = AccessRequest.objects.filter(state="ENDORSED", due_at__lt=now).order_by("due_at").first()
    if late is not None:
        text = "该申请已超过答复时限，请说明原因并于两个工作日内办结。"
        supervision.issue_notice(request_uid=late.uid, text=text, actor=actor("reviewer"), now=now)
    returned = submitted(Ask(marriage, benefit, "hr", "VERIFY", ("name", "marital_status"), BENEFITS), yesterday)
    carry(returned, Command.ENDORSE, "hr_head", yesterday)
    missing = "1. 使用依据未写明具体条款的适用情形；2. 未说明核查结果由哪些岗位查看；3. 未附系统安全等级备案号。"
    carry(returned, Command.RETURN, "police_op", now, missing)
    extended = submitted(Ask(marriage, benefit, "hr", "QUERY", ("marital_status",), BENEFITS), yesterday)
    carry(extended, Command.ENDORSE, "hr_head", yesterday)
    reason = "婚姻登记历史数据正在补录，须核实覆盖范围后答复。"
    extensions.ask(request_uid=extended.uid, days=5, reason=reason, actor=actor("police_op"), now=now)
