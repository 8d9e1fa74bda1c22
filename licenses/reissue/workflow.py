"""The workflow of a missing license as data (缺失证照办理): which party may give which command in which state. Pure.

The department that should have issued the license looks into its archive; its head confirms that there is nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden


class Party(StrEnum):
    """As whom somebody acts on a report."""

    REPORTER = "REPORTER"
    OPERATOR = "OPERATOR"
    HEAD = "HEAD"
    CENTRE = "CENTRE"


PARTY_TITLES = {
    Party.REPORTER: _("报告人"),
    Party.OPERATOR: _("核查部门经办人"),
    Party.HEAD: _("核查部门负责人"),
    Party.CENTRE: _("数据中心"),
}


class Command(StrEnum):
    """What can be asked of a report."""

    RECEIVE = "RECEIVE"
    REISSUE = "REISSUE"
    COMPLETE = "COMPLETE"
    FIND = "FIND"
    DENY = "DENY"
    CONFIRM = "CONFIRM"
    RETURN = "RETURN"
    HAND_OVER = "HAND_OVER"
    EXTEND = "EXTEND"
    WITHDRAW = "WITHDRAW"


COMMAND_TITLES = {
    Command.RECEIVE: _("接收并核查"),
    Command.REISSUE: _("档案齐全，开始补发"),
    Command.COMPLETE: _("补发完成"),
    Command.FIND: _("已有电子证照"),
    Command.DENY: _("拟答复查无此证"),
    Command.CONFIRM: _("确认查无此证"),
    Command.RETURN: _("退回重新核查"),
    Command.HAND_OVER: _("不属本部门，移交"),
    Command.EXTEND: _("延长核查期限"),
    Command.WITHDRAW: _("撤回报告"),
}


class Clock(StrEnum):
    """Which clock runs after a step; the days stand in the table of clocks."""

    RECEIVE = "RECEIVE"
    CHECK = "CHECK"
    REISSUE = "REISSUE"
    EXTENDED = "EXTENDED"
    SAME = "SAME"


@dataclass(frozen=True, slots=True)
class Step:
    """What a command leads to: the state, who has the ball next, which clock runs."""

    state: str
    desk: Party | None = None
    clock: Clock | None = None


Table = Mapping[tuple[str, Command], Mapping[Party, Step]]

_RECEIVED = Step("CHECKING", Party.OPERATOR, Clock.CHECK)
_HANDED_OVER = {
    Party.OPERATOR: Step("REPORTED", Party.OPERATOR, Clock.RECEIVE),
    Party.CENTRE: Step("REPORTED", Party.OPERATOR, Clock.RECEIVE),
}
_WITHDRAWN = {Party.REPORTER: Step("WITHDRAWN")}
TABLE: Table = {
    ("REPORTED", Command.RECEIVE): {Party.OPERATOR: _RECEIVED},
    ("REPORTED", Command.HAND_OVER): _HANDED_OVER,
    ("REPORTED", Command.WITHDRAW): _WITHDRAWN,
    ("CHECKING", Command.REISSUE): {Party.OPERATOR: Step("REISSUING", Party.OPERATOR, Clock.REISSUE)},
    ("CHECKING", Command.FIND): {Party.OPERATOR: Step("FOUND")},
    ("CHECKING", Command.DENY): {Party.OPERATOR: Step("DENYING", Party.HEAD, Clock.SAME)},
    ("CHECKING", Command.HAND_OVER): _HANDED_OVER,
    ("CHECKING", Command.EXTEND): {Party.HEAD: Step("CHECKING", Party.OPERATOR, Clock.EXTENDED)},
    ("CHECKING", Command.WITHDRAW): _WITHDRAWN,
    ("DENYING", Command.CONFIRM): {Party.HEAD: Step("ABSENT")},
    ("DENYING", Command.RETURN): {Party.HEAD: Step("CHECKING", Party.OPERATOR, Clock.SAME)},
    ("REISSUING", Command.COMPLETE): {Party.OPERATOR: Step("REISSUED")},
}
DESKS: Mapping[str, Party] = {
    "REPORTED": Party.OPERATOR,
    "CHECKING": Party.OPERATOR,
    "DENYING": Party.HEAD,
    "REISSUING": Party.OPERATOR,
}


def decide(state: str, command: Command, parties: Collection[Party]) -> Step:
    """Return what the command leads to; Forbidden when no party of the actor may give it, Conflict in a wrong state."""
    rules = TABLE.get((state, command), {})
    for party, step in rules.items():
        if party in parties:
            return step
    may_sometimes = any(set(parties) & set(others) for (_state, given), others in TABLE.items() if given is command)
    words = {"command": COMMAND_TITLES[command]}
    if rules or not may_sometimes:
        raise Forbidden("missing.forbidden", _("您的岗位不能对此报告执行“%(command)s”。") % words)
    text = _("报告已不在可以“%(command)s”的环节，请刷新页面查看最新状态。") % words
    raise Conflict("missing.wrong_state", text, {"state": state})


def allowed(state: str, parties: Collection[Party]) -> tuple[Command, ...]:
    """Return the commands the parties may give in this state: what a page offers."""
    return tuple(command for (at, command), rules in TABLE.items() if at == state and set(parties) & set(rules))
