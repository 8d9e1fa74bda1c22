"""Calling a platform above by the national convention (国家规范客户端): signed requests, session secrets refreshed in time.

All interfaces of an account share one session: a refresh invalidates the secret before it, so it is asked for by one process
at a time, under a lock on the account, and kept sealed in the database.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction
from django.utils.dateparse import parse_datetime

from core.calendar import SHANGHAI
from core.crypto import SealBroken
from exchange.calls.refusals import Refusal
from exchange.models import AccountAuth, UpstreamAccount
from exchange.national import signing
from exchange.sources import http, places
from exchange.sources.guard import Failed
from exchange.sources.secrets import put_secret
from exchange.sources.terms import Account

logger = logging.getLogger(__name__)

NOT_AUTHORIZED: Final = "E-106"
REFRESH_BEFORE: Final = timedelta(minutes=10)
AT_LEAST_BETWEEN: Final = timedelta(seconds=30)  # a session younger than this is not renewed because a call failed
REFRESH_TIMEOUT_MS: Final = 5_000


def headers(account: Account, sid: str) -> dict[str, str]:
    """Return the signed headers of one business call, with a session that has not ended."""
    session = account.session
    if not session or account.session_ends_at is None or account.session_ends_at <= datetime.now(tz=UTC):
        session = _refreshed(account)
    return _signed(account, sid, session)


def headers_after_refusal(account: Account, sid: str) -> dict[str, str] | None:
    """Return headers under a fresh session after the platform above refused; None when the session is fresh already."""
    if account.refreshed_at and datetime.now(tz=UTC) - account.refreshed_at < AT_LEAST_BETWEEN:
        return None
    return _signed(account, sid, _refreshed(account))


def _refreshed(account: Account) -> str:
    """Refresh from within a call, which has no request cycle that looks after the connection."""
    close_old_connections()
    try:
        return refresh(UUID(account.uid), stale=account.session)
    except DatabaseError:
        raise Refusal("platform.unavailable") from None


def _signed(account: Account, sid: str, secret: str) -> dict[str, str]:
    rtime = str(int(time.time() * 1000))
    sign = signing.signature(secret, sid, account.rid, rtime)
    return signing.headers(account.family, rid=account.rid, sid=sid, rtime=rtime, sign=sign)


@transaction.atomic
def refresh(uid: UUID, *, stale: str | None = None) -> str:
    """Ask for a new session secret, keep it sealed and return it; when another process was quicker, return what it got."""
    row = UpstreamAccount.objects.select_for_update().get(uid=uid)
    now = datetime.now(tz=UTC)
    try:
        account = places.account_of(row, now)
    except SealBroken:
        raise Refusal("upstream.refused", {"source": "secret_cannot_be_opened"}) from None
    if stale is not None and account.session not in ("", stale) and row.session_ends_at and row.session_ends_at > now:
        return account.session
    secret, ends_at = _asked(account, now)
    put_secret(row, secret)
    row.session_ends_at, row.refreshed_at, row.refresh_fault = ends_at, now, ""
    row.save(update_fields=[
        "secret_key_id", "secret_nonce", "secret_ciphertext", "session_ends_at", "refreshed_at", "refresh_fault", "updated_at",
    ])  # fmt: skip
    return secret


def _asked(account: Account, now: datetime) -> tuple[str, datetime]:
    sent = _signed(account, account.refresh_sid, account.secret)
    reply = http.send("POST", account.refresh_url, headers=sent, body=sent, timeout_ms=REFRESH_TIMEOUT_MS)
    document = reply.document if isinstance(reply.document, dict) else {}
    check_code(document)
    data: Any = document.get("data")
    try:
        secret = signing.decrypt(str(data["secret"]), account.secret, settings.NATIONAL_AES_MODE)
        return secret, _moment(data["secretEndTime"])
    except (KeyError, TypeError, ValueError):
        raise Refusal("upstream.refused", {"source": "refresh_answer_not_understood"}) from None


def check_code(document: dict[str, Any]) -> None:
    """Raise when the platform above said no to a refresh."""
    code = str(document.get("code", ""))
    if code == NOT_AUTHORIZED:
        raise Refusal("upstream.refused", {"source": "not_in_the_authorized_list"})
    if code not in ("0", "200"):
        raise Refusal("upstream.refused", {"source": "refresh_refused"})


def _moment(value: Any) -> datetime:
    """Read milliseconds or a written time, which is Beijing's unless it says otherwise."""
    text = str(value)
    if text.isdecimal():
        return datetime.fromtimestamp(int(text) / 1000, tz=UTC)
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError("not a time")
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def refresh_due(*, now: datetime) -> int:
    """Refresh the sessions that end soon; what fails is noted on its account and tried again next time."""
    due = UpstreamAccount.objects.filter(auth=AccountAuth.NATIONAL, interfaces__is_active=True).distinct()
    count = 0
    for row in due:
        if row.session_ends_at and row.session_ends_at > now + REFRESH_BEFORE:
            continue
        try:
            refresh(row.uid)
            count += 1
        except (Refusal, Failed) as error:
            refusal = error.refusal if isinstance(error, Failed) else error
            fault = refusal.details.get("source", refusal.code)
            logger.warning("the session of account %s was not refreshed: %s", row.uid, fault)
            UpstreamAccount.objects.filter(pk=row.pk).update(refresh_fault=fault[:60])
    return count
