"""Claiming, releasing and handing over a request (认领、释放、转办), and delegations while away (外出委托)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
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

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import DomainError
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange.models import AccessRequest, Desk
from exchange.models.desk_work import DELEGABLE
from exchange.requests import claims, delegation
from exchange.requests.capacities import seats_held
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import OnceForm, PortalForm
from portal.requests.inbox import SEERS, back_to


class ColleagueForm(PortalForm):
    """Whom a request is handed to."""

    colleague = forms.UUIDField(label=gettext_lazy("转给"))


class DelegationForm(OnceForm):
    """Who stands in for the signed-in person, in which roles, from when until when."""

    delegate = forms.ChoiceField(label=gettext_lazy("受托人"), help_text=gettext_lazy("只能委托本部门在岗的同事。"))
    roles = forms.MultipleChoiceField(label=gettext_lazy("委托的角色"), widget=forms.CheckboxSelectMultiple)
    first_day = forms.DateField(label=gettext_lazy("自"), widget=forms.DateInput())
    last_day = forms.DateField(label=gettext_lazy("至"), widget=forms.DateInput(), help_text=gettext_lazy("含当日，最长 90 天。"))

    def __init__(self, *args: Any, who: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = delegation.colleagues(who).values_list("uid", "display_name")
        held = [role for role in DELEGABLE if who.has(role)]
        self.fields["delegate"].choices = [(str(uid), name) for uid, name in people]  # type: ignore[attr-defined]
        self.fields["roles"].choices = [(role.value, role.label) for role in held]  # type: ignore[attr-defined]
        if len(held) == 1:
            self.fields["roles"].initial = [held[0].value]
        self.fields["first_day"].initial = self.fields["last_day"].initial = timezone.localdate()

    def add_domain_error(self, error: DomainError) -> None:
        """Show a refusal where it belongs; the rules call the last day `valid_to`."""
        if "valid_to" in error.details:
            error.details["last_day"] = error.details.pop("valid_to")
        super().add_domain_error(error)


@require_POST
@roles_required(*BUSINESS)
def claim(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take care of a request."""
    claims.claim(request_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已认领，同事会看到由您办理。"))
    return _back(request, uid)


@require_POST
@roles_required(*BUSINESS)
def release(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a claim back."""
    claims.release(request_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已释放，同岗位的同事可以认领。"))
    return _back(request, uid)


@require_POST
@roles_required(*BUSINESS)
def reassign(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hand a request to a colleague of the same desk."""
    form = ColleagueForm(request.POST)
    colleague = form.cleaned_data["colleague"] if form.is_valid() else UUID(int=0)
    made = claims.reassign(request_uid=uid, colleague_uid=colleague, actor=actor(request), now=timezone.now())
    messages.success(request, _("已转给%(name)s办理，并已通知本人。") % {"name": made.claimed_by.display_name})
    return _back(request, uid)


def claim_box(access_request: AccessRequest, who: Actor) -> dict[str, Any] | None:
    """Return what the page of a request says about its claim; nothing to those whose desk it does not concern."""
    if access_request.desk == Desk.NOBODY:
        return None
    sits = access_request.desk in seats_held(who, access_request)
    heads = claims.may_reassign(who, access_request)
    if not sits and not heads:
        return None
    held = claims.open_claim(access_request)
    own = held is not None and held.claimed_by_id == who.user_id
    taken_by = [held.claimed_by_id] if held else []
    colleagues = claims.colleagues_at(access_request).exclude(pk__in=taken_by) if own or heads else ()
    return {
        "held": held,
        "own": own,
        "may_claim": sits and held is None,
        "may_release": own or (heads and held),
        "colleagues": colleagues,
    }


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def delegations(request: HttpRequest) -> HttpResponse:
    """The delegations one may see, and leaving own roles to a colleague for some days."""
    who = actor(request)
    form = DelegationForm(request.POST if request.method == "POST" else None, who=who)
    if request.method == "POST" and form.is_valid():
        try:
            _give(form, who)
        except DomainError as error:
            if error.status not in (409, 422):
                raise
            form.add_domain_error(error)
        else:
            messages.success(request, _("委托已生效，受托人已收到通知；到期自动结束，也可随时撤销。"))
            return redirect("portal:request-delegations")
    rows = delegation.delegations_visible_to(who).select_related("giver", "delegate", "department")
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    now = timezone.now()
    may = _may_revoke(who)
    lines = [{"row": row, "standing": standing(row, now), "may_revoke": may(row)} for row in found.items]
    context = {"form": form if who.has(*BUSINESS) else None, "page": found, "lines": lines}
    return render(request, "portal/requests/delegations.html", context, status=form.status)


@require_POST
@roles_required(*BUSINESS)
def revoke_delegation(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a delegation at once."""
    delegation.revoke(actor=actor(request), uid=uid, now=timezone.now())
    messages.success(request, _("委托已撤销，即时生效。"))
    return redirect("portal:request-delegations")


def standing(row: Any, now: datetime) -> tuple[str, str]:
    """Return how a delegation stands, as a state and in words."""
    if row.revoked_at is not None:
        return "REVOKED", _("已撤销")
    if row.valid_to <= now:
        return "EXPIRED", _("已到期")
    return ("ACTIVE", _("生效中")) if row.valid_from <= now else ("PREPARED", _("未开始"))


def _may_revoke(who: Actor) -> Any:
    now = timezone.now()

    def may(row: Any) -> bool:
        concerned = who.user_id in (row.giver_id, row.delegate_id) or who.has(Role.HEAD)
        return row.revoked_at is None and row.valid_to > now and concerned

    return may


def _give(form: DelegationForm, who: Actor) -> None:
    given, now = form.cleaned_data, timezone.now()

    def make() -> str:
        made = delegation.give(
            actor=who,
            delegate_uid=UUID(given["delegate"]),
            roles=frozenset(given["roles"]),
            valid_from=_midnight(given["first_day"]),
            valid_to=_midnight(given["last_day"] + timedelta(days=1)),
            now=now,
        )
        return str(made[0].uid)

    once(owner=f"user:{who.user_id}", token=given["submission"], digest=digest_of(given), make=make)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)


def _back(request: HttpRequest, uid: UUID) -> HttpResponse:
    inbox = back_to(request)
    return redirect(inbox) if inbox else redirect("portal:request-detail", uid=uid)
