"""The button that fills a draft's face from the base databases: what was typed stays, what was filled in is marked."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange import license_prefill
from licenses.models import TypeVersion
from portal.actor import actor

PRESSED = "prefill"
OF_FRAME = ("csrfmiddlewaretoken", "action")


def page(
    request: HttpRequest, form_class: type[Any], version: TypeVersion, template: str, context: dict[str, Any]
) -> HttpResponse | None:
    """Return the form once more, filled in, when its button was pressed; None otherwise."""
    if request.POST.get("action") != PRESSED:
        return None
    typed = {name: request.POST[name] for name in request.POST if name not in OF_FRAME}
    codes = [typed.get(f"holder_{number}_code", "").strip() for number in range(1, form_class.holder_count + 1)]
    filled = license_prefill.prefill(version=version, codes=codes, actor=actor(request), now=timezone.now())
    form = form_class(None, initial=typed | {f"face_{name}": value for name, value in filled.values.items()})
    for name, source in filled.sources.items():
        form.fields[f"face_{name}"].help_text = _("已从基础库预填（%(source)s），请核对。") % {"source": source}
    return render(request, template, {"form": form, "filled": filled, **context})
