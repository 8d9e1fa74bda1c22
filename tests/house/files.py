"""The files the house rules look at."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = ("settings", "core", "catalog", "basedb", "licenses", "exchange", "portal", "openapi")
BESIDE = ("demo", "bench", "ops", "examples")


def modules(*folders: str) -> Iterator[Path]:
    """Yield the Python modules of folders, migrations left out."""
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)


def templates() -> list[Path]:
    """Return all page templates."""
    return sorted((ROOT / "portal" / "templates").rglob("*.html"))


def name_of(path: Path) -> str:
    """Return a path as it is written in exemptions."""
    return path.relative_to(ROOT).as_posix()


def faults(paths: Iterable[Path], look: Callable[[Path], Any]) -> dict[str, Any]:
    """Return what is wrong with files, by name, of those with which something is."""
    return {name_of(path): found for path in paths if (found := look(path))}


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))
