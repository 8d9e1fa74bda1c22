"""Bulk decisions (批量办理): one page says what would be done to each request, one confirmation does it, one page says what was."""

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
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Invalid
from exchange.models import BulkOutcome
from exchange.requests import bulk_decisions
from exchange.requests.inbox import open_claim_of
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import OnceForm
from portal.requests import words


class BulkForm(OnceForm):
    """The requests as the person saw them (`uid:revision`) and one opinion for all of them."""

    allowed_extra = frozenset({"rows"})
    reason = forms.CharField(
        label=gettext_lazy("意见"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("选填，写入每一项申请的办理记录。"),
    )

    def chosen(self) -> list[tuple[UUID, int]]:
        """Return the requests with the revision they were seen in."""
        data: Any = self.data
        return [pair_of(text) for text in data.getlist("rows")[: bulk_decisions.AT_MOST + 1]]


@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def bulk(request: HttpRequest) -> HttpResponse:
    """Say what would be done to the ticked requests; do it when confirmed."""
    if request.method == "POST":
        return _confirmed(request)
    try:
        plans = bulk_decisions.plan(request_uids=[uid_of(text) for text in request.GET.getlist("row")], actor=actor(request))
    except Invalid as error:
        messages.error(request, str(error.message))
        return redirect("portal:request-inbox")
    return _page(request, BulkForm(), plans)


@require_GET
@roles_required(*BUSINESS)
def result(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What became of each request of a bulk decision."""
    done = bulk_decisions.bulk_of(actor(request), uid)
    lines = list(done.lines.select_related("access_request__resource", "access_request__requester").order_by("id"))
    counts = {str(key): sum(line.outcome == key for line in lines) for key in BulkOutcome}
    return render(request, "portal/requests/bulk_result.html", {"bulk": done, "lines": lines, "counts": counts})


def _confirmed(request: HttpRequest) -> HttpResponse:
    form, who, now = BulkForm(request.POST), actor(request), timezone.now()
    chosen = form.chosen()
    if not form.is_valid() or not chosen:
        form.add_error(None, _("请先勾选要办理的申请。")) if not chosen else None
        plans = bulk_decisions.plan(request_uids=[uid for uid, _revision in chosen], actor=who) if chosen else []
        return _page(request, form, plans)
    given = form.cleaned_data
    made = bulk_decisions.open_bulk(chosen=chosen, reason=given["reason"], token=given["submission"], actor=who, now=now)
    bulk_decisions.work_off(bulk=made, actor=who, now=now)
    return redirect("portal:request-inbox-bulk-result", uid=made.uid)


def _page(request: HttpRequest, form: BulkForm, plans: list[bulk_decisions.Plan]) -> HttpResponse:
    lines: list[dict[str, Any]] = [
        {
            "request": plan.access_request,
            "action": words.BUTTONS[plan.command][0] if plan.command else "",
            "why_not": plan.why_not,
            "claim": open_claim_of(plan.access_request),
            "token": f"{plan.access_request.uid}:{plan.access_request.revision}",
        }
        for plan in plans
    ]
    able = sum(plan.command is not None for plan in plans)
    context = {"form": form, "lines": lines, "able": able, "unable": len(plans) - able}
    context["me"] = actor(request).user_id
    return render(request, "portal/requests/bulk.html", context, status=form.status)


def pair_of(text: str) -> tuple[UUID, int]:
    """Return the request and the revision a line stands for."""
    uid, _colon, revision = text.partition(":")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise _unknown()
    return uid_of(uid), int(revision)


def uid_of(text: str) -> UUID:
    """Return the request a tick stands for."""
    try:
        return UUID(text)
    except ValueError as error:
        raise _unknown() from error


def _unknown() -> Invalid:
    text = _("勾选的内容无效，请回到待办重新勾选。")
    return Invalid("bulk.unknown", text, {"rows": text})
