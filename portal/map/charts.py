"""District figures (区划统计) as an ECharts option: pure. The numbers stand in the table beneath as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def bars(divisions: Sequence[str], counts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Return one group of bars a division, one bar a dataset; at first only the first dataset is drawn."""
    first = next(iter(counts), "")
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "type": "scroll", "selected": {name: name == first for name in counts}},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "inverse": True, "data": list(divisions)},
        "series": [{"name": name, "type": "bar", "barMaxWidth": 16, "data": list(values)} for name, values in counts.items()],
    }
