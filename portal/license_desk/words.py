"""What the pages of the issuing desk say in words: faces, states, holders, days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.audit import Actor
from core.calendar import SHANGHAI
from core.models import Department
from licenses.issuing.batches import REGION_DIGITS
from licenses.models import License, LicenseState, TypeVersion
from licenses.types.rulebook import Rulebook

EXPIRED = "EXPIRED"


def today() -> date:
    """Return the day in Shanghai."""
    return timezone.now().astimezone(SHANGHAI).date()


def region_of(who: Actor) -> str:
    """Return the division of the actor's department, as licenses name it."""
    code = Department.objects.filter(pk=who.department_id or 0).values_list("region__code", flat=True).first() or ""
    return code.ljust(REGION_DIGITS, "0")


def shown_face(version: TypeVersion, face: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the items of a face with their titles, as people read them."""
    rulebook = Rulebook.of(version.rulebook)
    shown = rulebook.shown(face)
    return [(item.title, shown[item.name]) for item in rulebook.items if shown[item.name]]


def state_of(license: License) -> tuple[str, str | Promise]:
    """Return the state a page shows, and its title: an expired license says so, an old version as well."""
    if not license.is_current:
        return "SUPERSEDED", _("已被新版本取代")
    if license.state == LicenseState.VALID and license.valid_to is not None and license.valid_to < today():
        return EXPIRED, _("已过期")
    return LicenseState(license.state).name, LicenseState(license.state).label
