"""Layers for people (在线查看图层): which ones somebody signed in may look at, and reading them with the same SQL as systems.

Denied by default. Open are layers of the own department, public ones (grade L1, shared unconditionally) with their public
items, and those a grant of the own department reaches whose conditions a look can meet. What is read is audited; of tiles the
first one of an hour.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.lookup import ALL_ROWS, Selection, select
from catalog.models import Grade, Resource, ShareAttribute, SharingMode
from core import audit
from core.audit import Actor
from core.errors import NotFound
from core.roles import Role
from exchange.calls import registry, shape
from exchange.calls.conditions import check_context, check_origin
from exchange.calls.connections import MARK
from exchange.calls.refusals import Refusal
from exchange.calls.terms import NO_CONTEXT, Terms
from exchange.features import statements
from exchange.features.asking import Asked
from exchange.features.layers import Layer, layer_codes, layer_of
from exchange.features.reading import READERS, Reading
from exchange.granting.grants import masks_of
from exchange.models import Grant, GrantState

BUSINESS: Final = (Role.OPERATOR, Role.HEAD)


class Ground(TextChoices):
    """Why somebody may look at a layer."""

    OWN = "OWN", gettext_lazy("本部门图层")
    PUBLIC = "PUBLIC", gettext_lazy("公开图层")
    GRANT = "GRANT", gettext_lazy("授权图层")


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer as one caller may see it; the uid is the grant's, or the resource's where no grant is needed."""

    uid: str
    resource: Resource
    layer: Layer
    ground: Ground
    terms: Terms | None = None

    @property
    def title(self) -> str:
        """The title of the resource."""
        return self.resource.title


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: the bytes, their digest, how many features."""

    reading: Reading
    body: bytes
    digest: str
    row_count: int


def layers_for(actor: Actor, *, now: datetime) -> list[Shown]:
    """Return the layers somebody may look at, by title."""
    shown = [found for resource in _resources(actor) if (found := _of_resource(resource, actor))]
    if actor.has(*BUSINESS):
        granted = layers_granted(Q(system__department_id=actor.department_id), now=now)
        shown += [one for one in granted if _meets_conditions(one, actor)]
    return sorted(shown, key=lambda one: (one.title, one.uid))


def _meets_conditions(shown: Shown, actor: Actor) -> bool:
    """Whether a grant is open to somebody who looks: what it asks of calls a look can only meet by where it comes from."""
    conditions = shown.terms.conditions if shown.terms else None
    try:
        check_origin(conditions, actor.client_ip)
        check_context(conditions, NO_CONTEXT)
    except Refusal:
        return False
    return True


def layers_granted(whose: Q, *, now: datetime) -> list[Shown]:
    """Return the layers grants reach now."""
    active = Grant.objects.filter(whose, mode=SharingMode.FEATURES, state=GrantState.ACTIVE, valid_from__lte=now, valid_to__gt=now)
    found = active.select_related("resource__provider", "resource__binding").order_by("id")
    return [shown for grant in found if (shown := _of_grant(grant, now))]


def layer_for(uid: UUID, actor: Actor, *, now: datetime) -> Shown:
    """Return one layer somebody may look at; NotFound for any other."""
    for shown in layers_for(actor, now=now):
        if shown.uid == str(uid):
            return shown
    raise NotFound("layer.not_found", _("没有这个图层，或您无权查看。"))


def read(shown: Shown, operation: str, place: tuple[str, ...], query: str, *, actor: Actor, now: datetime) -> Read:
    """Read features or a tile for somebody, and audit it."""
    reading = READERS[operation](shown.layer, shown.uid, place, query, has_html=True)
    if reading.asked.context:
        raise Refusal("features.unknown_parameter", dict.fromkeys(reading.asked.context, "only_for_systems"))
    body, row_count = _run(shown, reading)
    if "missing" in reading.values and row_count == 0:
        raise Refusal("features.not_found")
    if reading.is_text or _first_tile(shown, actor, now):
        audit.record(
            actor,
            "layer.viewed",
            shown.resource,
            at=now,
            department_ids=[actor.department_id, shown.resource.provider_id],
            layer=shown.uid,
            ground=shown.ground.value,
            what=operation.removeprefix("features."),
            features=row_count if reading.is_text else None,
        )
    raw = body.encode() if reading.is_text else bytes(body)
    return Read(reading, raw, sha256(raw).hexdigest(), row_count)


def extent_of(shown: Shown) -> tuple[float, float, float, float] | None:
    """Return about where the features of a layer lie: west, south, east, north of the first few hundred; None without any."""
    reading = Reading(statements.extent_sql(shown.layer), (), {}, "", Asked())
    west, south, east, north = _fetched(shown, reading)
    return None if west is None else (west, south, east, north)


def _run(shown: Shown, reading: Reading) -> tuple[Any, int]:
    body, row_count = _fetched(shown, reading)
    return body, row_count


def _fetched(shown: Shown, reading: Reading) -> tuple[Any, ...]:
    """Run a reading on Django's connection: people are not on the hot path."""
    terms = shown.terms
    parameters = (*statements.PERSON_PARAMETERS, *statements.reach_parameters(len(terms.lists) if terms else 0))
    kinds = dict((*parameters, *reading.parameters))
    values: dict[str, Any] = {"grant_id": terms.grant_id if terms else 0, "region_prefix": terms.region_prefix if terms else ""}
    values |= {f"list_{number}": list(allowed) for number, allowed in enumerate(terms.lists if terms else ())}
    sql = MARK.sub(lambda mark: f"%({mark[1]})s::{kinds[mark[1]]}", reading.sql)
    with connection.cursor() as cursor:
        cursor.execute(sql, values | reading.values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _resources(actor: Actor) -> list[Resource]:
    """Return published entries with a geometry that are the own department's or public."""
    public = Q(grade=Grade.L1, share_attribute=ShareAttribute.UNCONDITIONAL)
    own = Q(provider_id=actor.department_id) if actor.has(*BUSINESS) else Q(pk__in=[])
    found = Resource.objects.published().filter(public | own, binding__dataset__in=layer_codes(), change_of=None)
    return list(found.select_related("provider", "binding").prefetch_related("items").order_by("id"))


def _of_resource(resource: Resource, actor: Actor) -> Shown | None:
    is_own = resource.provider_id == actor.department_id and actor.has(*BUSINESS)
    items = [item for item in resource.items.all() if item.name in resource.binding.columns]
    if not is_own:
        items = [item for item in items if item.grade == Grade.L1 and not item.is_withheld]
    selection = _selection(resource, [item.name for item in items], masks_of(items))
    layer = layer_of(selection) if selection else None
    return Shown(str(resource.uid), resource, layer, Ground.OWN if is_own else Ground.PUBLIC) if layer else None


def _selection(resource: Resource, items: list[str], masks: dict[str, str]) -> Selection | None:
    try:
        chosen = select(dataset=resource.binding.dataset, items=items, columns=resource.binding.columns, masks=masks)
    except (ValueError, KeyError):
        return None
    return Selection(chosen.dataset, chosen.columns, ALL_ROWS)


def _of_grant(grant: Grant, now: datetime) -> Shown | None:
    terms = registry.grants.get(str(grant.uid))
    if terms is None or terms.version != grant.version:  # narrowed a moment ago; calls are held to the version by their statement
        terms = registry.grants.reload(str(grant.uid))
    try:
        known, selection = shape.check_terms(terms, grant.system_id, SharingMode.FEATURES, now)
    except Refusal:
        return None
    layer = layer_of(selection)
    return Shown(str(grant.uid), grant.resource, layer, Ground.GRANT, known) if layer else None


_seen: set[tuple[int | None, str, str]] = set()
_entering: Final = threading.Lock()
SEEN_AT_MOST: Final = 10_000


def _first_tile(shown: Shown, actor: Actor, now: datetime) -> bool:
    """Whether this is the first tile of a layer this process draws for somebody in this hour."""
    key = (actor.user_id, shown.uid, now.strftime("%Y%m%d%H"))
    with _entering:
        if key in _seen:
            return False
        if len(_seen) >= SEEN_AT_MOST:
            _seen.clear()
        _seen.add(key)
    return True
