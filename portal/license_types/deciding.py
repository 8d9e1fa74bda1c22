"""Decisions about license types: next version, submitting, giving back, publishing, retiring, entrusting, loading, uses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, Invalid
from core.roles import Role
from licenses.models import TypeState, TypeUse, TypeVersion
from licenses.types import entrusting, loading, publishing, reading, uses
from licenses.types.comparing import differences
from licenses.types.load_file import LARGEST
from licenses.types.publishing import content_of
from portal.actor import actor, roles_required
from portal.care.pages import FORM, created, save, words
from portal.license_types.forms import (
    EndUseForm,
    EntrustForm,
    LoadForm,
    PublishForm,
    RetireForm,
    ReturnForm,
    SubmitForm,
    UseForm,
)
from portal.license_types.words import OUTCOMES, difference_lines

_SHOWN = 200


@require_POST
@roles_required(Role.OPERATOR)
def open_next(request: HttpRequest, code: str) -> HttpResponse:
    """Open the next version of a type."""
    version = publishing.open_next(code=code, actor=actor(request), now=timezone.now())
    messages.success(request, _("已按现行内容开出第 %(number)d 版草稿，改好后送审。") % {"number": version.number})
    return redirect("portal:license-type-version", uid=version.uid)


@require_POST
def submit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hand a draft to the head."""
    form = SubmitForm(request.POST)
    version = reading.get_visible(uid, actor(request))
    publishing.require_keeper(actor(request), Role.OPERATOR, version)
    if form.is_valid():
        try:
            given = {"revision": form.cleaned_data["revision"], "actor": actor(request), "now": timezone.now()}
            publishing.submit(uid=uid, **given)
            messages.success(request, _("已送审，现由本部门负责人发布。"))
        except Invalid as error:
            messages.error(request, str(error.message))
    else:
        messages.error(request, _("页面上的修订号缺失或不正确，没有送审。请核对后再办理。"))
    return redirect("portal:license-type-version", uid=uid)


