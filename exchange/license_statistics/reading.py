"""Reading the statistics of licenses (证照统计查询): sums of the small tables; coverage, uses, reports of missing ones.

Open to everybody with business on the platform: nobody is named in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Count, Max, Q, QuerySet, Sum

from basedb.models import LicenseType
from core.models import Region
from exchange.license_statistics.expected import BY_RULE
from exchange.license_uses import calls
from exchange.models import LicenseCoverage, LicenseFigure, LicenseUsage
from licenses.models import UseChannel
from licenses.models.missing import OPEN_MISSING, MissingReport, MissingState

GROUPS: Final = ("type", "issuer", "region", "month")
USE_GROUPS: Final = ("channel", "department", "matter", "use_month")
_COLUMNS: Final = {"type": "type_code", "issuer": "issuer", "region": "region_code", "month": "month"}
_USE_COLUMNS: Final = {"channel": "channel", "department": "department", "matter": "matter", "use_month": "month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which licenses are counted; empty means all."""

    type_code: str = ""
    issuer: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Licenses of one type, issuer, county or month of issue."""

    key: str
    title: str
    total: int
    live: int
    expired: int
    ended: int


@dataclass(frozen=True, slots=True)
class Covered:
    """The share of those who should hold a type that hold a valid electronic one; `rule` says who should."""

    type_code: str
    title: str
    rule: str
    expected: int
    held: int

    @property
    def percent(self) -> float | None:
        """The share in percent; None when nobody should."""
        return round(100 * self.held / self.expected, 2) if self.expected else None


@dataclass(frozen=True, slots=True)
class Used:
    """Uses of one channel, department, matter or month."""

    key: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Reports of missing licenses of a type."""

    type_code: str
    title: str
    total: int
    open: int
    reissued: int
    absent: int


def measured_at() -> datetime | None:
    """Return when the licenses were counted last."""
    at: datetime | None = LicenseFigure.objects.aggregate(at=Max("measured_at"))["at"]
    return at


def type_names() -> dict[str, str]:
    """Return the name of every type the city knows, by code; of several versions the last."""
    return dict(LicenseType.objects.order_by("effective").values_list("code", "name"))


def _figures(scope: Scope) -> QuerySet[LicenseFigure]:
    rows = LicenseFigure.objects.all()
    for column, value in (("type_code", scope.type_code), ("issuer", scope.issuer), ("region_code", scope.region)):
        if value:
            rows = rows.filter(**{column: value})
    return rows


def held(by: str, scope: Scope) -> list[Line]:
    """Return the licenses held by type, issuer or region, the most first; by month of issue the oldest first."""
    column = _COLUMNS[by]
    order = ("month",) if by == "month" else ("-all", column)
    rows = _figures(scope)
    if by == "month":
        rows = rows.exclude(month=None)
    summed = rows.order_by().values_list(column).annotate(
        all=Sum("total"), good=Sum("live"), over=Sum("expired"), others=Sum("ended")
    )  # fmt: skip
    titles = _titles(by)
    return [
        Line(_key(key), titles.get(key, _key(key)), *counts) for key, *counts in summed.order_by(*order)
    ]  # fmt: skip


def total(scope: Scope) -> Line:
    """Return the sum of all that is held."""
    sums = _figures(scope).aggregate(all=Sum("total"), good=Sum("live"), over=Sum("expired"), others=Sum("ended"))
    return Line("", "", *(sums[name] or 0 for name in ("all", "good", "over", "others")))


def _key(key: str | date | None) -> str:
    return key.strftime("%Y-%m") if isinstance(key, date) else str(key or "")


def _titles(by: str) -> dict[str, str]:
    if by == "type":
        return type_names()
    return dict(Region.objects.values_list("code", "name")) if by == "region" else {}


def choices(column: str) -> list[str]:
    """Return the values of a column there are figures of, for filters."""
    return list(LicenseFigure.objects.order_by(column).values_list(column, flat=True).distinct())


def covered() -> list[Covered]:
    """Return the coverage of the types that have a denominator."""
    names = type_names()
    return [
        Covered(row.type_code, names.get(row.type_code, row.type_code), str(BY_RULE[row.rule].title), row.expected, row.held)
        for row in LicenseCoverage.objects.order_by("type_code")
        if row.rule in BY_RULE
    ]


def used(by: str, *, since: date | None = None, type_code: str = "") -> list[Used]:
    """Return the uses by channel, department, matter or month."""
    column = _USE_COLUMNS[by]
    rows = LicenseUsage.objects.all()
    if since is not None:
        rows = rows.filter(month__gte=since)
    if type_code:
        rows = rows.filter(type_code=type_code)
    summed = rows.order_by().values_list(column).annotate(n=Sum("use_count"))
    called = {f"{calls.PREFIX}{mode}": title for mode, title in calls.CHANNELS.items()}
    titles = dict(UseChannel.choices) | called if by == "channel" else {}
    ordered = summed.order_by("month") if by == "use_month" else summed.order_by("-n", column)
    return [Used(_key(key), str(titles.get(key, _key(key))), count) for key, count in ordered]


def missed() -> Sequence[Missed]:
    """Return the reports of missing licenses by type, the most first."""
    counts = MissingReport.objects.exclude(state=MissingState.JOINED).order_by().values_list("type_code").annotate(
        n=Count("pk"),
        open=Count("pk", filter=Q(state__in=OPEN_MISSING)),
        reissued=Count("pk", filter=Q(state=MissingState.REISSUED)),
        absent=Count("pk", filter=Q(state=MissingState.ABSENT)),
    )  # fmt: skip
    names = type_names()
    return [Missed(code, names.get(code, code), *numbers) for code, *numbers in counts.order_by("-n", "type_code")]
