"""`make lock`: both Python lock files and npm's, with hashes and without a single address.

The production lock is resolved within the versions of the full one, so that the two never differ.
"""

import json
import os
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

from ops.places import ROOT, Trouble, shared
from ops.venv import works

FULL, PRODUCTION = "requirements-dev.lock", "requirements.lock"
FLAGS = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11")


def renew(_options: Namespace) -> int:
    """Make the lock files anew from pyproject.toml and package.json."""
    places = shared()
    if not works(places):
        raise Trouble("There is no virtual environment yet; run make demo or make test first.")
    if not (places.run / "venv" / "bin" / "uv").exists():
        _insist([str(places.python), "-m", "pip", "install", "-q", "uv"])
    compile_lock = [str(places.run / "venv" / "bin" / "uv"), "pip", "compile", "-q", "--upgrade"]
    _insist([*compile_lock, *FLAGS, "pyproject.toml", "--group", "dev", "-o", FULL])
    _insist([*compile_lock, *FLAGS, "pyproject.toml", "-c", FULL, "-o", PRODUCTION])
    node = places.run / "node-lock"
    shutil.rmtree(node, ignore_errors=True)
    node.mkdir(parents=True)
    for name in ("package.json", ".npmrc"):
        shutil.copyfile(ROOT / name, node / name)
    _insist(["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit"], cwd=node)
    lock = json.loads((node / "package-lock.json").read_text())
    (ROOT / "package-lock.json").write_text(json.dumps(without_addresses(lock), indent=2) + "\n")
    return 0


def without_addresses(lock: dict[str, Any]) -> dict[str, Any]:
    """Drop what names a host from an npm lock; the hashes are what counts."""
    for package in lock["packages"].values():
        package.pop("resolved", None)
        package.pop("funding", None)
    return lock


def _insist(command: list[str], cwd: Path = ROOT) -> None:
    if subprocess.run(command, cwd=cwd, env=dict(os.environ), check=False).returncode != 0:
        raise Trouble(f"This step failed: {' '.join(command)}")
