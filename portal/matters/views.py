"""Matters: the list, a matter with what replaces each material and who may fetch it, its review, what was saved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.audit import Actor
from core.calendar import month_start, today_in_shanghai
from core.errors import Invalid, NotFound
from core.keyset import page
from core.models import Department
from core.roles import Role
from exchange.license_statistics.reading import type_names
from exchange.matters import coverage, definition, figures
from exchange.models import MaterialSource, Matter, MatterState, PartState
from exchange.querysets import grants_visible_to, is_reviewer
from exchange.requests import baskets
from portal.actor import actor, roles_required
from portal.care.pages import SEERS
from portal.forms import PortalForm
from portal.matters import charts
from portal.matters.forms import AskForm, DecisionForm, MatterFilter, MonthsFilter, PlainForm
from portal.matters.words import item_titles, material_line


@require_GET
@roles_required(*SEERS)
def matter_list(request: HttpRequest) -> HttpResponse:
    """The matters one may see, the newest version of each first."""
    who, form = actor(request), MatterFilter(request.GET)
    rows, chosen = definition.matters_visible_to(who), form.chosen()
    if "q" in chosen:
        rows = rows.filter(Q(name__icontains=chosen["q"]) | Q(code__icontains=chosen["q"]))
    rows = rows.filter(state=chosen["state"]) if "state" in chosen else rows.exclude(state=MatterState.RETIRED)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    context = {
        "form": form,
        "page": found,
        "lines": [(matter, _counts(matter)) for matter in found.items],
        "may_draft": who.has(Role.OPERATOR),
    }
    return render(request, "portal/matters/list.html", context, status=422 if form.errors else 200)


def _counts(matter: Matter) -> dict[str, int]:
    sources = list(matter.materials.values_list("source", flat=True))
    return {"all": len(sources), "saved": sum(1 for source in sources if source != MaterialSource.SUBMIT)}


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A matter: parties, materials, which department may fetch what, what to do next."""
    who = actor(request)
    return _detail_page(request, definition.visible_matter(uid, who), who)


def _detail_page(request: HttpRequest, matter: Matter, who: Actor, pressed: PortalForm | None = None) -> HttpResponse:
    names = type_names()
    lines = [
        (line, [(one, item_titles(coverage.dataset_of(one.material), one.missing)) for one in line.standings])
        for line in coverage.lines(matter, timezone.now())
    ]
    owns = definition.may_edit(matter, who)
    context: dict[str, Any] = {
        "matter": matter,
        "parties": list(matter.parties.all()),
        "materials": [material_line(row, names) for row in matter.materials.select_related("party")],
        "lines": lines,
        "open_grants": set(grants_visible_to(who).filter(pk__in=_grants_of(lines)).values_list("pk", flat=True)),
        "consumers": Department.objects.filter(pk__in=matter.consumers).order_by("code"),
        "may_edit": owns and matter.state == MatterState.DRAFT,
        "may_retire": owns and matter.state == MatterState.PUBLISHED,
        "may_renew": owns and matter.state in (MatterState.PUBLISHED, MatterState.RETIRED),
        "may_decide": is_reviewer(who) and matter.state == MatterState.SUBMITTED,
        "may_start": who.has(Role.OPERATOR) and matter.state == MatterState.PUBLISHED,
        "own_department": who.department_id if who.has(Role.OPERATOR) else None,
        "decision": pressed if isinstance(pressed, DecisionForm) else DecisionForm(initial={"revision": matter.revision}),
    }
    return render(request, "portal/matters/detail.html", context, status=pressed.status if pressed else 200)


def _grants_of(lines: list[tuple[coverage.Line, list[tuple[coverage.Standing, Any]]]]) -> list[int]:
    return [one.grant.pk for _line, standings in lines for one, _titles in standings if one.grant is not None]


@require_POST
@roles_required(Role.OPERATOR)
def ask(request: HttpRequest, uid: UUID, code: str) -> HttpResponse:
    """Put the resource that serves a material into the basket, with the items the matter needs."""
    who = actor(request)
    matter = definition.visible_matter(uid, who)
    offer = coverage.offered(matter, code)
    if offer is None:
        raise NotFound("matter.no_offer", _("目录中还没有提供这些信息的资源，请联系数据中心协调提供方编目。"))
    if AskForm(request.POST).is_valid():
        resource_uid, items = offer
        baskets.put_in(resource_uid=resource_uid, actor=who, now=timezone.now(), mode="QUERY", fields=items)
        messages.success(request, _("已加入资源篮并勾选事项需要的信息项，请填写用途后提交申请。"))
    return redirect("portal:basket-detail")


@require_POST
@roles_required(Role.REVIEWER)
def decide(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Publish a submitted matter or return it."""
    who, form = actor(request), DecisionForm(request.POST)
    matter = definition.visible_matter(uid, who)
    if form.is_valid():
        given, is_approved = form.cleaned_data, form.pressed == "publish"
        try:
            definition.decide(
                uid=uid, revision=given["revision"], is_approved=is_approved, note=given["note"], actor=who, now=timezone.now()
            )
        except Invalid as error:
            form.add_domain_error(error)
        else:
            told = _("已发布，联办部门即可取数。") if is_approved else _("已退回牵头部门修改。")
            messages.success(request, told)
            return redirect("portal:matter-detail", uid=uid)
    return _detail_page(request, matter, who, form)


@require_POST
@roles_required(Role.OPERATOR)
def submit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hand a draft to the data centre."""
    return _pressed(request, uid, definition.submit, _("已提交数据中心审核，审核后会通知您。"))


@require_POST
@roles_required(Role.OPERATOR)
def retire(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a matter out of force."""
    return _pressed(request, uid, definition.retire, _("已停用，不能再为该事项取数。"))


def _pressed(request: HttpRequest, uid: UUID, act: Any, told: str) -> HttpResponse:
    who, form = actor(request), PlainForm(request.POST)
    matter = definition.visible_matter(uid, who)
    if form.is_valid():
        act(uid=uid, revision=form.cleaned_data["revision"], actor=who, now=timezone.now())
        messages.success(request, told)
        return redirect("portal:matter-detail", uid=uid)
    messages.error(request, "".join(str(error) for error in form.non_field_errors()))
    return _detail_page(request, matter, who, form)


@require_GET
@roles_required(*SEERS)
def figures_page(request: HttpRequest) -> HttpResponse:
    """How many materials were fetched instead of asked for, by month and by matter."""
    names = dict(Matter.objects.filter(published_at__isnull=False).order_by("number").values_list("code", "name"))
    form = MonthsFilter(request.GET, matters=sorted(names.items()))
    chosen = form.chosen()
    since = month_start(today_in_shanghai(timezone.now()), int(chosen.get("months", 12)) - 1)
    lines = figures.by_month(since=since, matter_code=chosen.get("matter", ""))
    by_matter = [
        {
            "name": names.get(code, code),
            "code": code,
            "saved": counts.get(PartState.FOUND, 0),
            "missed": sum(
                count
                for state, count in counts.items()
                if state not in (PartState.FOUND, PartState.TO_SUBMIT, PartState.NOT_NEEDED)
            ),
            "brought": counts.get(PartState.TO_SUBMIT, 0),
        }
        for code, counts in figures.by_matter(since=since)
    ]
    context = {
        "form": form,
        "lines": lines,
        "by_matter": by_matter,
        "chart": charts.months(lines),
        "measured_at": figures.measured_at(),
        "saved": sum(line.saved for line in lines),
        "missed": sum(line.missed for line in lines),
    }
    return render(request, "portal/matters/figures.html", context, status=422 if form.errors else 200)
