"""Drafts: the desk, drafting a license of a type, one draft with its findings and the buttons of whoever has the ball."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from core.audit import Actor
from core.errors import Conflict, NotFound
from core.keyset import page
from core.roles import Role
from exchange.license_prefill import has_sources
from licenses.issuing import desks, drafts
from licenses.issuing.workflow import BALL, COMMAND_TITLES, SEAT_TITLES, DraftCommand, draft_commands
from licenses.models import DraftKind, DraftState, IssuingDraft, License, TypeVersion
from licenses.types import offices
from licenses.types.reading import in_force
from portal.actor import actor, roles_required
from portal.care.pages import created, save
from portal.license_desk import prefilling
from portal.license_desk.forms import (
    DraftFilter,
    DraftStepForm,
    EditDraftForm,
    FaceForm,
    NewDraftForm,
    NextDraftForm,
    face_form,
    initial_of,
)
from portal.license_desk.words import region_of, shown_face, today

SEERS = (Role.OPERATOR, Role.HEAD, Role.AUDIT_ADMINISTRATOR)
FORM = "portal/license_desk/draft_form.html"
ONWARD = (DraftCommand.SUBMIT, DraftCommand.SIGN)  # offered first and marked
NEXT_STEPS = {
    DraftState.DRAFT: gettext_lazy("下一步：核对内容后提交签发。"),
    DraftState.RETURNED: gettext_lazy("下一步：按退回意见修改，再提交签发。"),
    DraftState.TO_SIGN: gettext_lazy("下一步：核对内容后签发，或者写明意见退回。"),
}
KINDS = {kind.value.lower(): kind for kind in (DraftKind.CHANGE, DraftKind.RENEWAL, DraftKind.REISSUE)}


@require_GET
@roles_required(*SEERS)
def desk(request: HttpRequest) -> HttpResponse:
    """The drafts of the department, the newest first."""
    who, form = actor(request), DraftFilter(request.GET)
    rows = desks.drafts_visible_to(who)
    counts = rows.order_by().aggregate(
        to_sign=Count("pk", filter=Q(state=DraftState.TO_SIGN) & ~Q(made_by_id=who.user_id)),
        returned=Count("pk", filter=Q(state=DraftState.RETURNED)),
        mine=Count("pk", filter=Q(made_by_id=who.user_id, state__in=(DraftState.DRAFT, DraftState.RETURNED))),
    )
    chosen = form.chosen()
    tab = "mine" if chosen == {"mine": "1"} else str(chosen.get("state", "")).lower() if len(chosen) == 1 else ""
    if chosen.pop("mine", ""):
        rows = rows.filter(made_by_id=who.user_id)
    found = page(rows.filter(**chosen), order=("-id",), cursor=request.GET.get("after", ""))
    context = {
        "form": form,
        "page": found,
        "lines": [(draft, ball_of(draft)) for draft in found.items],
        "counts": counts,
        "tab": tab,
        "may_draft": who.has(Role.OPERATOR),
    }
    return render(request, "portal/license_desk/desk.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(Role.OPERATOR)
def choose_type(request: HttpRequest) -> HttpResponse:
    """Which type a new license is to be of: those entrusted to the department."""
    return render(request, "portal/license_desk/types.html", {"types": issuable(actor(request))})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest, code: str) -> HttpResponse:
    """Draft a new license."""
    version, who = in_force(code, today()), actor(request)
    form_class = face_form(NewDraftForm, version, typed=request.POST)
    said = _words(version, _("起草证照"), reverse("portal:license-draft-types"))
    if filled := prefilling.page(request, form_class, version, FORM, said):
        return filled
    form = form_class(request.POST or None, initial={"region_code": region_of(who)})

    def act() -> str:
        values = form.values()
        uid = created(request, form, lambda: drafts.make(type_code=code, values=values, actor=who, now=timezone.now()))
        messages.success(request, _("草稿已保存。下一步：核对内容后提交签发。"))
        return reverse("portal:license-draft", args=[uid])

    return save(request, form, act, FORM, **said)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def next_version(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    """Draft the next version of a license."""
    who = actor(request)
    license, wanted = drafts.visible_license(uid, who), KINDS.get(kind)
    if wanted is None:
        raise NotFound("license.not_found", _("没有这种办理类型。"))
    version = in_force(license.type_code, today())
    start = _start(license, wanted)
    form_class = face_form(NextDraftForm, version, has_number=False, holders=len(start["holders"]), typed=request.POST)
    title = _("%(kind)s：%(number)s") % {"kind": wanted.label, "number": license.number}
    said = _words(version, title, reverse("portal:license-detail", args=[uid]))
    if filled := prefilling.page(request, form_class, version, FORM, said):
        return filled
    form = form_class(request.POST or None, initial=initial_of(start))

    def act() -> str:
        given = {"values": form.values(), "reason": form.cleaned_data["reason"], "basis": form.cleaned_data["basis"]}
        made = created(
            request,
            form,
            lambda: drafts.make_next(license_uid=uid, kind=wanted, **given, actor=who, now=timezone.now()),
        )
        messages.success(request, _("草稿已保存。签发后成为新版本，原版本同时失效。"))
        return reverse("portal:license-draft", args=[made])

    return save(request, form, act, FORM, **said)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One draft: its content, what the check found, who has the ball."""
    who = actor(request)
    draft = drafts.visible_draft(uid, who)
    seats = desks.seats_of(who, department_id=draft.department_id, made_by_id=draft.made_by_id)
    commands = draft_commands(DraftState(draft.state), seats)
    offered = sorted(commands, key=lambda command: command not in ONWARD)
    form = DraftStepForm(request.POST or None, initial={"revision": draft.revision})

    def act() -> str:
        return _advance(request, form, uid, who)

    context = {
        "draft": draft,
        "face": shown_face(draft.type_version, draft.face),
        "ball": ball_of(draft),
        "next_step": _next_step(draft),
        "commands": [(command, COMMAND_TITLES[command]) for command in offered if command is not DraftCommand.EDIT],
        "onward": ONWARD,
        "may_edit": DraftCommand.EDIT in commands,
        "is_own_signature": draft.state == DraftState.TO_SIGN and draft.made_by_id == who.user_id and who.has(Role.HEAD),
    }
    return save(request, form, act, "portal/license_desk/draft.html", **context)