@require_http_methods(["GET", "POST"])
def send_back(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a submitted draft back."""
    version = _for_head(request, uid)
    form = ReturnForm(request.POST or None, initial={"revision": version.revision})

    def act() -> str:
        publishing.send_back(uid=uid, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, _("已退回，编制人会收到退回原因。"))
        return f"/license-types/versions/{uid}/"

    back = f"/license-types/versions/{uid}/"
    return save(request, form, act, FORM, **words(_("退回草稿"), str(version), back, _("退回")))


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Look at what changes and publish."""
    version = _for_head(request, uid)
    today = publishing.today(timezone.now())
    form = PublishForm(request.POST or None, initial={"revision": version.revision, "effective_from": today})
    before = TypeVersion.objects.filter(code=version.code, number__lt=version.number).order_by("-number").first()

    def act() -> str:
        publishing.publish(uid=uid, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, _("已发布。签发、亮证和核验自施行之日起用这一版。"))
        return f"/license-types/{version.code}/"

    context: dict[str, Any] = {
        "version": version,
        "before": before,
        "faults": publishing.faults_of(version) if version.state == TypeState.DRAFT else [],
        "lines": difference_lines(differences(content_of(before), content_of(version))) if before else [],
    }
    return save(request, form, act, "portal/license_types/publish.html", **context)


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def retire(request: HttpRequest, code: str) -> HttpResponse:
    """Retire a type."""
    version = reading.versions_of(code, actor(request))[0]
    form = RetireForm(request.POST or None)

    def act() -> str:
        publishing.retire(code=code, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, _("已停用，自今天起不再按这一类型签发；已签发的证照不受影响。"))
        return f"/license-types/{code}/"

    lead = _("停用“%(name)s”后不能再按它签发新证照，也不能再编制新版本；已签发的证照不受影响。") % {"name": version.name}
    return save(request, form, act, FORM, **words(_("停用证照类型"), lead, f"/license-types/{code}/", _("停用"), is_grave=True))


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def entrust(request: HttpRequest, code: str) -> HttpResponse:
    """Entrust a type to a department."""
    version = reading.versions_of(code, actor(request))[0]
    form = EntrustForm(request.POST or None, initial={"department": version.department.uid})

    def act() -> str:
        chosen = form.cleaned_data["department"].uid
        entrusting.entrust(code=code, department=chosen, actor=actor(request), now=timezone.now())
        messages.success(request, _("维护部门已变更，今后由其编制和发布。"))
        return f"/license-types/{code}/"

    lead = _("“%(name)s”现由%(department)s维护。") % {"name": version.name, "department": version.department.name}
    return save(request, form, act, FORM, **words(_("变更维护部门"), lead, f"/license-types/{code}/", _("变更")))


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def load(request: HttpRequest) -> HttpResponse:
    """Check a file of types, or load it."""
    form = LoadForm(request.POST or None, request.FILES or None)
    outcome, is_loaded = None, False
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        content = file.read(LARGEST + 1)
        given: dict[str, Any] = {"content": content, "file_name": file.name, "actor": actor(request), "now": timezone.now()}
        try:
            outcome = loading.preview(**given)
            if form.pressed == "load" and not outcome.faulty:
                outcome, is_loaded = loading.load(**given), True
                messages.success(request, _("已装载：新增 %(new)d 个类型，新版本 %(next)d 个，无变化 %(same)d 个。") % {
                    "new": outcome.new_count, "next": outcome.next_count, "same": outcome.unchanged_count
                })  # fmt: skip
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    lines = [(line, OUTCOMES.get(line.outcome, "")) for line in outcome.lines[:_SHOWN]] if outcome else []
    context = {"form": form, "outcome": outcome, "lines": lines, "is_loaded": is_loaded}
    status = 422 if outcome is not None and outcome.faulty else form.status
    return render(request, "portal/license_types/load.html", context, status=status)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def propose_use(request: HttpRequest, code: str) -> HttpResponse:
    """Propose a line of the list of uses."""
    version = reading.in_force(code, publishing.today(timezone.now()))
    publishing.require_keeper(actor(request), Role.OPERATOR, version)
    form = UseForm(request.POST or None, names=uses.names_of(version))

    def act() -> str:
        given: dict[str, Any] = {"type_code": code, "terms": form.terms(), "actor": actor(request), "now": timezone.now()}
        created(request, form, lambda: uses.propose(**given))
        messages.success(request, _("条目已提出，现由本部门负责人发布。"))
        return f"/license-types/{code}/#uses"

    lead = _("%(name)s：办理哪个事项可以要用哪些照面项目。发布后一直施行到终止。") % {"name": version.name}
    return save(request, form, act, FORM, **words(_("提出用证清单条目"), lead, f"/license-types/{code}/#uses", _("提出")))


@require_POST
@roles_required(Role.HEAD)
def publish_use(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Publish a proposed line."""
    use = uses.publish(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已发布，自今天起施行。"))
    return redirect(f"/license-types/{use.type_code}/#uses")


@require_http_methods(["GET", "POST"])
def end_use(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a line or drop a proposal."""
    use: TypeUse = uses.get_visible(uid, actor(request))
    uses.require_ender(use, actor(request))
    form = EndUseForm(request.POST or None)

    def act() -> str:
        uses.end(uid=uid, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, _("已终止，自今天起不再按它取用。"))
        return f"/license-types/{use.type_code}/#uses"

    back = f"/license-types/{use.type_code}/#uses"
    return save(request, form, act, FORM, **words(_("终止用证清单条目"), str(use), back, _("终止"), is_grave=True))


def _for_head(request: HttpRequest, uid: UUID) -> TypeVersion:
    version = reading.get_visible(uid, actor(request))
    publishing.require_keeper(actor(request), Role.HEAD, version)
    return version
