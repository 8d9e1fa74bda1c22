"""Legal holds: the list, placing one, releasing somebody else's."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import NotFound
from core.keyset import page
from exchange.care import holds
from exchange.subject_keys import subject_key_of
from portal.actor import actor, roles_required
from portal.care.forms import HoldForm, ReleaseForm
from portal.care.pages import created, save, words


@require_GET
@roles_required(*holds.KEEPERS)
def hold_list(request: HttpRequest) -> HttpResponse:
    """All holds, the newest first."""
    found = page(holds.holds_visible_to(actor(request)), order=("-id",), cursor=request.GET.get("after", ""))
    return render(request, "portal/care/holds.html", {"page": found, "who": actor(request)})


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*holds.KEEPERS)
def place(request: HttpRequest) -> HttpResponse:
    """Place a hold."""
    who = actor(request)
    form = HoldForm(request.POST or None)

    def act() -> str:
        given = form.cleaned_data
        asked = holds.request_numbered(given["request_number"], actor=who)
        scope = form.wanted(subject_key_of(given["subject"]) if given["scope"] == "SUBJECT" else None, asked)
        form.cleaned_data = {**given, "subject": ""}  # what identifies a person is digested nowhere else
        texts = {"case_number": given["case_number"], "reason": given["reason"]}
        created(request, form, lambda: holds.place(scope=scope, actor=who, now=timezone.now(), **texts))
        messages.success(request, _("保全已生效，范围内的数据在解除前不会删除。"))
        return "/holds/"

    lead = _("保全期间，到期清理、分区归档和附件删除都会跳过范围内的数据。解除须由另一位管理员办理。")
    return save(request, form, act, **words(_("新建法律保全"), lead, "/holds/", _("保全")))


@require_http_methods(["GET", "POST"])
@roles_required(*holds.KEEPERS)
def release(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Release a hold."""
    who = actor(request)
    found = holds.holds_visible_to(who).filter(uid=uid).first()
    if found is None:
        raise NotFound("hold.not_found", _("没有这项保全，或您无权查看。"))
    form = ReleaseForm(request.POST or None)

    def act() -> str:
        holds.release(hold_uid=uid, reason=form.cleaned_data["reason"], actor=who, now=timezone.now())
        messages.success(request, _("保全已解除，到期的数据将按规定清理。"))
        return "/holds/"

    lead = _("案件编号 %(case)s，由%(name)s保全。解除后，已到期的数据会很快清理，不能恢复。") % {
        "case": found.case_number,
        "name": found.placed_by_name,
    }
    return save(request, form, act, **words(_("解除法律保全"), lead, "/holds/", _("解除"), is_grave=True))
