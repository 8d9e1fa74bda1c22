"""The data centre's desk in the demo (待审申请): what three departments asked for and their heads agreed to, due one after another.

A dozen wait after a start; `manage.py fill_desk` lets more wait, for a look at a busy day. One of them waits for a ministry.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from catalog.models import Resource
from demo import entries
from demo.story import BENEFIT_SYSTEM, MARKET_SYSTEM, SCHOOL_SYSTEM, Ask, actor, carry, submitted
from exchange.models import AccessRequest, AuthorizationKind, ConsumerSystem
from exchange.requests.workflow import Command
from exchange.upstream import authorizations, relays

WAITING = 12
DAYS_BACK = 6  # the oldest are late, the next ones due soon
TEACHERS = "教师资格认定信息"
MINISTRY = "教育部"


class Matter(NamedTuple):
    """A business for which a department needs data of others."""

    people: str
    system: str
    purpose: str
    legal_basis: str
    scenario: str
    needs: tuple[tuple[str, tuple[str, ...]], ...]


MATTERS = (
    Matter(
        "edu", SCHOOL_SYSTEM, "家庭经济困难学生资助资格核验", "《中华人民共和国义务教育法》第四十四条",
        "每学期受理资助申请时核对学生身份。",
        ((entries.POPULATION, ("name", "person_status")), (entries.POPULATION, ("name", "region_code"))),
    ),
    Matter(
        "hr", BENEFIT_SYSTEM, "就业援助对象资格核查", "《中华人民共和国就业促进法》第五十二条",
        "受理社会保险补贴、岗位补贴申请时核对申请人和用人单位。",
        ((entries.ENTERPRISES, ("name", "registration_state")), (entries.POPULATION, ("name", "birth_on"))),
    ),
    Matter(
        "hr", BENEFIT_SYSTEM, "农民工工资支付监控预警", "《保障农民工工资支付条例》第四十八条",
        "按月核对在建工程的施工单位。",
        ((entries.ENTERPRISES, ("name", "legal_representative")), (entries.ENTERPRISES, ("uscc", "address"))),
    ),
    Matter(
        "market", MARKET_SYSTEM, "经营主体登记信息核验", "《中华人民共和国市场主体登记管理条例》第十五条",
        "网上办理变更登记时核对股东和法定代表人身份。",
        ((entries.POPULATION, ("name", "sex")), (entries.POPULATION, ("name", "birth_on", "person_status"))),
    ),
)  # fmt: skip


def fill(now: datetime, waiting: int = WAITING) -> int:
    """Let so many requests wait at the data centre's desk; return how many were added."""
    missing = waiting - AccessRequest.objects.filter(state="CLEARED").count()
    systems = {system.name: system for system in ConsumerSystem.objects.all()}
    for number, (matter, title, fields, mode) in zip(range(missing), _needs(), strict=False):
        why: dict[str, Any] = {name: getattr(matter, name) for name in ("purpose", "legal_basis", "scenario")}
        at = now - timedelta(days=DAYS_BACK) + timedelta(days=DAYS_BACK) / max(missing, 1) * number
        ask = Ask(Resource.objects.get(title=title), systems[matter.system], matter.people, mode, fields, why)
        carry(submitted(ask, at), Command.ENDORSE, f"{matter.people}_head", at)
    return max(missing, 0)


def _needs() -> Iterator[tuple[Matter, str, tuple[str, ...], str]]:
    """Return one need after another, the departments taking turns, for ever."""
    for number in count():
        matter = MATTERS[number % len(MATTERS)]
        turn = number // len(MATTERS)
        title, fields = matter.needs[turn % len(matter.needs)]
        yield matter, title, fields, ("VERIFY", "QUERY")[turn // len(matter.needs) % 2]


def report_upward(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Let a ministry's data be asked for: our own desks have agreed, the data centre reported it, the answer is awaited."""
    resource, today = Resource.objects.get(title=TEACHERS), now.date()
    authorizations.register(
        resource_uid=resource.uid, kind=AuthorizationKind.PER_CASE, authority=MINISTRY, document_number="示例授权〔2026〕1号",
        terms="每次使用逐件报批，只用于核验，不得留存。", valid_from=today - timedelta(days=30),
        valid_to=today + timedelta(days=700), actor=actor("reviewer"), now=now,
    )  # fmt: skip
    why: dict[str, Any] = {
        "purpose": "教师岗位公开招聘资格核验",
        "legal_basis": "《事业单位人事管理条例》第九条",
        "scenario": "公开招聘资格审查时核对教师资格。",
    }
    asked = submitted(Ask(resource, owned[BENEFIT_SYSTEM], "hr", "VERIFY", ("permit_number", "valid_until"), why), now)
    for command, who in ((Command.ENDORSE, "hr_head"), (Command.CHECK, "edu_op"), (Command.CLEAR, "edu_head")):
        carry(asked, command, who, now)
    relays.report(request_uid=asked.uid, document_number="数发函〔2026〕8号", actor=actor("reviewer"), now=now)