def _advance(request: HttpRequest, form: DraftStepForm, uid: UUID, who: Actor) -> str:
    command = DraftCommand(form.pressed)
    given: dict[str, Any] = {"uid": uid, "revision": form.cleaned_data["revision"], "actor": who, "now": timezone.now()}
    match command:
        case DraftCommand.SIGN:
            license = drafts.sign(**given)
            messages.success(request, _("已签发，电子证照即时生效；几秒后进入基础库。"))
            return reverse("portal:license-detail", args=[license.uid])
        case DraftCommand.RETURN:
            drafts.return_to_maker(**given, remark=form.cleaned_data["remark"])
            messages.success(request, _("已退回，下一步由经办人修改。"))
        case DraftCommand.WITHDRAW:
            drafts.withdraw(**given)
            messages.success(request, _("已撤回，没有签发任何证照。"))
        case DraftCommand.SUBMIT:
            draft = drafts.submit(**given)
            if draft.findings:
                messages.warning(request, _("核查发现问题，没有提交。请按所列问题修改后再提交。"))
            else:
                messages.success(request, _("核查通过，已提交，下一步由部门负责人签发。"))
        case _:
            raise Conflict("draft.wrong_state", _("请使用“修改”页面。"))
    return reverse("portal:license-draft", args=[uid])


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Mend a draft."""
    who = actor(request)
    draft = drafts.visible_draft(uid, who)
    start = {"revision": draft.revision} | initial_of(
        {name: getattr(draft, name) for name in ("holders", "number", "region_code", "valid_from", "valid_to", "has_paper", "face")}
    )
    form_class = face_form(
        EditDraftForm, draft.type_version, has_number=draft.supersedes_id is None, holders=len(draft.holders), typed=request.POST
    )  # fmt: skip
    said = _words(draft.type_version, _("修改草稿"), drafts.path_of(draft))
    if filled := prefilling.page(request, form_class, draft.type_version, FORM, said):
        return filled
    form: FaceForm = form_class(request.POST or None, initial=start)

    def act() -> str:
        revision = form.cleaned_data["revision"]
        drafts.edit(uid=uid, revision=revision, values=form.values(), actor=who, now=timezone.now())
        messages.success(request, _("修改已保存。下一步：提交签发。"))
        return reverse("portal:license-draft", args=[uid])

    return save(request, form, act, FORM, **said)


def ball_of(draft: IssuingDraft) -> str:
    """Who has the ball, in words; nothing when the draft is closed."""
    seat = BALL.get(DraftState(draft.state))
    return f"{draft.department.short_name} · {SEAT_TITLES[seat]}" if seat else ""


def _next_step(draft: IssuingDraft) -> str:
    if draft.findings and draft.state == DraftState.DRAFT:
        return _("下一步：按下面所列问题修改，再提交签发。")
    return str(NEXT_STEPS.get(DraftState(draft.state), ""))


def issuable(who: Actor) -> list[TypeVersion]:
    """Return the types in force that the actor's department may issue, those with a face first."""
    return sorted(offices.issuable_by(who.department_id, today()).order_by("code"), key=lambda version: not version.rulebook)


def _start(license: License, kind: DraftKind) -> dict[str, Any]:
    """Return what the form starts from; a renewal begins the day after the old version ends."""
    values = drafts.values_of(license)
    if kind is DraftKind.RENEWAL:
        values |= {"valid_from": today(), "valid_to": None}
    return values


def _words(version: TypeVersion, title: str, back: str) -> dict[str, Any]:
    return {"version": version, "title": title, "back": back, "has_sources": has_sources(version)}
