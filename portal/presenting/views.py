"""The desk's pages (窗口扫码): enter or scan a code, choose the matter, wait for the holder, see what was agreed to, once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import keyset
from core.errors import DomainError
from core.roles import Role
from exchange.presenting import desk
from licenses.models import PresentingCode
from licenses.presenting.codes import standing_of
from licenses.presenting.workflow import is_over
from portal.actor import actor, roles_required
from portal.forms import PortalForm

CLERKS = (Role.OPERATOR, Role.HEAD)
POLL_SECONDS = 2


class ScanForm(PortalForm):
    """The code as a scanner types it, the matter, and under which grant."""

    code = forms.CharField(
        label=gettext_lazy("亮证码"),
        max_length=60,
        help_text=gettext_lazy("把光标放在这里，用扫码枪扫持证人手机上的二维码，或录入二维码下方的文本。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )
    matter = forms.ChoiceField(label=gettext_lazy("办理事项"), help_text=gettext_lazy("只列用证清单中的事项。"))
    grant = forms.ChoiceField(label=gettext_lazy("使用的授权"), required=False)

    def __init__(self, *args: Any, matters: list[tuple[str, str]], grants: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields
        choices["matter"].choices = [("", _("请选择")), *matters]
        choices["grant"].choices = [("", _("自动选择读到内容最多的授权")), *grants]


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*CLERKS)
def scan(request: HttpRequest) -> HttpResponse:
    """Scan a code; below, what was scanned lately."""
    who, now = actor(request), timezone.now()
    grants = [(str(grant.uid), f"{grant.system.name} · {grant.resource.title}") for grant in desk.grants_of(who, now)[:50]]
    form = ScanForm(request.POST or None, matters=desk.matters(), grants=grants)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            grant = UUID(given["grant"]) if given["grant"] else desk.fitting_grant(matter=given["matter"], actor=who, now=now)
            uid = desk.scan(code=given["code"], matter=given["matter"], grant_uid=grant, actor=who, now=now)
        except DomainError as error:
            form.add_error("code" if error.code.startswith("presenting.code") else None, str(error.message))
        else:
            messages.success(request, _("已扫码。请持证人在手机上确认，确认后本页显示内容。"))
            return redirect("portal:presenting-detail", uid=uid)
    found = keyset.page(desk.scanned_by(who), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"code": code, "place": _place(code)} for code in found.items]
    context = {"form": form, "page": found, "lines": lines, "grants": grants}
    return render(request, "portal/presenting/scan.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
@roles_required(*CLERKS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Where a presentation stands and whose turn it is."""
    code = _own(request, uid)
    return render(request, "portal/presenting/detail.html", {"code": code, "place": _place(code), "poll": POLL_SECONDS})


@never_cache
@require_GET
@roles_required(*CLERKS)
def state(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Tell the page whether there is something new."""
    if _place(_own(request, uid)) == request.GET.get("seen"):
        return HttpResponse(status=204)
    return HttpResponse(status=200, headers={"HX-Refresh": "true"})


@never_cache
@require_POST
@roles_required(*CLERKS)
def read(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Read what the holder agreed to, once: the values stand on this answer and nowhere else. Refused, the page says what to do."""
    try:
        told: dict[str, Any] = {"handed": desk.read(uid=uid, actor=actor(request), now=timezone.now())}
        status = 200
    except DomainError as error:
        told, status = {"error": error}, error.status
    code = _own(request, uid)
    return render(request, "portal/presenting/detail.html", told | {"code": code, "place": _place(code)}, status=status)


def _own(request: HttpRequest, uid: UUID) -> PresentingCode:
    code = desk.scanned_by(actor(request)).filter(uid=uid).first()
    if code is None:
        raise Http404
    return code


def _place(code: PresentingCode) -> str:
    over = is_over(standing_of(code), timezone.now())
    return "EXPIRED" if over and code.state in ("SCANNED", "CONFIRMED") else code.state
