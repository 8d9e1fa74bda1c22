"""The masks of a request on an approver's desk."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Forbidden, Invalid, NotFound
from exchange.querysets import access_requests_visible_to
from exchange.requests.request_masks import choose_masks, may_choose, standing_masks
from portal.actor import actor, roles_required
from portal.grants.access import SEERS
from portal.grants.change_forms import MaskForm


@require_POST
@roles_required(*SEERS)
def choose(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make masks stricter before the request is agreed to."""
    who = actor(request)
    access_request = access_requests_visible_to(who).select_related("resource").filter(uid=uid).first()
    if access_request is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    if not may_choose(access_request, who):
        raise Forbidden("access_request.not_yours", _("脱敏由提供方负责人或数据中心在审批时确定。"))
    form = MaskForm.opened(access_request, standing_masks(access_request), {}, request.POST)
    if not form.is_valid():
        raise Invalid("access_request.masks", _("脱敏只能加严，不能放宽。"), form.errors)
    chosen = {name: mask for name, mask in form.masks().items() if mask}
    choose_masks(request_uid=uid, masks=chosen, revision=form.cleaned_data["revision"], actor=who, now=timezone.now())
    messages.success(request, _("脱敏已加严，同意授权时一并生效。"))
    return redirect("portal:request-detail", uid=uid)
