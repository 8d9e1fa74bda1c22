"""Rejected rows: the list with its filters, one row to correct, download, upload, replay and dismissal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.ingest import message_of
from core.errors import Invalid, NotFound
from core.keyset import page
from exchange.aggregation import reject_files
from exchange.aggregation import rejects as process
from exchange.aggregation.connector import dataset_of, fields_of
from exchange.aggregation.visibility import rejected_visible_to, visible_plan
from exchange.models import AggregationPlan, RejectedRow, RejectState
from portal.actor import BUSINESS, actor, roles_required
from portal.aggregation.forms import MOST_CHOSEN, CorrectionForm, DismissForm, RejectFilter, UploadForm


def _filter_of(request: HttpRequest, plan: AggregationPlan) -> RejectFilter:
    rules = [(code, message_of(plan.dataset, code, None)) for code in process.rules_of(plan)]
    return RejectFilter(request.GET, rules=rules)


def _chosen(request: HttpRequest, plan: AggregationPlan, form: RejectFilter) -> QuerySet[RejectedRow]:
    rows = rejected_visible_to(actor(request)).filter(plan=plan)
    chosen = form.chosen()
    if "run" in chosen:
        rows = rows.filter(run__uid=chosen.pop("run"))
    return rows.filter(**chosen)


@never_cache
@require_GET
@roles_required(*BUSINESS)
def reject_list(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The rejected rows of a plan."""
    plan = visible_plan(uid, actor(request))
    return _list_page(request, plan)


def _list_page(
    request: HttpRequest,
    plan: AggregationPlan,
    *,
    status: int = 200,
    dismiss_form: DismissForm | None = None,
    upload_form: UploadForm | None = None,
) -> HttpResponse:
    form = _filter_of(request, plan)
    rows, each = _chosen(request, plan, form), ("state", RejectState.values)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""), within=each)
    context = {
        "plan": plan,
        "form": form,
        "page": found,
        "lines": [
            {"row": row, "said": message_of(plan.dataset, row.rule, row.related_line), "field": _title(plan, row)}
            for row in found.items
        ],
        "corrected": process.corrected_of(plan).count(),
        "open_states": process.OPEN_STATES,
        "dismiss_form": dismiss_form or DismissForm(choices=[]),
        "upload_form": upload_form or UploadForm(),
        "query": request.GET.urlencode(),
    }
    return render(request, "portal/aggregation/rejects.html", context, status=422 if form.errors else status)


def _title(plan: AggregationPlan, row: RejectedRow) -> Any:
    return dataset_of(plan).field(row.field).title if row.field in fields_of(plan) else ""


@never_cache
@require_GET
@roles_required(*BUSINESS)
def download(request: HttpRequest, uid: UUID) -> StreamingHttpResponse:
    """The same rows as a file, to be corrected in a spreadsheet."""
    who = actor(request)
    plan = visible_plan(uid, who)
    form = _filter_of(request, plan)
    if not form.is_valid():
        raise Invalid("reject.filter_invalid", _("筛选条件有误，请返回修改后再下载。"), form.errors)
    now = timezone.now()
    lines = reject_files.start_download(plan_uid=uid, rows=_chosen(request, plan, form), actor=who, now=now)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-{timezone.localtime(now):%Y%m%d-%H%M%S}.csv"'
    return response


@never_cache
@require_POST
@roles_required(*BUSINESS)
def upload(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A corrected file brought back: all of it or nothing."""
    who = actor(request)
    plan = visible_plan(uid, who)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            count = reject_files.upload(plan_uid=uid, file=file.file, size=file.size, actor=who, now=timezone.now())
        except Invalid as error:
            form.add_error("file", str(error.message))
        else:
            messages.success(request, _("已更正 %(count)s 行，请点击「重放」入库。") % {"count": count})
            return redirect("portal:plan-rejects", uid=plan.uid)
    return _list_page(request, plan, status=422, upload_form=form)


@require_POST
@roles_required(*BUSINESS)
def replay(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send what was corrected through the same gate again."""
    run = process.replay(plan_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已提交重放。仍不符合规则的记录会退回待处理。"))
    return redirect("portal:plan-run", uid=run.uid)


@never_cache
@require_POST
@roles_required(*BUSINESS)
def dismiss(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let chosen rows go, with a reason."""
    who = actor(request)
    plan = visible_plan(uid, who)
    wanted = request.POST.getlist("rows")[:MOST_CHOSEN]
    known = rejected_visible_to(who).filter(plan=plan, uid__in=[u for u in wanted if _is_uid(u)]).values_list("uid", flat=True)
    form = DismissForm(request.POST, choices=[str(u) for u in known])
    if form.is_valid():
        try:
            count = process.dismiss(
                uids=[UUID(u) for u in form.cleaned_data["rows"]], reason=form.cleaned_data["reason"], actor=who, now=timezone.now()
            )
        except Invalid as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("%(count)s 条记录不再处理。") % {"count": count})
            return redirect("portal:plan-rejects", uid=plan.uid)
    return _list_page(request, plan, status=422, dismiss_form=form)


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def correct(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One row, corrected field by field."""
    who = actor(request)
    row = rejected_visible_to(who).filter(uid=uid).first()
    if row is None:
        raise NotFound("reject.not_found", _("没有这条拒收记录，或您无权查看。"))
    fields, lost_key = fields_of(row.plan), process.lost_key(row)
    shown = {name: row.raw.get(name) or "" for name in fields} | (row.correction or {})
    form = CorrectionForm(request.POST or None, plan=row.plan, wrong=row.field, initial=shown)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in fields}
        try:
            process.correct(uid=uid, values=values, actor=who, now=timezone.now())
        except Invalid as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("更正已保存，请点击「重放」入库。"))
            return redirect("portal:plan-rejects", uid=row.plan.uid)
    context = {
        "row": row,
        "plan": row.plan,
        "form": form,
        "said": message_of(row.plan.dataset, row.rule, row.related_line),
        "is_open": row.state in process.OPEN_STATES and not lost_key,
        "lost_key": lost_key if row.state in process.OPEN_STATES else "",
        "damaged": row.raw.get(process.DAMAGED),
    }
    return render(request, "portal/aggregation/reject.html", context, status=422 if form.errors else 200)
