"""Proposing about entities: merging two numbers of one subject, taking a merge back, keeping a record apart and letting it go.

Nothing happens before a second person confirms; the numbers are read from the form's body and stand in no address.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from basedb.dictionary import DATASETS
from basedb.fusion import merging
from basedb.lookup import read_key
from basedb.models import DecisionKind, FusionDecision, SourceRecord
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.roles import Role
from exchange.systems import key_ring
from portal.actor import actor, roles_required
from portal.fusion.forms import MergeForm, RecordForm

PROPOSERS = (Role.OPERATOR, Role.REVIEWER)


@sensitive_post_parameters("kept", "other")
@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*PROPOSERS)
def propose(request: HttpRequest) -> HttpResponse:
    """Propose that two numbers are one subject's, or that they are not after all."""
    form = MergeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _propose(request, form)
        except (Invalid, Conflict, NotFound) as error:
            _refused(form, error)
        else:
            return _proposed(request)
    return render(request, "portal/fusion/propose.html", {"form": form}, status=_status(request, form))


def _propose(request: HttpRequest, form: MergeForm) -> FusionDecision:
    given, ring = form.cleaned_data, key_ring()
    keys = {}
    for name in ("kept", "other"):
        try:
            keys[name] = ring.subject_key(read_key(given["dataset"], given[name]))
        except ValueError:
            wrong = _("不是有效的公民身份号码或统一社会信用代码，请核对。")
            raise Invalid("fusion.number_wrong", wrong, {name: [wrong]}) from None
    act = merging.unmerge if given["kind"] == DecisionKind.UNMERGE else merging.merge_entities
    return act(
        dataset=given["dataset"],
        entity_key=keys["kept"],
        other_key=keys["other"],
        reason=given["reason"],
        actor=actor(request),
        now=timezone.now(),
    )


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*PROPOSERS)
def record(request: HttpRequest, chain: int) -> HttpResponse:
    """Where a record belongs now, and the proposal to keep it apart or to let the rules have it again."""
    who = actor(request)
    link = merging.link_visible_to(who, chain)
    form = RecordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = merging.release if link.decided_by_id else merging.hold
        try:
            act(chain=chain, reason=form.cleaned_data["reason"], actor=who, now=timezone.now())
        except (Invalid, Conflict) as error:
            _refused(form, error)
        else:
            return _proposed(request)
    newest = SourceRecord.objects.filter(chain=chain).select_related("source__department").order_by("-id").first()
    context = {"form": form, "link": link, "record": newest, "dataset": DATASETS[link.dataset].title}
    return render(request, "portal/fusion/record.html", context, status=_status(request, form))


def _refused(form: MergeForm | RecordForm, error: DomainError) -> None:
    form.conflict = error if isinstance(error, Conflict) else None
    form.add_domain_error(error)


def _proposed(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("已提出，等待另一位审核员复核。"))
    return redirect("portal:fusion-decision-list")


def _status(request: HttpRequest, form: MergeForm | RecordForm) -> int:
    return form.status if request.method == "POST" else 200
