"""Licenses of other regions: fetched for a matter, or brought by somebody and verified; three answers, each with its reason."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import DomainError, Invalid
from core.keyset import page
from core.roles import Role
from core.texts import listed
from licenses.models import ForeignLicense
from licenses.recognition import documents, pulling, trust
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, save, words
from portal.recognition.forms import DocumentForm, FetchForm

PATH = "/recognition/foreign/"
COLORS = {"VALID": "green", "INVALID": "red", "UNKNOWN": "orange"}


@require_GET
@roles_required(*SEERS)
def foreign_list(request: HttpRequest) -> HttpResponse:
    """What the own department fetched, the newest first."""
    who = actor(request)
    found = page(pulling.visible_to(who), order=("-id",), cursor=request.GET.get("after", ""))
    return render(request, "portal/recognition/foreign_list.html", {"page": found, "may_fetch": who.has(Role.OPERATOR)})


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def fetch(request: HttpRequest) -> HttpResponse:
    """Fetch a license of another region for a matter."""
    form = FetchForm(request.POST or None)

    def act() -> str:
        try:
            kept = pulling.fetch(**form.cleaned_data, actor=actor(request), now=timezone.now())
        except DomainError as error:
            if error.status not in (404, 409, 503):
                raise
            raise Invalid(error.code, error.message) from error  # shown above the form, what was typed stays
        messages.success(request, _("已取得异地证照，仅供本事项使用，到期自动清除。"))
        return f"{PATH}{kept.uid}/"

    lead = _("向颁发地节点调取证照并核验；调取的事项和用途双方都有记录，证照只为本事项保留 30 天。")
    return save(request, form, act, **words(_("调取异地证照"), lead, PATH, _("调取")))


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def verify(request: HttpRequest) -> HttpResponse:
    """Verify a document somebody brought; nothing is kept."""
    form = DocumentForm(request.POST or None, request.FILES or None)
    fragments: list[Any] = []
    if request.method == "POST" and form.is_valid():
        try:
            result = trust.verify_document(_json(form.cleaned_data["file"].read(2 * documents.LARGEST)), timezone.now())
            fragments = shown(result.told())
        except Invalid as error:
            form.add_error("file", str(error.message))
    status = form.status if request.method == "POST" else 200
    return render(request, "portal/recognition/verify.html", {"form": form, "fragments": fragments}, status=status)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One fetched license: what it says, until when, and what verifying it came to."""
    found = pulling.get_visible(uid, actor(request))
    context = {"license": found, "fragments": shown(found.result), "facts": _facts(found)}
    return render(request, "portal/recognition/foreign.html", context)


def shown(told: dict[str, Any]) -> list[dict[str, str]]:
    """Return the three answers as the page shows them."""
    titles = {"integrity": _("内容完整"), "status": _("证照状态"), "issuer": _("颁发来源")}
    labels = {"VALID": _("通过"), "INVALID": _("不通过"), "UNKNOWN": _("无法判断")}
    return [
        {
            "title": title,
            "state": labels[told[name]["state"]],
            "color": COLORS[told[name]["state"]],
            "message": told[name]["message"],
            "code": told[name]["code"],
        }
        for name, title in titles.items()
    ]


def _facts(found: ForeignLicense) -> list[tuple[str, str]]:
    """Return what the document says; nothing when it is gone or not the reader's to see."""
    document = None if "document" in found.get_deferred_fields() else found.document
    if not document:
        return []
    data = document["data"]
    holders = listed(holder["name"] for holder in data["holders"])
    basic = [
        (_("持证主体"), holders),
        (_("证照编号"), data["number"]),
        (_("颁发机构"), data["issuer"]["name"]),
        (_("颁发日期"), data["issued_on"]),
        (_("有效期"), f"{data['valid_from'] or '—'} — {data['valid_to'] or _('长期')}"),
    ]
    return basic + [(str(name), str(value)) for name, value in sorted((data.get("face") or {}).items())]


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise documents.unreadable(_("不是互认证照文档，请核对文件。")) from None
