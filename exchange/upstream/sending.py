"""Relaying over an interface above (接口转报): a reported request is sent, and asked after, under one idempotency key.

What cannot be sent now is sent again by the next turn: the relay is a row. Answers are receipts and go through `relays`.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from core.audit import PLATFORM
from core.errors import Conflict, Invalid
from exchange.calls.refusals import Refusal
from exchange.models import RelayState, UpstreamRelay
from exchange.sources import places, pointers
from exchange.sources.guard import guard_of
from exchange.sources.interfaces import UpstreamCall
from exchange.upstream import relays

logger = logging.getLogger(__name__)


def relay_all(*, now: datetime) -> int:
    """Send or ask after every request that waits for an answer from above; return how many answers were news."""
    return sum(_relay(relay, now) for relay in waiting())


def waiting() -> QuerySet[UpstreamRelay]:
    """Return the relays that wait for an answer, of requests that wait for it: what was withdrawn here is not sent on."""
    rows = UpstreamRelay.objects.filter(
        state=RelayState.REPORTED, access_request__state__in=relays.REPORTABLE, authorization__relay_interface__is_active=True
    )
    return rows.select_related(
        "authorization__relay_interface__account", "access_request__resource", "access_request__requester"
    ).order_by("id")


def _relay(relay: UpstreamRelay, now: datetime) -> bool:
    interface = relay.authorization.relay_interface
    if interface is None:
        return False
    remote = places.interface_of(interface, now)
    call = UpstreamCall(remote.place)  # type: ignore[arg-type]  # made of an interface
    try:
        document = guard_of("upstream", remote.place.uid).run(
            lambda: call.exchange(_told(relay)), uid=remote.place.uid, at_once=remote.place.at_once
        )
        return _heard(relay, document, interface.answer_map, now)
    except (Refusal, Conflict, Invalid) as error:
        logger.warning("request %s was not relayed: %s", relay.access_request.number, error.code)
        return False


def _told(relay: UpstreamRelay) -> dict[str, str]:
    access_request = relay.access_request
    return {
        "idempotency_key": str(relay.idempotency_key),
        "external_id": relay.external_id,
        "number": access_request.number,
        "resource": access_request.resource.title,
        "requester": access_request.requester.name,
        "items": ",".join(access_request.fields),
        "purpose": access_request.purpose,
        "legal_basis": access_request.legal_basis,
        "scenario": access_request.scenario,
        "term_from": str(access_request.term_from),
        "term_to": str(access_request.term_to),
    }


def _heard(relay: UpstreamRelay, document: Any, told: dict[str, Any], now: datetime) -> bool:
    """Read number, state and receipt out of an answer; a state nobody mapped is not understood and changes nothing."""
    code = pointers.text_at(document, told.get("state", "/data/state")) or ""
    state = told.get("states", {}).get(code, int(code) if code.isdecimal() else None)
    if state not in RelayState.values:
        logger.warning("request %s: the state told from above is not mapped", relay.access_request.number)
        return False
    return relays.receive(
        relay_uid=relay.uid,
        state=state,
        external_id=(pointers.text_at(document, told.get("external_id", "/data/up_apply_id")) or "")[:64],
        receipt_number=(pointers.text_at(document, told.get("receipt", "/data/receipt")) or "")[:64],
        actor=PLATFORM,
        now=now,
    )
