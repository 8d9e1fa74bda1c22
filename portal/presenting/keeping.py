"""Pages of the data centre: holders stopped by the hotline (停用亮证), and applications two people trusted to let holders in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from core import keyset
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from exchange.models import ConsumerSystem
from exchange.presenting import entering
from licenses.models import Assurance, BlockedBy, HolderBlock
from licenses.presenting import blocking
from licenses.recognition.keeping import CENTRE_ROLES, may_keep
from licenses.subject_keys import key_of
from portal.actor import actor, roles_required
from portal.forms import PortalForm


class BlockForm(PortalForm):
    """Whom to stop and why; the number is turned into its key at once and kept nowhere."""

    holder = forms.CharField(
        label=gettext_lazy("持证主体代码"),
        max_length=18,
        help_text=gettext_lazy("公民身份号码或统一社会信用代码，只用于查找，不保存。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=200, help_text=gettext_lazy("写明来电人、核实方式和经过。"))


class LiftForm(PortalForm):
    """How the identity was checked."""

    reason = forms.CharField(label=gettext_lazy("核实情况"), max_length=200)


class ApplicationForm(PortalForm):
    """Which system, up to which level, on which basis."""

    system = forms.ModelChoiceField(label=gettext_lazy("系统"), queryset=ConsumerSystem.objects.none(), to_field_name="uid")
    assurance = forms.TypedChoiceField(label=gettext_lazy("最高核验等级"), choices=Assurance.choices, coerce=int)
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["system"]
        field.queryset = ConsumerSystem.objects.filter(is_active=True).order_by("name")


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def block_list(request: HttpRequest) -> HttpResponse:
    """Holders who are stopped; a form to stop one."""
    form = BlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = key_of(form.cleaned_data["holder"])
        if found is None:
            form.add_error("holder", _("不是有效的公民身份号码或统一社会信用代码。"))
        else:
            given = {"subject_key": found[1], "by": BlockedBy.HOTLINE, "reason": form.cleaned_data["reason"]}
            try:
                blocking.block_holder(**given, actor=actor(request), now=timezone.now())
            except (Conflict, Invalid) as error:
                form.add_domain_error(error)
            else:
                messages.success(request, _("已停用，该主体的会话和亮证码当即失效。"))
                return redirect("portal:presenting-blocks")
    page = keyset.page(HolderBlock.objects.all(), order=("-id",), cursor=request.GET.get("after", ""))
    context = {"form": form, "page": page, "lift": LiftForm()}
    return render(request, "portal/presenting/blocks.html", context, status=422 if form.errors else 200)


@require_POST
@roles_required(Role.REVIEWER)
def block_lift(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let a holder present again."""
    form = LiftForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    blocking.lift_block(uid=uid, reason=reason, actor=actor(request), now=timezone.now())
    messages.success(request, _("已恢复，持证人可重新进入。"))
    return redirect("portal:presenting-blocks")


@require_http_methods(["GET", "POST"])
@roles_required(*CENTRE_ROLES)
def application_list(request: HttpRequest) -> HttpResponse:
    """Applications that may let holders in; a form to propose one."""
    who = actor(request)
    if not may_keep(who):
        raise Forbidden("role.required", _("可信身份应用由数据中心审核员和负责人登记、复核和停用。"))
    form = ApplicationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            entering.propose(
                system_uid=given["system"].uid,
                assurance=given["assurance"],
                basis=given["basis"],
                actor=who,
                now=timezone.now(),
            )
        except (Conflict, Invalid, NotFound) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("已登记。下一步：由数据中心另一人复核，复核后该系统才能为持证人打开亮证。"))
            return redirect("portal:presenting-applications")
    lines = [{"row": row, "assurance": Assurance(row.assurance_at_most).label} for row in entering.applications()[:200]]
    context = {"form": form, "lines": lines, "user_id": who.user_id, "may_block": who.has(Role.REVIEWER)}
    return render(request, "portal/presenting/applications.html", context, status=422 if form.errors else 200)


@require_POST
@roles_required(*CENTRE_ROLES)
def application_confirm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Trust an application another person proposed."""
    entering.confirm(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已复核，该系统可以为持证人打开亮证。"))
    return redirect("portal:presenting-applications")


@require_POST
@roles_required(*CENTRE_ROLES)
def application_end(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Trust an application no longer, or drop what was proposed."""
    entering.end_trust(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已停用，不能再打开新的会话。"))
    return redirect("portal:presenting-applications")
