"""The workflows of repair and objection as data (信用修复与异议): which party may give which command in which state.

Whoever determined a record repairs it (谁认定谁修复, 国办发〔2025〕22号); the authority's window accepts. `decide()` is pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden


class Party(StrEnum):
    """As whom somebody acts on a case."""

    WINDOW = "WINDOW"
    OWNER_OPERATOR = "OWNER_OPERATOR"
    OWNER_HEAD = "OWNER_HEAD"
    APPLICANT = "APPLICANT"


PARTY_TITLES = {
    Party.WINDOW: _("信用窗口"),
    Party.OWNER_OPERATOR: _("认定部门经办人"),
    Party.OWNER_HEAD: _("认定部门负责人"),
    Party.APPLICANT: _("提交部门"),
}


class Command(StrEnum):
    """What can be asked of a repair or an objection."""

    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"
    CHECK = "CHECK"
    EXTEND = "EXTEND"
    GRANT = "GRANT"
    REFUSE = "REFUSE"
    RETURN = "RETURN"
    CANCEL = "CANCEL"
    RETRACT = "RETRACT"
    CORRECT = "CORRECT"
    DISMISS = "DISMISS"


COMMAND_TITLES = {
    Command.ACCEPT: _("受理"),
    Command.DECLINE: _("不予受理"),
    Command.CHECK: _("提交核实意见"),
    Command.EXTEND: _("延长办理期限"),
    Command.GRANT: _("准予修复"),
    Command.REFUSE: _("不予修复"),
    Command.RETURN: _("退回重新核实"),
    Command.CANCEL: _("撤回申请"),
    Command.RETRACT: _("异议成立，撤销记录"),
    Command.CORRECT: _("异议成立，由来源更正"),
    Command.DISMISS: _("异议不成立"),
}


class Clock(StrEnum):
    """Which clock runs after a step; days stand in the table of tiers."""

    ACCEPT = "ACCEPT"
    ANSWER = "ANSWER"
    SAME = "SAME"
    EXTENDED = "EXTENDED"


@dataclass(frozen=True, slots=True)
class Step:
    """What a command leads to: the state, who has the ball next, which clock runs."""

    state: str
    desk: Party | None = None
    clock: Clock | None = None


Table = Mapping[tuple[str, Command], Mapping[Party, Step]]

_TO_OPERATOR = Step("ACCEPTED", Party.OWNER_OPERATOR, Clock.ANSWER)
_CANCELLED = {Party.APPLICANT: Step("CANCELLED")}
REPAIR: Table = {
    ("SUBMITTED", Command.ACCEPT): {Party.WINDOW: _TO_OPERATOR},
    ("SUBMITTED", Command.DECLINE): {Party.WINDOW: Step("DECLINED")},
    ("SUBMITTED", Command.CANCEL): _CANCELLED,
    ("ACCEPTED", Command.CHECK): {Party.OWNER_OPERATOR: Step("CHECKED", Party.OWNER_HEAD, Clock.SAME)},
    ("ACCEPTED", Command.EXTEND): {Party.OWNER_HEAD: Step("ACCEPTED", Party.OWNER_OPERATOR, Clock.EXTENDED)},
    ("ACCEPTED", Command.CANCEL): _CANCELLED,
    ("CHECKED", Command.GRANT): {Party.OWNER_HEAD: Step("GRANTED")},
    ("CHECKED", Command.REFUSE): {Party.OWNER_HEAD: Step("REFUSED")},
    ("CHECKED", Command.RETURN): {Party.OWNER_HEAD: Step("ACCEPTED", Party.OWNER_OPERATOR, Clock.SAME)},
}
REPAIR_DESKS: Mapping[str, Party] = {
    "SUBMITTED": Party.WINDOW,
    "ACCEPTED": Party.OWNER_OPERATOR,
    "CHECKED": Party.OWNER_HEAD,
}
OBJECTION: Table = {
    ("RAISED", Command.RETRACT): {Party.OWNER_HEAD: Step("RETRACTED")},
    ("RAISED", Command.CORRECT): {Party.OWNER_HEAD: Step("CORRECTED")},
    ("RAISED", Command.DISMISS): {Party.OWNER_HEAD: Step("DISMISSED")},
}
OBJECTION_DESKS: Mapping[str, Party] = {"RAISED": Party.OWNER_HEAD}


def decide(table: Table, state: str, command: Command, parties: Collection[Party]) -> Step:
    """Return what the command leads to; Forbidden when no party of the actor may give it, Conflict in a wrong state."""
    rules = table.get((state, command), {})
    for party, step in rules.items():
        if party in parties:
            return step
    may_sometimes = any(set(parties) & set(r) for (_state, c), r in table.items() if c is command)
    if rules or not may_sometimes:
        raise Forbidden("credit.forbidden", _("您的岗位不能对此事项执行“%(command)s”。") % {"command": COMMAND_TITLES[command]})
    raise Conflict(
        "credit.wrong_state",
        _("事项已不在可以“%(command)s”的环节，请刷新页面查看最新状态。") % {"command": COMMAND_TITLES[command]},
        {"state": state},
    )


def allowed(table: Table, state: str, parties: Collection[Party]) -> tuple[Command, ...]:
    """Return the commands the parties may give in this state: what a page offers."""
    return tuple(command for (s, command), rules in table.items() if s == state and set(parties) & set(rules))
