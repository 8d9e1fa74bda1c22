"""Preparing the platform's own code to run: translations, static files, tables, demo data.

Done once for each state of the code: a digest of the tracked sources is kept beside the stack, and
while it is the same nothing is repeated.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ops.places import ROOT, Trouble, say
from ops.stack import Stack

SKIPPED = {"node_modules", "__pycache__", "tests", "docs", "bench", "examples", "ops"}
SOURCES = {".py", ".html", ".txt", ".css", ".js", ".svg", ".po", ".csv", ".sql", ".json", ".lua", ".toml"}


def sources() -> Iterator[Path]:
    """Return the files the running platform is made of, in a stable order."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        yield from (Path(folder) / name for name in sorted(files) if Path(name).suffix in SOURCES)


def state_of_the_code() -> str:
    """Return a digest of the platform's sources."""
    whole = hashlib.sha256()
    for path in sources():
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def compile_messages() -> int:
    """Compile the gettext catalogues that changed; return how many."""
    program = shutil.which("msgfmt")
    done = 0
    for catalogue in (path for path in sources() if path.suffix == ".po"):
        compiled = catalogue.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= catalogue.stat().st_mtime:
            continue
        draft = compiled.with_suffix(f".{os.getpid()}.new")
        command = [program or "msgfmt", "--check-format", "-o", str(draft), str(catalogue)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode != 0:
            raise Trouble(f"The catalogue {catalogue.relative_to(ROOT)} is broken:\n{told.stderr}")
        draft.replace(compiled)
        done += 1
    return done


def is_prepared(stack: Stack, scale: str) -> bool:
    """Say whether this stack was prepared with exactly this code and scale."""
    stamp = stack.places.stack / "code.sha256"
    return stamp.exists() and stamp.read_text() == f"{state_of_the_code()} {scale}"


def prepare(stack: Stack, scale: str) -> None:
    """Bring translations, static files, tables and demo data up to date with the code."""
    stamp = stack.places.stack / "code.sha256"
    stamp.unlink(missing_ok=True)
    state = state_of_the_code()
    compile_messages()
    say("Collecting the static files ...")
    stack.run("manage.py", "collectstatic", "--no-input", "--clear", "-v", "0", quiet=True)
    say("Migrating the database ...")
    stack.run("manage.py", "migrate", "--no-input", quiet=True)
    stack.run("manage.py", "prepare_license_keys", quiet=True)
    say(f"Loading the demo ({scale}) ...")
    stack.run("manage.py", "load_demo", "--scale", scale)
    stamp.write_text(f"{state} {scale}")
