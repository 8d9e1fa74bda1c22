"""Where things lie: the clone, the run directory shared by its stacks, and one stack's own folder.

The run directory holds what every stack of a clone shares (virtual environment, node packages,
copied assets). A stack - the demo, the tests, the bench - has a folder for everything that is its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Trouble(Exception):
    """Something the person at the keyboard has to know; printed without a traceback."""


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(text, flush=True)


def run_dir() -> Path:
    """Return the run directory: RUN_DIR, or `.run` in the clone.

    Inside a stack that shares a run directory RUN_DIR names the stack's folder, whose link `assets`
    leads to the shared one.
    """
    path = (ROOT / (os.environ.get("RUN_DIR") or ".run")).resolve()
    assets = path / "assets"
    return assets.resolve().parent if assets.is_symlink() else path


@dataclass(frozen=True)
class Places:
    """The folders of one stack."""

    run: Path
    stack: Path

    @property
    def python(self) -> Path:
        return self.run / "venv" / "bin" / "python"

    @property
    def secrets(self) -> Path:
        return self.stack / "secrets"

    @property
    def log(self) -> Path:
        return self.stack / "log"

    def prepare(self) -> None:
        """Make the folders; those with secrets or personal data are closed to others."""
        for path, mode in (
            (self.run, 0o755),
            (self.stack, 0o755),
            (self.secrets, 0o700),
            (self.log, 0o700),
            (self.stack / "drop", 0o700),
            (self.stack / "uploads", 0o700),
            (self.stack / "archive", 0o700),
            (self.stack / "bulk", 0o700),
            (self.stack / "license_keys", 0o700),
            (self.stack / "license_files", 0o700),
            (self.stack / "beat", 0o700),
        ):
            if not path.is_dir():
                path.mkdir(parents=True)
                path.chmod(mode)
        assets = self.stack / "assets"
        if self.stack != self.run and not assets.is_symlink():
            assets.unlink(missing_ok=True)
            assets.symlink_to(self.run / "assets")


def shared(folder: str = "") -> Places:
    """Return the places of the stack in `folder` of the run directory ("" is the demo itself)."""
    run = run_dir()
    return Places(run=run, stack=run / folder if folder else run)


def write_private(path: Path, text: str) -> bool:
    """Write a file only its owner may read; say whether its content changed."""
    if path.exists() and path.read_text() == text:
        return False
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
    return True
