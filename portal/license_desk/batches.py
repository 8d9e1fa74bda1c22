"""Batches: importing a file, watching its progress, what was refused, handing it on, signing it; issuing by aggregation."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.keyset import page
from core.roles import Role
from core.texts import harmless_cell
from licenses.issuing import batches, desks, feeding, sheets
from licenses.issuing.workflow import BATCH_TITLES, SEAT_TITLES, BatchCommand, Seat, batch_commands
from licenses.models import BatchSource, BatchState, IssuingBatch, IssuingRowState, License
from licenses.types.reading import in_force
from portal.actor import actor, roles_required
from portal.care.pages import created, save
from portal.license_desk import uploads
from portal.license_desk.drafts import SEERS, issuable
from portal.license_desk.forms import BatchFilter, BatchForm, BatchStepForm
from portal.license_desk.words import today

AT_WORK = (BatchState.CHECKING, BatchState.ISSUING)
ROWS_SHOWN = 20
NEXT = {
    BatchState.CHECKED: Seat.OPERATOR,
    BatchState.TO_SIGN: Seat.SIGNER,
}
ONWARD = (BatchCommand.SUBMIT, BatchCommand.SIGN)  # offered first and marked
TOLD = {
    BatchCommand.SUBMIT: gettext_lazy("已提交，下一步由部门负责人整批签发。"),
    BatchCommand.CANCEL: gettext_lazy("本批已取消，没有签发任何证照。"),
    BatchCommand.RETURN: gettext_lazy("已退回，下一步由经办人处理。"),
    BatchCommand.SIGN: gettext_lazy("已签发，平台正在逐批出证，进度见本页。"),
}


@require_GET
@roles_required(*SEERS)
def batch_list(request: HttpRequest) -> HttpResponse:
    """The batches of the department, and the types that are issued by aggregation."""
    who, form = actor(request), BatchFilter(request.GET)
    found = page(desks.batches_visible_to(who).filter(**form.chosen()), order=("-id",), cursor=request.GET.get("after", ""))
    names = {version.code: version.name for version in issuable(who)}
    feeds = [(feed, names.get(feed.type_code, feed.type_code)) for feed in feeding.feeds_visible_to(who).order_by("id")]
    context = {
        "form": form,
        "page": found,
        "lines": [(batch, ball_of(batch)) for batch in found.items],
        "feeds": feeds,
        "feedable": [(code, name) for code, name in names.items() if code not in {feed.type_code for feed, _name in feeds}],
        "may_import": who.has(Role.OPERATOR),
        "may_feed": who.has(Role.HEAD),
    }
    return render(request, "portal/license_desk/batches.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """Import a file."""
    who = actor(request)
    types = [(version.code, version.name) for version in issuable(who)]
    form = BatchForm(request.POST or None, request.FILES or None, types=types)

    def act() -> str:
        given, code = form.cleaned_data, form.cleaned_data["type_code"]
        rows = uploads.rows_of(in_force(code, today()), given["file"])
        values: dict[str, Any] = {
            "type_code": code,
            "rows": rows,
            "source": BatchSource.PAGE,
            "file_name": given["file"].name[:200],
        }
        uid = created(request, form, lambda: batches.take_in(**values, actor=who, now=timezone.now()))
        messages.success(request, _("文件已接收，平台正在逐行校验。下一步：查看校验结果后提交签发。"))
        return reverse("portal:license-batch", args=[uid])

    return save(request, form, act, "portal/license_desk/batch_new.html", types=types)


@require_GET
@roles_required(Role.OPERATOR)
def template(request: HttpRequest, code: str) -> HttpResponse:
    """The empty table of a type."""
    header = sheets.header_of(in_force(code, today()))
    response = HttpResponse("\ufeff" + _line(header), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="licenses-{code}.csv"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One batch: progress, the first rows, what was refused, and the buttons of whoever has the ball."""
    who = actor(request)
    batch = batches.visible_batch(uid, who)
    seats = desks.seats_of(who, department_id=batch.department_id, made_by_id=batch.made_by_id)
    form = BatchStepForm(request.POST or None, initial={"revision": batch.revision})

    def act() -> str:
        command = BatchCommand(form.pressed)
        given = {"revision": form.cleaned_data["revision"], "remark": form.cleaned_data["remark"]}
        batches.advance(uid=uid, command=command, **given, actor=who, now=timezone.now())
        messages.success(request, TOLD[command])
        return reverse("portal:license-batch", args=[uid])

    is_refused_only = request.GET.get("refused") == "1"
    wanted = batch.rows.filter(state=IssuingRowState.REFUSED) if is_refused_only else batch.rows.all()
    rows = page(wanted, order=("place",), cursor=request.GET.get("after", ""), size=ROWS_SHOWN)
    issued = License.objects.in_bulk([row.license_id for row in rows.items if row.license_id])
    commands = batch_commands(BatchState(batch.state), seats)
    context = {
        **progress_of(batch),
        "page": rows,
        "lines": [(row, issued.get(row.license_id or 0)) for row in rows.items],
        "is_refused_only": is_refused_only,
        "commands": [(command, BATCH_TITLES[command]) for command in sorted(commands, key=lambda command: command not in ONWARD)],
        "onward": ONWARD,
        "is_own_signature": batch.state == BatchState.TO_SIGN and batch.made_by_id == who.user_id and who.has(Role.HEAD),
    }
    return save(request, form, act, "portal/license_desk/batch.html", **context)


