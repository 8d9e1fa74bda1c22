"""Statistics of licenses: what is held by type, issuer, county and month; coverage, use, missing; every table as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.calendar import month_start, today_in_shanghai
from core.errors import Invalid
from core.texts import harmless_cell
from exchange.license_statistics import reading
from exchange.license_statistics.reading import Line, Scope
from portal.actor import roles_required
from portal.care.pages import SEERS
from portal.license_statistics import charts
from portal.license_statistics.forms import ExportFilter, HeldFilter, UseFilter

MOST_SHOWN = 30
USUAL_MONTHS = 12


@require_GET
@roles_required(*SEERS)
def held(request: HttpRequest) -> HttpResponse:
    """What is held, by type, issuer, county and month of issue."""
    form = HeldFilter(request.GET)
    scope = form.scope()
    lines = {by: reading.held(by, scope) for by in reading.GROUPS}
    context = {
        "form": form,
        "total": reading.total(scope),
        "measured_at": reading.measured_at(),
        "tables": [
            {
                "name": by,
                "title": title,
                "chart": charts.months(lines[by]) if by == "month" else charts.bars(lines[by]),
                "lines": lines[by] if by == "month" else lines[by][:MOST_SHOWN],
                "left_out": max(0, len(lines[by]) - MOST_SHOWN) if by != "month" else 0,
            }
            for by, title in (
                ("type", _("按证照类型")),
                ("month", _("按颁发月份")),
                ("region", _("按属地")),
                ("issuer", _("按颁发机构")),
            )
        ],
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/license_statistics/held.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def use(request: HttpRequest) -> HttpResponse:
    """Coverage with its denominators, uses, and reports of missing licenses."""
    form = UseFilter(request.GET)
    chosen = form.chosen()
    asked = {"since": _since(int(chosen.get("months", USUAL_MONTHS))), "type_code": chosen.get("type", "")}
    uses = {by: reading.used(by, **asked) for by in reading.USE_GROUPS}
    covered = reading.covered()
    context = {
        "form": form,
        "measured_at": reading.measured_at(),
        "covered": covered,
        "coverage_chart": charts.coverage(covered),
        "use_chart": charts.uses(uses["use_month"]),
        "uses": [
            {"name": by, "title": title, "chart": charts.use_bars(uses[by]), "lines": uses[by][:MOST_SHOWN]}
            for by, title in (("channel", _("按用证方式")), ("department", _("按用证单位")), ("matter", _("按事项")))
        ],
        "use_months": uses["use_month"],
        "missed": reading.missed(),
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/license_statistics/use.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def export(request: HttpRequest) -> HttpResponse:
    """One table as CSV, with the filters of the page it stands on."""
    form = ExportFilter(request.GET)
    chosen = form.chosen()
    table = chosen.get("table")
    if table is None:
        fault = _("请从统计页面选择要下载的表。")
        raise Invalid("license_statistics.table", fault, {"table": fault})
    heads, rows = _table(table, form.scope(), int(chosen.get("months") or USUAL_MONTHS))
    response = HttpResponse(_csv(heads, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="licenses-{table}-{timezone.localtime():%Y%m%d}.csv"'
    return response


def _table(table: str, scope: Scope, months: int) -> tuple[list[str], list[Sequence[Any]]]:
    if table == "coverage":
        heads = [_("证照类型"), _("应持证口径"), _("应持证数"), _("已持有数"), _("覆盖率（百分比）")]
        return heads, [(one.title, one.rule, one.expected, one.held, one.percent) for one in reading.covered()]
    if table == "missing":
        heads = [_("证照类型"), _("报告数"), _("办理中"), _("已补发"), _("档案查无")]
        return heads, [(one.title, one.total, one.open, one.reissued, one.absent) for one in reading.missed()]
    if table in reading.USE_GROUPS:
        found = reading.used(table, since=_since(months), type_code=scope.type_code)
        return [_("项目"), _("用证次数")], [(one.title or "—", one.count) for one in found]
    heads = [_("代码"), _("名称"), _("证照数"), _("有效"), _("已过期"), _("其他状态")]
    return heads, [_cells(line) for line in reading.held(table, scope)]


def _cells(line: Line) -> Sequence[Any]:
    return line.key, line.title, line.total, line.live, line.expired, line.ended


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return the table; the mark lets spreadsheet programs read UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([harmless_cell(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def _since(months: int) -> date:
    """Return the first day of the first of so many months, this one included."""
    return month_start(today_in_shanghai(timezone.now()), months - 1)
