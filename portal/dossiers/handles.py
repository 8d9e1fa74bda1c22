"""What is open in a session (调阅凭据): a random handle stands for subject and purpose for half an hour; URLs hold no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.errors import Invalid, NotFound
from exchange.dossiers.opening import Opened
from exchange.dossiers.rights import DossierKind, Purpose

LASTS: Final = timedelta(minutes=30)
MOST: Final = 10
_NAME: Final = "dossiers"
_SIGNER: Final = TimestampSigner(salt="portal.dossiers")


def keep(request: HttpRequest, opened: Opened, now: datetime) -> UUID:
    """Put an opened dossier into the session and return its handle; the oldest beyond `MOST` are closed."""
    handle = uuid4()
    held = dict(request.session.get(_NAME, {}))
    held[str(handle)] = {
        "kind": opened.kind.value, "key": opened.entity_key.hex(), "reason": opened.purpose.reason,
        "matter": opened.purpose.matter, "is_merged": opened.is_merged, "at": now.isoformat(),
    }  # fmt: skip
    request.session[_NAME] = dict(sorted(held.items(), key=lambda item: item[1]["at"])[-MOST:])
    return handle


def held(request: HttpRequest, handle: UUID, now: datetime) -> Opened:
    """Return what a handle of this session stands for; NotFound when it is somebody else's, closed or too old."""
    given: dict[str, Any] | None = request.session.get(_NAME, {}).get(str(handle))
    if given is None or now - datetime.fromisoformat(given["at"]) > LASTS:
        raise NotFound("dossier.closed", _("档案调阅已过期或不是您打开的，请重新填写事由调阅。"))
    purpose = Purpose(given["reason"], given["matter"])
    return Opened(DossierKind(given["kind"]), bytes.fromhex(given["key"]), purpose, given["is_merged"])


def token_of(kind: DossierKind, key: str, user_id: int | None) -> str:
    """Return what a form posts to ask for the dossier of somebody a page names."""
    return _SIGNER.sign_object({"kind": kind.value, "key": key, "user": user_id})


def named(token: str, user_id: int | None) -> tuple[DossierKind, bytes]:
    """Return whom a token of this user names."""
    try:
        given = _SIGNER.unsign_object(token, max_age=LASTS)
    except (BadSignature, ValueError):
        given = {}
    if given.get("user") != user_id:
        raise Invalid("dossier.link_expired", _("链接已过期，请返回档案页重新打开。"), {"subject": [_("链接已过期。")]})
    return DossierKind(given["kind"]), bytes.fromhex(given["key"])
