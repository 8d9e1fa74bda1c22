"""Charts of thematic databases (主题库图表) as ECharts options: pure. The numbers stand in tables beneath them as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

BLUE, RED, GREEN = "#066fd1", "#d63939", "#2fb344"
MOST_BARS = 30


def history(labels: Sequence[str], rows: Sequence[int], entered: Sequence[int], left: Sequence[int]) -> dict[str, Any] | None:
    """Return rows over the last refreshes with what came and went; None with fewer than two."""
    if len(labels) < 2:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 32, "containLabel": True},
        "xAxis": {"type": "category", "data": list(labels)},
        "yAxis": [{"type": "value", "minInterval": 1}, {"type": "value", "minInterval": 1, "splitLine": {"show": False}}],
        "series": [
            {"name": _("行数"), "type": "line", "color": BLUE, "data": list(rows)},
            {"name": _("进入"), "type": "bar", "yAxisIndex": 1, "color": GREEN, "data": list(entered)},
            {"name": _("移出"), "type": "bar", "yAxisIndex": 1, "color": RED, "data": list(left)},
        ],
    }


def bars(named: Sequence[tuple[str, int]]) -> dict[str, Any] | None:
    """Return counts side by side, the largest on top; None with fewer than two."""
    if len(named) < 2:
        return None
    shown = sorted(named, key=lambda pair: pair[1])[-MOST_BARS:]
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 48, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "data": [name for name, _count in shown]},
        "series": [
            {
                "name": _("行数"),
                "type": "bar",
                "color": BLUE,
                "barMaxWidth": 24,
                "label": {"show": True, "position": "right"},
                "data": [count for _name, count in shown],
            }
        ],
    }
