"""Messages to a person inside the application (站内消息): list, open, mark read."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from core import notifications as rules
from core.keyset import page
from core.models import Notification
from portal.actor import user_of


@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """The own messages, newest first."""
    rows = Notification.objects.filter(user=user_of(request))
    context = {"page": page(rows, order=("-id",), cursor=request.GET.get("after", ""))}
    return render(request, "portal/notifications.html", context)


@require_POST
def open_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Mark one message read and go where it leads."""
    message = Notification.objects.filter(user=user_of(request), uid=uid).first()
    if message is None:
        raise Http404
    rules.mark_read(user_id=user_of(request).pk, uid=uid, now=timezone.now())
    ours = url_has_allowed_host_and_scheme(message.path, allowed_hosts=None)
    return redirect(message.path if message.path and ours else "portal:notification-list")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all messages read."""
    rules.mark_read(user_id=user_of(request).pk, uid=None, now=timezone.now())
    return redirect("portal:notification-list")
