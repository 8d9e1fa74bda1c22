"""Sealed files of a license (证照文件) and copies for a purpose (加注件): looking, fetching, making; the open page of a copy."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import DomainError, NotFound
from core.keyset import page
from core.submissions import digest_of, once
from licenses import uses
from licenses.models import FileKind, License, LicenseCopy, UseChannel
from licenses.sealing import copies, files, printed
from licenses.sealing.access import get_visible
from licenses.sealing.canonical import data_of
from licenses.sealing.page import values_of, verification_url
from licenses.types import preview as drawing
from licenses.types.layout import Layout
from licenses.types.rulebook import Rulebook
from portal.actor import BUSINESS, actor, roles_required
from portal.license_desk.drafts import SEERS
from portal.license_files.forms import CopyForm

SVG: Final = "http://www.w3.org/2000/svg"


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def files_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The files of a license, its picture, its copies, and a form for one more."""
    license, now = get_visible(uid, actor(request)), timezone.now()
    form = CopyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make_copy(request, license, form.cleaned_data, now)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            text = _("加注件已制作，请把链接交给%(receiver)s；%(end)s 之前可以下载。")
            messages.success(
                request, text % {"receiver": made.receiver, "end": f"{timezone.localtime(made.expires_at):%Y-%m-%d %H:%M}"}
            )
            return redirect("portal:license-files", uid=uid)
    found = page(copies.copies_of(license), order=("-id",), cursor=request.GET.get("after", ""))
    context = {
        "license": license,
        "kinds": _kinds(license),
        "has_layout": bool(license.type_version.layout.get("elements")),
        "page": found,
        "copies": [_line(one, now) for one in found.items],
        "form": form,
        "may_open": actor(request).has(*SEERS),
    }
    return render(request, "portal/license_files/page.html", context, status=form.status)


def _make_copy(request: HttpRequest, license: License, given: dict[str, Any], now: datetime) -> LicenseCopy:
    who = actor(request)
    asked = {"license": str(license.uid), **{name: given[name] for name in ("purpose", "receiver", "days")}}

    def make() -> str:
        wanted = {name: asked[name] for name in ("purpose", "receiver", "days")}
        return str(copies.make(license=license, actor=who, now=now, **wanted).uid)

    uid, _is_new = once(owner=f"user:{who.user_id}", token=given["submission"], digest=digest_of(asked), make=make)
    return LicenseCopy.objects.get(uid=uid)


def _kinds(license: License) -> list[dict[str, Any]]:
    made = {record.kind: record for record in license.files.all()}
    return [
        {
            "kind": kind,
            "name": kind.value.lower(),
            "record": made.get(kind.value),
            "sha256": bytes(made[kind.value].sha256).hex() if kind.value in made else "",
            "sm3": bytes(made[kind.value].sm3).hex() if kind.value in made else "",
        }
        for kind in FileKind
    ]


def _line(copy_: LicenseCopy, now: datetime) -> dict[str, Any]:
    path = reverse("portal:license-copy", args=[copies.token_of(copy_)])
    return {"copy": copy_, "has_ended": copy_.expires_at <= now, "link": f"{settings.PUBLIC_URL}{path}"}


@never_cache
@require_GET
@roles_required(*BUSINESS)
def preview(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The page of a license as a picture that says it is none; to anybody but its issuer it is a use that is recorded."""
    who = actor(request)
    license = get_visible(uid, who)
    version = license.type_version
    if not version.layout.get("elements"):
        raise NotFound("file.no_layout", _("该证照类型没有版式，没有可预览的页面。"))
    if who.department_id != license.issuer_id:
        uses.record_of(license, channel=UseChannel.QUERIED, actor=who, purpose=printed.LOOKED_AT, at=timezone.now())
    values = values_of(data_of(license), type_name=version.name, rulebook=Rulebook.of(version.rulebook))
    layout = Layout.of(version.layout)
    picture = drawing.svg(layout, values, title=version.name, qr_text=verification_url(license), watermark=_("预览"))
    whole = str(picture).replace("<svg ", f'<svg xmlns="{SVG}" ', 1)  # a picture of its own, not part of a page
    return HttpResponse(whole, content_type="image/svg+xml")


@never_cache
@require_GET
@roles_required(*BUSINESS)
def download(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    """The sealed file, recorded as a use; `?inline` opens a PDF in the browser."""
    license = get_visible(uid, actor(request))
    try:
        wanted = FileKind(kind.upper())
    except ValueError as error:
        raise NotFound("file.unknown_kind", _("证照文件只有 PDF 和 OFD 两种格式。")) from error
    record, content = files.hand_out(
        license=license, kind=wanted, actor=actor(request), now=timezone.now(), purpose=printed.LOOKED_AT
    )
    inline = wanted is FileKind.PDF and "inline" in request.GET
    return as_file(content, FileKind(record.kind), name=f"license-{license.uid.hex[:12]}.{kind.lower()}", inline=inline)


@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest, token: str) -> HttpResponse:
    """What a copy is, for whoever has its link; the file itself by POST, so that no program that looks at links fetches it."""
    now = timezone.now()
    if request.method == "POST":
        found, content = copies.fetch(token=token, now=now)
        return as_file(content, FileKind.PDF, name=f"license-copy-{found.uid.hex[:12]}.pdf")
    return render(request, "portal/license_files/copy.html", {"copy": copies.find(token=token, now=now)})


def as_file(content: bytes, kind: FileKind, *, name: str, inline: bool = False) -> HttpResponse:
    """Answer with a file; nobody on the way keeps it."""
    way = "inline" if inline else "attachment"
    headers = {"Content-Disposition": f'{way}; filename="{name}"', "X-Robots-Tag": "noindex"}
    return HttpResponse(content, content_type=files.MEDIA_TYPES[kind], headers=headers)
