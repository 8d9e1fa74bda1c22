"""Versions of a grant: what it said on a day, and what each change made different."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from exchange.granting.grant_versions import differences, terms_on
from exchange.models import GrantVersion
from portal.actor import roles_required
from portal.forms import FilterForm
from portal.grants.access import SEERS, visible
from portal.grants.words import TITLES, lines_of, words_of


class DayFilter(FilterForm):
    """Which day."""

    on = forms.DateField(label=_("日期"), widget=forms.DateInput())


@require_GET
@roles_required(*SEERS)
def versions(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every version of a grant, or those that stood on a day, with what each one changed."""
    grant = visible(request, uid)
    form = DayFilter(request.GET)
    day = form.chosen().get("on")
    titles = dict(grant.resource.items.values_list("name", "title"))
    every = list(grant.versions.order_by("number"))
    before: dict[int, GrantVersion] = {later.pk: earlier for earlier, later in pairwise(every)}
    shown = list(terms_on(grant, day)) if day else every[::-1]
    cards = [
        {"version": version, "lines": lines_of(version.terms, titles), "changes": _changes(before.get(version.pk), version, titles)}
        for version in shown
    ]
    context = {"grant": grant, "form": form, "day": day, "cards": cards}
    return render(request, "portal/grants/versions.html", context, status=422 if form.errors else 200)


def _changes(before: GrantVersion | None, after: GrantVersion, titles: dict[str, str]) -> list[dict[str, Any]]:
    if before is None:
        return []
    return [
        {
            "title": TITLES[change.term],
            "before": words_of(change.term, change.before, titles) or "—",
            "after": words_of(change.term, change.after, titles) or "—",
        }
        for change in differences(before.terms, after.terms)
        if change.term in TITLES
    ]
