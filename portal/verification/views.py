"""The public verification page (证照核验): typed, scanned or uploaded. Whoever is signed in is recorded, others are counted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError, Invalid
from licenses.models import ListName, VerificationDoor
from licenses.status import checker, publishing
from licenses.verification import checks, counting, files, limits, recording
from licenses.verification.outcome import Result
from portal.actor import actor
from portal.forms import PortalForm
from portal.verification.forms import FileForm, IdentifierForm
from portal.verification.words import headline, parts_of, reason

PAGE = "portal/verification/verify.html"


@login_not_required
@never_cache
@sensitive_post_parameters("holder_name")
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The page; a scanned code opens it with the license's identifier in the address."""
    now = timezone.now()
    if request.method == "GET" and "id" not in request.GET:
        return _page(request, IdentifierForm(None))
    if request.method == "GET":
        code = checker.read_code(request.get_full_path())
        form = IdentifierForm(None, initial={"identifier": code.identifier})
        text, position, name = code.identifier, code.position, ""
    else:
        form = IdentifierForm(request.POST)
        if not form.is_valid():
            return _page(request, form, status=form.status)
        code = checker.read_code(form.cleaned_data["identifier"])
        text, position, name = code.identifier, code.position, form.cleaned_data["holder_name"]
    try:
        limits.take([limits.lookups_of(_asker(request))])
        result = _compared(request, checks.verify(text, position, now), name)
    except Invalid as error:
        return _page(request, _faulted(form, text, error), status=error.status)
    except DomainError as error:
        return _page(request, form, error=error)
    return _told(request, result, VerificationDoor.PAGE, now)


@login_not_required
@never_cache
@csrf_exempt  # the token is looked at below: looking for it reads the whole upload
@require_POST
def verify_file(request: HttpRequest) -> HttpResponse:
    """Verify an uploaded file; one that is too large is refused by its announced length, unread."""
    try:
        files.check_length(request.META.get("CONTENT_LENGTH"))
    except files.TooLarge as error:
        return _page(request, IdentifierForm(None), error=error)
    return _verify_uploaded(request)


@csrf_protect
def _verify_uploaded(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, IdentifierForm(None), form, status=form.status)
    try:
        limits.take([limits.files_of(_asker(request))])
        result = files.verify_file(files.read(form.cleaned_data["file"]), now)
    except Invalid as error:
        form.add_domain_error(error)
        return _page(request, IdentifierForm(None), form, status=form.status)
    except DomainError as error:
        return _page(request, IdentifierForm(None), form, error=error)
    return _told(request, result, VerificationDoor.FILE, now)


@login_not_required
@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """How to check without a network: the lists in force and the program."""
    lists = [found for name in ListName if (found := publishing.latest(name))]
    return render(request, "portal/verification/offline.html", {"lists": lists, "now": timezone.now()})


@login_not_required
@require_GET
def offline_checker(_request: HttpRequest) -> HttpResponseBase:
    """Hand out the program that checks without a network."""
    program = Path(checker.__file__)
    return FileResponse(program.open("rb"), as_attachment=True, filename="license_checker.py", content_type="text/x-python")


def _faulted(form: IdentifierForm, text: str, error: Invalid) -> IdentifierForm:
    """Return the form with what is wrong beside the field; one that was scanned is filled in as if typed."""
    told = form if form.is_bound else IdentifierForm({"identifier": text})
    told.add_error("identifier", str(error.message))
    return told


def _asker(request: HttpRequest) -> str:
    user = request.user
    return f"user {user.pk}" if user.is_authenticated else str(request.META.get("REMOTE_ADDR") or "")


def _compared(request: HttpRequest, result: Result, name: str) -> Result:
    if not name or result.license is None:
        return result
    limits.take(limits.names_of(_asker(request), result.license.identifier))
    return checks.with_name_compared(result, name)


def _told(request: HttpRequest, result: Result, door: VerificationDoor, now: datetime) -> HttpResponse:
    if request.user.is_authenticated:
        who = actor(request)
        recording.record(result, now=now, actor=who, department_id=who.department_id)
    counting.count(door.value, result.outcome, now)
    css, icon_name, title, advice = headline(result)
    shown = {"result": result, "parts": parts_of(result), "css": css, "icon_name": icon_name, "title": title, "advice": advice}
    shown["reason"] = reason(result)
    return render(request, "portal/verification/result.html", shown)


def _page(
    request: HttpRequest,
    form: PortalForm,
    file_form: PortalForm | None = None,
    *,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = {"form": form, "file_form": file_form or FileForm(None), "error": error}
    response = render(request, PAGE, shown, status=error.status if error else status)
    if isinstance(error, limits.TooMany):
        response["Retry-After"] = str(error.wait)
    return response
