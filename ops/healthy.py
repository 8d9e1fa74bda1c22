"""The health check of a container: `python -m ops.healthy web|worker|copier|beat`, status 0 when it is well."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from ops.container import variables
from ops.places import ROOT
from ops.stack import HEALTH

BEAT_SILENCE_SECONDS = 600


def web() -> bool:
    """Ask the health page as the proxy would."""
    host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0]
    address = f"http://127.0.0.1:{os.environ['GRANIAN_PORT']}{HEALTH}"
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    question = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(question, timeout=8) as answer:  # noqa: S310 - the address is ours
        return bool(answer.status == 200)


def worker(process: str = "worker", node: str = "celery") -> bool:
    """Ask the worker of this container through the broker."""
    told = variables(process, Path(os.environ.get("SECRETS_DIR", "/run/secrets")), os.environ)
    name = f"{node}@{os.uname().nodename}"
    question = ["-m", "celery", "--app", "settings.celery:app", "inspect", "ping", "-d", name, "-t", "10"]
    asked = subprocess.run([sys.executable, *question], cwd=ROOT, env=told, capture_output=True, check=False)
    return asked.returncode == 0


def copier() -> bool:
    """Ask the worker that copies in parts."""
    return worker("copier", "copier")


def beat() -> bool:
    """See that the timetable's file was written to lately."""
    schedules = list((Path(os.environ["RUN_DIR"]) / "beat").glob("schedule*"))
    return any(time.time() - path.stat().st_mtime < BEAT_SILENCE_SECONDS for path in schedules)


CHECKS = {"web": web, "worker": worker, "copier": copier, "beat": beat}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
