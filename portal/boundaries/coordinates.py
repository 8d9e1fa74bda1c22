"""Coordinates of sources (数源坐标): which sources of places may keep shifted coordinates, and the decision about one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.dictionary import DATASETS
from basedb.geography import shifted
from core.roles import Role
from portal.actor import actor, roles_required
from portal.boundaries.forms import CoordinatesForm
from portal.care.pages import save, words


@require_GET
@roles_required(Role.REVIEWER, Role.HEAD, Role.SYSTEM_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR)
def source_list(request: HttpRequest) -> HttpResponse:
    """The sources of places with what was decided."""
    lines = [(source, DATASETS[source.dataset].title, decided) for source, decided in shifted.sources()]
    return render(request, "portal/boundaries/sources.html", {"lines": lines, "may_decide": shifted.may_decide(actor(request))})


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def decide(request: HttpRequest, code: str) -> HttpResponse:
    """Let a source keep shifted coordinates, or refuse them again."""
    source = shifted.find(code)
    form = CoordinatesForm(request.POST or None)

    def act() -> str:
        is_kept = form.cleaned_data["choice"] == "keep"
        reason = form.cleaned_data["reason"]
        shifted.decide(code=code, is_kept=is_kept, reason=reason, actor=actor(request), now=timezone.now())
        messages.success(request, _("已保存，从该数源下一批数据起执行。"))
        return reverse("portal:geometry-source-list")

    lead = _("互联网地图的坐标（GCJ-02、BD-09）经过偏移，不能准确还原。一般应退回数源重新测绘；确需参考的，可以标注后保留。")
    return save(request, form, act, **words(source.title, lead, reverse("portal:geometry-source-list"), _("保存")))
