"""Pages that change what a grant holds: narrowing, ending with notice, and the consumer's own addresses and clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, DomainError
from core.submissions import digest_of, once
from exchange import subject_tokens
from exchange.granting import grant_clients, grant_narrowing, terminations
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import Grant
from portal.actor import actor, roles_required
from portal.forms import RevisedForm
from portal.grants.access import SEERS, open_for, visible
from portal.grants.change_forms import AddressForm, ClientForm, NarrowForm, TerminateForm, TokenKeyForm


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def narrow(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a grant narrower."""
    grant = open_for(request, uid, GrantCommand.NARROW)
    form = _narrow_form(request, grant)

    def process() -> str:
        grant_narrowing.narrow(asked=form.asked(), reason=form.cleaned_data["reason"], **_common(request, form, uid))
        return _("授权已收窄，下一次调用即按新的内容执行，双方部门已收到通知。")

    return _page(request, grant, form, process, "portal/grants/narrow.html")


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def terminate(request: HttpRequest, uid: UUID) -> HttpResponse:
    """File the end of a service."""
    grant = open_for(request, uid, GrantCommand.TERMINATE)
    earliest = terminations.earliest_end(timezone.now())
    initial = {"revision": grant.revision, "ends_on": earliest}
    form = TerminateForm(request.POST) if request.method == "POST" else TerminateForm(initial=initial)

    def process() -> str:
        given = {name: form.cleaned_data[name] for name in ("reason", "negotiated_on", "ends_on")}
        filing = terminations.terminate(**given, **_common(request, form, uid))
        return _("已备案，编号 %(number)s。服务到 %(day)s 为止，双方部门已收到通知。") % {
            "number": filing.number,
            "day": filing.ends_on,
        }

    return _page(request, grant, form, process, "portal/grants/terminate.html", earliest=earliest)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def addresses(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say where calls come from."""
    grant = open_for(request, uid, GrantCommand.LIMIT_ADDRESSES)
    initial = {"revision": grant.revision, "ip_list": "\n".join(grant.ip_list)}
    form = AddressForm(request.POST) if request.method == "POST" else AddressForm(initial=initial)

    def process() -> str:
        grant_clients.limit_addresses(addresses=form.addresses(), **_common(request, form, uid))
        return _("来源地址已登记，其他地址的调用从现在起被拒绝。")

    return _page(request, grant, form, process, "portal/grants/addresses.html")


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def clients(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Load the list of whom the consumer serves."""
    grant = open_for(request, uid, GrantCommand.LOAD_CLIENTS)
    initial = {"revision": grant.revision}
    form = ClientForm(request.POST, request.FILES) if request.method == "POST" else ClientForm(initial=initial)

    def process() -> str:
        done = grant_clients.load_clients(lines=grant_clients.lines_of(form.cleaned_data["clients"]), **_common(request, form, uid))
        return _("服务对象清单已更新，共 %(count)s 个。号码不保存明文。") % {"count": done.client_count}

    more = {"most": grant_clients.CLIENTS_AT_MOST, "key_form": TokenKeyForm()}
    return _page(request, grant, form, process, "portal/grants/clients.html", **more)


@never_cache
@require_POST
@roles_required(*SEERS)
def token_key(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make the key of tokens; this answer is the only one that ever shows it."""
    grant, who = open_for(request, uid, GrantCommand.LOAD_CLIENTS), actor(request)
    form, made = TokenKeyForm(request.POST), list[str]()
    context = {"grant": grant, "form": ClientForm(initial={"revision": grant.revision}), "most": grant_clients.CLIENTS_AT_MOST}
    if not form.is_valid():
        return render(request, "portal/grants/clients.html", context | {"key_form": form}, status=form.status)

    def make() -> str:
        made.append(subject_tokens.issue_token_key(grant_uid=uid, actor=who, now=timezone.now()))
        return str(uid)

    token = form.cleaned_data["submission"]
    try:
        once(owner=f"user:{who.user_id}", token=token, digest=digest_of({"token key of": str(uid)}), make=make)
    except Conflict as error:
        form.add_domain_error(error)
        return render(request, "portal/grants/clients.html", context | {"key_form": form}, status=form.status)
    if not made:
        messages.warning(request, _("令牌密钥已经生成，只展示一次。没有保存的话，请重新生成并重新登记清单。"))
        return redirect("portal:grant-clients", uid=uid)
    return render(request, "portal/grants/token_key.html", {"grant": grant, "token_key": made[0]})


def _narrow_form(request: HttpRequest, grant: Grant) -> NarrowForm:
    """Return the form; its choices follow the grant, so that one of an older revision is shown anew."""
    revision = request.POST.get("revision", "")
    if request.method != "POST" or (revision.isdecimal() and revision != str(grant.revision)):
        form = NarrowForm.opened(grant)
        if request.method == "POST":
            text = _("授权在您填写期间有了变化，您的操作没有执行。下面是现在的内容，请重新填写。")
            form.conflict = Conflict("revision.stale", text)
        return form
    return NarrowForm(request.POST, grant=grant)


def _common(request: HttpRequest, form: RevisedForm, uid: UUID) -> dict[str, Any]:
    return {"grant_uid": uid, "revision": form.cleaned_data["revision"], "actor": actor(request), "now": timezone.now()}


def _page(
    request: HttpRequest, grant: Grant, form: RevisedForm, process: Callable[[], str], template: str, **more: Any
) -> HttpResponse:
    """Show the form, or carry it out and go back to the grant."""
    if request.method == "POST" and form.is_valid():
        try:
            done = process()
        except DomainError as error:
            if error.code == "revision.stale":
                form.overtake(error, {"revision": visible(request, grant.uid).revision})
            elif error.status == 422:
                form.add_domain_error(error)
            else:
                raise
        else:
            messages.success(request, done)
            return redirect("portal:grant-detail", uid=grant.uid)
    return render(request, template, {"grant": grant, "form": form, **more}, status=form.status)
