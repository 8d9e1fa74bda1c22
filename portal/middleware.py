"""What the door for people does around every page: a refused rule becomes a page, a first password must be changed.

Requests below /openapi/ are left alone: the door for systems has its own error body.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from core.errors import DomainError
from portal.audit.details import DETAILS
from portal.audit.words import detail_title

FREE_OF_PASSWORD_CHANGE = {"portal:password-change", "portal:logout", "set_language"}


def error_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the page of a refusal; for htmx an alert placed into `#alerts`."""
    context = {"error": error, "status": error.status, "back": _page_before(request), "changed": _changed(error)}
    if getattr(request, "htmx", False):
        response = render(request, "portal/partials/alert.html", context, status=error.status)
        response["HX-Retarget"] = "#alerts"
        response["HX-Reswap"] = "innerHTML show:#alerts:top"
        return response
    return render(request, "portal/error.html", context, status=error.status)


def _changed(error: DomainError) -> list[tuple[str, str]]:
    """Return what a conflict says is different by now, as name and present value in words."""
    changed = error.details.get("changed", error.details) if error.status == HTTPStatus.CONFLICT else {}
    pairs = changed.items() if isinstance(changed, dict) else ()
    return [(detail_title(name), value) for name, value in pairs if name in DETAILS and isinstance(value, str)]


def _page_before(request: HttpRequest) -> str:
    """Return the page the refused form stood on, else home: the address of the form itself may take no GET."""
    referer = request.headers.get("referer", "")
    if url_has_allowed_host_and_scheme(referer, {request.get_host()}):
        return referer
    return reverse("portal:home")


class LanguageMiddleware:
    """Speak Chinese unless the person switched to another language, which a cookie keeps; the browser's wish does not count."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)  # stays for what is streamed after this returns
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Cookie",))
        return response


class PortalErrorMiddleware:
    """Present refusals, and hold everyone with a temporary password at the password page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Send a user whose password was set by somebody else to the password page first."""
        match = request.resolver_match
        if match is None or request.path.startswith("/openapi/"):
            return None
        if getattr(request.user, "must_change_password", False) and match.view_name not in FREE_OF_PASSWORD_CHANGE:
            return redirect("portal:password-change")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a refused rule into a page."""
        if isinstance(exception, DomainError) and not request.path.startswith("/openapi/"):
            return error_response(request, exception)
        return None
