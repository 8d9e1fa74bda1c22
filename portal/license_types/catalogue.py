"""Reading the catalogue of license types: the list, a type with its versions, comparing two, the list of uses."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.errors import Conflict
from core.keyset import page
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import publishing, reading, uses
from licenses.types.comparing import differences
from licenses.types.publishing import content_of, may_edit, may_publish, reviews
from portal.actor import actor
from portal.license_types import words
from portal.license_types.forms import CompareForm, TypeFilter, UseFilter
from portal.license_types.offices import may_propose, office_lines

FIELD_OF = {"holder_kind": "holder_kind", "department": "department"}


@require_GET
def type_list(request: HttpRequest) -> HttpResponse:
    """One line a type, in the order of the codes."""
    form, who, day = TypeFilter(request.GET), actor(request), _today()
    chosen = form.chosen()
    rows = reading.searched(reading.catalogue(who, day), chosen.get("q", ""))
    if standing := chosen.get("standing"):
        rows = reading.of_standing(rows, standing)
    rows = rows.filter(**{FIELD_OF[name]: value for name, value in chosen.items() if name in FIELD_OF})
    found = page(rows, order=("code",), cursor=request.GET.get("after", ""))
    context = {
        "form": form,
        "page": found,
        "lines": [(version, words.standing_of(version, day), words.validity_of(version)) for version in found.items],
        "may_draft": who.has(Role.OPERATOR),
        "may_load": reviews(who),
    }
    return render(request, "portal/license_types/list.html", context, status=422 if form.errors else 200)


@require_GET
def type_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One type: a version (the one in force unless `number` says otherwise), all versions, uses, who maintains it."""
    who, day = actor(request), _today()
    versions = reading.versions_of(code, who)
    number = request.GET.get("number", "")
    asked = [version for version in versions if str(version.number) == number]
    if number and not asked:
        raise reading.not_found()
    version = asked[0] if asked else reading.latest_of(versions, day)
    content = content_of(version)
    newest = versions[0]
    context = {
        "version": version,
        "standing": words.standing_of(version, day),
        "validity": words.validity_of(version),
        "versions": [(one, words.standing_of(one, day)) for one in versions],
        "items": words.item_lines(content.rulebook),
        "drawing": words.drawing(content, version.department.name) if content.layout.elements else "",
        "uses": _use_lines(uses.uses_visible_to(who).filter(type_code=code), version, who, day),
        "offices": office_lines(code, version, who),
        "may_add_office": may_propose(version, who),
        "draft": newest if newest.state == TypeState.DRAFT else None,
        "may_open": newest.state == TypeState.PUBLISHED and who.has(Role.OPERATOR) and who.department_id == newest.department_id,
        "may_propose": version.state == TypeState.PUBLISHED
        and bool(version.rulebook)
        and who.has(Role.OPERATOR)
        and who.department_id == version.department_id,
        "may_retire": reviews(who) and any(one.state == TypeState.PUBLISHED for one in versions),
        "may_entrust": reviews(who),
    }
    return render(request, "portal/license_types/detail.html", context)


@require_GET
def version_page(request: HttpRequest, uid: Any) -> HttpResponse:
    """A version by its own address: the editor of a draft, else the page of its type."""
    who = actor(request)
    version = reading.get_visible(uid, who)
    content = content_of(version)
    is_draft = version.state == TypeState.DRAFT
    context = {
        "version": version,
        "standing": words.standing_of(version, _today()),
        "validity": words.validity_of(version),
        "items": words.item_lines(content.rulebook),
        "elements": words.element_lines(content.layout, content.rulebook),
        "layout": content.layout,
        "drawing": words.drawing(content, version.department.name),
        "steps": words.steps_of(version),
        "faults": publishing.faults_of(version) if is_draft else [],
        "may_edit": may_edit(version, who),
        "may_publish": may_publish(version, who),
    }
    return render(request, "portal/license_types/version.html", context)


@require_GET
def compare(request: HttpRequest, code: str) -> HttpResponse:
    """The differences of two versions, the newest two unless others are chosen."""
    versions = reading.versions_of(code, actor(request))
    if len(versions) < 2:
        raise Conflict("license_type.one_version", _("这个类型只有一个版本，没有可比较的。"))
    form = CompareForm(
        request.GET if request.GET else {"old": versions[1].number, "new": versions[0].number}, versions=versions
    )  # fmt: skip
    numbers = {version.number: version for version in versions}
    chosen = form.chosen()
    old, new = numbers[chosen.get("old", versions[1].number)], numbers[chosen.get("new", versions[0].number)]
    before, after = content_of(old), content_of(new)
    context = {
        "form": form,
        "old": old,
        "new": new,
        "lines": words.difference_lines(differences(before, after)),
        "old_drawing": words.drawing(before, old.department.name),
        "new_drawing": words.drawing(after, new.department.name),
    }
    return render(request, "portal/license_types/compare.html", context, status=422 if form.errors else 200)


@require_GET
def use_list(request: HttpRequest) -> HttpResponse:
    """The list of uses of all types, proposals included that one may see."""
    form, who = UseFilter(request.GET), actor(request)
    chosen = form.chosen()
    rows = uses.uses_visible_to(who)
    if matter := chosen.get("matter"):
        rows = rows.filter(matter__icontains=matter)
    if code := chosen.get("type_code"):
        rows = rows.filter(type_code=code)
    found = page(rows, order=("type_code", "matter", "id"), cursor=request.GET.get("after", ""))
    day = _today()
    codes = {use.type_code for use in found.items}
    types = {version.code: version for version in reading.catalogue(who, day).filter(code__in=codes)}
    lines = [line for use in found.items for line in _use_lines([use], types.get(use.type_code), who, day)]
    context = {"form": form, "page": found, "lines": lines}
    return render(request, "portal/license_types/uses.html", context, status=422 if form.errors else 200)


def _use_lines(rows: Any, version: TypeVersion | None, who: Any, day: date) -> list[dict[str, Any]]:
    """Return lines of the list of uses: items by their titles, where they stand, what the actor may do."""
    titles = uses.names_of(version) if version is not None else {}
    lines = []
    for use in rows:
        is_proposal = use.published_at is None and use.effective is None
        is_in_force = use.effective is not None and day in use.effective
        state, label = (
            ("SUBMITTED", _("待发布")) if is_proposal else ("PUBLISHED", _("施行中")) if is_in_force else ("ENDED", _("已终止"))
        )
        is_own = who.department_id == use.department_id
        lines.append(
            {
                "use": use,
                "type_name": version.name if version else use.type_code,
                "items": [titles.get(name, name) for name in use.items],
                "standing": words.Standing(state, label),
                "may_publish": is_proposal and is_own and who.has(Role.HEAD),
                "may_end": (is_proposal or is_in_force)
                and (reviews(who) or (is_own and who.has(Role.OPERATOR if is_proposal else Role.HEAD))),
            }
        )
    return lines


def _today() -> date:
    return publishing.today(timezone.now())
