"""Views of consumer systems: registering one, issuing and revoking its credentials. A secret is shown once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.errors import Conflict, DomainError, NotFound
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange import systems
from exchange.models import ConsumerSystem, CredentialState
from exchange.public_keys import REMINDED_BEFORE
from exchange.querysets import systems_visible_to
from portal.actor import BUSINESS, actor, roles_required
from portal.grants.forms import CredentialForm, SystemForm

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


@require_GET
@roles_required(*SEERS)
def system_list(request: HttpRequest) -> HttpResponse:
    """The systems one may see; an operator registers a new one here."""
    return _list_page(request)


@require_POST
@roles_required(Role.OPERATOR)
def register(request: HttpRequest) -> HttpResponse:
    """Register a system of the own department."""
    who = actor(request)
    form = SystemForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form)
    name = form.cleaned_data["name"]
    try:
        uid, _is_new = once(
            owner=f"user:{who.user_id}",
            token=form.cleaned_data["submission"],
            digest=digest_of({"system": name}),
            make=lambda: str(systems.register(name=name, actor=who, now=timezone.now()).uid),
        )
    except DomainError as error:
        form.add_domain_error(error)
        return _list_page(request, form)
    messages.success(request, _("系统已登记。下一步：为它创建访问凭证。"))
    return redirect("portal:system-detail", uid=uid)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One system: its credentials and grants."""
    return _detail_page(request, _visible(request, uid))


@never_cache
@require_POST
@roles_required(*SEERS)
def issue(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Issue a credential; this answer is the only one that ever shows its secret."""
    system = _visible(request, uid)
    who = actor(request)
    form = CredentialForm(request.POST)
    if not form.is_valid():
        return _detail_page(request, system, form)
    algorithm = form.cleaned_data["algorithm"]
    issued: list[systems.IssuedCredential] = []

    def make() -> str:
        issued.append(systems.issue_credential(system_uid=uid, algorithm=algorithm, actor=who, now=timezone.now()))
        return str(issued[0].credential.uid)

    digest = digest_of({"credential of": str(uid), "algorithm": algorithm})
    try:
        once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
    except Conflict as error:
        form.add_domain_error(error)
        return _detail_page(request, system, form)
    if not issued:
        messages.warning(request, _("该凭证已经创建，密钥只展示一次。没有保存的话，请吊销后重新创建。"))
        return redirect("portal:system-detail", uid=uid)
    return render(request, "portal/grants/secret.html", {"system": system, "issued": issued[0]})


@require_POST
@roles_required(*SEERS)
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Revoke a credential."""
    credential = systems.revoke_credential(credential_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("凭证已吊销，用它签名的调用将被拒绝。"))
    return redirect("portal:system-detail", uid=credential.system.uid)


def _list_page(request: HttpRequest, form: SystemForm | None = None) -> HttpResponse:
    who = actor(request)
    rows = systems_visible_to(who).select_related("department").prefetch_related("credentials", "grants")
    context = {
        "form": form or SystemForm(),
        "page": page(rows, order=("-id",), cursor=request.GET.get("after", "")),
        "may_register": who.has(Role.OPERATOR),
    }
    return render(request, "portal/grants/system_list.html", context, status=422 if form is not None else 200)


def _detail_page(request: HttpRequest, system: ConsumerSystem, form: CredentialForm | None = None) -> HttpResponse:
    who, now = actor(request), timezone.now()
    credentials = list(system.credentials.select_related("created_by"))
    context = {
        "system": system,
        "credentials": credentials,
        "live": sum(credential.state == CredentialState.ACTIVE and credential.valid_to > now for credential in credentials),
        "soon": now + timedelta(days=max(REMINDED_BEFORE)),
        "grants": system.grants.select_related("resource__provider")[:50],
        "may_manage": systems.may_manage(system, who),
        "may_revoke": systems.may_revoke(system, who),
        "form": form or CredentialForm(),
        "now": now,
    }
    return render(request, "portal/grants/system.html", context, status=form.status if form is not None else 200)


def _visible(request: HttpRequest, uid: UUID) -> ConsumerSystem:
    found = systems_visible_to(actor(request)).select_related("department").filter(uid=uid).first()
    if found is None:
        raise NotFound("system.not_found", _("没有这个系统，或您无权查看。"))
    return found
