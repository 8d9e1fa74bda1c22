"""What a container starts with: its secrets become variables, then its command takes over.

The secrets are files (`/run/secrets`, or the folder SECRETS_DIR names): one a database role, the two
Redis passwords, the Django key and the key file. `python -m ops.container secrets FOLDER` makes a set,
`next-answer-keys FILE DAYS` adds the keys that sign answers from that many days on.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops import bootstrap, keyring
from ops.places import ROOT, write_private
from ops.processes import DATABASE_ROLE, commands

REDIS = {"BROKER_URL": ("redis-broker", "redis_broker"), "CALLS_REDIS_URL": ("redis-calls", "redis_calls")}

LICENSE_KEY_HOLDERS = ("migrate", "web", "worker", "copier")


def read(folder: Path, name: str) -> str:
    """Return one secret."""
    return (folder / name).read_text().strip()


def variables(name: str, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process in a container."""
    role = DATABASE_ROLE[name]
    told = {
        **given,
        "DJANGO_SETTINGS_MODULE": "settings.prod",
        "SECRET_KEY": read(folder, "secret_key"),
        "DB_USER": role,
        "DB_PASSWORD": read(folder, f"db_{role}"),
        "SEAL_KEYS_FILE": str(folder / "seal_keys"),
    }
    if name == "web":
        told["ANSWER_KEYS_FILE"] = str(folder / "answer_keys")
    if name != "beat":
        told["KEY_FILE"] = str(folder / "keys")
    if name in LICENSE_KEY_HOLDERS:
        told["LICENSE_PASSPHRASE_FILE"] = str(folder / "license_passphrase")
    if name == "worker":
        told |= {"SEALER_PASSWORD": read(folder, "db_sealer"), "SIGNING_KEY_FILE": str(folder / "signing_key")}
    for variable, (host, secret) in REDIS.items():
        told[variable] = f"redis://:{read(folder, secret)}@{host}:6379/0"
    return told


def make_secrets(folder: Path) -> None:
    """Make the files of `docker-compose.yml`'s secrets; what exists is kept.

    The folder is closed to others. The files are not, since each container mounts its own few of them
    and runs as a user of its own.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = {f"db_{role}": keyring.new_password() for role in keyring.ROLES}
    fresh |= {secret: keyring.new_password() for _, secret in REDIS.values()}
    fresh["license_passphrase"] = keyring.new_password()
    fresh |= {"secret_key": keyring.new_password() + keyring.new_password(), "keys": keyring.new_key_file()}
    for name, text in fresh.items():
        if not (folder / name).exists():
            write_private(folder / name, text)
            (folder / name).chmod(0o644)
    keyring.prepare_signing(folder, "signing_key", "seal_keys")
    keyring.prepare_answer_keys(folder / "answer_keys")
    for name in ("signing_key", "seal_keys", "answer_keys"):
        (folder / name).chmod(0o644)


def with_private_keys(told: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with key files this process alone may read: a mounted secret keeps the mode it has outside."""
    private = {}
    for variable in {"KEY_FILE", "SIGNING_KEY_FILE", "ANSWER_KEYS_FILE", "LICENSE_PASSPHRASE_FILE"} & told.keys():
        path = Path(tempfile.gettempdir()) / variable.lower()
        write_private(path, Path(told[variable]).read_text())
        private[variable] = str(path)
    return {**told, **private}


def prepare_database(folder: Path) -> None:
    """Make roles, template and databases on the server the variables name."""
    words = {role: read(folder, f"db_{role}") for role in keyring.ROLES}
    bootstrap.apply("psql", os.environ["DB_HOST"], int(os.environ["DB_PORT"]), words)


def main(arguments: list[str]) -> None:
    """Run one of: secrets FOLDER, next-answer-keys FILE DAYS, database, or `NAME COMMAND...` of a process."""
    folder = Path(os.environ.get("SECRETS_DIR", "/run/secrets"))
    if arguments[0] == "secrets":
        make_secrets(Path(arguments[1]))
    elif arguments[0] == "next-answer-keys":
        path, days, now = Path(arguments[1]), float(arguments[2]), datetime.now(tz=UTC)
        mode = path.stat().st_mode
        keyring.rotate_answer_keys(path, now + timedelta(days=days), now)
        path.chmod(mode)
    elif arguments[0] == "database":
        prepare_database(folder)
    else:
        told = variables(arguments[0], folder, os.environ)
        command = arguments[1:] or commands(Path(told["RUN_DIR"]))[arguments[0]]
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, *command], with_private_keys(told))  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
