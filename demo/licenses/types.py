"""The demo's type catalogue (演示证照目录): the shipped types kept by the departments they belong to, and some work on them.

A second version in force, one at the head's desk, a use waiting for publication, so that no page starts empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.models import Department
from demo import city, story
from licenses.models import TypeVersion
from licenses.types import publishing, uses
from licenses.types.load_file import shipped_rows
from licenses.types.loading import load_rows

KEEPERS = {
    "公安部": city.POLICE,
    "市场监管总局": city.MARKET,
    "教育部": city.EDUCATION,
    "人力资源社会保障部": city.SOCIAL_SECURITY,
    "民政部": "市民政局",
    "卫生健康委": "市卫生健康委员会",
    "住房城乡建设部": "市城乡建设委员会",
    "交通运输部": "市交通运输局",
    "自然资源部": "市规划和自然资源局",
    "生态环境部": "市生态环境局",
    "农业农村部": "市农业农村局",
    "应急管理部": "市应急管理局",
}
DRIVING, FOOD, IDENTITY = "11100000000013338W003", "11100000MB0143028R004", "11100000000013338W001"


def load(departments: dict[str, Department], now: datetime) -> int:
    """Load the shipped types that are not there yet and let departments work on some; return how many types there are."""
    keepers = {body: departments[name] for body, name in KEEPERS.items()}
    load_rows(rows=shipped_rows(), department=departments[city.CENTRE], now=now, keepers=keepers)
    if not TypeVersion.objects.filter(number__gt=1).exists():
        _publish_next(now)
        _submit_next(now)
        _propose_use(now)
    return TypeVersion.objects.values("code").distinct().count()


def _publish_next(now: datetime) -> None:
    """The police tell on a driving license since when its class is held."""
    operator, head = story.actor("police_op"), story.actor("police_head")
    since = {"name": "class_from", "title": "准驾起始日期", "kind": "DATE", "example": "2012-05-20"}
    version = _with(DRIVING, since, operator, now)
    version = publishing.submit(uid=version.uid, revision=version.revision, actor=operator, now=now)
    publishing.publish(uid=version.uid, revision=version.revision, effective_from=publishing.today(now), actor=head, now=now)


def _submit_next(now: datetime) -> None:
    """The market bureau wants the area of the kitchen on a food permit; its head has not decided."""
    operator = story.actor("market_op")
    area = {
        "name": "kitchen_area",
        "title": "食品处理区面积(平方米)",
        "kind": "NUMBER",
        "length": 10,
        "grade": "L1",
        "example": "45.50",
    }
    version = _with(FOOD, area, operator, now)
    publishing.submit(uid=version.uid, revision=version.revision, actor=operator, now=now)


def _propose_use(now: datetime) -> None:
    terms = uses.UseTerms(
        "公共租赁住房申请",
        "核对申请人身份和户籍地址",
        "《公共租赁住房管理办法》第七条",
        ("name", "citizen_id", "address"),
    )
    uses.propose(type_code=IDENTITY, terms=terms, actor=story.actor("police_op"), now=now)


def _with(code: str, item: dict[str, Any], operator: Any, now: datetime) -> TypeVersion:
    """Open the next version of a type with one more item."""
    version = publishing.open_next(code=code, actor=operator, now=now)
    more = [*version.rulebook, item]
    return publishing.revise(uid=version.uid, revision=version.revision, rulebook=more, actor=operator, now=now)
