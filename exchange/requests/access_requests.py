"""Access requests (共享申请): drafting, submitting and carrying them from desk to desk until they are granted or refused.

Which command is allowed to whom is in `workflow`, which desks review in `routing`; moving on and the clocks are in `steps`.
The grant that an approval makes is issued by `grants`, in the same transaction.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import DataItem, Resource, ResourceState
from core import audit
from core.audit import Actor
from core.audit_trail import last_hand
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Region
from core.roles import Role
from core.texts import listed
from exchange.granting import grants
from exchange.models import AccessRequest, ConsumerSystem, Grant, RequestState
from exchange.querysets import access_requests_visible_to, seats_on_request, systems_usable_by
from exchange.requests import claims, desks, returns, steps
from exchange.requests.capacities import allowed_as, capacities, decide_as
from exchange.requests.numbering import next_number
from exchange.requests.origins import NEW, Origin, check_not_stopped, check_renewable, locked_renewed_grant, renewal_start_fault
from exchange.requests.request_terms import Offer, Terms, faults, items_fault, text_fault
from exchange.requests.routing import SharingTerms, route_of
from exchange.requests.snapshots import snapshot
from exchange.requests.workflow import REASON_REQUIRED, Command, Route, State, decide
from exchange.upstream import authorizations

LONGEST_REASON = 500
PLAIN_TERMS = (
    "mode", "purpose", "legal_basis", "scenario", "scope", "region_prefix", "quota_per_day", "term_from", "term_to",
)  # fmt: skip
EVENTS = {
    Command.SUBMIT: "submitted",
    Command.ENDORSE: "endorsed",
    Command.CHECK: "checked",
    Command.CLEAR: "cleared",
    Command.RETURN: "returned",
    Command.RESUBMIT: "resubmitted",
    Command.APPROVE: "approved",
    Command.CONFIRM: "confirmed",
    Command.REFUSE: "refused",
    Command.WITHDRAW: "withdrawn",
    Command.CLOSE: "closed",
}


@transaction.atomic
def draft(
    *, resource_uid: UUID, terms: Terms, actor: Actor, now: datetime, submit: bool = False, origin: Origin = NEW
) -> AccessRequest:
    """Write a request down for the actor's own department, and submit it at once if asked to."""
    if actor.department_id is None or actor.user_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("access_request.not_yours", _("共享申请由部门经办人起草。"))
    resource = _requestable(resource_uid)
    access_request = AccessRequest(
        number=next_number(AccessRequest, "SQ", now),
        bundle=origin.bundle,
        copied_from=origin.copied_from,
        renews=origin.renews,
        masks=origin.renews.masks if origin.renews is not None else {},
        resource=resource,
        requester_id=actor.department_id,
        created_by_id=actor.user_id,
        **_checked(terms, resource, actor, now, submit=submit, renews=origin.renews),
    )
    access_request.resource_version = resource.version
    access_request.save()
    audit.record(actor, "access_request.drafted", access_request, at=now, department_ids=[actor.department_id])
    if submit:
        _carry_out(access_request, Command.SUBMIT, actor=actor, now=now)
    return access_request


@transaction.atomic
def edit(*, request_uid: UUID, revision: int, terms: Terms, actor: Actor, now: datetime, submit: bool = False) -> AccessRequest:
    """Replace the terms of a draft or a returned request, and submit it if asked to.

    A stale revision raises Conflict with what differs.
    """
    access_request = _locked(request_uid, actor)
    decide(snapshot(access_request), Command.EDIT, seats_on_request(actor, access_request), user_id=actor.user_id)
    if revision != access_request.revision:
        raise _stale(access_request, actor, _differing(access_request, terms))
    is_returned = access_request.state == RequestState.RETURNED
    resource = access_request.resource if is_returned else _requestable(access_request.resource.uid)
    starts_anew = submit and not is_returned
    values = _checked(terms, resource, actor, now, submit=starts_anew, renews=access_request.renews)
    for name, value in values.items():
        setattr(access_request, name, value)
    if is_returned:
        access_request.returned_from = returns.leads_to(access_request)
    access_request.resource_version = access_request.resource.version
    access_request.revision += 1
    access_request.save()
    audit.record(actor, "access_request.edited", access_request, at=now, department_ids=[actor.department_id])
    if submit:
        _carry_out(access_request, Command.RESUBMIT if is_returned else Command.SUBMIT, actor=actor, now=now)
    return access_request


