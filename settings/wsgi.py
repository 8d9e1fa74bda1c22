"""WSGI entry: exchange calls go straight to their own door, everything else to Django."""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")

from django.core.wsgi import get_wsgi_application

portal = get_wsgi_application()

from openapi.calls import application as calls  # noqa: E402  (needs the app registry)

CALL_PREFIX = "/openapi/v1/calls/"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Dispatch by path; the call door runs without sessions, CSRF, messages and Django's URL resolver."""
    if environ["PATH_INFO"].startswith(CALL_PREFIX):
        return calls(environ, start_response)
    return portal(environ, start_response)
