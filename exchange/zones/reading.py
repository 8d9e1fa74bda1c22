"""Reading data zones (查看专区): the own department's and region's; the data centre and the auditor see any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet, Sum
from django.utils.translation import gettext as _

from basedb.geography.divisions import short_code
from basedb.geography.figures import Figure, figures_below
from core.audit import Actor
from core.errors import NotFound
from core.models import Department, Region
from core.roles import Role
from exchange.models import BackflowSubscription, ZoneFigure
from exchange.querysets import is_auditor, is_reviewer

HISTORY_DAYS = 90


@dataclass(frozen=True, slots=True)
class Zone:
    """A department's zone: its newest line of each dataset, and its rows by day."""

    department: Department
    figures: Sequence[ZoneFigure]
    history: Sequence[tuple[date, int, int]]  # day, rows, calls

    @property
    def measured_at(self) -> datetime | None:
        """Return when it was measured last."""
        return max((figure.measured_at for figure in self.figures), default=None)


@dataclass(frozen=True, slots=True)
class RegionZone:
    """A region's zone: what it and the divisions below it hold, and what flows back to it."""

    region: Region
    figures: Sequence[Figure]
    backflows: Sequence[BackflowSubscription]


def sees_all(actor: Actor) -> bool:
    """Return whether the actor may look at any zone."""
    return is_reviewer(actor) or is_auditor(actor) or (actor.is_data_centre and actor.has(Role.HEAD))


def departments_visible_to(actor: Actor) -> QuerySet[Department]:
    """Return the departments whose zones an actor may see."""
    current = Department.objects.filter(valid_to=None).select_related("region")
    if sees_all(actor):
        return current
    return current.filter(pk=actor.department_id or 0) if actor.has(Role.OPERATOR, Role.HEAD) else current.none()


def is_stale(figure: ZoneFigure, *, now: datetime) -> bool | None:
    """Return whether deliveries are later than promised, by twice the cycle; None when nothing was promised."""
    if figure.promised_minutes is None:
        return None
    if figure.last_good_run_at is None:
        return True
    return now - figure.last_good_run_at > 2 * timedelta(minutes=figure.promised_minutes)


def department_zone(*, actor: Actor, uid: UUID | None = None) -> Zone:
    """Return the zone of a department, the own one unless another is asked for; NotFound when it is not to be seen."""
    visible = departments_visible_to(actor)
    found = visible.filter(uid=uid).first() if uid else visible.filter(pk=actor.department_id or 0).first()
    if found is None:
        raise NotFound("zone.not_found", _("没有这个专区，或您无权查看。"))
    lines = ZoneFigure.objects.filter(department=found)
    newest = lines.aggregate(day=Max("measured_on"))["day"]
    figures = list(lines.filter(measured_on=newest).order_by("-row_count", "dataset")) if newest else []
    history = []
    if newest:
        days = lines.filter(measured_on__gt=newest - timedelta(days=HISTORY_DAYS)).order_by("measured_on")
        history = list(days.values_list("measured_on").annotate(rows=Sum("row_count"), calls=Sum("call_count")))
    return Zone(found, figures, history)


def regions_visible_to(actor: Actor) -> QuerySet[Region]:
    """Return the regions whose zones an actor may see: that of the own department and those below it."""
    if sees_all(actor):
        return Region.objects.all()
    if not actor.has(Role.OPERATOR, Role.HEAD):
        return Region.objects.none()
    own = Department.objects.select_related("region").filter(pk=actor.department_id or 0).first()
    return Region.objects.filter(code__startswith=own.region.code) if own else Region.objects.none()


def region_zone(*, actor: Actor, code: str = "") -> RegionZone:
    """Return the zone of a region, that of the own department unless another is asked for."""
    own = Department.objects.select_related("region").filter(pk=actor.department_id or 0).first()
    asked = short_code(code) if code else (own.region.code if own else "")
    region = regions_visible_to(actor).filter(code=asked).first()
    if region is None:
        raise NotFound("zone.not_found", _("没有这个专区，或您无权查看。"))
    flows = BackflowSubscription.objects.filter(region__code__startswith=region.code).select_related("department", "region")
    return RegionZone(region, figures_below(region.code), list(flows.order_by("region__code", "dataset")[:100]))
