"""Definitions and rows: the list, one definition with its charts, its rows, approval, retirement and refreshing by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from basedb.dictionary import DATASETS
from basedb.geography.divisions import names_of
from basedb.masking import MASK_TITLES
from basedb.models import RefreshState, ThematicDataset, ThematicRefresh, ThematicState
from basedb.thematic import definitions, refreshing, rows
from basedb.thematic.compiling import Compiled
from basedb.wording import named
from core.errors import Conflict, DomainError, Invalid
from core.keyset import page
from core.models import Region
from core.roles import Role
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import REVISION_WRONG
from portal.thematic import charts
from portal.thematic.forms import DefinitionFilter, RowFilter

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
_REFRESHES = 30


@require_GET
@roles_required(*SEERS)
def definition_list(request: HttpRequest) -> HttpResponse:
    """The definitions one may see."""
    form, who = DefinitionFilter(request.GET), actor(request)
    newest = ThematicRefresh.objects.filter(definition=OuterRef("pk"), state=RefreshState.DONE).order_by("-id")
    found = definitions.definitions_visible_to(who).filter(**form.chosen())
    found = found.annotate(held=Subquery(newest.values("row_count")[:1]), held_at=Subquery(newest.values("finished_at")[:1]))
    listed = page(found, order=("code", "-version", "id"), cursor=request.GET.get("after", ""))
    context = {"form": form, "page": listed, "may_write": who.has(Role.OPERATOR, Role.REVIEWER)}
    return render(request, "portal/thematic/list.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One definition: sources, columns, who may see what, how its refreshes went."""
    who = actor(request)
    definition = definitions.visible_definition(uid, who)
    last = list(definition.refreshes.order_by("-id")[:_REFRESHES])
    done = [refresh for refresh in reversed(last) if refresh.state == RefreshState.DONE]
    newest = done[-1] if done else None
    is_centre = definitions.is_centre(who)
    is_own = definition.department_id == who.department_id and who.has(Role.OPERATOR, Role.HEAD)
    waits = definition.state == ThematicState.DRAFTED
    context = {
        "definition": definition,
        "newest": newest,
        "refreshes": last[:10],
        "history": charts.history(
            [timezone.localtime(refresh.finished_at).strftime("%m-%d %H:%M") for refresh in done],
            [refresh.row_count for refresh in done],
            [refresh.entered_count for refresh in done],
            [refresh.left_count for refresh in done],
        ),
        "regions": _regions(newest.regions if newest else {}),
        "levels": sorted(newest.levels.items(), key=lambda pair: -pair[1]) if newest else [],
        "may_read": rows.may_read(definition, who),
        "may_approve": waits and is_centre and definition.author_id != who.user_id,
        "drafted_at": definition.created_at.isoformat(),
        "is_own_draft": waits and definition.author_id == who.user_id,
        "may_end": definition.state != ThematicState.RETIRED and (is_centre or is_own),
        "may_write": who.has(Role.OPERATOR, Role.REVIEWER) and definition.department_id == who.department_id,
        "written": _written(definition.spec),
    } | _described(definition)
    context["region_chart"] = charts.bars([(line["name"], line["count"]) for line in context["regions"]])
    context["level_chart"] = charts.bars([pair for pair in context["levels"] if pair[0]])
    return render(request, "portal/thematic/detail.html", context)


def _written(spec: Mapping[str, Any]) -> str:
    """Return a whole definition, an item of its lists a line."""
    lines: list[str] = []
    for name, part in spec.items():
        items = part if isinstance(part, list) else [part]
        lines += [f"{name}:", *(f"  {json.dumps(item, ensure_ascii=False)}" for item in items)]
    return "\n".join(lines)


def _described(definition: ThematicDataset) -> dict[str, Any]:
    """Return sources and columns as a page shows them; a definition the contract has outgrown says why."""
    try:
        made: Compiled | None = definitions.compiled(definition, now=timezone.now())
    except Invalid as error:
        return {"fault": error.message, "columns": [], "sources": []}
    sources = [
        {
            "alias": source["alias"],
            "title": DATASETS[source["dataset"]].title,
            "join": _JOINS.get(source.get("join", "SUBJECT"), ""),
            "where": [json.dumps(one, ensure_ascii=False) for one in source.get("where", [])],
            "is_required": source.get("required", False),
        }
        for source in definition.spec.get("sources", [])
    ]
    columns = [(column, MASK_TITLES[column.mask]) for column in made.columns] if made else []
    return {"columns": columns, "sources": sources}


_JOINS: Mapping[str, Any] = {
    "SUBJECT": gettext_lazy("按主体"),
    "HOUSEHOLD": gettext_lazy("按同户成员"),
    "LINK": gettext_lazy("按指向主体的字段"),
}


def _regions(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    names = dict(Region.objects.filter(code__in=counts).values_list("code", "name"))
    lines = [{"code": code, "name": names.get(code, code), "count": count} for code, count in counts.items()]
    return sorted(lines, key=lambda line: -line["count"])


@never_cache
@require_GET
@roles_required(*BUSINESS)
def row_list(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The rows as the reader may see them; the look is audited."""
    who = actor(request)
    definition = definitions.visible_definition(uid, who)
    newest = definition.refreshes.filter(state=RefreshState.DONE).order_by("-id").first()
    may_filter = rows.may_filter_level(definition, who, now=timezone.now())
    form = RowFilter(request.GET, levels=sorted(newest.levels) if newest and may_filter else [])
    found = rows.read(uid=uid, actor=who, now=timezone.now(), cursor=request.GET.get("after", ""), **form.chosen())
    names = names_of({line.region_code for line in found.lines})
    context = {"form": form, "definition": definition, "reading": found, "page": found.page, "newest": newest} | {
        "lines": [
            {
                "values": line.values,
                "region": named(line.region_code, names),
                "entered_at": line.entered_at,
            }
            for line in found.lines
        ]
    }
    return render(request, "portal/thematic/rows.html", context, status=422 if form.errors else 200)


@require_POST
@roles_required(Role.REVIEWER)
def approve(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a draft in force, as it was read."""
    drafted_at = _moment(request.POST.get("revision", ""))
    try:
        if drafted_at is None:
            raise Conflict("thematic.revision_missing", str(REVISION_WRONG))
        definitions.approve(uid=uid, actor=actor(request), now=timezone.now(), drafted_at=drafted_at)
    except Conflict as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("已生效，后台即将开始首次更新。"))
    return redirect("portal:thematic-detail", uid=uid)


def _moment(text: str) -> datetime | None:
    """Return the moment a page was made from; None when it says none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


@require_POST
@roles_required(*BUSINESS)
def retire(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a definition."""
    definitions.retire(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已停用，其中的记录已移出。"))
    return redirect("portal:thematic-detail", uid=uid)


@require_POST
@roles_required(*BUSINESS)
def refresh(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask for a refresh now."""
    try:
        refreshing.ask(uid=uid, actor=actor(request), now=timezone.now())
    except DomainError as error:
        if error.status != 409:
            raise
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("已提交，空闲的后台进程会立即开始，刷新本页可看进展。"))
    return redirect("portal:thematic-detail", uid=uid)
