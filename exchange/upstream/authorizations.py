"""The terms under which a resource from above may be granted here (整体授权与非整体授权).

A blanket authorization lets the data centre grant alone; under a per-case one every request is relayed upward and granted only
when the authority above has agreed. No grant outlives the authorization.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Resource, ResourceState
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from exchange.models import (
    AccessRequest,
    AuthorizationKind,
    RelayState,
    RequestState,
    UpstreamAuthorization,
    UpstreamInterface,
    UpstreamRelay,
)
from exchange.querysets import is_reviewer
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Command, State

LONGEST = {"authority": 100, "document_number": 60, "terms": 500}


@transaction.atomic
def register(
    *,
    resource_uid: UUID,
    kind: str,
    authority: str,
    document_number: str,
    terms: str,
    valid_from: date,
    valid_to: date,
    actor: Actor,
    now: datetime,
    relay_interface_uid: UUID | None = None,
) -> UpstreamAuthorization:
    """Register the authorization of a resource, or replace its terms; requests on their way keep the relays they have."""
    if not is_reviewer(actor):
        raise Forbidden("upstream.not_yours", _("上级授权由数据中心登记。"))
    resource = Resource.objects.select_for_update(of=("self",)).filter(uid=resource_uid, change_of=None).first()
    if resource is None or resource.state == ResourceState.WITHDRAWN:
        raise NotFound("resource.not_found", _("没有这项资源，或已下线。"))
    texts = {"authority": authority.strip(), "document_number": document_number.strip(), "terms": terms.strip()}
    found = {name: fault for name, text in texts.items() if (fault := text_fault(text, longest=LONGEST[name]))}
    if kind not in AuthorizationKind.values:
        found["kind"] = _("请选择授权方式。")
    if valid_to < valid_from:
        found["valid_to"] = _("截止日期不能早于开始日期。")
    interface = _interface(relay_interface_uid)
    if relay_interface_uid is not None and interface is None:
        found["relay_interface"] = _("没有这个上级接口，或已停用。")
    if found:
        raise Invalid("upstream.authorization_invalid", _("上级授权登记有误，请一并修改。"), found)
    values = {"kind": kind, "valid_from": valid_from, "valid_to": valid_to, "relay_interface": interface, **texts}
    authorization, is_new = UpstreamAuthorization.objects.update_or_create(resource=resource, defaults=values)
    if not is_new:
        authorization.revision += 1
        authorization.save(update_fields=["revision"])
    event = "registered" if is_new else "changed"
    owners = [resource.provider_id]
    said = {"kind": kind, "document_number": texts["document_number"], "valid_to": str(valid_to)}
    audit.record(actor, f"upstream_authorization.{event}", authorization, at=now, department_ids=owners, **said)
    return authorization


def _interface(uid: UUID | None) -> UpstreamInterface | None:
    return UpstreamInterface.objects.filter(uid=uid, is_active=True).first() if uid else None


def kind_of(resource: Resource) -> str:
    """Return how the authority above lets the resource be used; empty for resources of our own."""
    authorization = authorization_of(resource)
    return authorization.kind if authorization else ""


def authorization_of(resource: Resource) -> UpstreamAuthorization | None:
    """Return the authorization of a resource, if it comes from above."""
    return UpstreamAuthorization.objects.filter(resource=resource).first()


def awaited(access_request: AccessRequest) -> tuple[str, bool] | None:
    """Return the authority above that has to agree before the data centre can approve, and whether it was asked; else None."""
    if access_request.state not in (RequestState.CLEARED, RequestState.CONFIRMING):
        return None
    authorization = authorization_of(access_request.resource)
    if authorization is None or authorization.kind != AuthorizationKind.PER_CASE:
        return None
    relay = UpstreamRelay.objects.filter(access_request=access_request).first()
    if relay is not None and relay.state == RelayState.APPROVED:
        return None
    return authorization.authority, relay is not None and relay.state == RelayState.REPORTED


def check_approvable(access_request: AccessRequest, now: datetime) -> None:
    """Raise Conflict when the authority above has not agreed, or not for so long. Locks the relay it relies on."""
    authorization = authorization_of(access_request.resource)
    if authorization is None:
        return
    today = now.astimezone(SHANGHAI).date()
    if not authorization.valid_from <= today <= authorization.valid_to:
        raise Conflict("upstream.authorization_ended", _("上级授权尚未生效或已到期，请先登记新的授权文件。"))
    if access_request.term_to > authorization.valid_to:
        text = _("申请的使用期限超出上级授权的截止日期 %(day)s，请退回申请方修改后再授权。")
        raise Conflict("upstream.term_beyond", text % {"day": authorization.valid_to}, {"valid_to": str(authorization.valid_to)})
    if authorization.kind != AuthorizationKind.PER_CASE:
        return
    relay = UpstreamRelay.objects.select_for_update().filter(access_request=access_request).first()
    if relay is None or relay.state != RelayState.APPROVED:
        state = RelayState(relay.state if relay else RelayState.NOT_REPORTED)
        text = _("该资源须逐件报上级同意，目前为“%(state)s”，收到上级同意的回执后才能授权。")
        raise Conflict("upstream.not_approved", text % {"state": state.label}, {"relay_state": int(state)})
    if is_widened_since(relay, access_request):
        raise Conflict(
            "upstream.changed_since",
            _("申请内容在转报上级之后有扩大，上级同意的不是现在的申请。请重新转报，收到同意的回执后再授权。"),
        )


def is_widened_since(relay: UpstreamRelay, access_request: AccessRequest) -> bool:
    """Return whether the request asked for more after it was reported: it then went back to its own head."""
    steps = access_request.steps.filter(command=Command.RESUBMIT, to_state=State.SUBMITTED)
    return relay.reported_at is not None and steps.filter(at__gt=relay.reported_at).exists()
