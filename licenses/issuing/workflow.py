"""What may be done to a draft and to an issued license, by whom, in which state (签发与状态变更): tables and pure `decide`s.

Who made a draft never signs it. What takes something away from a holder needs a reason and its legal basis. Expiry is no
operation: it follows from the date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, Forbidden
from core.texts import listed
from licenses.models import BatchState, DraftState, LicenseState, Operation, PaperState


class Seat(StrEnum):
    """As whom somebody of the issuing department acts."""

    OPERATOR = "OPERATOR"
    SIGNER = "SIGNER"


SEAT_TITLES: Mapping[Seat, Promise] = {Seat.OPERATOR: _("颁发机构经办人"), Seat.SIGNER: _("颁发机构负责人（不得为经办本件的人）")}


class DraftCommand(StrEnum):
    """What can be asked of a draft."""

    EDIT = "EDIT"
    SUBMIT = "SUBMIT"
    WITHDRAW = "WITHDRAW"
    RETURN = "RETURN"
    SIGN = "SIGN"


COMMAND_TITLES: Mapping[DraftCommand, Promise] = {
    DraftCommand.EDIT: _("修改"),
    DraftCommand.SUBMIT: _("提交签发"),
    DraftCommand.WITHDRAW: _("撤回"),
    DraftCommand.RETURN: _("退回修改"),
    DraftCommand.SIGN: _("签发"),
}
_D = DraftState
DRAFT_TABLE: Mapping[tuple[DraftState, DraftCommand], tuple[Seat, DraftState]] = {
    (_D.DRAFT, DraftCommand.EDIT): (Seat.OPERATOR, _D.DRAFT),
    (_D.DRAFT, DraftCommand.SUBMIT): (Seat.OPERATOR, _D.TO_SIGN),
    (_D.DRAFT, DraftCommand.WITHDRAW): (Seat.OPERATOR, _D.WITHDRAWN),
    (_D.RETURNED, DraftCommand.EDIT): (Seat.OPERATOR, _D.RETURNED),
    (_D.RETURNED, DraftCommand.SUBMIT): (Seat.OPERATOR, _D.TO_SIGN),
    (_D.RETURNED, DraftCommand.WITHDRAW): (Seat.OPERATOR, _D.WITHDRAWN),
    (_D.TO_SIGN, DraftCommand.WITHDRAW): (Seat.OPERATOR, _D.WITHDRAWN),
    (_D.TO_SIGN, DraftCommand.RETURN): (Seat.SIGNER, _D.RETURNED),
    (_D.TO_SIGN, DraftCommand.SIGN): (Seat.SIGNER, _D.ISSUED),
}
BALL: Mapping[DraftState, Seat] = {_D.DRAFT: Seat.OPERATOR, _D.RETURNED: Seat.OPERATOR, _D.TO_SIGN: Seat.SIGNER}


def decide_draft(state: DraftState, command: DraftCommand, seats: Collection[Seat]) -> DraftState:
    """Return the state a command leads a draft to; Forbidden for another seat's work, Conflict in a wrong state."""
    rule = DRAFT_TABLE.get((state, command))
    needed = {seat for (_state, given), (seat, _to) in DRAFT_TABLE.items() if given is command}
    if not needed & set(seats):
        raise _not_yours(COMMAND_TITLES[command], needed, "draft.not_yours")
    if rule is None:
        raise _wrong_state(COMMAND_TITLES[command], DraftState(state).label, "draft.wrong_state", state)
    return rule[1]


def draft_commands(state: DraftState, seats: Collection[Seat]) -> tuple[DraftCommand, ...]:
    """Return what the seats may do to a draft in this state: what its page offers."""
    return tuple(command for (at, command), (seat, _to) in DRAFT_TABLE.items() if at == state and seat in seats)


class BatchCommand(StrEnum):
    """What can be asked of a batch."""

    SUBMIT = "SUBMIT"
    CANCEL = "CANCEL"
    RETURN = "RETURN"
    SIGN = "SIGN"


