"""Charts of quality (质量图表) as ECharts options: pure. The numbers stand in tables beneath them as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from basedb.models import Dimension

BLUE = "#066fd1"


def _digits(percent: float | None) -> float | None:
    return None if percent is None else round(percent, 2)


def radar(scores: Mapping[str, float | None]) -> dict[str, Any] | None:
    """Return one score a dimension; None with fewer than three, which make no figure. What was not checked is no point."""
    known = [(dimension.label, scores[dimension.value]) for dimension in Dimension if scores.get(dimension.value) is not None]
    if len(known) < 3:
        return None
    return {
        "tooltip": {},
        "radar": {"indicator": [{"name": str(label), "max": 100} for label, _score in known], "radius": "55%"},
        "series": [
            {
                "type": "radar",
                "color": BLUE,
                "areaStyle": {"opacity": 0.2},
                "data": [{"name": _("得分"), "value": [_digits(score) for _label, score in known]}],
            }
        ],
    }


def trend(labels: Sequence[str], scores: Sequence[float | None]) -> dict[str, Any] | None:
    """Return the scores of the last checks; None while there is but one."""
    if len(scores) < 2:
        return None
    known = [score for score in scores if score is not None]
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 16, "top": 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(labels)},
        "yAxis": {"type": "value", "max": 100, "min": max(0, int(min(known, default=0)) - 5)},
        "series": [{"name": _("得分"), "type": "line", "color": BLUE, "data": [_digits(score) for score in scores]}],
    }


def bars(named: Sequence[tuple[str, float | None]]) -> dict[str, Any] | None:
    """Return scores side by side, the lowest on top; None with fewer than two."""
    known = sorted(((name, score) for name, score in named if score is not None), key=lambda pair: -pair[1])
    if len(known) < 2:
        return None
    return {
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 40, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "max": 100},
        "yAxis": {"type": "category", "data": [name for name, _score in known]},
        "series": [
            {
                "name": _("得分"),
                "type": "bar",
                "color": BLUE,
                "barMaxWidth": 24,
                "label": {"show": True, "position": "right"},
                "data": [_digits(score) for _name, score in known],
            }
        ],
    }
