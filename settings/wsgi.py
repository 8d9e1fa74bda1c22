"""WSGI entry: exchange calls go straight to their own door, everything else to Django."""

import os
import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

portal = get_wsgi_application()

from django.urls import reverse  # noqa: E402

from openapi import license_verifications, presenting  # noqa: E402
from openapi.calls import application as calls  # noqa: E402  (needs the app registry)
from openapi.national import PATHS as NATIONAL_PATHS  # noqa: E402
from openapi.national import application as national  # noqa: E402

CALL_PREFIX = "/openapi/v1/calls/"
LAYER_CALL = re.compile("/openapi/v1/ogc/collections/[^/]+/(?:items(?:/.*)?|tiles/WebMercatorQuad/.+)")
reverse("openapi:health")  # imports every view and fills the resolver now, so that no worker's first visitor waits for it


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Dispatch by path; the call door runs without sessions, CSRF, messages and Django's URL resolver."""
    if settings.TRUSTED_PROXIES:
        environ["REMOTE_ADDR"] = client_address(environ)
    if environ["PATH_INFO"].startswith(CALL_PREFIX) or is_layer_call(environ):
        return calls(environ, start_response)
    if environ["PATH_INFO"] in NATIONAL_PATHS:
        return national(environ, start_response)
    if license_verifications.is_mine(environ):
        return license_verifications.application(environ, start_response)
    if presenting.serves(environ["PATH_INFO"], environ.get("REQUEST_METHOD", "")):
        return presenting.application(environ, start_response)
    return portal(environ, start_response)


def is_layer_call(environ: dict[str, Any]) -> bool:
    """Return whether a system that signs asks for features or tiles; people and documents about layers are Django's."""
    return "HTTP_X_GOV_KEY" in environ and LAYER_CALL.fullmatch(environ["PATH_INFO"]) is not None


def client_address(environ: dict[str, Any]) -> str:
    """Return who asks: the last hop a trusted proxy tells of, else the peer; what anyone else tells is not believed."""
    peer: str = environ.get("REMOTE_ADDR", "")
    try:
        address = ip_address(peer)
        if any(address in network for network in settings.TRUSTED_PROXIES):
            return str(ip_address(environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()))
    except ValueError:  # no address: a socket's name, an empty or a wrong header
        pass
    return peer
