"""The virtual environment of a clone: made from the hashed lock file, reused while that is the same.

pip uses whatever configuration the machine has; the lock file names versions and hashes, no addresses.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from ops.places import ROOT, Places, Trouble, say

LOCK = ROOT / "requirements-dev.lock"
TOOLS = {"pip", "setuptools", "wheel", "uv"}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names_in(lock: str) -> set[str]:
    """Return the normalized names of the packages a lock file pins."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", lock, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def works(places: Places) -> bool:
    """Say whether the virtual environment is there and runs Python 3.11."""
    question = "import sys; sys.exit(sys.version_info[:2] != (3, 11))"
    try:
        return subprocess.run([str(places.python), "-c", question], check=False).returncode == 0
    except OSError:
        return False


def prepare(places: Places) -> bool:
    """Make the virtual environment what the lock file says; say whether anything was done."""
    stamp = places.run / "venv.sha256"
    wanted = digest(LOCK)
    usable = works(places)
    if usable and stamp.exists() and stamp.read_text().strip() == wanted:
        return False
    say("Preparing the virtual environment ...")
    stamp.unlink(missing_ok=True)
    if not usable:
        made = [sys.executable, "-m", "venv", "--clear", str(places.run / "venv")]
        _insist(made, "The virtual environment could not be made (is python3-venv installed?).")
    pip = [str(places.python), "-m", "pip"]
    _insist(
        [*pip, "install", "-qq", "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)],
        "pip could not install the locked packages.",
    )
    _remove_surplus(pip)
    stamp.write_text(wanted + "\n")
    return True


def _remove_surplus(pip: list[str]) -> None:
    """Take away what an older lock file had brought."""
    told = subprocess.run([*pip, "list", "--format", "json", "--disable-pip-version-check"], capture_output=True, check=True)
    present = {re.sub(r"[-_.]+", "-", entry["name"]).lower() for entry in json.loads(told.stdout)}
    surplus = present - names_in(LOCK.read_text()) - TOOLS
    if surplus:
        _insist([*pip, "uninstall", "-qq", "-y", *sorted(surplus)], "pip could not remove old packages.")


def _insist(command: list[str], complaint: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Trouble(complaint)
