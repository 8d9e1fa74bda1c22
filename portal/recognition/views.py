"""Nodes of mutual recognition: the trust list with lag and receipts, keys at two desks, rejected rows, differences."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.ingest import message_of
from basedb.models import LicenseType
from core.errors import Forbidden, NotFound
from core.keyset import page
from core.roles import Role
from core.texts import harmless_cell
from licenses.models import (
    DifferenceItem,
    DifferenceKind,
    DifferenceReport,
    ExchangeRow,
    LicenseState,
    NodeRelation,
    OutBatch,
    OutState,
    RowState,
    TrustedKey,
    TrustedNode,
)
from licenses.recognition import comparing, delivering, judging, keeping, trust
from licenses.recognition.differences import is_cut
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, save, words
from portal.monitoring.charts import BLUE, GREEN
from portal.recognition.forms import (
    DifferenceFilter,
    EndpointForm,
    FingerprintForm,
    NodeFileForm,
    ReasonForm,
    RejectedFilter,
)

CENTRE = (Role.REVIEWER, Role.HEAD)
HOME = "/recognition/"
BATCHES_SHOWN = 10
GROUPS_SHOWN = 15
EXPORTED_AT_MOST = 5_000
FAULTS = {"": "", "node_key_unconfirmed": "DUE", "node_key_revoked": "REVOKED", "node_key_not_in_force": "EXPIRED"}


def keepers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Open a page to those of the data centre who keep the trust list."""

    @roles_required(*CENTRE)
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not keeping.may_keep(actor(request)):
            raise Forbidden("recognition.not_yours", _("互认名单由数据中心审核员和负责人维护。"))
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@roles_required(*SEERS)
def node_list(request: HttpRequest) -> HttpResponse:
    """The trust list: whom we trust, by which keys, and how the exchange with each stands."""
    who, now = actor(request), timezone.now()
    batches = OutBatch.objects.order_by().values("node")
    waiting = {
        line["node"]: line
        for line in batches.exclude(state=OutState.ACKNOWLEDGED).annotate(count=Count("pk"), oldest=Min("made_at"))
    }
    receipts = dict(batches.values_list("node", Max("acknowledged_at")))
    lines = [
        {
            "node": node,
            "counting": sum(not trust.key_fault(key, now) for key in node.keys.all()),
            "to_confirm": sum(key.confirmed_at is None and key.revoked_at is None for key in node.keys.all()),
            "waiting": waiting.get(node.pk),
            "receipt_at": receipts.get(node.pk),
            "position": node.position,
        }
        for node in keeping.nodes_visible_to(who)
    ]
    context = {"lines": lines, "may_keep": keeping.may_keep(who), "may_fetch": who.has(Role.OPERATOR)}
    return render(request, "portal/recognition/list.html", context)


