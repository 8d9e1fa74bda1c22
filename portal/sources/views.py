"""Sources for people: what is registered, how it stands, trying it, switching it, changing its secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.keyset import page
from exchange.models import SourceConnection
from exchange.querysets import is_reviewer
from exchange.sources import accounts, registering
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import PortalForm
from portal.sources.forms import AccountForm, ConnectionForm, InterfaceForm, PasswordForm, RotationForm

KINDS: dict[str, Callable[[Actor], Any]] = {
    "tables": registering.connections_visible_to,
    "interfaces": registering.interfaces_visible_to,
    "accounts": registering.accounts_visible_to,
}


@require_GET
@roles_required(*BUSINESS)
def source_list(request: HttpRequest) -> HttpResponse:
    """The sources a person may see, one kind at a time."""
    who = actor(request)
    kind = request.GET.get("kind", "tables")
    if kind not in KINDS:
        raise NotFound("source.not_found", _("没有这一类数据源。"))
    found = page(KINDS[kind](who), order=("-id",), cursor=request.GET.get("after", ""))
    context = {"page": found, "kind": kind, "may_register": registering.may_register(who)}
    return render(request, "portal/sources/list.html", context)


@require_GET
@roles_required(*BUSINESS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One table or interface: where it is, what it offers, how it stands."""
    who = actor(request)
    source = registering.find(uid, who)
    manages = registering.may_manage(source, who)
    context = {
        "source": source,
        "is_table": isinstance(source, SourceConnection),
        "manages": manages,
        "may_test": manages or is_reviewer(who),
    }
    return render(request, "portal/sources/detail.html", context)


def save(request: HttpRequest, form: PortalForm, act: Callable[[], str], title: str, lead: str) -> HttpResponse:
    """Show a form, or do what it asks and go where `act` says; refusals stand beside their fields."""
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(act())
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    context = {"form": form, "title": title, "lead": lead}
    return render(request, "portal/sources/form.html", context, status=422 if form.errors else 200)


def _only_registrars(who: Actor) -> None:
    if not registering.may_register(who):
        raise Forbidden("source.not_yours", _("数据源由部门经办人或数据中心登记。"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def new_table(request: HttpRequest) -> HttpResponse:
    """Register a table."""
    who = actor(request)
    _only_registrars(who)
    form = ConnectionForm(request.POST or None)

    def act() -> str:
        values, password = form.values(), form.cleaned_data["password"]
        row = registering.register_connection(values=values, password=password, actor=who, now=timezone.now())
        messages.success(request, _("已登记。请先测试连接，再到资源目录中挂接。"))
        return f"/sources/{row.uid}/"

    return save(request, form, act, _("登记部门数据表"), _("使用只读账号；平台每次只按主键取一行，只取授权的字段。"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def new_interface(request: HttpRequest) -> HttpResponse:
    """Register an interface."""
    who = actor(request)
    _only_registrars(who)
    own = registering.accounts_visible_to(who).filter(department_id=who.department_id or 0)
    form = InterfaceForm(request.POST or None, accounts=own)

    def act() -> str:
        row = registering.register_interface(values=form.values(), actor=who, now=timezone.now())
        messages.success(request, _("已登记。请先测试连接，再到资源目录中挂接。"))
        return f"/sources/{row.uid}/"

    return save(request, form, act, _("登记上级接口"), _("应答中只有授权的字段会被读取，其余内容随即丢弃。"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def new_account(request: HttpRequest) -> HttpResponse:
    """Register an account at a platform above."""
    who = actor(request)
    _only_registrars(who)
    form = AccountForm(request.POST or None)

    def act() -> str:
        values = {name: value for name, value in form.cleaned_data.items() if name != "secret"}
        row = accounts.register(values=values, secret=form.cleaned_data["secret"], actor=who, now=timezone.now())
        messages.success(request, _("已登记账号，登记接口时可以选用。"))
        return f"/sources/accounts/{row.uid}/"

    return save(request, form, act, _("登记上级平台账号"), _("同一账号的各接口共用会话密钥，到期前由平台自动刷新。"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def account(request: HttpRequest, uid: UUID) -> HttpResponse:
    """An account: its secrets by date, never their text, and entering the next one."""
    who = actor(request)
    row = registering.accounts_visible_to(who).filter(uid=uid).first()
    if row is None:
        raise NotFound("source.not_found", _("没有这个数据源，或您无权查看。"))
    form = RotationForm(request.POST or None, initial={"begins_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        begins_at, old_ends_at = _start_of(form.cleaned_data["begins_on"]), _start_of(form.cleaned_data["old_ends_on"])
        try:
            accounts.rotate(
                uid=uid,
                secret=form.cleaned_data["secret"],
                begins_at=begins_at or timezone.now(),
                old_ends_at=old_ends_at,
                actor=who,
                now=timezone.now(),
            )
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("新密钥已保存，到生效时间自动启用。"))
            return redirect("portal:source-account", uid=uid)
    context = {
        "row": row,
        "form": form,
        "secrets": row.secrets.select_related("entered_by")[:20],
        "manages": registering.may_manage(row, who),
        "now": timezone.now(),
    }
    return render(request, "portal/sources/account.html", context, status=422 if form.errors else 200)


def _start_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI) if day else None


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def password(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Enter another password for a table's account."""
    who = actor(request)
    registering.check_manager(uid, who)
    form = PasswordForm(request.POST or None)

    def act() -> str:
        given = form.cleaned_data["password"]
        registering.change_password(uid=uid, password=given, actor=who, now=timezone.now())
        messages.success(request, _("口令已更换，请再测试一次连接。"))
        return f"/sources/{uid}/"

    return save(request, form, act, _("更换只读账号口令"), _("保存后立即使用新口令连接。"))


@require_POST
@roles_required(*BUSINESS)
def test(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Try a source now."""
    if registering.test(uid=uid, actor=actor(request), now=timezone.now()):
        messages.success(request, _("测试通过。"))
    else:
        messages.error(request, _("测试没有通过，原因见测试结果。"))
    return redirect("portal:source-detail", uid=uid)


@require_POST
@roles_required(*BUSINESS)
def switch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a source out of use, or into it again."""
    is_active = request.POST.get("is_active") == "1"
    registering.switch(uid=uid, is_active=is_active, actor=actor(request), now=timezone.now())
    messages.success(request, _("已启用。") if is_active else _("已停用，对它的调用随即退回。"))
    return redirect("portal:source-detail", uid=uid)
