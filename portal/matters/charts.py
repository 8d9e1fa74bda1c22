"""Charts of matters (免提交图表) as ECharts options: pure. The numbers stand in a table beneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from exchange.matters.figures import MonthLine

GREEN, ORANGE = "#2fb344", "#f76707"


def months(lines: Sequence[MonthLine]) -> dict[str, Any] | None:
    """Return saved and not saved materials by month, one above the other; None without any."""
    if not lines:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 32, "containLabel": True},
        "xAxis": {"type": "category", "data": [f"{line.month:%Y-%m}" for line in lines]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"name": _("免提交"), "type": "bar", "stack": "all", "color": GREEN, "data": [line.saved for line in lines]},
            {"name": _("未能免提交"), "type": "bar", "stack": "all", "color": ORANGE, "data": [line.missed for line in lines]},
        ],
    }