BATCH_TITLES: Mapping[BatchCommand, Promise] = {
    BatchCommand.SUBMIT: _("提交签发"),
    BatchCommand.CANCEL: _("取消本批"),
    BatchCommand.RETURN: _("退回"),
    BatchCommand.SIGN: _("整批签发"),
}
_B = BatchState
BATCH_TABLE: Mapping[tuple[BatchState, BatchCommand], tuple[Seat, BatchState]] = {
    (_B.CHECKING, BatchCommand.CANCEL): (Seat.OPERATOR, _B.CANCELLED),
    (_B.CHECKED, BatchCommand.SUBMIT): (Seat.OPERATOR, _B.TO_SIGN),
    (_B.CHECKED, BatchCommand.CANCEL): (Seat.OPERATOR, _B.CANCELLED),
    (_B.TO_SIGN, BatchCommand.CANCEL): (Seat.OPERATOR, _B.CANCELLED),
    (_B.TO_SIGN, BatchCommand.RETURN): (Seat.SIGNER, _B.CHECKED),
    (_B.TO_SIGN, BatchCommand.SIGN): (Seat.SIGNER, _B.ISSUING),
}


def decide_batch(state: BatchState, command: BatchCommand, seats: Collection[Seat]) -> BatchState:
    """Return the state a command leads a batch to; Forbidden for another seat's work, Conflict in a wrong state."""
    needed = {seat for (_state, given), (seat, _to) in BATCH_TABLE.items() if given is command}
    if not needed & set(seats):
        raise _not_yours(BATCH_TITLES[command], needed, "batch.not_yours")
    rule = BATCH_TABLE.get((state, command))
    if rule is None:
        raise _wrong_state(BATCH_TITLES[command], BatchState(state).label, "batch.wrong_state", state)
    return rule[1]


def batch_commands(state: BatchState, seats: Collection[Seat]) -> tuple[BatchCommand, ...]:
    """Return what the seats may do to a batch in this state: what its page offers."""
    return tuple(command for (at, command), (seat, _to) in BATCH_TABLE.items() if at == state and seat in seats)


class Change(StrEnum):
    """What can be done to an issued license without a new version."""

    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    REVOKE = "REVOKE"
    RESCIND = "RESCIND"
    CANCEL = "CANCEL"
    MOVE_AWAY = "MOVE_AWAY"
    MOVE_BACK = "MOVE_BACK"


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """What a change is: from which states to which, its code, what happens to the paper, what the law wants named."""

    title: Promise
    operation: Operation
    comes_from: frozenset[LicenseState]
    to: LicenseState
    paper: Mapping[PaperState, PaperState]
    needs_basis: bool
    hint: Promise
    told: Promise


_S, _P = LicenseState, PaperState
_LIVE = frozenset({_S.VALID, _S.SUSPENDED})
_TAKEN_BACK = {_P.TO_PRINT: _P.NONE, _P.HANDED_OUT: _P.TO_RECALL}
_GIVEN_BACK = {_P.RECALLED: _P.HANDED_OUT, _P.TO_RECALL: _P.HANDED_OUT}
CHANGES: Mapping[Change, ChangeRule] = {
    Change.SUSPEND: ChangeRule(
        _("暂扣"), Operation.SUSPENDED, frozenset({_S.VALID}), _S.SUSPENDED, _TAKEN_BACK, True,
        _("依据示例：《中华人民共和国行政处罚法》第九条第三项及处罚决定书文号。"), _("证照已暂扣，核验时显示“暂扣”。"),
    ),
    Change.RESUME: ChangeRule(
        _("暂扣发还"), Operation.RESUMED, frozenset({_S.SUSPENDED}), _S.VALID, _GIVEN_BACK, False,
        _("写明暂扣期满或者决定被撤销的情况。"), _("证照已发还，恢复有效。"),
    ),
    Change.REVOKE: ChangeRule(
        _("吊销"), Operation.REVOKED, _LIVE, _S.REVOKED, _TAKEN_BACK, True,
        _("依据示例：《中华人民共和国行政处罚法》第九条第三项及处罚决定书文号。"), _("证照已吊销，不能恢复。"),
    ),
    Change.RESCIND: ChangeRule(
        _("撤销"), Operation.RESCINDED, _LIVE, _S.RESCINDED, _TAKEN_BACK, True,
        _("依据示例：《中华人民共和国行政许可法》第六十九条及撤销决定书文号。"), _("证照已撤销，不能恢复。"),
    ),
    Change.CANCEL: ChangeRule(
        _("注销"), Operation.CANCELLED, frozenset({*_LIVE, _S.MOVED_AWAY}), _S.CANCELLED, _TAKEN_BACK, True,
        _("依据示例：《中华人民共和国行政许可法》第七十条。"), _("证照已注销，不能恢复。"),
    ),
    Change.MOVE_AWAY: ChangeRule(
        _("办理转出"), Operation.MOVED_AWAY, frozenset({_S.VALID}), _S.MOVED_AWAY, {}, False,
        _("写明转往何地、由哪个机关接收。"), _("证照已办理转出，在取消转出前不能使用。"),
    ),
    Change.MOVE_BACK: ChangeRule(
        _("取消转出"), Operation.MOVE_CANCELLED, frozenset({_S.MOVED_AWAY}), _S.VALID, {}, False,
        _("写明取消转出的原因。"), _("已取消转出，证照恢复有效。"),
    ),
}  # fmt: skip


