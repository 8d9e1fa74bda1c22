"""Systems that read with a signature (签名读取): the headers of a call, on a GET without a body; the query string is signed, too.

A request that shows X-Gov-Key is a system's and is refused as such when anything is wrong; any other is a person's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from exchange.calls.reading import read_signed
from exchange.calls.terms import Incoming, Signed
from openapi.calls import read_body
from openapi.permissions import ForBusinessAndAudit


def incoming(request: Request, read: Callable[[int], bytes]) -> Incoming:
    """Return a signed request as the rules of calls take it; its body comes from `read`."""
    header = request.META.get
    query = header("QUERY_STRING", "")
    return Incoming(
        path=f"{request.path}?{query}" if query else request.path,
        grant_uid="",
        mode="",
        key=header("HTTP_X_GOV_KEY", ""),
        timestamp=header("HTTP_X_GOV_TIMESTAMP", ""),
        nonce=header("HTTP_X_GOV_NONCE", ""),
        digest=header("HTTP_X_GOV_DIGEST", ""),
        signature=header("HTTP_X_GOV_SIGNATURE", ""),
        algorithm=header("HTTP_X_GOV_ALGORITHM", ""),
        client_ip=header("REMOTE_ADDR") or None,
        read=read,
        method=request.method or "",
    )


@dataclass(frozen=True, slots=True)
class CallingSystem:
    """A consumer system that has shown a genuine signature."""

    system_id: int
    department_id: int
    client_ip: str
    is_authenticated: bool = True


class SignedAuthentication(BaseAuthentication):
    """The signature of a call: `GET`, path with query string, time, nonce, digest of nothing."""

    def authenticate(self, request: Request) -> tuple[CallingSystem, None] | None:
        """Return the system, None when no key is shown; raise the refusal of a call."""
        if "HTTP_X_GOV_KEY" not in request.META:
            return None
        empty = request.META | {"CONTENT_LENGTH": request.META.get("CONTENT_LENGTH") or "0"}
        signed = read_signed(incoming(request, partial(read_body, empty)), now=datetime.now(tz=UTC))
        return CallingSystem(signed.caller.system_id, signed.caller.department_id, signed.client_ip or ""), None

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request 401."""
        return "Gov-Signature"


class SignedBody(SignedAuthentication):
    """The signature of a call over a body, which stays readable for the parser; `request.auth` is who signed what."""

    def authenticate(self, request: Request) -> tuple[CallingSystem, Signed] | None:  # type: ignore[override]
        """Return the system and its signed request, None when no key is shown."""
        if "HTTP_X_GOV_KEY" not in request.META:
            return None
        body: bytes = request._request.body
        call = incoming(request, lambda at_most: body[:at_most])
        signed = read_signed(call, now=datetime.now(tz=UTC), body_at_most=len(body) + 1)
        return CallingSystem(signed.caller.system_id, signed.caller.department_id, signed.client_ip or ""), signed


class ForSystemsAndBusiness(ForBusinessAndAudit):
    """Open to systems that sign, and to the people its pages are open to."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the caller is known."""
        return isinstance(request.user, CallingSystem) or super().has_permission(request, view)


class SignedScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The signature, as the description tells of it."""

    target_class = "openapi.signed.SignedAuthentication"
    match_subclasses = True
    name = "signature"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Gov-Key",
            "description": "另需 X-Gov-Timestamp、X-Gov-Nonce、X-Gov-Digest、X-Gov-Signature，签名方法与数据调用相同",
        }


class SignedBodyScheme(SignedScheme):  # type: ignore[no-untyped-call]
    """The signature over a body, as the description tells of it."""

    target_class = "openapi.signed.SignedBody"
    name = "signed-body"
    priority = 1
