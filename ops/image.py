"""What is done once while the container image is built: served files and compiled translations.

Nothing here needs a database or a secret; the settings are given placeholders that no process keeps.
"""

import os
import subprocess
import sys
from pathlib import Path

from ops import application, frontend
from ops.places import ROOT

PLACEHOLDERS = {
    "DJANGO_SETTINGS_MODULE": "settings.prod",
    "SECRET_KEY": "only-while-the-image-is-built",
    "DB_PORT": "5432",
    "DB_USER": "nobody",
    "DB_PASSWORD": "",
    "BROKER_URL": "redis://127.0.0.1/0",
    "CALLS_REDIS_URL": "redis://127.0.0.1/0",
}


def main(modules: Path) -> None:
    """Copy the front-end files, compile the translations, collect the static files."""
    run_dir = Path(os.environ["RUN_DIR"])
    frontend.copy(modules, run_dir / "assets" / "vendor")
    application.compile_messages()
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **PLACEHOLDERS}, check=True)
    for folder in ("beat", "drop", "uploads", "archive", "bulk", "license_keys", "license_files"):
        (run_dir / folder).mkdir(parents=True, exist_ok=True)
    subprocess.run(["chown", "-R", "platform:platform", str(run_dir)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
