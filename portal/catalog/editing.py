"""Writing an entry: a new draft (by hand or out of a dataset), an existing one, its mounting."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog import content, desks, mounting, publishing
from catalog.content import Entry
from catalog.models import Resource
from catalog.workflow import Command
from core.errors import Conflict, Invalid
from core.roles import Role
from core.submissions import digest_of, once
from core.texts import headed
from portal.actor import actor, roles_required, user_of
from portal.catalog import progress
from portal.catalog.forms import (
    BLANK_ROWS,
    FIRST_GRADE,
    BaseItemFormSet,
    EntryForm,
    ExistingEntryForm,
    ItemFormSet,
    MountForm,
    NewEntryForm,
    initial_items,
    initial_of,
    regions_of,
)

ADD_ROWS = "add-rows"
SUBMIT = "submit"


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """A new draft of the own department, optionally out of a dataset (`?dataset=`)."""
    who = actor(request)
    provider = user_of(request).department
    resource = Resource(provider=provider, region=provider.region)
    dataset_code = (request.POST or request.GET).get("dataset", "")
    entry = mounting.draft_from(dataset_code) if dataset_code else Entry(title="")
    initial = initial_of(entry) | {"region_id": provider.region_id}
    form = NewEntryForm(_posted(request), initial=initial, regions=regions_of(resource))
    rows = ItemFormSet(_posted(request), initial=initial_items(entry) if not request.POST else None, prefix="items")
    if request.method == "POST" and not _wants_rows(request) and form.is_valid() and rows.is_valid():
        filled = form.entry(rows.items())

        def make() -> str:
            return str(publishing.draft(entry=filled, actor=who, now=timezone.now(), dataset_code=dataset_code).uid)

        try:
            digest = digest_of({"entry": str(filled), "dataset": dataset_code})
            uid, _is_new = once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
        except Invalid as error:
            form.add_domain_error(error)
            return _page(request, form, rows, resource, problems=error.details.get("items", []))
        except Conflict as error:
            if error.code != "submission.reused":
                raise
            form.add_domain_error(error)
            return _page(request, form, rows, resource)
        return _saved(request, UUID(uid), revision=1)
    return _page(request, form, rows, resource)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """An existing draft."""
    who = actor(request)
    resource = Resource.objects.select_related("provider__region", "region", "change_of").get_visible(uid, who)
    desks.decide_for(resource, Command.EDIT, who)
    entry = content.entry_of(resource)
    initial = initial_of(entry) | {"revision": resource.revision}
    form = ExistingEntryForm(_posted(request), initial=initial, regions=regions_of(resource))
    rows = ItemFormSet(_posted(request), initial=initial_items(entry) if not request.POST else None, prefix="items")
    if request.method == "POST" and not _wants_rows(request) and form.is_valid() and rows.is_valid():
        try:
            resource = publishing.edit(
                uid=uid, entry=form.entry(rows.items()), revision=form.cleaned_data["revision"], actor=who, now=timezone.now()
            )
        except Invalid as error:
            form.add_domain_error(error)
            return _page(request, form, rows, resource, problems=error.details.get("items", []))
        except Conflict as error:
            if error.code != "resource.stale":
                raise
            return _page(request, form, rows, resource, conflict=error)
        return _saved(request, uid, revision=resource.revision)
    return _page(request, form, rows, resource)


@require_http_methods(["GET", "POST"])
def mount(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Choose a dataset (`?dataset=`), then the column of every item."""
    who = actor(request)
    resource = Resource.objects.select_related("provider").get_visible(uid, who)
    desks.decide_for(resource, Command.MOUNT, who)
    binding = mounting.binding_of(resource)
    code = (request.POST or request.GET).get("dataset", "") or (binding.dataset if binding else "")
    context = {"resource": resource, "datasets": mounting.datasets(resource.provider_id), "code": code, "binding": binding}
    if not code:
        return render(request, "portal/catalog/mount.html", context, status=422 if request.method == "POST" else 200)
    dataset = mounting.dataset(code)
    entry = content.entry_of(resource)
    columns = mounting.same_named(entry.items, code)
    if binding is not None and binding.dataset == code:
        columns |= binding.columns
    form = MountForm(
        request.POST or None,
        items=resource.items.all(),
        dataset=dataset,
        columns=columns,
        initial={"revision": resource.revision},
    )
    if request.method == "POST" and form.is_valid():
        try:
            mounting.mount(
                uid=uid,
                dataset_code=code,
                columns=form.columns(),
                revision=form.cleaned_data["revision"],
                actor=who,
                now=timezone.now(),
            )
        except Invalid as error:
            form.add_problems(error.details)
        else:
            messages.success(request, _("已挂接到“%(dataset)s”。") % {"dataset": dataset.title})
            return redirect("portal:resource-detail", uid=uid)
    return render(
        request, "portal/catalog/mount.html", context | {"form": form, "dataset": dataset}, status=422 if form.errors else 200
    )


def _posted(request: HttpRequest) -> QueryDict | None:
    """Return the form's data; a click on "more rows" gives the same data with more rows, nothing is saved."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    if _wants_rows(request):
        total = data.get("items-TOTAL_FORMS", "")
        count = int(total) if total.isascii() and total.isdigit() and len(total) < 4 else 0
        data["items-TOTAL_FORMS"] = str(count + BLANK_ROWS)
        for number in range(count, count + BLANK_ROWS):
            data[f"items-{number}-grade"] = FIRST_GRADE
    return data


def _wants_rows(request: HttpRequest) -> bool:
    return request.POST.get("action") == ADD_ROWS


def _saved(request: HttpRequest, uid: UUID, *, revision: int) -> HttpResponse:
    """Go on after saving: to the page of the entry, or submit at once when asked to."""
    messages.success(request, _("草稿已保存。"))
    if request.POST.get("action") == SUBMIT:
        try:
            publishing.submit(uid=uid, revision=revision, actor=actor(request), now=timezone.now())
        except Invalid as error:
            for name, texts in error.details.items():
                for text in texts:
                    messages.warning(request, headed(content.element_title(name), text))
        else:
            messages.success(request, _("已提交，等待本部门负责人审批。"))
    return redirect("portal:resource-detail", uid=uid)


def _page(
    request: HttpRequest,
    form: EntryForm,
    rows: BaseItemFormSet,
    resource: Resource,
    *,
    problems: list[str] | None = None,
    conflict: Conflict | None = None,
) -> HttpResponse:
    """Show the form again. After a conflict it keeps what was written and carries the new revision: saving again is meant."""
    adding = request.method == "POST" and _wants_rows(request)
    if adding:
        form.errors.clear()
    if conflict is not None:
        data = request.POST.copy()
        data["revision"] = str(conflict.details["revision"])
        form.data = data
    context = {
        "form": form,
        "rows": rows,
        "resource": resource,
        "problems": problems or [],
        "conflict": conflict,
        "changes": progress.changes(conflict) if conflict else [],
        "datasets": mounting.datasets(),
        "show_errors": request.method == "POST" and not adding,
        "add_rows": ADD_ROWS,
        "submit": SUBMIT,
    }
    status = 409 if conflict or form.conflict else 422 if request.method == "POST" and not adding else 200
    return render(request, "portal/catalog/edit.html", context, status=status)
