"""Desks (办理岗位): which people sit at a desk, and telling them that they have the ball or what became of their request.

Whose turn it is comes from `workflow`; when a desk is late is `clocks`; reminding is `supervision`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from core.models import Department
from core.notifications import notify_role, notify_users
from core.roles import Role
from exchange.models import AccessRequest
from exchange.requests.workflow import Command, Seat, State, Step

ROLE_OF = {
    Seat.REQUESTER_HEAD: Role.HEAD,
    Seat.PROVIDER_OPERATOR: Role.OPERATOR,
    Seat.PROVIDER_HEAD: Role.HEAD,
    Seat.DATA_CENTRE: Role.REVIEWER,
}


def path_of(access_request: AccessRequest) -> str:
    """Return the page of a request in the portal."""
    return f"/requests/{access_request.uid}/"


def tell(access_request: AccessRequest, step: Step, *, now: datetime) -> None:
    """Tell the next desk that it has the ball; of a closed request tell who drafted it, and the provider of a grant."""
    title = access_request.resource.title
    if step.command is Command.RETURN:
        title = _("申请被退回，请一次补齐所缺材料：%(title)s") % {"title": title}
        notify_desk(access_request, title=title, now=now)
        return
    if step.desk is not Seat.NOBODY:
        values = {"requester": access_request.requester.short_name, "title": title}
        notify_desk(access_request, title=_("待办：%(requester)s申请使用“%(title)s”") % values, now=now)
        return
    if step.command is Command.WITHDRAW:
        return
    granted = step.to_state is State.APPROVED
    text = _("申请已同意并授权：%(title)s") if granted else _("申请未获同意：%(title)s")
    notify_users(
        [access_request.created_by_id],
        title=text % {"title": title},
        body=access_request.refusal_reason,
        path=path_of(access_request),
        now=now,
    )
    if granted:
        notify_role(
            Role.OPERATOR,
            department_id=access_request.resource.provider_id,
            title=_("本部门数据已授权%(requester)s使用：%(title)s")
            % {"requester": access_request.requester.short_name, "title": title},
            path=path_of(access_request),
            now=now,
        )


def notify_desk(access_request: AccessRequest, *, title: str, now: datetime) -> None:
    """Write a message to everyone who sits at the desk that has the ball."""
    desk = Seat(access_request.desk)
    role = ROLE_OF.get(desk)
    if role is None:
        notify_users([access_request.created_by_id], title=title, path=path_of(access_request), now=now)
        return
    for department_id in departments_of(desk, access_request):
        notify_role(
            role, department_id=department_id, title=title, body=access_request.number, path=path_of(access_request), now=now
        )


def departments_of(desk: Seat, access_request: AccessRequest) -> Iterable[int]:
    """Return the departments whose people sit at a desk of this request."""
    if desk is Seat.DATA_CENTRE:
        return Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True)
    return [access_request.requester_id if desk is Seat.REQUESTER_HEAD else access_request.resource.provider_id]


def data_centres() -> list[int]:
    """Return the departments that are the data authority (数据主管部门)."""
    return list(Department.objects.filter(is_data_centre=True, valid_to=None).order_by("pk").values_list("pk", flat=True))


def data_centre_name() -> str:
    """Return the name of the department whose reviewers sit at the last desk."""
    centres = Department.objects.filter(is_data_centre=True, valid_to=None).order_by("pk")
    return centres.values_list("name", flat=True).first() or ""


def department_name(access_request: AccessRequest, desk: Seat, *, centre: str) -> str:
    """Return the department a desk belongs to, for people to read; `centre` is asked once for a whole page."""
    if desk is Seat.DATA_CENTRE:
        return centre
    provider = desk in (Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD)
    return access_request.resource.provider.name if provider else access_request.requester.name
