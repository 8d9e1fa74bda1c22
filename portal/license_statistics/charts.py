"""Charts of licenses (证照图表) as ECharts options: pure. The numbers stand in tables beneath them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from exchange.license_statistics.reading import Covered, Line, Used

BLUE, GREEN, ORANGE, GREY = "#066fd1", "#2fb344", "#f76707", "#929dab"
MOST_BARS = 15
_GRID = {"left": 8, "right": 40, "top": 8, "bottom": 56, "containLabel": True}  # room for the unit and the legend below
_UPRIGHT = {"left": 8, "right": 8, "top": 32, "bottom": 32, "containLabel": True}


def bars(lines: Sequence[Line]) -> dict[str, Any] | None:
    """Return the largest groups, valid and others one behind the other; None with fewer than two."""
    if len(lines) < 2:
        return None
    shown = list(reversed(lines[:MOST_BARS]))
    parts = (
        (_("有效"), GREEN, [line.live for line in shown]),
        (_("已过期"), ORANGE, [line.expired for line in shown]),
        (_("其他状态"), GREY, [line.ended for line in shown]),
    )
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "legend": {"bottom": 0},
        "grid": _GRID,
        "xAxis": _counted(_("份")),
        "yAxis": _titles(shown),
        "series": [
            {"name": name, "type": "bar", "stack": "all", "color": color, "barMaxWidth": 22, "data": data}
            for name, color, data in parts
        ],
    }


def use_bars(lines: Sequence[Used]) -> dict[str, Any] | None:
    """Return the groups with the most uses; None with fewer than two."""
    if len(lines) < 2:
        return None
    shown = list(reversed(lines[:MOST_BARS]))
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "grid": {**_GRID, "bottom": 32},
        "xAxis": _counted(_("次")),
        "yAxis": _titles(shown),
        "series": [
            {"name": _("用证次数"), "type": "bar", "color": BLUE, "barMaxWidth": 22, "data": [line.count for line in shown]}
        ],
    }


def _counted(unit: str) -> dict[str, Any]:
    """An axis of numbers with its unit in the middle below, where a phone does not cut it, in any language."""
    return {
        "type": "value",
        "minInterval": 1,
        "name": unit,
        "nameLocation": "middle",
        "nameGap": 26,
        "axisLabel": {"hideOverlap": True},
    }


def _titles(lines: Sequence[Line] | Sequence[Used] | Sequence[Covered]) -> dict[str, Any]:
    return {
        "type": "category",
        "data": [line.title or "—" for line in lines],
        "axisLabel": {"width": 110, "overflow": "truncate"},
    }


def months(lines: Sequence[Line]) -> dict[str, Any] | None:
    """Return the licenses issued by month; None with fewer than two months."""
    return _by_month([(line.title, line.total) for line in lines], _("颁发证照"), _("份"))


def uses(lines: Sequence[Used]) -> dict[str, Any] | None:
    """Return the uses by month; None with fewer than two months."""
    return _by_month([(line.title, line.count) for line in lines], _("用证次数"), _("次"))


def _by_month(pairs: Sequence[tuple[str, int]], name: str, unit: str) -> dict[str, Any] | None:
    if len(pairs) < 2:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "grid": _UPRIGHT,
        "xAxis": {"type": "category", "data": [month for month, _count in pairs]},
        "yAxis": {"type": "value", "minInterval": 1, "name": unit, "nameTextStyle": {"align": "left"}},
        "series": [{"name": name, "type": "bar", "color": BLUE, "data": [count for _month, count in pairs]}],
    }


def coverage(lines: Sequence[Covered]) -> dict[str, Any] | None:
    """Return the coverage of the types in percent; None without any."""
    shown = [line for line in reversed(lines) if line.percent is not None]
    if not shown:
        return None
    return {
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "grid": {**_GRID, "right": 56, "bottom": 8},
        "xAxis": {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value}%", "hideOverlap": True}},
        "yAxis": _titles(shown),
        "series": [
            {
                "name": _("覆盖率（百分比）"),
                "type": "bar",
                "color": BLUE,
                "barMaxWidth": 22,
                "label": {"show": True, "position": "right", "formatter": "{c}%"},
                "data": [line.percent for line in shown],
            }
        ],
    }
