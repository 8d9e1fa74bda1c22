"""Versions of a grant (授权版本): what exactly was granted from when on, and what one change made different.

Each change of a grant writes one, in its own transaction; nothing here decides whether it may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet

from core.audit import Actor
from core.calendar import SHANGHAI
from exchange.models import Grant, GrantEvent, GrantVersion

PLAIN = (
    "state", "suspension_ground", "mode", "purpose", "fields", "masks", "region_prefix", "row_filter", "control_parameters",
    "matters", "ip_list", "quota_per_day", "quota_per_second", "client_count", "client_digest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One term that two versions say differently."""

    term: str
    before: Any
    after: Any


def terms_of(grant: Grant) -> dict[str, Any]:
    """Return everything a grant says, as JSON."""
    terms = {name: getattr(grant, name) for name in PLAIN}
    return terms | {
        "put_right_by": grant.put_right_by and grant.put_right_by.isoformat(),
        "system": str(grant.system.uid),
        "system_name": grant.system.name,
        "resource": str(grant.resource.uid),
        "resource_title": grant.resource.title,
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(),
    }


def write_version(grant: Grant, *, event: GrantEvent, actor: Actor, now: datetime, reason: str = "") -> GrantVersion:
    """Write the grant down as it now stands, under its version number."""
    return GrantVersion.objects.create(
        grant=grant,
        number=grant.version,
        at=now,
        event=event,
        actor_id=actor.user_id,
        actor_name=actor.name,
        actor_department=actor.department,
        reason=reason,
        terms=terms_of(grant),
    )


def terms_on(grant: Grant, day: date) -> QuerySet[GrantVersion]:
    """Return the versions that stood at any time of a Shanghai day, the latest first; empty before the first one."""
    begin = datetime.combine(day, time.min, tzinfo=SHANGHAI)
    earlier = GrantVersion.objects.filter(grant=grant, at__lte=begin).order_by("-number").values_list("number", flat=True)
    first = earlier.first() or 0
    return GrantVersion.objects.filter(grant=grant, number__gte=first, at__lt=begin + timedelta(days=1)).order_by("-number")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the terms two versions say differently, in the order of the terms."""
    names = dict.fromkeys((*before, *after))
    return [Difference(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
