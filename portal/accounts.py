"""Signing in and out, the own account and password (登录). Five wrong passwords lock a name for half an hour (django-axes).

The answer never tells whether a name exists.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core import accounts
from core.errors import Invalid
from core.roles import Role
from portal.actor import actor, user_of
from portal.forms import PortalForm


class SignInForm(PortalForm):
    """Name and password."""

    username = forms.CharField(
        label=gettext_lazy("用户名"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=gettext_lazy("密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(PortalForm):
    """The old password once, the new one twice."""

    old_password = forms.CharField(
        label=gettext_lazy("当前密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label=gettext_lazy("新密码"),
        max_length=128,
        strip=False,
        help_text=gettext_lazy("至少 10 位，不能全为数字，不能是常见密码。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label=gettext_lazy("再次输入新密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Both new passwords must be the same."""
        cleaned = super().clean()
        if cleaned.get("new_password") and cleaned.get("repeated") and cleaned["new_password"] != cleaned["repeated"]:
            self.add_error("repeated", _("两次输入的新密码不一致。"))
        return cleaned


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; a signed-in person goes on to where they wanted to go."""
    target = next_page(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(request, **form.cleaned_data)
        if user is not None:
            login(request, user)
            accounts.record_sign_in(actor=actor(request), now=timezone.now())
            return redirect(target)
        form.add_error(None, _("用户名或密码不正确。连续 5 次错误将锁定 30 分钟。"))
    status = 422 if form.errors else 200
    return render(request, "portal/login.html", {"form": form, "next": target}, status=status)


def next_page(request: HttpRequest) -> str:
    """Return the page asked for, if it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else resolve_url("portal:home")


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """Answer a locked name (called by django-axes); the same for names that do not exist."""
    accounts.record_lock_out(
        username=request.POST.get("username", ""),
        client_ip=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
        now=timezone.now(),
    )
    message = _("连续多次输入错误，该用户名已锁定 30 分钟。请稍后再试，或联系安全管理员解锁。")
    form = SignInForm(None)
    return render(request, "portal/login.html", {"form": form, "locked": message, "next": next_page(request)}, status=429)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("portal:login")


@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the own password; whoever got a temporary one cannot go anywhere else before."""
    form = PasswordForm(request.POST or None)
    user = user_of(request)
    if request.method == "POST" and form.is_valid():
        try:
            accounts.change_password(
                actor=actor(request),
                old_password=form.cleaned_data["old_password"],
                new_password=form.cleaned_data["new_password"],
                now=timezone.now(),
            )
        except Invalid as error:
            form.add_domain_error(error)
        else:
            user.refresh_from_db()
            update_session_auth_hash(request, user)
            messages.success(request, _("密码已修改。"))
            return redirect("portal:home")
    context = {"form": form, "must_change": user.must_change_password}
    return render(request, "portal/password.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET"])
def account(request: HttpRequest) -> HttpResponse:
    """The own account: name, department, roles."""
    acting = actor(request)
    roles = [Role(role).label for role in sorted(acting.roles)]
    return render(request, "portal/account.html", {"user": user_of(request), "roles": roles})
