"""Blocks on the pages of a request and a grant: its bundle, copies and renewals, attachments, remarks."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from core.audit import Actor
from core.roles import Role
from exchange.models import AccessRequest, Grant, RequestState
from exchange.querysets import access_requests_visible_to, is_reviewer
from exchange.requests import remarks, renewals
from exchange.requests.attachments import keeping
from exchange.requests.remark_reading import reads_private, remarks_visible_to
from portal.baskets.forms import CopyForm
from portal.remarks.forms import AttachForm, RedactForm, RemarkForm

register = template.Library()


@register.inclusion_tag("portal/baskets/origin.html", takes_context=True)
def request_origin(context: dict[str, Any], access_request: AccessRequest) -> dict[str, Any]:
    """Show what a request is part of, copied from or renews, what was copied from it, and offer to copy it."""
    who = _actor(context)
    seen = access_requests_visible_to(who)
    own = who.has(Role.OPERATOR) and access_request.requester_id == who.department_id
    return {
        "access_request": access_request,
        "bundle": access_request.bundle,
        "copied_from": seen.filter(pk=access_request.copied_from_id or 0).first(),
        "copies": list(seen.filter(copied_from=access_request).order_by("-id")[:5]),
        "renews": access_request.renews,
        "may_copy": own and access_request.state != RequestState.DRAFTED,
        "form": CopyForm(auto_id="again_%s"),
        **_request_in(context),
    }


@register.inclusion_tag("portal/remarks/attachments.html", takes_context=True)
def request_attachments(context: dict[str, Any], access_request: AccessRequest, *, editing: bool = False) -> dict[str, Any]:
    """Show the files of the request itself; on the form page of a draft, also the means to add and remove."""
    who = _actor(context)
    rows = keeping.attachments_visible_to(who).filter(access_request=access_request, remark=None).order_by("id")
    return {
        "access_request": access_request,
        "attachments": list(rows),
        "editing": editing and keeping.may_attach(access_request, who),
        "may_redact": is_reviewer(who),
        "form": AttachForm(auto_id="attach_%s"),
        "redact_form": RedactForm(),
        **_request_in(context),
    }


@register.inclusion_tag("portal/remarks/remarks.html", takes_context=True)
def request_remarks(context: dict[str, Any], access_request: AccessRequest) -> dict[str, Any]:
    """Show the remarks the reader may read, with their files, and the form for one more."""
    who = _actor(context)
    rows = list(remarks_visible_to(who).filter(access_request=access_request).prefetch_related("attachments").order_by("id"))
    may_remark = remarks.may_remark(access_request, who)
    return {
        "access_request": access_request,
        "remarks": rows,
        "form": RemarkForm(reads_private=reads_private(access_request, who), auto_id="remark_%s") if may_remark else None,
        "may_redact": is_reviewer(who),
        "redact_form": RedactForm(),
        **_request_in(context),
    }


@register.inclusion_tag("portal/baskets/renewal.html", takes_context=True)
def grant_renewal(context: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """Show which grant follows or goes before, a renewal under way, and offer to renew in its time."""
    who, now = _actor(context), timezone.now()
    under_way = renewals.open_renewal(grant)
    return {
        "grant": grant,
        "renewed_by": grant.renewed_by,
        "renewed": getattr(grant, "renewed", None),
        "under_way": access_requests_visible_to(who).filter(pk=under_way.pk).first() if under_way else None,
        "may_renew": renewals.may_renew(grant, who, now),
        "form": CopyForm(auto_id="again_%s"),
        **_request_in(context),
    }


def _actor(context: dict[str, Any]) -> Actor:
    actor: Any = context["actor"]
    found: Actor = actor() if callable(actor) else actor
    return found


def _request_in(context: dict[str, Any]) -> dict[str, Any]:
    return {name: context[name] for name in ("request", "csrf_token") if name in context}
