"""What can be done to a grant, by whom, in which state (授权办理): a table and a pure `decide_grant` over it.

Expiry is no state, and termination no command of a moment: it moves the end of the term to the end of the notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum

from django.utils.translation import gettext as _

from core.errors import Conflict, Forbidden
from exchange.requests.workflow import Seat


class GrantCommand(StrEnum):
    """What can be done to a grant after it was issued."""

    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    REVOKE = "REVOKE"
    NARROW = "NARROW"
    TERMINATE = "TERMINATE"
    LIMIT_ADDRESSES = "LIMIT_ADDRESSES"
    LOAD_CLIENTS = "LOAD_CLIENTS"


class GrantStanding(StrEnum):
    """Where a grant stands; the values of `GrantState`."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"


_KEEPERS = frozenset({Seat.PROVIDER_HEAD, Seat.DATA_CENTRE})
_USER = frozenset({Seat.REQUESTER_OPERATOR})
_ACTIVE, _SUSPENDED, _REVOKED = GrantStanding

# Order 809 art. 25 and 27: the authority or the provider suspends and ends; the provider only its own data. The consumer's
# operator says where its calls come from and whom it serves, which limits the grant and never widens it.
GRANT_RULES: Mapping[tuple[GrantStanding, GrantCommand], tuple[frozenset[Seat], GrantStanding]] = {
    (_ACTIVE, GrantCommand.SUSPEND): (_KEEPERS, _SUSPENDED),
    (_ACTIVE, GrantCommand.REVOKE): (_KEEPERS, _REVOKED),
    (_ACTIVE, GrantCommand.NARROW): (_KEEPERS, _ACTIVE),
    (_ACTIVE, GrantCommand.TERMINATE): (_KEEPERS, _ACTIVE),
    (_ACTIVE, GrantCommand.LIMIT_ADDRESSES): (_USER, _ACTIVE),
    (_ACTIVE, GrantCommand.LOAD_CLIENTS): (_USER, _ACTIVE),
    (_SUSPENDED, GrantCommand.RESUME): (_KEEPERS, _ACTIVE),
    (_SUSPENDED, GrantCommand.REVOKE): (_KEEPERS, _REVOKED),
    (_SUSPENDED, GrantCommand.NARROW): (_KEEPERS, _SUSPENDED),
    (_SUSPENDED, GrantCommand.TERMINATE): (_KEEPERS, _SUSPENDED),
    (_SUSPENDED, GrantCommand.LIMIT_ADDRESSES): (_USER, _SUSPENDED),
    (_SUSPENDED, GrantCommand.LOAD_CLIENTS): (_USER, _SUSPENDED),
}


def decide_grant(
    state: GrantStanding, command: GrantCommand, seats: Set[Seat], *, state_desk: str = ""
) -> tuple[GrantStanding, Seat]:
    """Return the state a command leads a grant to and the seat that gave it, or raise Forbidden or Conflict.

    What the data centre suspended only the data centre resumes (`state_desk` says who suspended it).
    """
    may = frozenset[Seat]().union(*(who for (_state, known), (who, _to) in GRANT_RULES.items() if known is command))
    acting = may & seats
    if not acting:
        message = _("只有使用方经办人可以登记来源地址和服务对象。")
        if may == _KEEPERS:
            message = _("只有数据提供方负责人和数据中心可以暂停、恢复、收窄、终止或撤销授权。")
        raise Forbidden("grant.not_yours", message)
    rule = GRANT_RULES.get((state, command))
    if rule is None:
        raise Conflict("grant.wrong_state", _("授权当前的状态不允许此项操作，请刷新页面。"), {"state": state})
    seat = Seat.DATA_CENTRE if Seat.DATA_CENTRE in acting else min(acting)
    if command is GrantCommand.RESUME and state_desk == Seat.DATA_CENTRE and seat is not Seat.DATA_CENTRE:
        raise Forbidden("grant.suspended_by_centre", _("该授权由数据中心暂停，只能由数据中心恢复。"))
    return rule[1], seat


def allowed_on_grant(state: GrantStanding, seats: Set[Seat], *, state_desk: str = "") -> tuple[GrantCommand, ...]:
    """Return the commands that `decide_grant` would let through."""
    found = []
    for command in GrantCommand:
        try:
            decide_grant(state, command, seats, state_desk=state_desk)
        except (Conflict, Forbidden):
            continue
        found.append(command)
    return tuple(found)
