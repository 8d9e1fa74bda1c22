"""Licenses to be looked at again (证照复核): what the nightly review marked among those a department delivered or issued."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from basedb.masking import Mask, mask_value
from basedb.models import License as CityLicense
from basedb.models import LicenseMark, MarkKind
from core.keyset import page
from core.models import Department
from core.roles import Role
from licenses.models import License
from licenses.subject_keys import ENTITY
from portal.actor import actor, roles_required
from portal.forms import FilterForm
from portal.license_desk.drafts import SEERS

REVIEW_SEERS = (*SEERS, Role.REVIEWER)
ADVICE = {
    MarkKind.IDENTIFIER: _("核对证照标识的校验位，由签发系统更正后重新归集；确属历史标识的可保留。"),
    MarkKind.UNKNOWN_TYPE: _("核对证照类型代码，或请主管部门先登记该类型。"),
    MarkKind.HOLDER_DEAD: _("核实死亡登记后办理注销（行政许可法第七十条）。"),
    MarkKind.HOLDER_CANCELLED: _("核实注销登记后办理注销（行政许可法第七十条）。"),
}


class MarkFilter(FilterForm):
    """Which marks."""

    kind = forms.ChoiceField(label=_("复核事项"), choices=[("", _("全部")), *MarkKind.choices])


@never_cache
@require_GET
@roles_required(*REVIEW_SEERS)
def marked(request: HttpRequest) -> HttpResponse:
    """The open marks of the department's licenses; all departments' for the centre's reviewer and the audit administrator."""
    who, form = actor(request), MarkFilter(request.GET)
    rows = LicenseMark.objects.filter(closed_at=None)
    sees_all = who.has(Role.AUDIT_ADMINISTRATOR) or (who.is_data_centre and who.has(Role.REVIEWER))
    if not sees_all:
        rows = rows.filter(source_department_id=who.department_id or 0)
    found = page(rows.filter(**form.chosen()), order=("id",), cursor=request.GET.get("after", ""))
    context = {"form": form, "page": found, "lines": _lines(found.items), "sees_all": sees_all}
    return render(request, "portal/license_desk/review.html", context, status=422 if form.errors else 200)


def _lines(marks: list[LicenseMark]) -> list[dict[str, Any]]:
    """Marks with the license each is about; names are masked."""
    by_key = {bytes(row.row_key): row for row in CityLicense.objects.filter(row_key__in=[bytes(mark.row_key) for mark in marks])}
    names = dict(Department.objects.filter(pk__in={mark.source_department_id for mark in marks}).values_list("pk", "short_name"))
    own = dict(
        License.objects.filter(identifier__in=[row.identifier for row in by_key.values() if row.identifier]).values_list(
            "identifier", "uid"
        )
    )
    lines = []
    for mark in marks:
        row = by_key.get(bytes(mark.row_key))
        is_person = row is not None and row.holder_code_type != ENTITY
        lines.append(
            {
                "mark": mark,
                "kind": MarkKind(mark.kind).label,
                "advice": ADVICE[MarkKind(mark.kind)],
                "department": names.get(mark.source_department_id, ""),
                "title": row.title if row else "",
                "holder": mask_value(Mask.NAME, row.holder_name) if row and is_person else row.holder_name if row else "",
                "number": mask_value(Mask.CITIZEN_ID, row.number) if row and is_person else row.number if row else "",
                "uid": own.get(row.identifier) if row and row.identifier else None,
            }
        )
    return lines
