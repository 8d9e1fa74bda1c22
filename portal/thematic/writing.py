"""Writing a definition: a new one, one that comes with the platform, the next version of one's own; counted before it is saved."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from basedb.dictionary import DATASETS
from basedb.thematic import definitions
from basedb.thematic.shipped import shipped
from core.errors import DomainError
from core.roles import Role
from core.submissions import digest_of, once
from portal.actor import actor, roles_required
from portal.thematic.forms import DefinitionForm


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR, Role.REVIEWER)
def add(request: HttpRequest) -> HttpResponse:
    """A new definition, empty or as it comes with the platform."""
    known = shipped()
    taken = known.get(request.GET.get("shipped", ""))
    return _write(request, DefinitionForm.initial_of(taken) if taken else {})


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR, Role.REVIEWER)
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The next version of a definition."""
    definition = definitions.visible_definition(uid, actor(request))
    return _write(request, DefinitionForm.initial_of(definition))


def _write(request: HttpRequest, initial: dict[str, object]) -> HttpResponse:
    form = DefinitionForm(request.POST or None, initial=initial)
    count: int | None = None
    if request.method == "POST" and form.is_valid():
        who, now = actor(request), timezone.now()
        try:
            if form.pressed == "preview":
                count = definitions.preview(form.draft(), actor=who, now=now)
            else:
                uid, _is_new = once(
                    owner=f"user:{who.user_id}",
                    token=form.cleaned_data["submission"],
                    digest=digest_of({name: str(value) for name, value in form.cleaned_data.items() if name != "submission"}),
                    make=lambda: str(definitions.propose(draft=form.draft(), actor=who, now=now).uid),
                )
                messages.success(request, _("已保存，转数据中心审核员审核。"))
                return redirect("portal:thematic-detail", uid=uid)
        except DomainError as error:
            if error.status not in (409, 422):
                raise
            form.add_domain_error(error)
    datasets = [(dataset.code, dataset.title, dataset.fields) for dataset in DATASETS.values()]
    context = {"form": form, "count": count, "fewest": definitions.FEWEST_TOLD, "datasets": datasets, "shipped": shipped().values()}
    return render(request, "portal/thematic/form.html", context, status=form.status if form.is_bound else 200)