@transaction.atomic
def carry_out(
    *, request_uid: UUID, command: Command, actor: Actor, now: datetime, revision: int | None = None, reason: str = ""
) -> AccessRequest:
    """Give one command to a request: submit, endorse, check, clear, return, resubmit, approve, confirm, refuse or withdraw.

    Approval issues the grant; of highly sensitive data, a second reviewer's confirmation. A refusal and a return need a
    reason. A stale revision raises Conflict with what happened meanwhile.
    """
    access_request = _locked(request_uid, actor)
    if revision is not None and revision != access_request.revision:
        raise _stale(access_request, actor, {})
    if command is Command.EDIT:
        raise Invalid("access_request.unknown_command", _("修改草稿请提交完整的申请事项。"))
    _carry_out(access_request, command, actor=actor, now=now, reason=reason)
    return access_request


def commands_for(access_request: AccessRequest, actor: Actor) -> tuple[Command, ...]:
    """Return what the actor may do with the request now."""
    return allowed_as(snapshot(access_request), capacities(actor, access_request))


def _carry_out(access_request: AccessRequest, command: Command, *, actor: Actor, now: datetime, reason: str = "") -> None:
    if command is Command.SUBMIT:
        access_request.route = _route(access_request.resource)
    step, capacity = decide_as(snapshot(access_request), command, capacities(actor, access_request))
    actor = capacity.actor
    reason = _reason(command, reason)
    if command in (Command.SUBMIT, Command.APPROVE, Command.CONFIRM):
        _still_offered(access_request, now)
    if command in (Command.APPROVE, Command.CONFIRM):
        authorizations.check_approvable(access_request, now)
        _check_renewal(access_request, command, now)
    if command is Command.SUBMIT and (fault := _start_fault(access_request.term_from, now)):
        raise Invalid("access_request.invalid", fault, {"term_from": fault})
    steps.take(access_request, step, actor=actor, now=now, reason=reason, on_behalf_of=capacity.on_behalf_of)
    claims.end(access_request, now=now)
    if step.to_state is State.APPROVED:
        grants.issue_grant(access_request=access_request, actor=actor, now=now)
    owners = [access_request.requester_id, access_request.resource.provider_id]
    audit.record(
        actor,
        f"access_request.{EVENTS[command]}",
        access_request,
        at=now,
        department_ids=owners[:1] if step.from_state is State.DRAFTED else owners,
        state=step.to_state,
        seat=step.seat,
        reason=reason,
        **({"on_behalf_of": capacity.on_behalf_of} if capacity.on_behalf_of else {}),
    )
    desks.tell(access_request, step, now=now)


