"""Views of grants: the list, one grant with its call example, and suspending, resuming, revoking."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from basedb.masking import MASK_TITLES, Mask
from catalog.models import SharingMode
from core.errors import DomainError
from core.keyset import page
from exchange import call_log
from exchange.granting import grants
from exchange.granting.grant_clients import has_own_clients
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import Credential, CredentialState, Grant, TerminationFiling
from exchange.querysets import grants_visible_to
from portal.actor import actor, roles_required
from portal.grants.access import SEERS, visible
from portal.grants.examples import HMACS, examples
from portal.grants.forms import ChangeForm, GrantFilter
from portal.grants.words import words_of_limits

STANDINGS = {
    "ACTIVE": gettext_lazy("有效"),
    "PENDING": gettext_lazy("尚未生效"),
    "EXPIRED": gettext_lazy("已到期"),
    "SUSPENDED": gettext_lazy("已暂停"),
    "REVOKED": gettext_lazy("已撤销"),
}
BUTTONS = {
    GrantCommand.SUSPEND: (gettext_lazy("暂停"), "btn-warning", gettext_lazy("暂停后下一次调用即被拒绝，可以恢复。确定暂停吗？")),
    GrantCommand.RESUME: (gettext_lazy("恢复"), "btn-success", gettext_lazy("恢复后使用方即可继续调用。确定恢复吗？")),
    GrantCommand.REVOKE: (gettext_lazy("撤销"), "btn-outline-danger", gettext_lazy("撤销后不能恢复，须重新申请。确定撤销吗？")),
}

PAGES = (
    (GrantCommand.NARROW, "portal:grant-narrow", gettext_lazy("收窄授权")),
    (GrantCommand.TERMINATE, "portal:grant-terminate", gettext_lazy("终止服务并备案")),
    (GrantCommand.LIMIT_ADDRESSES, "portal:grant-addresses", gettext_lazy("登记来源地址")),
    (GrantCommand.LOAD_CLIENTS, "portal:grant-clients", gettext_lazy("上传服务对象清单")),
)


@require_GET
@roles_required(*SEERS)
def grant_list(request: HttpRequest) -> HttpResponse:
    """The grants one may see."""
    form = GrantFilter(request.GET)
    chosen, now = form.chosen(), timezone.now()
    rows = grants_visible_to(actor(request)).select_related("resource__provider", "system__department")
    if "q" in chosen:
        rows = rows.filter(Q(resource__title__icontains=chosen["q"]) | Q(system__name__icontains=chosen["q"]))
    if "mode" in chosen:
        rows = rows.filter(mode=chosen["mode"])
    if chosen.get("state") == "EXPIRED":
        rows = rows.filter(state="ACTIVE", valid_to__lte=now)
    elif "state" in chosen:
        rows = rows.filter(state=chosen["state"]).exclude(state="ACTIVE", valid_to__lte=now)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"grant": grant, **_standing(grant)} for grant in found.items]
    context = {"form": form, "page": found, "lines": lines}
    return render(request, "portal/grants/list.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One grant."""
    return _detail_page(request, visible(request, uid))


@require_POST
@roles_required(*SEERS)
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Suspend, resume or revoke."""
    grant = visible(request, uid)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, grant, form)
    try:
        done = grants.change_state(
            grant_uid=uid,
            command=GrantCommand(form.cleaned_data["command"]),
            reason=form.cleaned_data["reason"],
            revision=form.cleaned_data["revision"],
            ground=form.cleaned_data["ground"] if form.cleaned_data["command"] == GrantCommand.SUSPEND else "",
            put_right_by=form.cleaned_data["put_right_by"],
            actor=actor(request),
            now=timezone.now(),
        )
    except DomainError as error:
        if error.code == "revision.stale":
            grant = visible(request, uid)
            form.overtake(error, {"revision": grant.revision})
        elif error.status == 422:
            form.add_domain_error(error)
        else:
            raise
        return _detail_page(request, grant, form)
    messages.success(request, _("授权现为“%(state)s”，双方部门已收到通知。") % {"state": done.get_state_display()})
    return redirect("portal:grant-detail", uid=uid)


def _detail_page(request: HttpRequest, grant: Grant, form: ChangeForm | None = None) -> HttpResponse:
    who, now = actor(request), timezone.now()
    may = grants.commands_for(grant, who, now)
    titles = dict(grant.resource.items.values_list("name", "title"))
    credentials = Credential.objects.filter(system=grant.system, state=CredentialState.ACTIVE, valid_to__gt=now)
    is_user = grant.system.department_id == who.department_id
    context = {
        "grant": grant,
        **_standing(grant),
        "items": [
            {"name": name, "title": titles.get(name, name), "mask": MASK_TITLES[Mask(grant.masks.get(name, "NONE"))]}
            for name in grant.fields
        ],
        "used": call_log.admitted_today(grant, now),
        "examples": examples(grant, credentials.filter(algorithm__in=HMACS).order_by("-id").first())
        if hasattr(grant.resource, "binding") and grant.mode != SharingMode.FEATURES
        else None,
        "has_credential": credentials.exists(),
        "is_user": is_user,
        "last_day": grant.valid_to - timedelta(seconds=1),
        "limits": words_of_limits(grant, titles),
        "filing": TerminationFiling.objects.filter(grant=grant).first(),
        "buttons": [(c.value, *BUTTONS[c]) for c in may if c in BUTTONS],
        "pages": [(url, title) for c, url, title in PAGES if c in may and is_offered(grant, c)]
        + ([("portal:bulk-list", _("批量作业"))] if grant.mode == "BULK" else [])
        + [("portal:usage-detail", _("使用记录"))],
        "form": form or ChangeForm(initial={"revision": grant.revision}),
    }
    return render(request, "portal/grants/detail.html", context, status=form.status if form is not None else 200)


def _standing(grant: Grant) -> dict[str, object]:
    standing = grants.standing_of(grant, timezone.now())
    return {"standing": standing, "standing_title": STANDINGS[standing]}


def is_offered(grant: Grant, command: GrantCommand) -> bool:
    """Return whether a page leads to this: no list of clients where none is asked for, no second end."""
    if command is GrantCommand.LOAD_CLIENTS:
        return has_own_clients(grant)
    return command is not GrantCommand.TERMINATE or not hasattr(grant, "termination")
