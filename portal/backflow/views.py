"""Backflow for people: subscriptions, their batches and receipts, how far a receiver is behind."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.dictionary import DATASETS
from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange.backflow import subscriptions
from exchange.backflow.batches import waiting_count
from exchange.models import BackflowBatch, BackflowSubscription, BatchState, SubscriptionState
from exchange.querysets import is_reviewer
from portal.actor import BUSINESS, actor, roles_required
from portal.backflow.forms import StateForm, SubscriptionForm

MOST_COUNTED = 10_000
BATCHES_ON_CHART = 30


@require_GET
@roles_required(*BUSINESS)
def subscription_list(request: HttpRequest) -> HttpResponse:
    """The subscriptions a person may see, each with its last receipt."""
    who = actor(request)
    last = BackflowBatch.objects.filter(subscription=OuterRef("pk"), state=BatchState.ACKNOWLEDGED).order_by("-sequence")
    rows = subscriptions.subscriptions_visible_to(who).annotate(
        last_sequence=Subquery(last.values("sequence")[:1]), last_at=Subquery(last.values("acknowledged_at")[:1])
    )
    found = page(rows, order=("id",), cursor=request.GET.get("after", ""))
    lines = [{"row": row, "dataset": DATASETS[row.dataset].title} for row in found.items]
    return render(request, "portal/backflow/list.html", {"page": found, "lines": lines, "may_create": is_reviewer(who)})


@require_GET
@roles_required(*BUSINESS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One subscription: target, batches with receipts, and what still waits."""
    who = actor(request)
    row = subscriptions.visible_subscription(uid, who)
    dataset = DATASETS[row.dataset]
    done = row.batches.filter(state=BatchState.ACKNOWLEDGED)
    context = {
        "row": row,
        "dataset": dataset,
        "items": [dataset.field(name).title for name in row.fields],
        "target": "{host}:{port}/{database} · {table}".format(**row.settings),
        "waiting": waiting_count(row, most=MOST_COUNTED),
        "most_counted": MOST_COUNTED,
        "last": done.order_by("-sequence").first(),
        "page": page(row.batches.all(), order=("-sequence",), cursor=request.GET.get("after", "")),
        "may_change": is_reviewer(who),
        "chart": _chart(row),
    }
    return render(request, "portal/backflow/detail.html", context)


def _chart(row: BackflowSubscription) -> dict[str, Any] | None:
    """Return rows per batch, the oldest on the left; None while there is nothing to compare."""
    last = list(reversed(row.batches.filter(state=BatchState.ACKNOWLEDGED).order_by("-sequence")[:BATCHES_ON_CHART]))
    if len(last) < 2:
        return None
    series = ((_("投递"), [batch.row_count for batch in last]), (_("迁出"), [batch.removed_count for batch in last]))
    return {
        "color": ["#206bc4", "#f59f00"],
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 36, "containLabel": True},
        "xAxis": {"type": "category", "data": [str(batch.sequence) for batch in last]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [{"name": name, "type": "bar", "stack": "rows", "data": values, "barMaxWidth": 40} for name, values in series],
    }


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def new(request: HttpRequest) -> HttpResponse:
    """Lay a subscription down."""
    who = actor(request)
    form = SubscriptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.values()

        def make() -> str:
            return str(subscriptions.create_subscription(**values, actor=who, now=timezone.now()).uid)

        try:
            told = {name: str(value) for name, value in values.items() if name != "password"}
            uid, _is_new = once(
                owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest_of(told), make=make
            )
        except (Invalid, Conflict) as error:
            error.details = {form.name_of(name): text for name, text in error.details.items()}
            form.add_domain_error(error)
        else:
            messages.success(request, _("回流任务已设立，首批数据即将投递。"))
            return redirect("portal:backflow-detail", uid=uid)
    return render(request, "portal/backflow/new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@roles_required(*BUSINESS)
def change_state(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Pause, take up again or end."""
    row = subscriptions.visible_subscription(uid, actor(request))
    form = StateForm(request.POST)
    if not form.is_valid():
        raise Invalid("backflow.state_invalid", _("请从页面上的按钮操作。"), form.errors)
    state = SubscriptionState(form.cleaned_data["state"])
    subscriptions.change_state(
        uid=uid, state=state, revision=form.cleaned_data["revision"], actor=actor(request), now=timezone.now()
    )
    messages.success(request, _("回流任务的状态已改为「%(state)s」。") % {"state": state.label})
    return redirect("portal:backflow-detail", uid=row.uid)


@require_POST
@roles_required(*BUSINESS)
def start_over(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Deliver everything anew."""
    subscriptions.start_over(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已安排重新全量回流。"))
    return redirect("portal:backflow-detail", uid=uid)
