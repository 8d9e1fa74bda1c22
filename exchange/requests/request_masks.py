"""Masks chosen at approval (审批脱敏): the provider's head or the data centre makes a request's masks stricter, never laxer.

They are chosen while the request lies on their desk and go into the grant when it is issued (`grants`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.masking import Mask, is_as_strict
from catalog.models import DataItem
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from exchange.granting.grants import chosen_masks, masks_of
from exchange.models import AccessRequest, RequestState
from exchange.querysets import access_requests_visible_to
from exchange.requests.capacities import capacities, seats_held
from exchange.requests.workflow import Seat

CHOOSERS = {RequestState.CHECKED: Seat.PROVIDER_HEAD, RequestState.CLEARED: Seat.DATA_CENTRE}


@transaction.atomic
def choose_masks(*, request_uid: UUID, masks: Mapping[str, str], actor: Actor, now: datetime, revision: int) -> AccessRequest:
    """Set the masks of a request's items, each at least as strict as the one that stands."""
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource")
    access_request = rows.filter(uid=request_uid).first()
    if access_request is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    seat = CHOOSERS.get(RequestState(access_request.state))
    acting = next((held for held in capacities(actor, access_request) if seat in held.seats), None)
    if seat is None or acting is None:
        raise Forbidden("access_request.not_yours", _("脱敏由提供方负责人或数据中心在审批时确定。"))
    if revision != access_request.revision:
        raise Conflict("revision.stale", _("申请已有变化，脱敏没有保存，请核对后再办理。"), {"revision": access_request.revision})
    standing = standing_masks(access_request)
    wrong = {name: _("不能比现有的脱敏更宽。") for name, mask in masks.items() if not _is_allowed(mask, standing.get(name))}
    if wrong:
        raise Invalid("access_request.masks", _("脱敏只能加严，不能放宽。"), wrong)
    access_request.masks = {name: mask for name, mask in (standing | dict(masks)).items() if mask != Mask.NONE}
    access_request.revision += 1
    access_request.save(update_fields=["masks", "revision", "updated_at"])
    owners = [access_request.requester_id, access_request.resource.provider_id]
    audit.record(
        acting.actor, "access_request.masks_chosen", access_request, at=now, department_ids=owners, masks=access_request.masks
    )
    return access_request


def may_choose(access_request: AccessRequest, actor: Actor) -> bool:
    """Return whether the actor may set the masks of a request now; for pages."""
    return CHOOSERS.get(RequestState(access_request.state)) in seats_held(actor, access_request)


def standing_masks(access_request: AccessRequest) -> dict[str, str]:
    """Return item -> mask as a grant issued now would have it, items without a mask included."""
    items = DataItem.objects.filter(resource_id=access_request.resource_id, name__in=access_request.fields)
    masks = masks_of(items, chosen=chosen_masks(access_request))
    return {name: masks.get(name, Mask.NONE.value) for name in access_request.fields}


def _is_allowed(mask: str, standing: str | None) -> bool:
    return standing is not None and mask in Mask.__members__ and is_as_strict(Mask(mask), Mask(standing))
