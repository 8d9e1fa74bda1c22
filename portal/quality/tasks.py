"""Tasks of departments: the list, one task with its rows, what is accepted as it is, the rows as a file."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from basedb.models import FaultState, QualityTask
from basedb.quality import faults
from basedb.quality import tasks as process
from core.errors import Invalid
from core.keyset import page
from portal.actor import BUSINESS, actor, roles_required
from portal.quality.forms import AcceptForm, TaskFilter
from portal.quality.views import title_of


@require_GET
@roles_required(*BUSINESS)
def task_list(request: HttpRequest) -> HttpResponse:
    """The tasks one may see; those still open unless asked otherwise."""
    form = TaskFilter(request.GET)
    chosen = form.chosen()
    settled = chosen.pop("settled", "")
    rows = process.visible_to(actor(request)).filter(closed_at__isnull=not settled, **chosen)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"task": task, "title": title_of(task.dataset)} for task in found.items]
    return render(request, "portal/quality/tasks.html", {"form": form, "page": found, "lines": lines})


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def task_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One task: its rows as their source knows them, and letting some stand with a reason."""
    who = actor(request)
    task = process.visible_task(uid, who)
    form = AcceptForm(request.POST or None, choices=request.POST.getlist("rows"))
    if request.method == "POST" and form.is_valid():
        try:
            count = process.accept(
                uid=uid,
                fault_uids=[UUID(row) for row in form.cleaned_data["rows"]],
                reason=form.cleaned_data["reason"],
                actor=who,
                now=timezone.now(),
            )
        except Invalid as error:
            form.add_domain_error(error)
        except ValueError:
            form.add_error("rows", _("没有这条记录。"))
        else:
            messages.success(request, _("已说明 %(count)s 条。数据变更后会重新检查。") % {"count": count})
            return redirect("portal:quality-task-detail", uid=uid)
    found = page(process.open_faults(task), order=("id",), cursor=request.GET.get("after", ""))
    context = {
        "task": task,
        "title": title_of(task.dataset),
        "page": found,
        "lines": faults.described(task, found.items, actor=who),
        "form": form,
        "is_owner": faults.is_owner(task, who),
        "open_state": FaultState.OPEN,
    }
    return render(request, "portal/quality/task.html", context, status=form.status if form.is_bound else 200)


@never_cache
@require_GET
@roles_required(*BUSINESS)
def download(request: HttpRequest, uid: UUID) -> StreamingHttpResponse:
    """The rows of a task by their key at the source, so that they can be found and corrected there."""
    who = actor(request)
    task: QualityTask = process.visible_task(uid, who)
    lines = faults.as_csv(task, actor=who, now=timezone.now())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="quality-{task.uid}.csv"'
    return response
