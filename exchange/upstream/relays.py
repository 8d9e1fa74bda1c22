"""Requests relayed upward (逐件转报): reporting them, and the receipts that come back, typed in or over an interface.

Every receipt is kept; the relay's state is that of the last one. Our own request is moved by our own desks only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import uuid7
from core.models import Department
from core.notifications import notify_role
from core.roles import Role
from exchange.models import (
    AccessRequest,
    AuthorizationKind,
    ReceiptOrigin,
    RelayState,
    RequestState,
    UpstreamReceipt,
    UpstreamRelay,
)
from exchange.querysets import access_requests_visible_to, is_reviewer
from exchange.requests.request_terms import text_fault
from exchange.upstream.authorizations import authorization_of, is_widened_since

LONGEST_NUMBER, LONGEST_NOTE = 64, 500
REPORTABLE = (RequestState.CLEARED, RequestState.CONFIRMING)
# What may be heard after what; an approval can be taken back above, or asked for anew; a refusal is final.
NEXT: Mapping[RelayState, frozenset[RelayState]] = {
    RelayState.NOT_REPORTED: frozenset({RelayState.REPORTED}),
    RelayState.REPORTED: frozenset(
        {
            RelayState.REJECTED_LOCALLY,
            RelayState.REJECTED_ABOVE,
            RelayState.WITHDRAWN,
            RelayState.APPROVED,
            RelayState.REFUSED,
        }
    ),
    RelayState.REJECTED_LOCALLY: frozenset({RelayState.REPORTED, RelayState.WITHDRAWN}),
    RelayState.REJECTED_ABOVE: frozenset({RelayState.REPORTED, RelayState.WITHDRAWN}),
    RelayState.WITHDRAWN: frozenset({RelayState.REPORTED}),
    RelayState.APPROVED: frozenset({RelayState.REPORTED, RelayState.REFUSED}),
    RelayState.REFUSED: frozenset(),
}


def relays_visible_to(actor: Actor) -> QuerySet[UpstreamRelay]:
    """Return the relays of the requests the actor sees."""
    rows = UpstreamRelay.objects.select_related("access_request__resource", "access_request__requester", "authorization")
    return rows.filter(access_request__in=access_requests_visible_to(actor))


@transaction.atomic
def report(
    *, request_uid: UUID, document_number: str, actor: Actor, now: datetime, note: str = "", external_id: str = ""
) -> UpstreamRelay:
    """Report a request upward once all our own desks before the data centre have agreed; again after it was sent back."""
    access_request = _request(request_uid, actor)
    authorization = authorization_of(access_request.resource)
    if authorization is None or authorization.kind != AuthorizationKind.PER_CASE:
        raise Conflict("upstream.not_per_case", _("该资源不需要逐件报上级同意。"))
    if access_request.state not in REPORTABLE:
        raise Conflict("upstream.not_cleared", _("申请到达数据中心审核环节后才能转报上级，请先完成本级审核。"))
    relay, _is_new = UpstreamRelay.objects.get_or_create(access_request=access_request, defaults={"authorization": authorization})
    relay = UpstreamRelay.objects.select_for_update().get(pk=relay.pk)
    if is_widened_since(relay, access_request):  # another question: the first one's answer is not its answer
        relay.idempotency_key, relay.external_id = uuid7(), ""
    elif relay.state == RelayState.APPROVED:
        raise Conflict("upstream.approved_already", _("上级已同意这项申请，内容没有扩大，不需要重新转报。"))
    relay.authorization, relay.reported_at = authorization, now
    told = {"document_number": document_number, "note": note, "external_id": external_id}
    _write(relay, RelayState.REPORTED, origin=ReceiptOrigin.RECORDED, actor=actor, now=now, **told)
    department = access_request.requester_id
    title = _("申请 %(number)s 已转报%(authority)s，等待上级答复") % {
        "number": access_request.number,
        "authority": authorization.authority,
    }
    notify_role(Role.OPERATOR, department_id=department, title=title, path=f"/requests/{access_request.uid}/", now=now)
    return relay


@transaction.atomic
def record_receipt(
    *, request_uid: UUID, state: int, document_number: str, actor: Actor, now: datetime, note: str = "", external_id: str = ""
) -> UpstreamRelay:
    """Write down what came back on paper, with the number of the document."""
    access_request = _request(request_uid, actor)
    relay = UpstreamRelay.objects.select_for_update().filter(access_request=access_request).first()
    if relay is None:
        raise Conflict("upstream.not_reported", _("申请尚未转报上级，请先转报。"))
    if state not in RelayState.values or state == RelayState.REPORTED:
        fault = _("请选择上级的答复。")
        raise Invalid("upstream.receipt_invalid", fault, {"state": fault})
    told = {"document_number": document_number, "note": note, "external_id": external_id}
    _write(relay, RelayState(state), origin=ReceiptOrigin.RECORDED, actor=actor, now=now, **told)
    return relay


@transaction.atomic
def receive(*, relay_uid: UUID, state: int, external_id: str, receipt_number: str, actor: Actor, now: datetime) -> bool:
    """Keep what an interface above told; the same answer again is no news. Return whether it was news."""
    relay = UpstreamRelay.objects.select_for_update().select_related("access_request__resource").get(uid=relay_uid)
    if state == relay.state and external_id in ("", relay.external_id):
        return False
    if state != relay.state and state not in NEXT[RelayState(relay.state)]:
        raise Conflict("upstream.receipt_out_of_order", _("上级回执与当前转报状态不衔接，请人工核对。"), {"state": state})
    number = receipt_number or external_id or "-"
    if state == relay.state:
        relay.external_id = external_id
        relay.save(update_fields=["external_id"])
        return True
    told = {"document_number": number, "external_id": external_id}
    _write(relay, RelayState(state), origin=ReceiptOrigin.RECEIVED, actor=actor, now=now, **told)
    return True


def check_relayer(*, request_uid: UUID, actor: Actor) -> None:
    """Raise what keeps the actor from relaying a request, before anything is typed in."""
    if not access_requests_visible_to(actor).filter(uid=request_uid).exists():
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    if not is_reviewer(actor):
        raise Forbidden("upstream.not_yours", _("转报上级由数据中心办理。"))


def _request(uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource")
    access_request = rows.filter(uid=uid).first()
    if access_request is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    if not is_reviewer(actor):
        raise Forbidden("upstream.not_yours", _("转报上级由数据中心办理。"))
    return access_request


def _write(
    relay: UpstreamRelay,
    state: RelayState,
    *,
    document_number: str,
    external_id: str,
    origin: ReceiptOrigin,
    actor: Actor,
    now: datetime,
    note: str = "",
) -> None:
    """Append a receipt and let the relay stand where it says."""
    if state not in NEXT[RelayState(relay.state)]:
        text = _("转报现为“%(state)s”，不能登记这一答复，请刷新页面核对。")
        raise Conflict("upstream.wrong_state", text % {"state": relay.get_state_display()}, {"relay_state": relay.state})
    number, said = document_number.strip(), note.replace("\r\n", "\n").strip()
    found = {
        "document_number": text_fault(number, longest=LONGEST_NUMBER, may_have_lines=False),
        "note": text_fault(said, longest=LONGEST_NOTE, may_be_empty=True),
        "external_id": text_fault(external_id, longest=LONGEST_NUMBER, may_be_empty=True, may_have_lines=False),
    }
    if faults := {name: fault for name, fault in found.items() if fault}:
        raise Invalid("upstream.receipt_invalid", _("回执登记有误，请一并修改。"), faults)
    relay.state, relay.external_id = state, external_id or relay.external_id
    relay.answered_at = relay.answered_at if state == RelayState.REPORTED else now
    relay.revision += 1
    relay.save()
    UpstreamReceipt.objects.create(
        relay=relay, at=now, state=state, document_number=number, note=said, origin=origin,
        actor_id=actor.user_id, actor_name=actor.name,
    )  # fmt: skip
    access_request = relay.access_request
    owners = [access_request.requester_id, access_request.resource.provider_id]
    said_of = {"request": access_request.number, "state": int(state), "document_number": number, "origin": origin.value}
    event = "reported" if state == RelayState.REPORTED else "answered"
    audit.record(actor, f"upstream_relay.{event}", relay, at=now, department_ids=owners, **said_of)
    if state != RelayState.REPORTED:
        _tell(relay, state, now)


def _tell(relay: UpstreamRelay, state: RelayState, now: datetime) -> None:
    access_request = relay.access_request
    title = _("申请 %(number)s 的上级答复：%(state)s") % {"number": access_request.number, "state": state.label}
    path = f"/requests/{access_request.uid}/"
    for pk in Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True):
        notify_role(Role.REVIEWER, department_id=pk, title=title, path=path, now=now)
    notify_role(Role.OPERATOR, department_id=access_request.requester_id, title=title, path=path, now=now)
