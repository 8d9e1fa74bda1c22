"""The evidence as the auditor sees it: how it stands, the sealed batches, and the export of a period with its verifier."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from core.errors import Invalid
from core.roles import Role
from core.signing import public_keys
from exchange.evidence import exports
from exchange.evidence.exports import Chosen
from exchange.evidence.verifier import digest_of
from exchange.models import Chain
from portal.actor import actor, roles_required
from portal.forms import FilterForm


class EvidenceFilter(FilterForm):
    """Which batches."""

    chain = forms.ChoiceField(label=_("存证链"), choices=[("", _("全部")), *Chain.choices])
    since = forms.DateField(label=_("开始日期"), widget=forms.DateInput())
    until = forms.DateField(label=_("结束日期"), widget=forms.DateInput())


@require_GET
@roles_required(Role.AUDIT_ADMINISTRATOR)
def seals(request: HttpRequest) -> HttpResponse:
    """How the evidence stands, and one page of sealed batches."""
    form, who = EvidenceFilter(request.GET), actor(request)
    if not form.is_valid():
        return render(request, "portal/evidence/list.html", {"form": form}, status=422)
    page = exports.read(actor=who, chosen=Chosen(**form.chosen()), cursor=request.GET.get("after", ""))
    standing = exports.standing(actor=who)
    context: dict[str, Any] = {
        "form": form,
        "page": page,
        "lines": [{"seal": seal, "digest": digest_of(seal.statement)} for seal in page.items],
        "lags": [(chain.label, standing.lags[chain.value.lower()]) for chain in Chain],
        "limit": settings.SEAL_LAG_LIMIT_SECONDS,
        "verification": standing.verification,
        "archives": standing.archives,
        "keys": public_keys(settings.SEAL_KEYS_FILE).values(),
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/evidence/list.html", context)


@require_GET
@roles_required(Role.AUDIT_ADMINISTRATOR)
def export(request: HttpRequest) -> FileResponse:
    """The chosen batches as a zip that can be verified anywhere."""
    form = EvidenceFilter(request.GET)
    if not form.is_valid():
        raise Invalid("evidence.filter_invalid", gettext("筛选条件有误，请返回修改后再导出。"), form.errors)
    now = timezone.now()
    made = exports.export(actor=actor(request), chosen=Chosen(**form.chosen()), now=now)
    name = f"evidence-{timezone.localtime(now):%Y%m%d-%H%M%S}.zip"
    return FileResponse(made, as_attachment=True, filename=name, content_type="application/zip")
