"""Views of asking again: an earlier request copied as a new draft, a grant's next term."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Invalid
from core.roles import Role
from core.submissions import digest_of, once
from core.texts import listed
from exchange.requests import renewals
from exchange.requests.renewals import Copied
from portal.actor import actor, roles_required
from portal.baskets.forms import CopyForm


@require_POST
@roles_required(Role.OPERATOR)
def copy(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Copy a request of the own department as a new draft and open it."""
    who = actor(request)
    return _ask_again(request, uid, lambda: renewals.copy_as_new(request_uid=uid, actor=who, now=timezone.now()))


@require_POST
@roles_required(Role.OPERATOR)
def renew(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Draft the next term of a grant and open the draft."""
    who = actor(request)
    return _ask_again(request, uid, lambda: renewals.renew(grant_uid=uid, actor=who, now=timezone.now()))


def _ask_again(request: HttpRequest, source: UUID, ask: Callable[[], Copied]) -> HttpResponse:
    form = CopyForm(request.POST)
    if not form.is_valid():
        raise Invalid("submission.missing", _("页面上的提交标识缺失或不正确，请重新打开页面后再办理。"))
    dropped: list[str] = []

    def make() -> str:
        copied = ask()
        dropped.extend(copied.dropped)
        return str(copied.access_request.uid)

    digest = digest_of({"source": str(source), "path": request.path})
    uid, _is_new = once(owner=f"user:{actor(request).user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
    messages.success(request, _("已生成新的草稿，请核对后提交。"))
    if dropped:
        text = _("下列内容现已不再提供，没有带入新草稿：%(names)s。") % {"names": listed(dropped)}
        messages.warning(request, text)
    return redirect("portal:request-edit", uid=uid)