@never_cache
@require_GET
@roles_required(*SEERS)
def progress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The part of the page that is asked for every two seconds."""
    told = progress_of(batches.visible_batch(uid, actor(request)))
    response = render(request, "portal/license_desk/batch_progress.html", told)
    if not told["is_live"]:
        response["HX-Refresh"] = "true"  # now somebody has the ball: the whole page shows results and buttons
    return response


@never_cache
@require_GET
@roles_required(*SEERS)
def refused(request: HttpRequest, uid: UUID) -> StreamingHttpResponse:
    """The refused rows as a file, to be mended and imported again."""
    batch = batches.visible_batch(uid, actor(request))
    response = StreamingHttpResponse(_refused_lines(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{batch.number}.csv"'
    return response


@require_POST
@roles_required(Role.HEAD)
def open_feed(request: HttpRequest, code: str) -> HttpResponse:
    """Issue what is aggregated of a type from now on."""
    feeding.open_feed(type_code=code, actor=actor(request), now=timezone.now())
    messages.success(request, _("已开通：归集到的该类型证照将自动成批，由负责人整批签发。"))
    return redirect("portal:license-batch-list")


@require_POST
@roles_required(Role.HEAD)
def close_feed(request: HttpRequest, number: int) -> HttpResponse:
    """Stop issuing what is aggregated."""
    feeding.close_feed(feed_id=number, actor=actor(request), now=timezone.now())
    messages.success(request, _("已停止，已成批的继续办理。"))
    return redirect("portal:license-batch-list")


def progress_of(batch: IssuingBatch) -> dict[str, Any]:
    """Return what the progress shows."""
    done = batch.good_count + batch.refused_count if batch.state == BatchState.CHECKING else batch.issued_count
    whole = batch.row_count if batch.state == BatchState.CHECKING else batch.good_count
    return {
        "batch": batch,
        "is_live": batch.state in AT_WORK,
        "percent": min(100, 100 * done // whole) if whole else 0,
        "ball": ball_of(batch),
    }


def ball_of(batch: IssuingBatch) -> str:
    """Who has the ball, in words."""
    state = BatchState(batch.state)
    if state in AT_WORK:
        return str(_("平台"))
    seat = NEXT.get(state)
    return f"{batch.department.short_name} · {SEAT_TITLES[seat]}" if seat else ""


def _refused_lines(batch: IssuingBatch) -> Iterator[bytes]:
    version, holders = batch.type_version, sheets.room_for(batches.most_holders(batch))
    yield ("\ufeff" + _line([*sheets.OWN, *sheets.header_of(version, holders=holders)])).encode()
    for row in batches.refused_rows(batch):
        yield _line(sheets.line_of(version, row, holders=holders)).encode()


def _line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless_cell(value) for value in values])
    return text.getvalue()