def _locked(request_uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",))
    rows = rows.select_related("resource__provider__region", "requester", "system")
    found = rows.filter(uid=request_uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _requestable(resource_uid: UUID) -> Resource:
    resource = Resource.objects.filter(uid=resource_uid, state=ResourceState.PUBLISHED).select_related("provider").first()
    if resource is None:
        raise NotFound("resource.not_found", _("没有这项资源，或尚未发布。"))
    _route(resource)
    return resource


def _route(resource: Resource) -> str:
    return route_of(
        SharingTerms(
            share_attribute=resource.share_attribute,
            base_database=resource.base_database,
            is_mounted=hasattr(resource, "binding"),
            has_control_parameters=bool(resource.control_parameters),
            authorization_from_above=authorizations.kind_of(resource),
        )
    )


def _offer(resource: Resource) -> Offer:
    items = list(DataItem.objects.filter(resource=resource).order_by("position"))
    return Offer(
        grades={item.name: item.grade for item in items if not item.is_withheld},
        withheld={item.name for item in items if item.is_withheld},
        modes=set(resource.sharing_modes),
        listable={item.name for item in items if item.data_type == "C" and not item.is_withheld},
        shapes={item.name for item in items if item.data_type == "G" and not item.is_withheld},
        grade=resource.grade,
        concerns_minors=resource.concerns_minors,
    )


def _checked(
    terms: Terms, resource: Resource, actor: Actor, now: datetime, *, submit: bool, renews: Grant | None = None
) -> dict[str, object]:
    """Return the terms as columns, or raise Invalid naming every fault at once. A draft's term may have begun already."""
    found = faults(terms, _offer(resource))
    if submit and (fault := _start_fault(terms.term_from, now)):
        found["term_from"] = fault
    if fault := renewal_start_fault(renews, terms.term_from):
        found["term_from"] = fault
    if terms.term_to < now.astimezone(SHANGHAI).date():
        found.setdefault("term_to", _("截止日期不能早于今天。"))
    if terms.region_prefix and not Region.objects.filter(code=terms.region_prefix, valid_to=None).exists():
        found["region_prefix"] = _("没有这个行政区划代码。")
    system = _own_system(terms.system, actor)
    if system is None:
        found["system"] = _("请选择本部门启用的使用方系统。")
    if found:
        raise Invalid("access_request.invalid", _("申请事项有误，请一并修改后提交。"), found)
    plain = {name: getattr(terms, name) for name in PLAIN_TERMS}
    return {"system": system, "fields": list(terms.fields)} | plain | terms.limits.columns()


def _start_fault(term_from: date, now: datetime) -> str:
    return _("使用期限的开始日期不能早于今天，请修改后再提交。") if term_from < now.astimezone(SHANGHAI).date() else ""


def _differing(access_request: AccessRequest, terms: Terms) -> dict[str, str]:
    """Return what a draft says otherwise than these terms, as it stands now."""
    now = {name: str(getattr(access_request, name)) for name in PLAIN_TERMS}
    now |= {"system": access_request.system.name, "fields": listed(access_request.fields)}
    same = {name for name in PLAIN_TERMS if getattr(access_request, name) == getattr(terms, name)}
    same |= {"system"} if str(access_request.system.uid) == terms.system else set()
    same |= {"fields"} if access_request.fields == list(terms.fields) else set()
    return {name: value for name, value in now.items() if name not in same}


def _own_system(uid: str, actor: Actor) -> ConsumerSystem | None:
    try:
        wanted = UUID(uid)
    except ValueError:
        return None
    return systems_usable_by(actor).filter(uid=wanted).first()


def _still_offered(access_request: AccessRequest, now: datetime) -> None:
    """Raise Conflict when the catalogue changed since the request was written, or its term has passed.

    A request that went past the provider is not approved once the resource calls for the provider's review.
    """
    resource = access_request.resource
    offer = _offer(resource)
    gone = [name for name in access_request.fields if name not in offer.grades]
    refused = items_fault(access_request.mode, access_request.fields, offer)
    if resource.state != ResourceState.PUBLISHED or refused or access_request.mode not in offer.modes:
        raise Conflict(
            "access_request.resource_changed",
            _("资源目录已变更，不再提供所申请的信息项或共享方式，请撤回后重新申请。"),
            {"fields": gone, "resource_version": resource.version},
        )
    if _route(resource) is Route.PROVIDER_FIRST and access_request.route != Route.PROVIDER_FIRST:
        raise Conflict(
            "access_request.resource_changed",
            _("资源目录已变更，现须先经提供方审核，而这项申请未经其审核，不能授权。请申请方撤回后重新申请。"),
            {"resource_version": resource.version},
        )
    if access_request.term_to < now.astimezone(SHANGHAI).date():
        raise Conflict("access_request.term_passed", _("申请的使用期限已过，请撤回后重新申请。"))


def _check_renewal(access_request: AccessRequest, command: Command, now: datetime) -> None:
    """Raise Conflict when the grant a request renews was stopped, or is asked for outside its time."""
    grant = locked_renewed_grant(access_request)
    if grant is not None and command is Command.SUBMIT:
        check_renewable(grant, now)
    elif grant is not None:
        check_not_stopped(grant)


def _reason(command: Command, reason: str) -> str:
    reason = reason.replace("\r\n", "\n").strip()
    fault = text_fault(reason, longest=LONGEST_REASON, may_be_empty=command not in REASON_REQUIRED)
    if fault:
        empty = _("退回补正须一次性列明全部所缺材料。") if command is Command.RETURN else _("拒绝申请须说明理由。")
        message = fault if reason else empty
        raise Invalid("access_request.reason", message, {"reason": message})
    return reason


def _stale(access_request: AccessRequest, actor: Actor, differing: dict[str, str]) -> Conflict:
    last = access_request.steps.order_by("-id").first()
    details: dict[str, object] = {"revision": access_request.revision, "state": access_request.state, "changed": differing}
    what = _("%(who)s修改过草稿。") % {"who": last_hand(access_request, actor, "access_request.edited")}
    if last is not None:
        values = {"name": last.actor_name, "state": access_request.get_state_display()}
        what = _("%(name)s 已办理，现为“%(state)s”。") % values
        details |= {"last_command": last.command, "last_actor": last.actor_name, "last_at": last.at.isoformat()}
    return Conflict("revision.stale", _("申请已有变化：%(what)s您的操作没有执行，请核对后再办理。") % {"what": what}, details)