@require_GET
@roles_required(*SEERS)
def node(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One node: keys, batches in both directions, differences reports."""
    who, now = actor(request), timezone.now()
    found = _node(request, uid)
    keys = [(key, key_state(key, now)) for key in found.keys.select_related("proposed_by", "confirmed_by")]
    context = {
        "node": found,
        "position": found.position,
        "keys": keys,
        "out_batches": found.out_batches.order_by("-number")[:BATCHES_SHOWN],
        "in_batches": found.in_batches.order_by("-number")[:BATCHES_SHOWN],
        "reports": found.difference_reports.all()[:BATCHES_SHOWN],
        "is_stopped": found.out_batches.filter(state=OutState.STOPPED).exists(),
        "may_keep": keeping.may_keep(who),
        "is_above": found.relation == NodeRelation.ABOVE,
        "user_id": who.user_id,
    }
    return render(request, "portal/recognition/node.html", context)


def key_state(key: TrustedKey, now: Any) -> tuple[str, str]:
    """Return the state of a key for its badge, and its words."""
    fault = trust.key_fault(key, now)
    labels = {
        "": _("在用"),
        "node_key_unconfirmed": _("待复核"),
        "node_key_revoked": _("已撤销"),
        "node_key_not_in_force": _("不在有效期"),
    }
    if key.revoked_at is not None:
        fault = "node_key_revoked"
    return FAULTS[fault] or "ACTIVE", labels[fault]


@require_http_methods(["GET", "POST"])
@keepers_only
def propose(request: HttpRequest) -> HttpResponse:
    """Lay down a node and its keys from a file."""
    form = NodeFileForm(request.POST or None, request.FILES or None)

    def act() -> str:
        content = form.cleaned_data["file"].read(keeping.LARGEST + 1)
        made = keeping.propose(content=content, actor=actor(request), now=timezone.now())
        messages.success(request, _("已登记，密钥待数据中心另一人核对指纹后生效。"))
        return f"{HOME}nodes/{made.uid}/"

    lead = _("登记后密钥不会立即生效：须由数据中心另一人向对方节点核实指纹并复核。")
    told = words(_("登记互认节点"), lead, HOME, _("登记"))
    return save(request, form, act, "portal/recognition/file.html", **told)


@require_http_methods(["GET", "POST"])
@keepers_only
def confirm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a key in force."""
    key = _key(request, uid)
    form = FingerprintForm(request.POST or None)

    def act() -> str:
        keeping.confirm(key_uid=uid, typed=form.cleaned_data["fingerprint"], actor=actor(request), now=timezone.now())
        messages.success(request, _("密钥已复核，从启用时间起可信。"))
        return f"{HOME}nodes/{key.node.uid}/"

    lead = _("节点“%(node)s”的密钥 %(key)s，由%(who)s提交。复核后该节点用它签名的证照和批次将被信任。") % {
        "node": key.node.name,
        "key": key.key_id,
        "who": key.proposed_by.display_name,
    }
    return save(request, form, act, **words(_("复核密钥"), lead, f"{HOME}nodes/{key.node.uid}/", _("复核")))


@require_http_methods(["GET", "POST"])
@keepers_only
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Revoke a key at once."""
    key = _key(request, uid)
    form = ReasonForm(request.POST or None)

    def act() -> str:
        keeping.revoke(key_uid=uid, reason=form.cleaned_data["reason"], actor=actor(request), now=timezone.now())
        messages.success(request, _("密钥已撤销，立即生效：用它签名的证照和批次不再可信。"))
        return f"{HOME}nodes/{key.node.uid}/"

    lead = _("撤销节点“%(node)s”的密钥 %(key)s，立即生效，不能恢复。") % {"node": key.node.name, "key": key.key_id}
    back = f"{HOME}nodes/{key.node.uid}/"
    return save(request, form, act, **words(_("撤销密钥"), lead, back, _("撤销"), is_grave=True))


@require_http_methods(["GET", "POST"])
@keepers_only
def endpoint(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say where a node is reached."""
    found = _node(request, uid)
    form = EndpointForm(request.POST or None, initial={"endpoint": found.endpoint})

    def act() -> str:
        keeping.change_endpoint(uid=uid, endpoint=form.cleaned_data["endpoint"], actor=actor(request), now=timezone.now())
        messages.success(request, _("接口地址已更改。"))
        return f"{HOME}nodes/{uid}/"

    lead = _("主机还须由系统管理员在外联白名单(SOURCE_HOSTS)中登记。")
    return save(request, form, act, **words(_("更改接口地址"), lead, f"{HOME}nodes/{uid}/", _("保存")))


@require_POST
@keepers_only
def send_again(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let a stopped batch be sent again."""
    comparing.send_again(node_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已恢复发送，半分钟内重新发出。"))
    return redirect("portal:recognition-node", uid=uid)


@require_POST
@keepers_only
def compare(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Have a differences report made."""
    comparing.ask_for(node_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("正在比对，报告生成后列在本页。"))
    return redirect("portal:recognition-node", uid=uid)


@require_GET
@roles_required(*SEERS)
def rejected_list(request: HttpRequest) -> HttpResponse:
    """The rows sent back, with the reason the node was told."""
    form = RejectedFilter(request.GET)
    rows = ExchangeRow.objects.filter(state=RowState.REJECTED).select_related("batch__node")
    if chosen := form.chosen().get("node"):
        rows = rows.filter(batch__node=chosen)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    lines = [(row, reason(row.code)) for row in found.items]
    context = {"form": form, "page": found, "lines": lines}
    return render(request, "portal/recognition/rejected.html", context, status=422 if form.errors else 200)


def reason(code: str) -> str:
    """Return the sentence of a code, of the door or of the base."""
    known = judging.MESSAGES.get(code)
    return str(known) if known else message_of(delivering.DATASET.code, code)


@require_GET
@roles_required(*SEERS)
def differences(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One report: the types and months that differ with their chart, and the licenses."""
    report, form = _report(request, uid), DifferenceFilter(request.GET)
    lines = list(report.lines.filter(is_same=False)[:200])
    found = page(_items(report, form), order=("id",), cursor=request.GET.get("after", ""))
    counts = dict(report.items.order_by().values_list("kind").annotate(count=Count("pk")))
    names = dict(LicenseType.objects.filter(code__in={line.type_code for line in lines}).values_list("code", "name"))
    states = dict(LicenseState.choices)
    context = {
        "report": report,
        "form": form,
        "lines": [(line, names.get(line.type_code, line.type_code)) for line in lines],
        "page": found,
        "items": [(item, states.get(item.our_state, ""), states.get(item.their_state, "")) for item in found.items],
        "chart": _chart(lines, names),
        "counts": [(label, counts.get(kind, 0)) for kind, label in DifferenceKind.choices],
        "is_cut": is_cut(report),
    }
    return render(request, "portal/recognition/differences.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def export(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The differing licenses of a report as CSV."""
    report = _report(request, uid)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_("差异"), _("证照类型代码"), _("电子证照标识"), _("本节点状态"), _("对方状态")])
    for item in report.items.all()[:EXPORTED_AT_MOST]:
        cells = (item.get_kind_display(), item.type_code, item.identifier, item.our_state, item.their_state)
        writer.writerow([harmless_cell(cell) for cell in cells])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    day = f"{timezone.localtime(report.made_at):%Y%m%d}"
    response["Content-Disposition"] = f'attachment; filename="differences-{report.node.code}-{day}.csv"'
    return response


def _items(report: DifferenceReport, form: DifferenceFilter) -> QuerySet[DifferenceItem]:
    return report.items.filter(**form.chosen())


def _chart(lines: list[Any], names: dict[str, str]) -> dict[str, Any]:
    shown = lines[:GROUPS_SHOWN]
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 32, "top": 8, "bottom": 32, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1, "name": _("份")},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [f"{names.get(line.type_code, line.type_code)} {line.month}" for line in shown],
            "axisLabel": {"width": 140, "overflow": "break"},
        },
        "series": [
            {"name": _("本节点"), "type": "bar", "color": BLUE, "data": [line.ours for line in shown]},
            {"name": _("对方节点"), "type": "bar", "color": GREEN, "data": [line.theirs for line in shown]},
        ],
    }


def _node(request: HttpRequest, uid: UUID) -> TrustedNode:
    found = keeping.nodes_visible_to(actor(request)).filter(uid=uid).first()
    if found is None:
        raise NotFound("recognition.node_not_found", _("没有这个互认节点。"))
    return found


def _key(request: HttpRequest, uid: UUID) -> TrustedKey:
    keys = TrustedKey.objects.select_related("node", "proposed_by")
    found = keys.filter(uid=uid, node__in=keeping.nodes_visible_to(actor(request))).first()
    if found is None:
        raise NotFound("recognition.key_not_found", _("没有这个密钥。"))
    return found


def _report(request: HttpRequest, uid: UUID) -> DifferenceReport:
    reports = DifferenceReport.objects.select_related("node")
    found = reports.filter(uid=uid, node__in=keeping.nodes_visible_to(actor(request))).first()
    if found is None:
        raise NotFound("recognition.report_not_found", _("没有这份差异报告。"))
    return found
