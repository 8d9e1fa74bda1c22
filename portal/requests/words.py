"""What pages say about a request: the timeline, who has the ball, what happens next, and what a command is called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.models import AccessRequest, AccessRequestStep, Desk
from exchange.requests.desks import department_name
from exchange.requests.workflow import DESK_OF, Command, Route, Seat, State
from portal.shell import Step

DONE_TITLES = {
    Command.SUBMIT: gettext_lazy("提交申请"),
    Command.ENDORSE: gettext_lazy("本部门负责人同意"),
    Command.CHECK: gettext_lazy("提供方经办审核"),
    Command.CLEAR: gettext_lazy("提供方负责人同意"),
    Command.RETURN: gettext_lazy("退回补正"),
    Command.RESUBMIT: gettext_lazy("补正后再次提交"),
    Command.APPROVE: gettext_lazy("数据中心同意并授权"),
    Command.CONFIRM: gettext_lazy("第二人复核同意并授权"),
    Command.REFUSE: gettext_lazy("不同意"),
    Command.WITHDRAW: gettext_lazy("撤回"),
    Command.CLOSE: gettext_lazy("授权结束，办结归档"),
}
AHEAD_TITLES = {
    Seat.REQUESTER_OPERATOR: gettext_lazy("提交申请"),
    Seat.REQUESTER_HEAD: gettext_lazy("本部门负责人审核"),
    Seat.PROVIDER_OPERATOR: gettext_lazy("提供方经办审核"),
    Seat.PROVIDER_HEAD: gettext_lazy("提供方负责人审核"),
    Seat.DATA_CENTRE: gettext_lazy("数据中心审核授权"),
}
WAYS = {
    Route.DATA_CENTRE_ALONE: (Seat.REQUESTER_HEAD, Seat.DATA_CENTRE),
    Route.PROVIDER_FIRST: (Seat.REQUESTER_HEAD, Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD, Seat.DATA_CENTRE),
}
BUTTONS: dict[Command, tuple[Any, str, str]] = {
    Command.SUBMIT: (gettext_lazy("提交给本部门负责人"), "btn-primary", "send"),
    Command.ENDORSE: (gettext_lazy("同意，提交审核"), "btn-success", "check"),
    Command.CHECK: (gettext_lazy("审核完毕，转本部门负责人"), "btn-success", "check"),
    Command.CLEAR: (gettext_lazy("同意提供，转数据中心"), "btn-success", "check"),
    Command.RESUBMIT: (gettext_lazy("补正完毕，再次提交"), "btn-primary", "send"),
    Command.APPROVE: (gettext_lazy("同意并立即授权"), "btn-success", "rubber-stamp"),
    Command.CONFIRM: (gettext_lazy("复核同意并立即授权"), "btn-success", "rubber-stamp"),
    Command.RETURN: (gettext_lazy("退回补正"), "btn-outline-warning", "arrow-back-up"),
    Command.REFUSE: (gettext_lazy("不同意"), "btn-outline-danger", "x"),
    Command.WITHDRAW: (gettext_lazy("撤回申请"), "btn-outline-secondary", "arrow-back-up"),
}
AFTERWARDS = {
    Command.SUBMIT: gettext_lazy("已提交，等待本部门负责人审核。"),
    Command.ENDORSE: gettext_lazy("已同意，申请已转出本部门审核。"),
    Command.CHECK: gettext_lazy("审核意见已转本部门负责人。"),
    Command.CLEAR: gettext_lazy("已同意提供，转数据中心审核授权。"),
    Command.RETURN: gettext_lazy("已退回补正，所缺材料已一次性告知申请人，时限暂停。"),
    Command.RESUBMIT: gettext_lazy("已补正并再次提交，时限继续计算。"),
    Command.APPROVE: gettext_lazy("已授权，使用方可以开始调用。"),
    Command.CONFIRM: gettext_lazy("已复核并授权，使用方可以开始调用。"),
    Command.REFUSE: gettext_lazy("已拒绝，理由已通知申请人。"),
    Command.WITHDRAW: gettext_lazy("申请已撤回。"),
}


def timeline(access_request: AccessRequest, steps: list[AccessRequestStep], *, centre: str = "") -> list[Step]:
    """Return the steps taken, the desk that has the ball, and the desks still ahead."""
    lines = [
        Step(
            title=done_title(step),
            state="refused" if step.command in (Command.REFUSE, Command.WITHDRAW) else "done",
            who=" · ".join(part for part in (step.actor_name, step.actor_department) if part),
            at=step.at,
            note=step.reason,
        )
        for step in steps
    ]
    desk = Seat(access_request.desk)
    if desk is Seat.NOBODY:
        return lines
    who = department_name(access_request, desk, centre=centre)
    lines.append(Step(title=ahead_title(access_request), state="current", who=who, due_at=access_request.due_at))
    ahead = list(WAYS.get(Route(access_request.route), ())) if access_request.route else [Seat.REQUESTER_HEAD]
    if access_request.state == State.RETURNED:
        ahead = ahead[ahead.index(DESK_OF[State(access_request.returned_from)]) :]
    ahead = ahead[ahead.index(desk) + 1 :] if desk in ahead else ahead
    return lines + [
        Step(title=AHEAD_TITLES[d], state="waiting", who=department_name(access_request, d, centre=centre)) for d in ahead
    ]


def done_title(step: AccessRequestStep) -> Any:
    """Return what a step was; a first approval that a second person must confirm is not yet a grant."""
    is_first = step.command == Command.APPROVE and step.to_state == State.CONFIRMING
    return _("数据中心同意，待第二人复核") if is_first else DONE_TITLES[Command(step.command)]


def ahead_title(access_request: AccessRequest) -> Any:
    """Return what the desk that has the ball is to do."""
    of_state = {State.RETURNED: _("补正材料"), State.CONFIRMING: _("数据中心第二人复核")}
    return of_state.get(State(access_request.state), AHEAD_TITLES[Seat(access_request.desk)])


def afterwards(command: Command, access_request: AccessRequest) -> Any:
    """Return what to say when a command was carried out."""
    if command is Command.APPROVE and access_request.state == State.CONFIRMING:
        return _("已同意。数据属高敏感级，须由另一位审核人员复核后才生成授权。")
    return AFTERWARDS[command]


def saved(access_request: AccessRequest, *, is_submitted: bool) -> Any:
    """Return what to say when a draft, or a request that was returned (as it was before), has been saved."""
    if access_request.state == State.RETURNED:
        return AFTERWARDS[Command.RESUBMIT] if is_submitted else _("补正内容已保存，尚未提交。")
    return AFTERWARDS[Command.SUBMIT] if is_submitted else _("草稿已保存。")


def ball(access_request: AccessRequest, *, centre: str) -> str:
    """Return who has to act now, as department and desk."""
    if access_request.desk == Desk.NOBODY:
        return _("已办结")
    desk = Seat(access_request.desk)
    return f"{department_name(access_request, desk, centre=centre)} · {access_request.get_desk_display()}"


def next_step(access_request: AccessRequest, awaited: tuple[str, bool] | None = None) -> str:
    """Return one sentence: what happens next. `awaited` is the authority above that must agree first, and whether it was asked."""
    if awaited is not None:
        authority, is_asked = awaited
        told = _("已转报%(authority)s，收到答复后由数据中心登记回执；上级同意后才能授权。")
        to_ask = _("该资源须%(authority)s逐件同意，请数据中心先转报上级；上级同意后才能授权。")
        return (told if is_asked else to_ask) % {"authority": authority}
    state = State(access_request.state)
    alone = access_request.route == Route.DATA_CENTRE_ALONE
    return {
        State.DRAFTED: _("草稿只有本部门看得到。核对无误后提交给本部门负责人。"),
        State.SUBMITTED: _("负责人同意后直接转数据中心审核授权。")
        if alone
        else _("负责人同意后转数据提供方审核，再由数据中心授权。"),
        State.ENDORSED: _("提供方经办人审核并写明意见，由其负责人决定是否同意。"),
        State.CHECKED: _("提供方负责人同意后转数据中心；不同意则办结并告知理由。"),
        State.CLEARED: _("数据中心同意后立即生成授权，使用方即可调用。"),
        State.RETURNED: _("请按下列所缺材料一次补齐后再次提交，申请回到退回它的岗位。补正期间答复时限暂停。"),
        State.CONFIRMING: _("数据属高敏感级，已有一人同意。另一位审核人员复核同意后生成授权。"),
        State.APPROVED: _("授权已生成，请到授权页查看调用方法。"),
        State.REFUSED: _("申请未获同意。可按理由完善后重新申请。"),
        State.WITHDRAWN: _("申请已撤回，需要时可重新申请。"),
        State.CLOSED: _("授权已结束，申请办结归档。需要继续使用请重新申请。"),
    }[state]
