"""Processes that are killed: a piece of our own code run as the worker role on the test database, ended by SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a worker on this test's database and folders."""
    words = json.loads(settings.ROLES_FILE.read_text())
    place = connection.settings_dict
    own = {
        "DB_NAME": str(place["NAME"]),
        "DB_USER": "worker",
        "DB_PASSWORD": words["worker"],
        "DROP_DIR": str(settings.DROP_DIR),
        "UPLOAD_DIR": str(settings.UPLOAD_DIR),
    }
    return {**os.environ, **own, **more}


def start(code: str) -> subprocess.Popen[bytes]:
    """Start a Python program that has Django set up."""
    program = f"import django; django.setup()\nfrom django.utils import timezone\n{code}"
    return subprocess.Popen([sys.executable, "-c", program], env=environment(), cwd=ROOT)


def finish(code: str, seconds: float = 120) -> None:
    """Run a program to its end and insist on its success."""
    child = start(code)
    try:
        assert child.wait(seconds) == 0
    finally:
        child.kill()


def kill_when(code: str, reached: Callable[[], Any], delay: float, seconds: float = 60) -> bool:
    """Start a program and SIGKILL it `delay` after `reached` first says so; return False when it ended before."""
    child = start(code)
    until = time.monotonic() + seconds
    try:
        while not reached():
            if child.poll() is not None or time.monotonic() > until:
                return False
            time.sleep(0.005)
        time.sleep(delay)
        if child.poll() is not None:
            return False
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        return True
    finally:
        child.kill()
        child.wait(10)
