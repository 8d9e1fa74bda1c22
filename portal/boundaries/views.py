"""Outlines of divisions (区划界线): what is loaded, and the page where the administrator checks and loads an approved file."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.geography import boundaries
from basedb.models import BoundaryLoad, DivisionOutline
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.keyset import page
from core.submissions import digest_of, once
from portal.actor import actor
from portal.boundaries.forms import BoundaryForm

_SHOWN = 200


@require_GET
def loads(request: HttpRequest) -> HttpResponse:
    """What was loaded, by whom and under which number."""
    _allowed(request)
    found = page(
        BoundaryLoad.objects.select_related("loaded_by"), order=("-id",), cursor=request.GET.get("after", ""), size=20
    )  # fmt: skip
    standing = DivisionOutline.objects.filter(superseded_at=None).count()
    return render(request, "portal/boundaries/loads.html", {"page": found, "standing": standing})


@require_http_methods(["GET", "POST"])
def load(request: HttpRequest) -> HttpResponse:
    """Check a file, or load it."""
    who = _allowed(request)
    form = BoundaryForm(request.POST or None, request.FILES or None)
    preview = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            content = file.read()
            if form.pressed == "load":
                kept = _load(form, content, file.name, who)
                messages.success(request, _("已装载 %(count)s 个区划的界线，地图和校验规则即时使用。") % {"count": kept})
                return redirect("portal:boundary-list")
            preview = boundaries.preview(content=content, now=timezone.now())
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    lines = sorted(preview.lines, key=lambda line: not line.fault)[:_SHOWN] if preview else ()  # faults first
    context = {"form": form, "preview": preview, "lines": lines}
    return render(request, "portal/boundaries/load.html", context, status=form.status)


def _load(form: BoundaryForm, content: bytes, file_name: str, who: Actor) -> int:
    given = {name: form.cleaned_data[name] for name in ("source", "approval_number")}
    make = partial(boundaries.load, content=content, file_name=file_name, actor=who, now=timezone.now(), **given)
    digest = digest_of(given | {"file": digest_of({"content": content.hex()}).hex()})
    uid, _is_new = once(
        owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=lambda: str(make().uid)
    )
    return BoundaryLoad.objects.get(uid=uid).outline_count


def _allowed(request: HttpRequest) -> Actor:
    who = actor(request)
    if not boundaries.may_load(who):
        raise Forbidden("boundary.forbidden", _("只有系统管理员和大数据中心可以装载区划界线。"))
    return who
