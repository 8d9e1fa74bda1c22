"""Decisions about entities: what was proposed, and the second person's word."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from basedb.dictionary import DATASETS
from basedb.fusion import merging
from basedb.models import DecisionState
from core.keyset import page
from core.roles import Role
from portal.actor import actor, roles_required
from portal.fusion.conflicts import SEERS
from portal.fusion.forms import DecideForm
from portal.fusion.proposals import PROPOSERS
from portal.fusion.subjects import masked_names


@require_GET
@roles_required(*SEERS)
def decision_list(request: HttpRequest) -> HttpResponse:
    """The decisions one may see, the newest first."""
    who = actor(request)
    rows = merging.decisions_visible_to(who).select_related("proposed_by", "decided_by")
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    names = masked_names((row.dataset, key) for row in found.items for key in (row.entity_key, row.other_key))
    lines = [
        {
            "row": row,
            "dataset": DATASETS[row.dataset].title,
            "kept": names.get(bytes(row.entity_key or b""), ""),
            "other": names.get(bytes(row.other_key or b""), ""),
            "is_open": row.state == DecisionState.PROPOSED and row.proposed_by_id != who.user_id,
        }
        for row in found.items
    ]
    context = {"page": found, "lines": lines, "is_reviewer": who.has(Role.REVIEWER), "may_propose": who.has(*PROPOSERS)}
    return render(request, "portal/fusion/decisions.html", context)


@require_POST
@roles_required(Role.REVIEWER)
def decide(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Confirm a proposal or send it back."""
    form = DecideForm(request.POST)
    act = merging.confirm if form.is_valid() and form.pressed == "confirm" else merging.refuse
    if form.errors:
        messages.error(request, _("没有这种操作，内容没有保存。请使用页面上的按钮。"))
        return redirect("portal:fusion-decision-list")
    act(uid=uid, actor=actor(request), now=timezone.now())
    done = _("已确认，平台正在执行。") if act is merging.confirm else _("已退回提出人。")
    messages.success(request, done)
    return redirect("portal:fusion-decision-list")
