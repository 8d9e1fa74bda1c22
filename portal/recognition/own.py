"""What other regions load to trust this node: a file with its public keys, and the fingerprints to tell over the telephone."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from core.calendar import SHANGHAI, today_in_shanghai
from core.models import Department
from licenses.models import NodeRelation
from licenses.recognition import keeping
from portal.forms import FilterForm
from portal.recognition.views import keepers_only

USUAL: Final = timedelta(days=2 * 365)
LONGEST: Final = timedelta(days=5 * 366)


class CardForm(FilterForm):
    """How the other side sees this node, and until when it may trust the keys."""

    relation = forms.ChoiceField(
        label=gettext_lazy("本节点是对方的"),
        choices=NodeRelation.choices,
        initial=NodeRelation.PEER,
        help_text=gettext_lazy("县区登记本节点选“上级节点”，省级登记本节点选“下级节点”。"),
    )
    valid_to = forms.DateField(
        label=gettext_lazy("密钥可用到"),
        widget=forms.DateInput,
        help_text=gettext_lazy("不填为两年后，最长五年；换用新密钥后须重新提供。"),
    )

    def clean_valid_to(self) -> date | None:
        """A day to come, not too far ahead."""
        day: date | None = self.cleaned_data["valid_to"]
        today = today_in_shanghai(timezone.now())
        if day is not None and not today < day <= today + LONGEST:
            raise forms.ValidationError(_("应为今后五年内的日期。"))
        return day


@require_GET
@keepers_only
def card(request: HttpRequest) -> HttpResponse:
    """The fingerprints of the own keys, and the form that gives the file."""
    context = {"form": CardForm(None, initial={"relation": NodeRelation.PEER}), "keys": keeping.own_keys()}
    return render(request, "portal/recognition/card.html", context)


@require_GET
@keepers_only
def card_file(request: HttpRequest) -> HttpResponse:
    """The file itself; it holds public keys alone."""
    form = CardForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "keys": keeping.own_keys()}
        return render(request, "portal/recognition/card.html", context, status=form.status)
    told = _told(form.chosen())
    response = HttpResponse(json.dumps(told, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="license-node-{settings.NODE_CODE}.json"'
    return response


def _told(chosen: dict[str, Any]) -> dict[str, Any]:
    until = chosen.get("valid_to") or today_in_shanghai(timezone.now()) + USUAL
    centre = Department.objects.filter(is_data_centre=True, valid_to=None).order_by("id").first()
    return keeping.own_card(
        name=centre.name if centre else settings.NODE_CODE,
        endpoint=settings.PUBLIC_URL.rstrip("/"),
        valid_to=datetime.combine(until, time.max, tzinfo=SHANGHAI).replace(microsecond=0),
        relation=NodeRelation(chosen.get("relation") or NodeRelation.PEER),
    )
