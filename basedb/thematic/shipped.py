"""Definitions that come with the platform (随附定义), as drafts for a department to take over: data, not code."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any, Final

from basedb.thematic.definitions import Draft

FILE: Final = Path(__file__).parents[1] / "data" / "thematic_databases.json"


def shipped() -> dict[str, Draft]:
    """Return them by code."""
    told: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {one["code"]: Draft(**one | {"daily_at": _hour(one["daily_at"])}) for one in told}


def _hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None
