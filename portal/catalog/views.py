"""Reading the catalogue and deciding on entries: the list with its facets, an entry, my department's entries, my desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from catalog import content, desks, mounting, publishing, scoring, search, words
from catalog.models import BaseDatabase, Grade, Resource, ResourceVersion, ShareAttribute, SharingMode
from catalog.querysets import not_found
from catalog.search import Filters
from catalog.workflow import COMMAND_TITLES, Command, Party, allowed
from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from exchange.care import break_glass
from portal.actor import BUSINESS, actor, roles_required
from portal.catalog import progress
from portal.catalog.forms import DecisionForm, MineForm, SearchForm
from portal.forms import FilterForm

COMMANDS: Mapping[Command, Callable[..., Resource]] = {
    Command.SUBMIT: publishing.submit,
    Command.RECALL: publishing.recall,
    Command.DISCARD: publishing.discard,
    Command.ENDORSE: publishing.endorse,
    Command.RETURN: publishing.send_back,
    Command.PUBLISH: publishing.publish,
    Command.CHANGE: publishing.start_change,
    Command.WITHDRAW: publishing.withdraw,
}
WITH_REASON = frozenset({Command.ENDORSE, Command.RETURN, Command.PUBLISH, Command.WITHDRAW})
NEXT = {
    Command.SUBMIT: gettext_lazy("已提交，等待本部门负责人审批。"),
    Command.RECALL: gettext_lazy("已撤回，可以继续修改。"),
    Command.DISCARD: gettext_lazy("已作废。"),
    Command.ENDORSE: gettext_lazy("已同意，转数据中心发布。"),
    Command.RETURN: gettext_lazy("已退回经办人修改，对方会收到站内消息。"),
    Command.PUBLISH: gettext_lazy("已发布，各部门现在可以检索和申请。"),
    Command.CHANGE: gettext_lazy("已生成变更稿。发布前，其他部门看到的仍是现在的版本。"),
    Command.WITHDRAW: gettext_lazy("已下线，其他部门不再看到这条目录。"),
}
FACET_LABELS: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "base_database": (gettext_lazy("所属基础库"), dict(BaseDatabase.choices)),
    "share_attribute": (gettext_lazy("共享属性"), dict(ShareAttribute.choices)),
    "mode": (gettext_lazy("共享方式"), dict(SharingMode.choices)),
    "grade": (gettext_lazy("数据分级"), dict(Grade.choices)),
    "provider": (gettext_lazy("提供方"), {}),
}


@require_GET
def resource_list(request: HttpRequest) -> HttpResponse:
    """Search: box, facets, ranked pages of twenty."""
    form = SearchForm(request.GET)
    chosen = form.chosen()
    text = chosen.pop("q", "")
    filters = Filters(**chosen)
    found = search.find(text, filters, cursor=request.GET.get("after", ""))
    terms = words.terms(text)
    context = {
        "form": form,
        "text": text,
        "terms": terms,
        "page": found,
        "lines": _lines(found.items, terms),
        "facets": _facets(text, filters),
        "chosen": chosen,
    }
    return render(request, "portal/catalog/list.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*BUSINESS)
def mine(request: HttpRequest) -> HttpResponse:
    """The entries of the own department in all their states."""
    form = MineForm(request.GET)
    who = actor(request)
    rows = Resource.objects.visible_to(who).filter(provider_id=who.department_id, **form.chosen())
    found = page(rows.select_related("change_of").defer("search_vector"), order=("-id",), cursor=request.GET.get("after", ""))
    return _desk_page(request, "mine", found, form)


@require_GET
@roles_required(*BUSINESS)
def inbox(request: HttpRequest) -> HttpResponse:
    """What lies on my desk, the oldest first."""
    rows = Resource.objects.waiting_for(actor(request)).select_related("change_of", "provider").defer("search_vector")
    return _desk_page(request, "inbox", page(rows, order=("id",), cursor=request.GET.get("after", "")))


@require_GET
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One entry: what it says, its items, versions and mounting, who has the ball, and what I can do."""
    return _detail_page(request, _visible(request, uid))


@require_GET
def version(request: HttpRequest, uid: UUID, version: int) -> HttpResponse:
    """What was published as version n."""
    resource = _visible(request, uid)
    kept = resource.versions.filter(version=min(version, 2**31 - 1)).first()
    if kept is None:
        raise not_found()
    who = actor(request)
    is_insider = bool(desks.parties(resource, who)) or who.department_id == resource.provider_id
    labels = progress.snapshot_rows(kept.snapshot, with_assessments=is_insider)
    context = {"resource": resource, "kept": kept, "labels": labels, "items": kept.snapshot["items"]}
    return render(request, "portal/catalog/version.html", context)


