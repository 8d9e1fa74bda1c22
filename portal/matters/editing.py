"""The editor of matters: the head, and one party or material after the other; every step is saved at once under a revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict
from core.models import Department
from core.roles import Role
from exchange.license_statistics.reading import type_names
from exchange.matters import definition
from exchange.matters.content import Content, content_of
from exchange.models import Matter, MatterState
from portal.actor import actor, roles_required
from portal.care.pages import created, save
from portal.forms import RevisedForm
from portal.matters import forms
from portal.matters.forms import HeadForm, MaterialForm, NewForm, PartyForm, PlainForm, SourceFilter
from portal.matters.words import material_line


def _draft(request: HttpRequest, uid: UUID) -> Matter:
    """Return a draft the actor may edit."""
    matter = definition.visible_matter(uid, actor(request))
    if not definition.may_edit(matter, actor(request)) or matter.state != MatterState.DRAFT:
        raise Conflict("matter.wrong_state", _("事项现为“%(state)s”，不能修改。") % {"state": matter.get_state_display()})
    return matter


def _rewrite(request: HttpRequest, matter: Matter, form: RevisedForm, change: Callable[[Content], Content]) -> None:
    definition.revise(
        uid=matter.uid,
        revision=form.cleaned_data["revision"],
        content=change(content_of(matter)),
        actor=actor(request),
        now=timezone.now(),
    )


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """Begin a matter."""
    form = NewForm(request.POST or None)

    def act() -> str:
        code = form.cleaned_data["code"]

        def make() -> Matter:
            return definition.draft(code=code, content=Content(**form.head()), actor=actor(request), now=timezone.now())

        uid = created(request, form, make)
        messages.success(request, _("已建立草稿，请逐一添加当事人和材料，然后提交数据中心审核。"))
        return reverse("portal:matter-edit", args=[uid])

    return save(request, form, act, "portal/matters/new.html")


@require_POST
@roles_required(Role.OPERATOR)
def next_version(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Begin the next version out of a published one."""
    matter, form = definition.visible_matter(uid, actor(request)), PlainForm(request.POST)
    if not form.is_valid():
        return redirect("portal:matter-detail", uid=uid)
    made = definition.draft(code=matter.code, content=content_of(matter), actor=actor(request), now=timezone.now())
    messages.success(request, _("已复制为新版本草稿；发布前仍按现行版本取数。"))
    return redirect("portal:matter-edit", uid=made.uid)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The whole draft on one page."""
    matter = _draft(request, uid)
    initial = {name: getattr(matter, name) for name in ("name", "legal_basis", "summary", "revision")}
    initial["consumers"] = Department.objects.filter(pk__in=matter.consumers)
    form = HeadForm(request.POST or None, initial=initial)

    def act() -> str:
        _rewrite(request, matter, form, lambda content: replace(content, **form.head()))
        messages.success(request, _("已保存。"))
        return request.path

    return save(request, form, act, "portal/matters/edit.html", **_rows(matter), party_form=_party_form(matter))


def _rows(matter: Matter) -> dict[str, Any]:
    names = type_names()
    return {
        "matter": matter,
        "parties": list(matter.parties.all()),
        "materials": [material_line(row, names) for row in matter.materials.select_related("party")],
    }


def _party_form(matter: Matter) -> PartyForm:
    return PartyForm(initial={"revision": matter.revision}, auto_id="party_%s")


@require_POST
@roles_required(Role.OPERATOR)
def party(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add a party."""
    matter, form = _draft(request, uid), PartyForm(request.POST, auto_id="party_%s")

    def act() -> str:
        _rewrite(request, matter, form, lambda content: forms.with_party(content, form.party()))
        messages.success(request, _("已添加当事人。"))
        return reverse("portal:matter-edit", args=[uid])

    head = HeadForm(initial={name: getattr(matter, name) for name in ("name", "legal_basis", "summary", "revision")})
    return save(request, form, act, "portal/matters/party.html", **_rows(matter), head=head)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def material(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add a material: first whose it is and what replaces it (in the address), then its items."""
    matter = _draft(request, uid)
    choice = SourceFilter(request.GET, parties=content_of(matter).parties)
    chosen = choice.chosen()
    if "party" not in chosen or choice.errors:
        context = {"choice": choice, **_rows(matter)}
        return render(request, "portal/matters/material.html", context, status=422 if request.method == "POST" else 200)
    given = {"party": chosen["party"], "replaced_by": chosen.get("replaced_by", "")}
    form = MaterialForm(request.POST or None, initial={"revision": matter.revision}, **given)

    def act() -> str:
        _rewrite(request, matter, form, lambda content: forms.with_material(content, form.material()))
        messages.success(request, _("已添加材料。"))
        return reverse("portal:matter-edit", args=[uid])

    return save(request, form, act, "portal/matters/material.html", choice=choice, **_rows(matter))


@require_POST
@roles_required(Role.OPERATOR)
def remove_party(request: HttpRequest, uid: UUID, role: str) -> HttpResponse:
    """Take a party out, and its materials with it."""
    return _removed(request, uid, lambda content: forms.without_party(content, role))


@require_POST
@roles_required(Role.OPERATOR)
def remove_material(request: HttpRequest, uid: UUID, code: str) -> HttpResponse:
    """Take a material out."""
    return _removed(request, uid, lambda content: forms.without_material(content, code))


def _removed(request: HttpRequest, uid: UUID, change: Callable[[Content], Content]) -> HttpResponse:
    matter, form = _draft(request, uid), PlainForm(request.POST)
    if form.is_valid():
        _rewrite(request, matter, form, change)
        messages.success(request, _("已移除。"))
    return redirect("portal:matter-edit", uid=uid)
