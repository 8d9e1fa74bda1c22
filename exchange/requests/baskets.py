"""Baskets (资源篮): putting resources aside, and asking for all of them in one step as a bundle (一揽子申请).

Each part becomes a request of its own and goes its own way (`access_requests`); all parts are made or none. What became of a
bundle is one page: `bundles_visible_to`, and the requester's head agrees to all parts at once (`endorse_all`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Resource, ResourceState
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.roles import Role
from exchange.models import AccessRequest, BasketEntry, RequestBundle, RequestState
from exchange.querysets import access_requests_visible_to
from exchange.requests import access_requests
from exchange.requests.numbering import next_number
from exchange.requests.origins import Origin
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command

LARGEST = 20
COMMON = ("system", "purpose", "legal_basis", "scenario", "scope", "term_from", "term_to")


@dataclass(frozen=True, slots=True)
class Ask:
    """One resource and everything that is asked of it."""

    resource_uid: UUID
    terms: Terms


@dataclass(frozen=True, slots=True)
class PartResult:
    """What became of one part when all were endorsed; `error` is empty for one that went on."""

    part: AccessRequest
    error: str = ""


def basket_of(actor: Actor) -> QuerySet[BasketEntry]:
    """Return what the actor put aside, in the order of the providers."""
    rows = _own_entries(actor).select_related("resource__provider", "resource__region")
    return rows.order_by("resource__provider__code", "id")


@transaction.atomic
def put_in(*, resource_uid: UUID, actor: Actor, now: datetime, mode: str = "", fields: Sequence[str] = ()) -> BasketEntry:
    """Put a resource into the actor's basket. One that is there already stays one entry."""
    if actor.user_id is None or actor.department_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("access_request.not_yours", _("共享申请由部门经办人起草。"))
    resource = Resource.objects.filter(uid=resource_uid, state=ResourceState.PUBLISHED).first()
    if resource is None:
        raise NotFound("resource.not_found", _("没有这项资源，或尚未发布。"))
    if resource.share_attribute == "WITHHELD":
        raise Conflict("resource.withheld", _("该资源属于不予共享类，不能申请。"))
    offered = resource.items.filter(is_withheld=False, name__in=fields).values_list("name", flat=True)
    chosen = {"mode": mode if mode in resource.sharing_modes else "", "fields": list(offered)}
    known = BasketEntry.objects.filter(user_id=actor.user_id)
    if known.count() >= LARGEST and not known.filter(resource=resource).exists():
        raise Conflict("basket.full", _("资源篮最多放 %(most)s 项资源，请先提交或移出一些。") % {"most": LARGEST})
    entry, _is_new = BasketEntry.objects.update_or_create(
        user_id=actor.user_id, resource=resource, defaults=chosen, create_defaults={**chosen, "added_at": now}
    )
    return entry


@transaction.atomic
def take_out(*, entry_uid: UUID, actor: Actor) -> None:
    """Take a resource out of the actor's basket."""
    count, _by_kind = _own_entries(actor).filter(uid=entry_uid).delete()
    if not count:
        raise NotFound("basket.entry_not_found", _("资源篮里没有这一项，可能已经提交或移出。"))


@transaction.atomic
def submit(*, asks: Sequence[Ask], actor: Actor, now: datetime, from_basket: bool = False) -> RequestBundle:
    """Submit one request for each resource, all of them or none, and empty the basket of them.

    Faults are told at once: of common terms under their own name, of a part under `parts[<place>].<field>`. With
    `from_basket` every resource must still be in the basket, so that a second window does not ask twice.
    """
    if actor.department_id is None or actor.user_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("access_request.not_yours", _("共享申请由部门经办人起草。"))
    _check_parts(asks)
    entries = BasketEntry.objects.filter(user_id=actor.user_id, resource__uid__in=[ask.resource_uid for ask in asks])
    count, _by_kind = entries.delete()
    if from_basket and count < len(asks):
        raise Conflict("basket.changed", _("资源篮里的资源已经提交或移出，本次没有提交。请核对后再办理。"))
    bundle = RequestBundle.objects.create(
        number=next_number(RequestBundle, "YL", now),
        requester_id=actor.department_id,
        created_by_id=actor.user_id,
        submitted_at=now,
    )
    found: dict[str, str] = {}
    for place, ask in enumerate(asks):
        try:
            access_requests.draft(
                resource_uid=ask.resource_uid, terms=ask.terms, actor=actor, now=now, submit=True, origin=Origin(bundle=bundle)
            )
        except DomainError as error:
            found |= _faults(error, place)
    if found:
        raise Invalid("bundle.invalid", _("一揽子申请有误，整篮没有提交，请一并修改后再提交。"), found)
    bundle.purpose = asks[0].terms.purpose
    bundle.save(update_fields=["purpose"])
    audit.record(
        actor, "bundle.submitted", bundle, at=now, department_ids=[actor.department_id], number=bundle.number, count=len(asks)
    )
    return bundle