def decide_change(state: LicenseState, change: Change, *, is_current: bool, seats: Collection[Seat]) -> ChangeRule:
    """Return the rule of a change; Forbidden for anybody but the head, Conflict in a wrong state or for an old version."""
    rule = CHANGES[change]
    if Seat.SIGNER not in seats:
        raise Forbidden("license.head_only", _("“%(what)s”由颁发机构负责人办理。") % {"what": rule.title})
    if not is_current:
        raise Conflict("license.superseded", _("这一版证照已被新版本取代，请到最新版本上办理。"))
    if state not in rule.comes_from:
        raise _wrong_state(rule.title, LicenseState(state).label, "license.wrong_state", state)
    return rule


def changes_of(state: LicenseState, *, is_current: bool, seats: Collection[Seat]) -> tuple[Change, ...]:
    """Return the changes the seats may make now: what the page of a license offers."""
    if not is_current or Seat.SIGNER not in seats:
        return ()
    return tuple(change for change, rule in CHANGES.items() if state in rule.comes_from)


class PaperAct(StrEnum):
    """What happened to the paper."""

    HAND_OUT = "HAND_OUT"
    RECALL = "RECALL"
    LOSE = "LOSE"
    PRINT_AGAIN = "PRINT_AGAIN"


@dataclass(frozen=True, slots=True)
class PaperRule:
    """From which states of the paper to which; `only_live`: only for a license in force."""

    title: Promise
    comes_from: frozenset[PaperState]
    to: PaperState
    only_live: bool = False


PAPER: Mapping[PaperAct, PaperRule] = {
    PaperAct.HAND_OUT: PaperRule(_("登记发放"), frozenset({_P.TO_PRINT}), _P.HANDED_OUT, only_live=True),
    PaperAct.RECALL: PaperRule(_("登记收回"), frozenset({_P.TO_RECALL, _P.LOST}), _P.RECALLED),
    PaperAct.LOSE: PaperRule(_("登记遗失声明"), frozenset({_P.HANDED_OUT, _P.TO_RECALL}), _P.LOST),
    PaperAct.PRINT_AGAIN: PaperRule(_("补印纸质证照"), frozenset({_P.NONE, _P.LOST, _P.RECALLED}), _P.TO_PRINT, only_live=True),
}


def decide_paper(paper: PaperState, act: PaperAct, *, is_live: bool, seats: Collection[Seat]) -> PaperState:
    """Return the state of the paper an act leads to; anybody of the issuing department may register it."""
    rule = PAPER[act]
    if not seats:
        raise Forbidden("license.not_yours", _("纸质证照由颁发机构登记。"))
    if paper not in rule.comes_from or (rule.only_live and not is_live):
        raise _wrong_state(rule.title, PaperState(paper).label, "license.wrong_paper_state", paper)
    return rule.to


def paper_acts(paper: PaperState, *, is_live: bool, seats: Collection[Seat]) -> tuple[PaperAct, ...]:
    """Return what can be registered about the paper now."""
    fitting = (act for act, rule in PAPER.items() if paper in rule.comes_from and (is_live or not rule.only_live))
    return tuple(fitting) if seats else ()


def paper_of_superseded(paper: PaperState) -> PaperState:
    """Return what becomes of the paper of a version that a new one takes the place of."""
    return _TAKEN_BACK.get(paper, paper)


def _not_yours(what: object, needed: Collection[Seat], code: str) -> DomainError:
    who = listed(SEAT_TITLES[seat] for seat in sorted(needed))
    return Forbidden(code, _("“%(what)s”由%(who)s办理。") % {"what": what, "who": who}, {"seats": sorted(needed)})


def _wrong_state(what: object, now: object, code: str, state: str) -> DomainError:
    words = {"what": what, "now": now}
    return Conflict(code, _("现为“%(now)s”，不能办理“%(what)s”，请刷新页面查看最新状态。") % words, {"state": str(state)})
