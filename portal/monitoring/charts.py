"""Charts of op-monitoring (运行监测图表) as ECharts options: pure. The numbers stand in tables beneath them as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

GREEN, RED, BLUE = "#2fb344", "#d63939", "#066fd1"
BARS_SHOWN: Final = 10
FLOWS_SHOWN: Final = 20


def weekdays() -> list[str]:
    """Return the days of a week, Monday first."""
    return [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]


def trend(labels: Sequence[str], answered: Sequence[int], refused: Sequence[int]) -> dict[str, Any]:
    """Return answered and refused calls over time."""
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0},
        "grid": {"left": 8, "right": 16, "top": 32, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(labels)},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"name": _("已应答"), "type": "bar", "stack": "calls", "color": GREEN, "barMaxWidth": 40, "data": list(answered)},
            {"name": _("已拒绝"), "type": "bar", "stack": "calls", "color": RED, "barMaxWidth": 40, "data": list(refused)},
        ],
    }


def heat(calls: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    """Return the calls by weekday (1 is Monday) and hour of the day."""
    return {
        "tooltip": {},
        "grid": {"left": 8, "right": 16, "top": 8, "bottom": 56, "containLabel": True},
        "xAxis": {"type": "category", "data": [str(hour) for hour in range(24)]},
        "yAxis": {"type": "category", "inverse": True, "data": weekdays()},
        "visualMap": {
            "min": 0,
            "max": max(calls.values(), default=1),
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "text": [_("多"), _("少")],
            "inRange": {"color": ["#eaf2fb", BLUE]},
        },
        "series": [
            {
                "name": _("调用次数"),
                "type": "heatmap",
                "itemStyle": {"borderColor": "#ffffff", "borderWidth": 1},
                "data": [[hour, day - 1, count] for (day, hour), count in sorted(calls.items())],
            }
        ],
    }


def bars(lines: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return names with their calls as lying bars, the largest on top."""
    shown = lines[:BARS_SHOWN]
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 32, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [name for name, _count in shown],
            "axisLabel": {"width": 140, "overflow": "break"},
        },
        "series": [
            {"name": _("调用次数"), "type": "bar", "color": BLUE, "barMaxWidth": 24, "data": [count for _name, count in shown]}
        ],
    }


def flows(lines: Sequence[tuple[str, str, int]]) -> dict[str, Any]:
    """Return who provided to whom; a department may stand on both sides, so its side is part of its name."""
    shown = [(_("%s（提供）") % provider, _("%s（使用）") % consumer, count) for provider, consumer, count in lines[:FLOWS_SHOWN]]
    names = dict.fromkeys([line[0] for line in shown] + [line[1] for line in shown])
    return {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 160,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "gradient", "curveness": 0.5},
                "data": [{"name": name} for name in names],
                "links": [{"source": source, "target": target, "value": count} for source, target, count in shown],
            }
        ],
    }


def funnel(stages: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return the stages of requests from many to few, in their own order."""
    return {
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "funnel",
                "sort": "none",
                "left": 8,
                "width": "65%",
                "top": 8,
                "bottom": 8,
                "minSize": "2%",
                "label": {"position": "right", "formatter": "{b}：{c}"},
                "data": [{"name": name, "value": count} for name, count in stages],
            }
        ],
    }
