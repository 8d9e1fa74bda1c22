"""What pages say about a request: the timeline, who has the ball, what happens next, and what a command is called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.desks import department_name
from exchange.models import AccessRequest, AccessRequestStep, Desk
from exchange.workflow import Command, Route, Seat, State
from portal.shell import Step

DONE_TITLES = {
    Command.SUBMIT: gettext_lazy("提交申请"),
    Command.ENDORSE: gettext_lazy("本部门负责人同意"),
    Command.CHECK: gettext_lazy("提供方经办审核"),
    Command.CLEAR: gettext_lazy("提供方负责人同意"),
    Command.APPROVE: gettext_lazy("数据中心同意并授权"),
    Command.REFUSE: gettext_lazy("不同意"),
    Command.WITHDRAW: gettext_lazy("撤回"),
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
    Command.APPROVE: (gettext_lazy("同意并立即授权"), "btn-success", "rubber-stamp"),
    Command.REFUSE: (gettext_lazy("不同意"), "btn-outline-danger", "x"),
    Command.WITHDRAW: (gettext_lazy("撤回申请"), "btn-outline-secondary", "arrow-back-up"),
}
AFTERWARDS = {
    Command.SUBMIT: gettext_lazy("已提交，等待本部门负责人审核。"),
    Command.ENDORSE: gettext_lazy("已同意，申请已转出本部门审核。"),
    Command.CHECK: gettext_lazy("审核意见已转本部门负责人。"),
    Command.CLEAR: gettext_lazy("已同意提供，转数据中心审核授权。"),
    Command.APPROVE: gettext_lazy("已授权，使用方可以开始调用。"),
    Command.REFUSE: gettext_lazy("已拒绝，理由已通知申请人。"),
    Command.WITHDRAW: gettext_lazy("申请已撤回。"),
}


def timeline(access_request: AccessRequest, steps: list[AccessRequestStep], *, centre: str = "") -> list[Step]:
    """Return the steps taken, the desk that has the ball, and the desks still ahead."""
    lines = [
        Step(
            title=DONE_TITLES[Command(step.command)],
            state="refused" if step.command in (Command.REFUSE, Command.WITHDRAW) else "done",
            who=f"{step.actor_name} · {step.actor_department}",
            at=step.at,
            note=step.reason,
        )
        for step in steps
    ]
    desk = Seat(access_request.desk)
    if desk is Seat.NOBODY:
        return lines
    who = department_name(access_request, desk, centre=centre)
    lines.append(Step(title=AHEAD_TITLES[desk], state="current", who=who, due_at=access_request.due_at))
    ahead = list(WAYS.get(Route(access_request.route), ())) if access_request.route else [Seat.REQUESTER_HEAD]
    ahead = ahead[ahead.index(desk) + 1 :] if desk in ahead else ahead
    return lines + [
        Step(title=AHEAD_TITLES[d], state="waiting", who=department_name(access_request, d, centre=centre)) for d in ahead
    ]


def ball(access_request: AccessRequest, *, centre: str) -> str:
    """Return who has to act now, as department and desk."""
    if access_request.desk == Desk.NOBODY:
        return _("已办结")
    desk = Seat(access_request.desk)
    return f"{department_name(access_request, desk, centre=centre)} · {access_request.get_desk_display()}"


def next_step(access_request: AccessRequest) -> str:
    """Return one sentence: what happens next."""
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
        State.APPROVED: _("授权已生成，请到授权页查看调用方法。"),
        State.REFUSED: _("申请未获同意。可按理由完善后重新申请。"),
        State.WITHDRAWN: _("申请已撤回，需要时可重新申请。"),
    }[state]
