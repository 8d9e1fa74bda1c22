"""Charts of zones (专区图表) as ECharts options: pure. The numbers stand in tables as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

BLUE, ORANGE = "#066fd1", "#f76707"


def history(days: Sequence[tuple[date, int, int]]) -> dict[str, Any] | None:
    """Return rows held and calls of the last thirty days, by day; None with fewer than two days."""
    if len(days) < 2:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 32, "containLabel": True},
        "xAxis": {"type": "category", "data": [day.strftime("%m-%d") for day, _rows, _calls in days]},
        "yAxis": [{"type": "value", "minInterval": 1}, {"type": "value", "minInterval": 1, "splitLine": {"show": False}}],
        "series": [
            {"name": _("行数"), "type": "line", "color": BLUE, "data": [rows for _day, rows, _calls in days]},
            {"name": _("近30天调用"), "type": "line", "yAxisIndex": 1, "color": ORANGE, "data": [calls for _d, _r, calls in days]},
        ],
    }
