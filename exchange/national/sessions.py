"""Session secrets handed to requesters (会话密钥签发): asked for under the app key, sent encrypted with it, kept sealed.

Asking again within the first half of a session returns the same secret, so that several processes of one integrator do not
end each other's sessions; the one before lives on until its own end.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from core import audit
from core.audit import Actor
from core.crypto import Sealed
from exchange.calls import admission, authentication, registry
from exchange.calls.answering import JSON, refuse
from exchange.calls.attempts import tally
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Answer, Caller, Signed
from exchange.models import NationalRequester, NationalSession
from exchange.national import serving, signing
from exchange.national.serving import Given
from exchange.systems import key_ring

PATH: Final = "/sysapi/auth/refreshappsecret"


def refresh(given: Given, *, now: datetime) -> Answer:
    """Answer one request for a session secret; it is replayed no more than a call is."""
    try:
        caller = _authenticated(given, now)
        session, secret = _session(given.rid, caller, given.client_ip)
    except Refusal as refusal:
        tally.count(refusal.code, given.rid, given.client_ip)
        return serving.enveloped(refuse(refusal))
    data = {
        "secret": signing.encrypt(secret, caller.secret.decode(), settings.NATIONAL_AES_MODE),
        "secretEndTime": str(int(session.ends_at.timestamp() * 1000)),
    }
    body = json.dumps({"code": "0", "message": _("成功"), "data": data}, ensure_ascii=False).encode()
    return Answer(200, [("Content-Type", JSON), ("Cache-Control", "no-store")], [body])


def _authenticated(given: Given, now: datetime) -> Caller:
    serving.check_form(given)
    requester = serving.requesters.get(given.rid)
    caller = registry.callers.get(requester.key) if requester else None
    if requester is None or caller is None:
        raise Refusal("auth.unknown_key", {"rid": "unknown"})
    if not signing.is_signed(given.sign, [caller.secret.decode()], sid=given.sid, rid=given.rid, rtime=given.rtime):
        raise Refusal("auth.bad_signature", {"sign": "not_of_the_app_key"})
    signed = Signed("", caller, "", PATH, int(given.rtime), serving.nonce_of_signature(given), "", given.client_ip)
    authentication.check_standing(signed, now)
    try:
        name = admission.key_of("nonce", f"{caller.credential_id}:{signed.nonce}")
        is_new = admission.client().set(name, "", nx=True, px=2 * settings.CALL_WINDOW_SECONDS * 1000)
    except RedisError:
        raise Refusal("platform.unavailable") from None
    if not is_new:
        raise Refusal("call.replayed")
    return caller


def _session(rid: str, caller: Caller, client_ip: str | None) -> tuple[NationalSession, str]:
    """Return the live session of a requester, a new one when it is past its half. The door has no request cycle."""
    close_old_connections()
    try:
        return issue(rid=rid, client_ip=client_ip, now=datetime.now(tz=UTC))
    except DatabaseError:
        raise Refusal("platform.unavailable") from None


@transaction.atomic
def issue(*, rid: str, client_ip: str | None, now: datetime) -> tuple[NationalSession, str]:
    """Issue a session secret, or return the one that is young enough."""
    rows = NationalRequester.objects.select_for_update(of=("self",)).select_related("credential__system__department")
    requester = rows.get(rid=rid)
    life = timedelta(seconds=settings.NATIONAL_SESSION_SECONDS)
    sessions = {session.slot: session for session in requester.sessions.all()}
    newest = max(sessions.values(), key=lambda session: session.issued_at, default=None)
    if newest is not None and newest.ends_at > now + life / 2:
        return newest, _opened(rid, newest)
    slot = 1 - newest.slot if newest is not None else 0
    secret = secrets.token_hex(16)
    sealed = key_ring().seal(secret.encode(), serving.place_of_session(rid, slot))
    values: dict[str, Any] = {
        "secret_key_id": sealed.key_id,
        "secret_nonce": sealed.nonce,
        "secret_ciphertext": sealed.ciphertext,
        "issued_at": now,
        "ends_at": now + life,
    }
    session, _is_new = NationalSession.objects.update_or_create(requester=requester, slot=slot, defaults=values)
    system = requester.credential.system
    actor = Actor(name=system.name, department_id=system.department_id, department=system.department.name, client_ip=client_ip)
    audit.record(actor, "national_session.issued", requester, at=now, department_ids=[system.department_id])
    return session, secret


def _opened(rid: str, session: NationalSession) -> str:
    if session.secret_key_id is None or session.secret_nonce is None or session.secret_ciphertext is None:
        raise Refusal("platform.unavailable")
    sealed = Sealed(session.secret_key_id, bytes(session.secret_nonce), bytes(session.secret_ciphertext))
    return key_ring().open(sealed, serving.place_of_session(rid, session.slot)).decode()
