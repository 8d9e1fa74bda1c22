"""The published lists as files (证照目录、用证清单导出): what is in force today, as CSV that spreadsheets open."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.texts import harmless_cell, listed
from licenses.models import TypeVersion
from licenses.types import uses
from licenses.types.publishing import today
from portal.license_types.words import validity_of


@require_GET
def types(request: HttpRequest) -> HttpResponse:
    """The types in force today, by code."""
    day = today(timezone.now())
    heads = (
        _("证照类型代码"), _("证照类型名称"), _("版本"), _("定义机构"), _("定义机构代码"), _("持证主体类型"), _("持证主体数上限"),
        _("同一主体可持有多份"), _("有效期"), _("照面项目"), _("维护部门"), _("施行日期"),
    )  # fmt: skip
    rows = TypeVersion.objects.filter(effective__contains=day).select_related("department").order_by("code")
    return _file("license-types", heads, (_type(version) for version in rows))


@require_GET
def use_lines(request: HttpRequest) -> HttpResponse:
    """The lines of the list of uses in force today, by type and matter."""
    day = today(timezone.now())
    heads = (
        _("证照类型代码"), _("证照类型名称"), _("事项"), _("用途"), _("可用的照面项目"), _("依据"), _("发布部门"), _("施行日期"),
    )  # fmt: skip
    versions = {version.code: version for version in TypeVersion.objects.filter(effective__contains=day)}
    names = {code: uses.names_of(version) for code, version in versions.items()}
    rows = uses.uses_in_force(day).select_related("department").order_by("type_code", "matter", "id")
    return _file(
        "license-uses",
        heads,
        (
            [
                use.type_code,
                versions[use.type_code].name if use.type_code in versions else "",
                use.matter,
                use.purpose,
                listed(names.get(use.type_code, {}).get(name, name) for name in use.items),
                use.basis,
                use.department.name,
                f"{use.effective.lower:%Y-%m-%d}",
            ]
            for use in rows
        ),
    )


def _type(version: TypeVersion) -> list[Any]:
    items = listed(item["title"] for item in version.rulebook)
    return [
        version.code, version.name, version.number, version.defining_body, version.defining_body_code,
        version.get_holder_kind_display(), version.holders_at_most,
        _("是") if version.is_repeatable else _("否"), validity_of(version), items, version.department.name,
        f"{version.effective.lower:%Y-%m-%d}",
    ]  # fmt: skip


def _file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    text = StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([harmless_cell(cell) for cell in row] for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localtime():%Y%m%d}.csv"'
    return response
