"""Pairs: the queue, and one side by side with the decision."""

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
from basedb.matching import desk
from basedb.models import CandidateState, MatchCandidate
from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from portal.actor import BUSINESS, actor, roles_required
from portal.matching.forms import CandidateFilter, DecisionForm, sources_of
from portal.matching.words import reasons

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
_ACTS = {"accept": desk.accept, "refuse": desk.refuse, "undo": desk.undo}


@require_GET
@roles_required(*SEERS)
def matching_list(request: HttpRequest) -> HttpResponse:
    """The pairs one may see, the newest first; those that wait unless the URL says otherwise."""
    who = actor(request)
    rows = desk.candidates_visible_to(who)
    chosen = request.GET if set(request.GET) - {"after"} else {"state": CandidateState.OPEN.value}
    form = CandidateFilter(chosen, sources=sources_of(rows))
    found = page(rows.filter(**form.conditions()), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [(row, DATASETS[row.dataset].title, reasons(row)) for row in found.items]
    context = {"form": form, "page": found, "lines": lines, "is_reviewer": who.has(Role.REVIEWER)}
    return render(request, "portal/matching/list.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One pair: both sides, why and why not, and the reviewer's decision."""
    who, now = actor(request), timezone.now()
    candidate = desk.find(uid, who)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _ACTS[form.pressed](uid=uid, reason=form.cleaned_data["reason"], actor=who, now=now)
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            form.conflict = error
            form.add_domain_error(error)
        else:
            messages.success(request, _done(form.pressed))
            return redirect("portal:matching-detail", uid=uid)
    context = {
        "candidate": candidate,
        "dataset": DATASETS[candidate.dataset].title,
        "lines": desk.lines(candidate, actor=who, now=now),
        "reasons": reasons(candidate),
        "others": _others(candidate),
        "is_record_shown": desk.may_see_record(candidate, who),
        "is_entity_shown": desk.may_see_entity(who),
        "may_decide": who.has(Role.REVIEWER) and candidate.state in (CandidateState.OPEN, CandidateState.ACCEPTED),
        "form": form,
    }
    return render(request, "portal/matching/detail.html", context, status=form.status if request.method == "POST" else 200)


def _others(candidate: MatchCandidate) -> list[MatchCandidate]:
    """The other entities the record may belong to."""
    return list(MatchCandidate.objects.filter(chain=candidate.chain, state=CandidateState.OPEN).exclude(pk=candidate.pk)[:10])


def _done(pressed: str) -> str:
    return {
        "accept": _("已关联，几秒内生效；主体档案会补充这条记录的内容。"),
        "refuse": _("已记为不是同一主体。双方数据不变时不再提出。"),
        "undo": _("已撤销关联，几秒内生效；记录恢复为暂不归并。"),
    }[pressed]
