"""The window's desk: choose a matter, type the parties' codes into a form, see what was fetched and what is still to be brought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from exchange.matters import definition, reading
from exchange.matters.asking import Ask
from exchange.matters.fetching import fetch_at_desk
from exchange.models import Matter, MatterState, PartState
from exchange.querysets import systems_usable_by
from portal.actor import actor, roles_required
from portal.care.pages import SEERS
from portal.matters.forms import CaseFilter, CaseForm
from portal.matters.words import part_line


@require_GET
@roles_required(Role.OPERATOR)
def choose(request: HttpRequest) -> HttpResponse:
    """The matters in force; those the own department handles first."""
    who = actor(request)
    matters = list(Matter.objects.filter(state=MatterState.PUBLISHED).select_related("department").order_by("code"))
    own = [matter for matter in matters if who.department_id in (matter.department_id, *matter.consumers)]
    context = {
        "own": own,
        "others": [matter for matter in matters if matter not in own],
        "has_system": systems_usable_by(who).exists(),
    }
    return render(request, "portal/matters/desk.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def case(request: HttpRequest, code: str) -> HttpResponse:
    """Start a case, or fetch once more for one."""
    who = actor(request)
    matter = definition.published(code)
    form = CaseForm(request.POST or None, matter=matter, systems=systems_usable_by(who).order_by("id"))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        ask = Ask(
            matter=matter.code,
            case_number=given["case_number"],
            parties=form.parties(),
            purpose=given["purpose"],
            key=f"desk:{given['submission']}",
            officer=given["officer"],
        )
        try:
            fetched = fetch_at_desk(ask=ask, system_uid=given["system"].uid, actor=who, now=timezone.now())
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            if error.code == "matter_case.key_reused":
                form.renew()
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("取数完成。请按下表请申请人补交未取得的材料。"))
            return redirect("portal:matter-case-detail", uid=fetched.fetch.case.uid)
    context = {"form": form, "matter": matter, "materials": matter.materials.select_related("party")}
    return render(request, "portal/matters/case_new.html", context, status=form.status if request.method == "POST" else 200)


@require_GET
@roles_required(*SEERS)
def case_list(request: HttpRequest) -> HttpResponse:
    """The cases of the own department."""
    form = CaseFilter(request.GET)
    found = page(
        reading.cases_visible_to(actor(request)).filter(**form.chosen()), order=("-id",), cursor=request.GET.get("after", "")
    )
    names = dict(Matter.objects.filter(code__in={row.matter_code for row in found.items}).values_list("code", "name"))
    outcomes = reading.outcomes_of(found.items)
    lines = [(row, names.get(row.matter_code, row.matter_code), *outcomes.get(row.pk, (0, 0))) for row in found.items]
    context = {"page": found, "form": form, "lines": lines}
    return render(request, "portal/matters/cases.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def case_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A case: what was fetched and what the citizen still has to bring."""
    found = reading.read_case(uid=uid, actor=actor(request), now=timezone.now())
    fetches: list[dict[str, Any]] = []
    for made in found.fetches:
        titles = {party.role: party.title for party in made.matter.parties.all()}
        lines = [part_line(part, found.answers.get(made.uid, {})) for part in made.parts.all()]
        for line in lines:
            line["party"] = titles.get(line["part"].party, line["part"].party)
        shown = [line for line in lines if line["part"].state != PartState.NOT_NEEDED]
        fetches.append(
            {
                "fetch": made,
                "lines": shown,
                "to_bring": [line for line in shown if line["todo"]],
                "saved": sum(1 for line in shown if line["part"].state == PartState.FOUND),
                "values_kept": made.uid in found.answers,
            }
        )
    response = render(request, "portal/matters/case.html", {"case": found.case, "fetches": fetches})
    response["Cache-Control"] = "no-store"
    return response
