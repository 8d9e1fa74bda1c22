"""Who used licenses: an issuing department sees the uses of its own, the centre and the auditor those of all. Nobody is named."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from exchange.license_statistics.reading import type_names
from exchange.license_uses import lists
from licenses.models import UseChannel
from portal.actor import actor, roles_required
from portal.care.pages import SEERS
from portal.forms import FilterForm


class UseFilter(FilterForm):
    """Which uses."""

    type_code = forms.ChoiceField(label=gettext_lazy("证照类型"))
    channel = forms.ChoiceField(
        label=gettext_lazy("用证方式"),
        choices=[("", gettext_lazy("全部")), *UseChannel.choices, (lists.CALLS, gettext_lazy("部门间共享调用"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(type_names().items(), key=lambda pair: pair[1])
        self.fields["type_code"].choices = [("", _("全部")), *names]  # type: ignore[attr-defined]


@require_GET
@roles_required(*SEERS)
def use_list(request: HttpRequest) -> HttpResponse:
    """Uses of licenses, the newest first."""
    who, form = actor(request), UseFilter(request.GET)
    page = lists.of_department(actor=who, now=timezone.now(), cursor=request.GET.get("after", ""), **form.chosen())
    context = {"form": form, "page": page, "sees_all": lists.sees_all(who)}
    return render(request, "portal/license_uses/list.html", context, status=422 if form.errors else 200)
