"""The page where a system's public key is handed in; its private key never comes here."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.submissions import digest_of, once
from exchange import public_keys, systems
from exchange.models import ConsumerSystem
from exchange.querysets import systems_visible_to
from portal.actor import actor, roles_required
from portal.grants.forms import PublicKeyForm
from portal.grants.systems import SEERS


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*SEERS)
def hand_in(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the text to sign, and take the key with the signature."""
    who, now = actor(request), timezone.now()
    system = systems_visible_to(who).select_related("department").filter(uid=uid).first()
    if system is None:
        raise NotFound("system.not_found", _("没有这个系统，或您无权查看。"))
    if not systems.may_manage(system, who):
        raise Forbidden("system.not_yours", _("凭证由系统所属部门的经办人申领。"))
    challenge = public_keys.challenge_for(system_uid=uid, actor=who, now=now)
    if request.method != "POST":
        return _page(request, system, PublicKeyForm(initial={"challenge": challenge}))
    form = PublicKeyForm(request.POST)
    if form.is_valid():
        try:
            key, _is_new = _registered_once(form, system, request)
        except (Conflict, Invalid) as error:
            if error.code == "credential.challenge":
                form.show_anew(challenge, str(error.message))
            else:
                form.add_domain_error(error)
        else:
            messages.success(request, _("公钥凭证已创建，应用标识为 %(key)s。") % {"key": key})
            return redirect("portal:system-detail", uid=uid)
    elif not form.data.get("challenge"):
        form.show_anew(challenge)
    return _page(request, system, form)


def _registered_once(form: PublicKeyForm, system: ConsumerSystem, request: HttpRequest) -> tuple[str, bool]:
    who, given = actor(request), form.cleaned_data
    return once(
        owner=f"user:{who.user_id}",
        token=given["submission"],
        digest=digest_of({"public key of": str(system.uid), "pem": given["public_key"]}),
        make=lambda: (
            public_keys.register_public_key(
                system_uid=system.uid,
                pem=given["public_key"],
                challenge=given["challenge"],
                proof=given["proof"],
                actor=who,
                now=timezone.now(),
            ).key
        ),
    )


def _page(request: HttpRequest, system: ConsumerSystem, form: PublicKeyForm) -> HttpResponse:
    context = {"system": system, "form": form, "challenge": form["challenge"].value()}
    return render(request, "portal/grants/public_key.html", context, status=form.status)
