"""The track above beside ours on the page of a request (上级授权与转报)."""

from __future__ import annotations

from typing import Any

from django import template

from exchange.models import AccessRequest, RelayState, UpstreamRelay
from exchange.querysets import is_reviewer
from exchange.upstream import authorizations
from exchange.upstream.relays import NEXT, REPORTABLE
from portal.actor import actor

register = template.Library()


@register.inclusion_tag("portal/sources/upstream_track.html", takes_context=True)
def upstream_track(context: dict[str, Any], access_request: AccessRequest) -> dict[str, Any]:
    """Return the authorization of the resource, the relay of the request and what the reader may do about it."""
    authorization = authorizations.authorization_of(access_request.resource)
    if authorization is None:
        return {}
    relay = UpstreamRelay.objects.filter(access_request=access_request).first()
    state = RelayState(relay.state if relay else RelayState.NOT_REPORTED)
    next_states = NEXT[state]
    if relay and state is RelayState.APPROVED and not authorizations.is_widened_since(relay, access_request):
        next_states -= {RelayState.REPORTED}
    reviews = is_reviewer(actor(context["request"]))
    return {
        "access_request": access_request,
        "authorization": authorization,
        "relay": relay,
        "receipts": relay.receipts.all()[:50] if relay else [],
        "may_report": reviews and access_request.state in REPORTABLE and RelayState.REPORTED in next_states,
        "may_answer": reviews and relay is not None and bool(next_states - {RelayState.REPORTED}),
    }


@register.simple_tag(takes_context=True)
def may_authorize(context: dict[str, Any]) -> bool:
    """Return whether the reader registers authorizations from above."""
    return is_reviewer(actor(context["request"]))
