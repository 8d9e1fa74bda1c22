"""Blocks on the page of a request: the limits it asks for, and the masks an approver may make stricter."""

from __future__ import annotations

from typing import Any

from django import template

from core.audit import Actor
from exchange.models import AccessRequest
from exchange.requests.request_masks import may_choose, standing_masks
from portal.actor import actor
from portal.grants.change_forms import MaskForm
from portal.grants.words import words_of_limits

register = template.Library()
LIMITING = ("row_filter", "control_parameters", "matters", "ip_list")


@register.inclusion_tag("portal/grants/request_limits.html", takes_context=True)
def request_limits(context: dict[str, Any], access_request: AccessRequest) -> dict[str, Any]:
    """Show the limits asked for; to the desk that decides, the means to make masks stricter."""
    who: Actor = actor(context["request"])
    titles = dict(access_request.resource.items.values_list("name", "title"))
    form = MaskForm.opened(access_request, standing_masks(access_request), titles) if may_choose(access_request, who) else None
    lines = words_of_limits(access_request, titles)
    return {
        "access_request": access_request,
        "lines": lines,
        "is_limited": any(getattr(access_request, name) for name in LIMITING),
        "quota_per_second": access_request.quota_per_second,
        "form": form,
        "csrf_token": context.get("csrf_token"),
        "request": context["request"],
    }
