"""Issued licenses: the department's list, finding one without naming anybody in an address, one with its versions, its changes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from basedb.licenses import rows_of
from basedb.models import LicenseMark, MarkKind
from core.audit import Actor
from core.errors import NotFound
from core.keyset import page
from core.roles import Role
from core.texts import listed
from licenses import subject_keys
from licenses.issuing import desks, drafts, states
from licenses.issuing.workflow import CHANGES, PAPER, Change, PaperAct, changes_of, paper_acts
from licenses.models import License, LicenseHolder, LicenseState, PaperState, TypeState, TypeVersion
from licenses.types import offices
from portal.actor import actor, roles_required
from portal.care.pages import save, words
from portal.license_desk.drafts import KINDS, SEERS
from portal.license_desk.forms import ChangeForm, FindForm, LicenseFilter, PaperFilter, PaperForm
from portal.license_desk.words import shown_face, state_of, today

MOST_FOUND = 50


@require_GET
@roles_required(*SEERS)
def license_list(request: HttpRequest) -> HttpResponse:
    """The current versions of the department's licenses, the newest first."""
    rows = desks.licenses_visible_to(actor(request)).filter(is_current=True)
    form = LicenseFilter(request.GET, types=_types(actor(request)))
    chosen = form.chosen()
    if month := chosen.pop("month", ""):
        first = date.fromisoformat(f"{month}-01")
        rows = rows.filter(issued_on__gte=first, issued_on__lt=date(first.year + first.month // 12, first.month % 12 + 1, 1))
    if day := chosen.pop("expires_on", None):
        rows = rows.filter(valid_to=day, state=LicenseState.VALID)
    found = page(rows.filter(**chosen).prefetch_related("holders"), order=("-id",), cursor=request.GET.get("after", ""))
    context = {"form": form, "page": found, "lines": _lines(found.items), "find_form": FindForm()}
    return render(request, "portal/license_desk/licenses.html", context, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters("typed")
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def find(request: HttpRequest) -> HttpResponse:
    """The licenses of a number, an identifier or a holder; asked by POST alone."""
    form = FindForm(request.POST or None)
    lines: list[Any] = []
    if form.is_valid():
        rows = _asked(desks.licenses_visible_to(actor(request)), form.cleaned_data["typed"].strip())
        lines = _lines(list(rows.prefetch_related("holders").order_by("-id")[:MOST_FOUND]))
    context = {"form": form, "lines": lines, "asked": form.is_bound and not form.errors}
    return render(request, "portal/license_desk/find.html", context, status=422 if form.errors else 200)


def _asked(rows: QuerySet[License], typed: str) -> QuerySet[License]:
    if typed.count(".") > 1:
        return rows.filter(identifier=typed.upper())
    holder = subject_keys.key_of(typed)
    held = LicenseHolder.objects.filter(subject_key=holder[1]).values("license_id") if holder else []
    return rows.filter(Q(number=typed) | Q(pk__in=held))


@never_cache
@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One license: what it says, its versions, what was done to it, its files, and what may be done now."""
    who = actor(request)
    license = drafts.visible_license(uid, who)
    seats = desks.seats_of(who, department_id=license.issuer_id)
    versions = License.objects.filter(type_code=license.type_code, issuer_code=license.issuer_code, serial=license.serial)
    is_live = license.is_live(today())
    may_issue = offices.may_issue(license.type_version, license.issuer_id, today())
    changes = changes_of(LicenseState(license.state), is_current=license.is_current, seats=seats)
    acts = paper_acts(PaperState(license.paper_state), is_live=is_live, seats=seats)
    context = {
        "license": license,
        "state": state_of(license),
        "holders": license.holders.all(),
        "face": shown_face(license.type_version, license.face),
        "versions": [(one, state_of(one)) for one in versions.order_by("-version")],
        "events": license.events.select_related("actor", "department").order_by("-id"),
        "files": license.files.all(),
        "has_layout": bool(license.type_version.layout.get("elements")) and bool(seats),
        "may_open": bool(seats),
        "marks": _marks(license),
        "digest": bytes(license.digest).hex(),
        "next_kinds": [(path, KINDS[path].label) for path in KINDS] if is_live and "OPERATOR" in seats and may_issue else [],
        "is_over": bool(seats) and not may_issue,
        "open_draft": license.drafts.filter(state__in=("DRAFT", "TO_SIGN", "RETURNED")).first(),
        "changes": [(change.lower(), CHANGES[change].title) for change in changes],
        "acts": [(act.lower(), PAPER[act].title) for act in acts],
    }
    return render(request, "portal/license_desk/license.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def change(request: HttpRequest, uid: UUID, change: str) -> HttpResponse:
    """Change the state of a license."""
    license = drafts.visible_license(uid, actor(request))
    wanted = next((one for one in Change if one.lower() == change), None)
    if wanted is None:
        raise NotFound("license.not_found", _("没有这种操作。"))
    rule, form = CHANGES[wanted], ChangeForm(request.POST or None)
    form.fields["basis"].required = rule.needs_basis
    form.fields["basis"].help_text = str(rule.hint)
    back = reverse("portal:license-detail", args=[uid])

    def act() -> str:
        states.carry_out(license_uid=uid, change=wanted, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, str(rule.told))
        return back

    lead = _("证照编号 %(number)s，持证主体 %(holders)s。办理“%(what)s”后立即生效，状态清单和基础库随后更新。") % {
        "number": license.number, "holders": listed(holder.name for holder in license.holders.all()), "what": rule.title
    }  # fmt: skip
    is_grave = rule.to in (LicenseState.REVOKED, LicenseState.RESCINDED, LicenseState.CANCELLED)
    return save(request, form, act, **words(rule.title, lead, back, rule.title, is_grave=is_grave))


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def paper(request: HttpRequest, uid: UUID, act: str) -> HttpResponse:
    """Register what happened to the paper."""
    license = drafts.visible_license(uid, actor(request))
    wanted = next((one for one in PaperAct if one.lower() == act), None)
    if wanted is None:
        raise NotFound("license.not_found", _("没有这种操作。"))
    rule, form = PAPER[wanted], PaperForm(request.POST or None)
    if wanted is not PaperAct.HAND_OUT:
        del form.fields["paper_number"]
    back = reverse("portal:license-detail", args=[uid])

    def register() -> str:
        given = {"paper_number": "", **form.cleaned_data}
        states.register_paper(license_uid=uid, act=wanted, **given, actor=actor(request), now=timezone.now())
        messages.success(request, _("已登记：%(what)s。") % {"what": rule.title})
        return back

    lead = _("证照编号 %(number)s，纸质证照现为“%(state)s”。") % {
        "number": license.number, "state": PaperState(license.paper_state).label
    }  # fmt: skip
    return save(request, form, register, **words(rule.title, lead, back, rule.title))


@require_GET
@roles_required(*SEERS)
def differences(request: HttpRequest) -> HttpResponse:
    """Where paper and electronic license are not in step."""
    form = PaperFilter(request.GET)
    rows = states.differences(actor(request)).filter(**form.chosen()).prefetch_related("holders")
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    context = {"form": form, "page": found, "lines": _lines(found.items)}
    return render(request, "portal/license_desk/differences.html", context, status=422 if form.errors else 200)


def _lines(licenses: list[License]) -> list[tuple[License, tuple[str, Any], str]]:
    return [(one, state_of(one), listed(holder.name for holder in one.holders.all())) for one in licenses]


def _marks(license: License) -> list[tuple[str, Any]]:
    """Return what the nightly review found about the license."""
    keys = rows_of(license.identifier).values_list("row_key", flat=True)
    found = LicenseMark.objects.filter(row_key__in=list(keys), closed_at=None)
    return [(str(MarkKind(mark.kind).label), mark.opened_at) for mark in found]


def _types(who: Actor) -> list[tuple[str, str]]:
    """Return the published types a list may be limited to: those the department issues or issued, all of them for who looks on."""
    rows = TypeVersion.objects.all() if who.has(Role.AUDIT_ADMINISTRATOR) else offices.types_of(who.department_id)
    rows = rows.exclude(state=TypeState.DRAFT)
    return sorted(dict(rows.order_by("number").values_list("code", "name")).items())
