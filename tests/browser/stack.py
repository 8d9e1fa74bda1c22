"""A whole platform of the browser tests' own: brought up in an empty folder with the demo's data, always taken down.

`BROWSER_STACK=<folder>` uses a stack that already runs there and leaves it alone (while writing tests).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
RUN_DIR = ROOT / os.environ.get("RUN_DIR", ".run")


@dataclass(frozen=True)
class RunningStack:
    """Where the platform runs and what its demo.json says."""

    folder: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """The demo's own record: address, accounts, systems."""
        content: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return content

    @property
    def url(self) -> str:
        return str(self.record["url"])

    def password(self, username: str) -> str:
        """Return the password of an account of the demo."""
        return str(next(a["password"] for a in self.record["accounts"] if a["username"] == username))

    def ask(self, database: str, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask `platform`, `source` (the bureau's own database) or `district` (the district's own) as its owner."""
        own = self.environment
        owners = {"source": "DEMO_SOURCE_OWNER_URL", "district": "DEMO_DISTRICT_URL"}
        platform = f"postgresql://{own['DB_USER']}:{own['DB_PASSWORD']}@{own['DB_HOST']}:{own['DB_PORT']}/{own['DB_NAME']}"
        address = own[owners[database]] if database in owners else platform
        with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(question, values)
            return cursor.fetchall() if cursor.description else []

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables of a program that runs in this stack."""
        told = _ops("stack", "env", "--dir", str(self.folder), "--role", "migrator")
        return dict(json.loads(told))


@contextmanager
def running_stack() -> Iterator[RunningStack]:
    """Bring the stack up, and take it down and away whatever happens."""
    given = os.environ.get("BROWSER_STACK")
    if given:
        yield RunningStack((ROOT / given).resolve())
        return
    folder = RUN_DIR / "browser" / "stack"
    _remove(folder)
    try:
        _ops("stack", "up", "--dir", str(folder))
        yield RunningStack(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        _ops("stack", "down", "--dir", str(folder))
        shutil.rmtree(folder)


def _ops(*arguments: str) -> str:
    done = subprocess.run(
        [str(ROOT / "ops" / "run"), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"ops/run {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
