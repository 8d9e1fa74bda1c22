"""What the pages of care share: carrying out a form's command, or showing the page again with what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise

from core.errors import DomainError
from core.roles import Role
from core.submissions import digest_of, once
from portal.actor import BUSINESS, user_of
from portal.forms import OnceForm, PortalForm

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
FORM = "portal/care/form.html"


def save(request: HttpRequest, form: PortalForm, act: Callable[[], str], template: str = FORM, /, **context: Any) -> HttpResponse:
    """Carry a form out and go where `act` says; show it (again) otherwise."""
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(act())
        except DomainError as error:
            if error.status != 422 and error.code != "submission.reused":
                raise
            form.add_domain_error(error)
    return render(request, template, {"form": form, **context}, status=form.status if request.method == "POST" else 200)


def created(request: HttpRequest, form: OnceForm, make: Callable[[], Any]) -> str:
    """Create something once, whatever is clicked twice; return its uid."""
    values = {name: value for name, value in form.cleaned_data.items() if name != "submission"}
    uid, _is_new = once(
        owner=f"user:{user_of(request).pk}",
        token=form.cleaned_data["submission"],
        digest=digest_of(values),
        make=lambda: str(make().uid),
    )
    return uid


def words(title: str | Promise, lead: str | Promise, back: str, button: str | Promise, **more: Any) -> dict[str, Any]:
    """Return what the plain form page says."""
    return {"title": title, "lead": lead, "back": back, "button": button, **more}
