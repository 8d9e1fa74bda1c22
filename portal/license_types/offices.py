"""Who issues a type (签发机构): the lines on its page, proposing an office, confirming it, ending it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.audit import Actor
from core.roles import Role
from licenses.models import TypeOffice, TypeVersion
from licenses.types import entrusting, offices, publishing, reading
from portal.actor import actor, roles_required
from portal.care.pages import FORM, created, save, words
from portal.license_types.forms import EndOfficeForm, OfficeForm
from portal.license_types.words import Standing


def office_lines(code: str, version: TypeVersion, who: Actor) -> list[dict[str, Any]]:
    """Return the offices of a type one may see, those that issue now first: where they stand, what the actor may do."""
    is_keeper = who.department_id == version.department_id
    lines = []
    for office in offices.visible_to(who).filter(type_code=code).order_by("ended_at", "id"):
        is_proposal, is_over = office.effective is None, office.ended_at is not None
        may_drop = is_keeper and who.has(Role.OPERATOR if is_proposal else Role.HEAD)
        lines.append(
            {
                "office": office,
                "standing": _standing_of(office),
                "may_confirm": is_proposal and not is_over and is_keeper and who.has(Role.HEAD),
                "may_end": not is_over and (publishing.reviews(who) or may_drop),
            }
        )
    return sorted(lines, key=lambda line: line["office"].ended_at is not None)


def may_propose(version: TypeVersion, who: Actor) -> bool:
    """Whether the actor may propose an office: an operator of the keeping department, for a type in force."""
    is_keeper = who.has(Role.OPERATOR) and who.department_id == version.department_id
    return is_keeper and reading.find_in_force(version.code, publishing.today(timezone.now())) is not None


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def propose(request: HttpRequest, code: str) -> HttpResponse:
    """Propose an office."""
    version = reading.in_force(code, publishing.today(timezone.now()))
    publishing.require_keeper(actor(request), Role.OPERATOR, version)
    form = OfficeForm(request.POST or None)

    def act() -> str:
        given = {"department": form.cleaned_data["department"].uid, "basis": form.cleaned_data["basis"]}
        created(request, form, lambda: entrusting.propose(type_code=code, **given, actor=actor(request), now=timezone.now()))
        messages.success(request, _("签发机构已提出，现由本部门负责人确认；确认之日起它可以签发。"))
        return f"/license-types/{code}/#offices"

    lead = _("“%(name)s”由%(department)s维护，登记的签发机构可以同样签发它。") % {
        "name": version.name, "department": version.department.name
    }  # fmt: skip
    return save(request, form, act, FORM, **words(_("登记签发机构"), lead, f"/license-types/{code}/#offices", _("提出")))


@require_POST
@roles_required(Role.HEAD)
def confirm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Entrust a proposed office."""
    office = entrusting.confirm(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已确认，%(department)s自今天起可以签发。") % {"department": office.department.name})
    return redirect(entrusting.path_of(office))


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End an entrustment or drop a proposal."""
    office = offices.get_visible(uid, actor(request))
    entrusting.require_ender(office, actor(request))
    form = EndOfficeForm(request.POST or None)

    def act() -> str:
        entrusting.end(uid=uid, **form.cleaned_data, actor=actor(request), now=timezone.now())
        messages.success(request, _("已终止，该机构不能再签发；它已签发的证照不受影响。"))
        return entrusting.path_of(office)

    lead = _("终止后%(department)s不能再签发这类证照，未签发的草稿和批次也不再签发；已签发的证照不受影响，仍由它办理暂扣、注销等。")
    text = lead % {"department": office.department.name}
    return save(request, form, act, FORM, **words(_("终止签发"), text, entrusting.path_of(office), _("终止"), is_grave=True))


def _standing_of(office: TypeOffice) -> Standing:
    if office.effective is None:
        return Standing("RETIRED", _("未确认，已撤下")) if office.ended_at else Standing("SUBMITTED", _("待确认"))
    if office.is_former_keeper:
        return Standing("ENDED", _("原维护部门"))
    return Standing("ENDED", _("已终止")) if office.ended_at else Standing("PUBLISHED", _("可签发"))
