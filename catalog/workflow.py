"""The workflow of a catalogue entry as data: which party may give which command in which state, and what follows.

`decide()` is pure; the permission matrix in the documentation is generated from `TABLE`. What a command writes stands in
`publishing` and `mounting`. An entry that is published is changed through a working copy (变更稿), which walks the same path.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden


class State(StrEnum):
    """The states of `ResourceState`, without its table."""

    DRAFTED = "DRAFTED"
    SUBMITTED = "SUBMITTED"
    ENDORSED = "ENDORSED"
    PUBLISHED = "PUBLISHED"
    WITHDRAWN = "WITHDRAWN"
    MERGED = "MERGED"


class Party(StrEnum):
    """As whom somebody acts on an entry. It follows from role and department, never from the role alone."""

    PROVIDER_OPERATOR = "PROVIDER_OPERATOR"
    PROVIDER_HEAD = "PROVIDER_HEAD"
    DATA_CENTRE = "DATA_CENTRE"


PARTY_TITLES = {
    Party.PROVIDER_OPERATOR: _("提供方经办人"),
    Party.PROVIDER_HEAD: _("提供方负责人"),
    Party.DATA_CENTRE: _("数据中心审核员"),
}


class Command(StrEnum):
    """What can be asked of an entry."""

    EDIT = "EDIT"
    MOUNT = "MOUNT"
    SUBMIT = "SUBMIT"
    RECALL = "RECALL"
    DISCARD = "DISCARD"
    ENDORSE = "ENDORSE"
    RETURN = "RETURN"
    PUBLISH = "PUBLISH"
    CHANGE = "CHANGE"
    WITHDRAW = "WITHDRAW"


COMMAND_TITLES = {
    Command.EDIT: _("编辑"),
    Command.MOUNT: _("挂接"),
    Command.SUBMIT: _("提交"),
    Command.RECALL: _("撤回修改"),
    Command.DISCARD: _("作废"),
    Command.ENDORSE: _("同意"),
    Command.RETURN: _("退回"),
    Command.PUBLISH: _("发布"),
    Command.CHANGE: _("变更"),
    Command.WITHDRAW: _("下线"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What a command leads to. `desk` has the ball next, for `days` working days (None: no limit, or nobody waits)."""

    state: State
    desk: Party | None = None
    days: int | None = None


# The authority publishes within 2 working days (Order 809 art. 17); 3 days for the own head are ours.
_TO_OPERATOR = Step(State.DRAFTED, Party.PROVIDER_OPERATOR)
_TO_HEAD = Step(State.SUBMITTED, Party.PROVIDER_HEAD, days=3)
_TO_CENTRE = Step(State.ENDORSED, Party.DATA_CENTRE, days=2)
_PUBLISHED = Step(State.PUBLISHED)
_WITHDRAWN = Step(State.WITHDRAWN)

Rules = Mapping[Party, Step]
TABLE: Mapping[tuple[State, Command], Rules] = {
    (State.DRAFTED, Command.EDIT): {Party.PROVIDER_OPERATOR: _TO_OPERATOR},
    (State.DRAFTED, Command.MOUNT): {Party.PROVIDER_OPERATOR: _TO_OPERATOR},
    (State.DRAFTED, Command.SUBMIT): {Party.PROVIDER_OPERATOR: _TO_HEAD},
    (State.DRAFTED, Command.DISCARD): {Party.PROVIDER_OPERATOR: _WITHDRAWN},
    (State.SUBMITTED, Command.RECALL): {Party.PROVIDER_OPERATOR: _TO_OPERATOR},
    (State.SUBMITTED, Command.RETURN): {Party.PROVIDER_HEAD: _TO_OPERATOR},
    (State.SUBMITTED, Command.ENDORSE): {Party.PROVIDER_HEAD: _TO_CENTRE},
    (State.ENDORSED, Command.RECALL): {Party.PROVIDER_OPERATOR: _TO_OPERATOR},
    (State.ENDORSED, Command.RETURN): {Party.DATA_CENTRE: _TO_OPERATOR},
    (State.ENDORSED, Command.PUBLISH): {Party.DATA_CENTRE: _PUBLISHED},
    (State.PUBLISHED, Command.CHANGE): {Party.PROVIDER_OPERATOR: _PUBLISHED},
    (State.PUBLISHED, Command.MOUNT): {Party.DATA_CENTRE: _PUBLISHED},
    (State.PUBLISHED, Command.WITHDRAW): {Party.PROVIDER_HEAD: _WITHDRAWN, Party.DATA_CENTRE: _WITHDRAWN},
}

DESKS: Mapping[State, Party] = {
    State.DRAFTED: Party.PROVIDER_OPERATOR,
    State.SUBMITTED: Party.PROVIDER_HEAD,
    State.ENDORSED: Party.DATA_CENTRE,
}


def decide(state: str, command: Command, parties: Collection[Party]) -> Step:
    """Return what the command leads to; Forbidden when no party of the actor may ever give it, Conflict in a wrong state."""
    rules = TABLE.get((State(state), command), {})
    for party, step in rules.items():
        if party in parties:
            return step
    may_sometimes = any(set(parties) & set(r) for (_state, c), r in TABLE.items() if c is command)
    if rules or not may_sometimes:
        raise Forbidden("resource.forbidden", _("您的岗位不能对这条目录执行“%(command)s”。") % {"command": COMMAND_TITLES[command]})
    raise Conflict(
        "resource.wrong_state",
        _("目录已不在可以“%(command)s”的环节，请刷新页面查看最新状态。") % {"command": COMMAND_TITLES[command]},
        {"state": state},
    )


def allowed(state: str, parties: Collection[Party]) -> frozenset[Command]:
    """Return the commands the parties may give in this state: what a page offers."""
    return frozenset(c for (s, c), rules in TABLE.items() if s == state and set(parties) & set(rules))
