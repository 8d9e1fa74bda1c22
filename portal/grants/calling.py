"""The page that helps to make the first call on a grant (调用示例): one program a language, and the description for generators."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import SharingMode
from exchange.descriptions import is_list
from exchange.discovery import path_of as endpoint_path
from exchange.models import Credential, CredentialState
from portal.actor import actor, roles_required
from portal.grants.access import SEERS, visible
from portal.grants.examples import HMACS, LANGUAGES, examples


@require_GET
@roles_required(*SEERS)
def example(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One grant's call in the chosen language."""
    grant = visible(request, uid)
    chosen = request.GET.get("language", "")
    language = chosen if chosen in LANGUAGES else next(iter(LANGUAGES))
    name, run, _program, _write = LANGUAGES[language]
    now = timezone.now()
    live = Credential.objects.filter(system=grant.system, state=CredentialState.ACTIVE, valid_from__lte=now, valid_to__gt=now)
    credential = live.filter(algorithm__in=HMACS).order_by("-id").first()
    context = {
        "grant": grant,
        "languages": [(code, title, code == language) for code, (title, *_rest) in LANGUAGES.items()],
        "name": name,
        "run": run,
        "text": "" if grant.mode == SharingMode.FEATURES else examples(grant, credential)[language],
        "layer_path": endpoint_path(grant.mode, str(grant.uid), "items"),
        "is_list": grant.mode == SharingMode.QUERY and is_list(grant.resource),
        "is_mounted": hasattr(grant.resource, "binding"),
        "has_hmac": credential is not None,
        "has_key": live.exists(),
        "is_user": grant.system.department_id == actor(request).department_id,
    }
    return render(request, "portal/grants/example.html", context)