def bundles_visible_to(actor: Actor) -> QuerySet[RequestBundle]:
    """Return the bundles of which the actor may see a part; which parts follows from the requests themselves."""
    seen = access_requests_visible_to(actor).filter(bundle=OuterRef("pk"))
    return RequestBundle.objects.filter(Exists(seen)).select_related("requester", "created_by")


def visible_bundle(uid: UUID, actor: Actor) -> RequestBundle:
    """Return one bundle, or raise NotFound."""
    found = bundles_visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound("bundle.not_found", _("没有这份一揽子申请，或您无权查看。"))
    return found


def parts_of(bundle: RequestBundle, actor: Actor) -> QuerySet[AccessRequest]:
    """Return the parts the actor may see, in the order they were asked for."""
    rows = access_requests_visible_to(actor).filter(bundle=bundle)
    return rows.select_related("resource__provider", "resource__region", "requester", "system", "grant").order_by("id")


@transaction.atomic
def endorse_all(*, bundle_uid: UUID, seen: Mapping[UUID, int], actor: Actor, now: datetime) -> list[PartResult]:
    """Agree to all parts that wait for the requester's head, each by itself: what one part refuses does not hold the others.

    `seen` is uid -> revision of the parts as the head saw them; a part that changed meanwhile is not endorsed.
    """
    bundle = visible_bundle(bundle_uid, actor)
    results = []
    for part in parts_of(bundle, actor).filter(state=RequestState.SUBMITTED):
        try:
            done = access_requests.carry_out(
                request_uid=part.uid, command=Command.ENDORSE, actor=actor, now=now, revision=seen.get(part.uid, 0)
            )
        except DomainError as error:
            results.append(PartResult(part, str(error.message)))
        else:
            results.append(PartResult(done))
    if not results:
        raise Conflict("bundle.nothing_waits", _("这份一揽子申请没有等本部门负责人同意的部分。"))
    return results


def may_endorse(parts: Sequence[AccessRequest], actor: Actor) -> bool:
    """Return whether the actor may agree to at least one of the parts now."""
    return any(
        part.state == RequestState.SUBMITTED and Command.ENDORSE in access_requests.commands_for(part, actor) for part in parts
    )


def _own_entries(actor: Actor) -> QuerySet[BasketEntry]:
    return BasketEntry.objects.filter(user_id=actor.user_id or 0)


def _check_parts(asks: Sequence[Ask]) -> None:
    if not asks:
        raise Invalid("bundle.empty", _("请至少选择一项资源。"), {"parts": _("请至少选择一项资源。")})
    if len(asks) > LARGEST:
        text = _("一次最多申请 %(most)s 项资源。") % {"most": LARGEST}
        raise Invalid("bundle.too_large", text, {"parts": text})
    uids = [ask.resource_uid for ask in asks]
    twice = [place for place, uid in enumerate(uids) if uid in uids[:place]]
    if twice:
        text = _("同一资源在一揽子申请中只能出现一次。")
        raise Invalid("bundle.resource_twice", text, {f"parts[{place}].resource": text for place in twice})


def _faults(error: DomainError, place: int) -> dict[str, str]:
    """Return a part's refusal as faults of the bundle."""
    if not isinstance(error, Invalid) or not error.details:
        return {f"parts[{place}].resource": str(error.message)}
    return {name if name in COMMON else f"parts[{place}].{name}": str(text) for name, text in error.details.items()}