@require_POST
def carry_out(request: HttpRequest, uid: UUID, command: Command) -> HttpResponse:
    """Give one command to an entry."""
    resource = _visible(request, uid)
    who = actor(request)
    desks.decide_for(resource, command, who)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, resource, form)
    reason = {"reason": form.cleaned_data["reason"]} if command in WITH_REASON else {}
    try:
        result = COMMANDS[command](uid=uid, revision=form.cleaned_data["revision"], actor=who, now=timezone.now(), **reason)
    except Invalid as error:
        if "reason" in error.details:
            form.add_domain_error(error)
            return _detail_page(request, resource, form)
        return _detail_page(request, resource, problems=error.details)
    except Conflict as error:
        return _detail_page(request, _visible(request, uid), conflict=error)
    messages.success(request, NEXT[command])
    return redirect("portal:resource-edit" if command is Command.CHANGE else "portal:resource-detail", uid=result.uid)


def _visible(request: HttpRequest, uid: UUID) -> Resource:
    rows = Resource.objects.select_related("provider", "region", "change_of", "binding").defer("search_vector")
    return rows.get_visible(uid, actor(request))


def _lines(found: list[Resource], terms: list[str]) -> list[dict[str, Any]]:
    """Return the results with the items that were hit, so that a reader sees why a result is there."""
    titles: dict[int, list[str]] = {}
    if terms:
        for item in content.items_of(found):
            if any(term in words.normal(item.title) for term in terms):
                titles.setdefault(item.resource_id, []).append(item.title)
    return [{"resource": r, "modes": _modes(r), "hits": titles.get(r.pk, [])[:6]} for r in found]


def _modes(resource: Resource) -> list[Any]:
    labels = dict(SharingMode.choices)
    return [labels.get(mode, mode) for mode in resource.sharing_modes]


def _facets(text: str, filters: Filters) -> list[dict[str, Any]]:
    counted = search.facets(text, filters)
    shown = []
    for name, (label, titles) in FACET_LABELS.items():
        value = str(getattr(filters, name) or "")
        choices = [{"value": c.value, "label": c.label or titles.get(c.value, c.value), "count": c.count} for c in counted[name]]
        if value and value not in {choice["value"] for choice in choices}:
            choices.append({"value": value, "label": titles.get(value, value), "count": 0})
        shown.append({"name": name, "label": label, "choices": choices, "value": value})
    return shown


def _desk_page(request: HttpRequest, tab: str, found: Any, form: FilterForm | None = None) -> HttpResponse:
    who = actor(request)
    context = {"tab": tab, "form": form, "page": found, "may_draft": who.has(Role.OPERATOR)}
    context["lines"] = [{"resource": r, "ball": progress.ball(r)} for r in found.items]
    return render(request, "portal/catalog/mine.html", context, status=422 if form and form.errors else 200)


def _detail_page(
    request: HttpRequest,
    resource: Resource,
    form: DecisionForm | None = None,
    problems: Mapping[str, list[str]] | None = None,
    conflict: Conflict | None = None,
) -> HttpResponse:
    who = actor(request)
    parties = desks.parties(resource, who)
    commands = allowed(resource.state, parties)
    entry = content.entry_of(resource)
    binding = mounting.binding_of(resource)
    is_insider = bool(parties) or who.department_id == resource.provider_id
    context = {
        "resource": resource,
        "entry": entry,
        "modes": _modes(resource),
        "rows": progress.item_rows(entry, binding),
        "binding": binding,
        "dataset": progress.dataset_title(binding),
        "is_insider": is_insider,
        "parties": [str(party) for party in parties],
        "can": {str(command): True for command in commands},
        "labels": {str(command): COMMAND_TITLES[command] for command in commands},
        "form": form or DecisionForm(initial={"revision": resource.revision}),
        "problems": {content.element_title(name): texts for name, texts in (problems or {}).items()},
        "conflict": conflict,
        "changes": progress.changes(conflict) if conflict else [],
        "steps": progress.steps(resource) if is_insider else [],
        "trail": progress.trail(resource) if is_insider else [],
        "versions": progress.versions(ResourceVersion.objects.filter(resource=resource).select_related("published_by")),
        "open_change": progress.open_change(resource) if is_insider else None,
        "hints": scoring.hints(entry, is_mounted=binding is not None, published_at=resource.published_at, now=timezone.now()),
        "score": scoring.score(entry, is_mounted=binding is not None),
        "may_open_emergency": resource.state == "PUBLISHED"
        and resource.share_attribute != "WITHHELD"
        and break_glass.may_open(who),
        "may_request": resource.state == "PUBLISHED" and resource.share_attribute != "WITHHELD" and who.has(Role.OPERATOR),
        "is_provider_operator": Party.PROVIDER_OPERATOR in parties,
    }
    failed = bool(problems) or (form is not None and bool(form.errors))
    return render(request, "portal/catalog/detail.html", context, status=409 if conflict else 422 if failed else 200)
