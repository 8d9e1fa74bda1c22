"""Conflicts: the list of tasks, and one with its sides and the answer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from basedb.dictionary import DATASETS
from basedb.fusion import conflicts
from basedb.fusion.conflicts import Verdict
from basedb.models import ConflictState
from core.audit import Actor
from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from portal.actor import BUSINESS, actor, roles_required
from portal.fusion.forms import AnswerForm, ConflictFilter
from portal.fusion.subjects import masked_names

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)


@require_GET
@roles_required(*SEERS)
def conflict_list(request: HttpRequest) -> HttpResponse:
    """The conflicts one may see, the newest first."""
    form, who = ConflictFilter(request.GET), actor(request)
    rows = conflicts.conflicts_visible_to(who).filter(**form.chosen())
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    names = masked_names((row.dataset, row.entity_key) for row in found.items)
    lines = [
        (row, conflicts.field_title(row), DATASETS[row.dataset].title, names.get(bytes(row.entity_key), "")) for row in found.items
    ]
    context = {"form": form, "page": found, "lines": lines}
    return render(request, "portal/fusion/conflicts.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One conflict with what each side says, and the answer of its department."""
    who, now = actor(request), timezone.now()
    conflict = conflicts.find(uid, who)
    form = AnswerForm(request.POST or None, initial={"revision": conflicts.revision_of(conflict)})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            conflicts.answer(
                uid=uid, verdict=Verdict(given["verdict"]), text=given["text"], actor=who, now=now, revision=given["revision"]
            )
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            if error.code != "revision.stale":
                raise
            form.overtake(error, {"revision": conflicts.revision_of(conflict)})
        else:
            messages.success(request, _("已答复。来源一致或确认无误后，存疑标记会自动去除。"))
            return redirect("portal:conflict-detail", uid=uid)
    sides = conflicts.sides(conflict, actor=who, now=now)
    context = {
        "conflict": conflict,
        "field": conflicts.field_title(conflict),
        "dataset": DATASETS[conflict.dataset].title,
        "sides": sides,
        "movable": _movable(sides, who) if conflict.state != ConflictState.RESOLVED else set(),
        "subject": conflicts.subject_of(conflict, who),
        "is_shown": conflicts.may_see_values(conflict, who),
        "may_answer": conflicts.may_answer(conflict, who),
        "is_asked_to_correct": conflicts.is_asked_to_correct(conflict, who),
        "form": form,
    }
    return render(request, "portal/fusion/conflict.html", context, status=form.status if request.method == "POST" else 200)


def _movable(sides: list[conflicts.Side], who: Actor) -> set[int]:
    """The records somebody may propose to keep apart: a reviewer all of them, an operator those of the own department."""
    if who.has(Role.REVIEWER):
        return {side.chain for side in sides}
    return {side.chain for side in sides if who.has(Role.OPERATOR) and side.department_id == who.department_id}
