"""The processes of a stack: their commands and the environment each of them is given.

One table for every way of running the platform: supervisor, the containers and the management
commands take their commands and variables from here. What the variables mean is `settings/env.py`'s.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops import keyring, kin
from ops.places import ROOT, Places

STORES = ("postgres", "redis-broker", "redis-calls")
APPLICATION = ("web", "worker", "copier", "beat")
DATABASE_ROLE = {"web": "web", "worker": "worker", "copier": "worker", "beat": "worker", "migrate": "migrator"}


@dataclass(frozen=True)
class Setting:
    """What tells one stack from another besides its places."""

    module: str
    ports: Mapping[str, int]
    host: str = "127.0.0.1"


def commands(run_dir: Path) -> dict[str, list[str]]:
    """Return what Python runs for each process of the application."""
    celery = ["-m", "celery", "--app", "settings.celery:app"]
    return {
        "web": [
            *("-m", "granian", "--interface", "wsgi", "settings.wsgi:application"),
            *("--workers", "2", "--blocking-threads", "16", "--backpressure", "4096"),  # connections held open, idle ones too
            *("--respawn-failed-workers", "--no-ws", "--log-level", "warning"),
        ],
        "worker": [
            *celery,
            *("worker", "--concurrency", "2", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--queues", "default"),
        ],
        "copier": [  # long copies in a process of their own: nothing else waits for them
            *celery,
            *("worker", "--concurrency", "1", "--loglevel", "INFO"),
            *("--without-gossip", "--without-mingle", "--queues", "bulk", "--hostname", "copier@%h"),
        ],
        "beat": [
            *celery,
            *("beat", "--schedule", str(run_dir / "beat" / "schedule"), "--pidfile", ""),
            *("--loglevel", "WARNING"),
        ],
        "migrate": ["manage.py", "migrate", "--no-input"],
    }


def basics() -> dict[str, str]:
    """Return what every process needs of the machine, and nothing more of the caller's."""
    return {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def environment(places: Places, setting: Setting, role: str) -> dict[str, str]:
    """Return the variables of a process that connects to the database as `role`."""
    words = keyring.passwords(places.secrets)
    redis = keyring.redis_passwords(places.secrets)
    ports = setting.ports
    return {
        **basics(),
        "DJANGO_SETTINGS_MODULE": setting.module,
        "RUN_DIR": str(places.stack),
        "SECRET_KEY": (places.secrets / "secret_key").read_text(),
        "PUBLIC_URL": f"http://{setting.host}:{ports['web']}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(ports["postgres"]),
        "DB_NAME": "platform",
        "DB_USER": role,
        "DB_PASSWORD": words[role],
        "BROKER_URL": f"redis://:{redis['broker']}@127.0.0.1:{ports['broker']}/0",
        "CALLS_REDIS_URL": f"redis://:{redis['calls']}@127.0.0.1:{ports['calls']}/0",
        "KEY_FILE": str(places.secrets / "keys.json"),
        "DROP_DIR": str(places.stack / "drop"),
        "UPLOAD_DIR": str(places.stack / "uploads"),
        "ARCHIVE_DIR": str(places.stack / "archive"),
        "SEAL_KEYS_FILE": str(places.secrets / "seal_keys.pem"),
        "ANSWER_KEYS_FILE": str(places.secrets / "answer_keys.json"),
        "LICENSE_KEYS_DIR": str(places.stack / "license_keys"),
        "LICENSE_PASSPHRASE_FILE": str(places.secrets / "license_passphrase"),
        "LICENSE_FILES_DIR": str(places.stack / "license_files"),
    }


def demo_databases(places: Places, setting: Setting) -> dict[str, str]:
    """Return the addresses of the demo's other databases, for what loads and plays the demo; no process of the platform."""
    words = keyring.passwords(places.secrets)
    database = f"127.0.0.1:{setting.ports['postgres']}"
    return {
        "DEMO_SOURCE_URL": f"postgresql://ps_reader:{words['ps_reader']}@{database}/public_security",
        "DEMO_SOURCE_OWNER_URL": f"postgresql://ps_owner:{words['ps_owner']}@{database}/public_security",
        "DEMO_DISTRICT_URL": f"postgresql://district:{words['district']}@{database}/district",
    }


def sealing(places: Places) -> dict[str, str]:
    """Return what the worker needs to seal, and nobody else is given: the sealer's password and the signing key."""
    return {
        "SEALER_PASSWORD": keyring.passwords(places.secrets)["sealer"],
        "SIGNING_KEY_FILE": str(places.secrets / "signing.pem"),
    }


def application(places: Places, setting: Setting) -> dict[str, dict[str, object]]:
    """Return the launch orders of the application's processes."""
    orders: dict[str, dict[str, object]] = {}
    for name in APPLICATION:
        variables = environment(places, setting, DATABASE_ROLE[name])
        variables["GRANIAN_HOST"] = setting.host
        variables["GRANIAN_PORT"] = str(setting.ports["web"])
        if name == "worker":
            variables |= sealing(places)
        if name == "beat":
            del variables["KEY_FILE"]  # it sends out names of tasks and opens nothing
            del variables["LICENSE_PASSPHRASE_FILE"]
        argv = [str(places.python), *commands(places.stack)[name]]
        orders[name] = order(places, name, argv, variables, cwd=ROOT)
    return orders


def order(
    places: Places,
    name: str,
    argv: list[str],
    variables: dict[str, str],
    *,
    cwd: Path,
    user: str = "",
    is_store: bool = False,
) -> dict[str, object]:
    """Return one launch order as `launch.py` reads it, its process marked as this stack's."""
    return {
        "argv": argv,
        "env": {**variables, kin.MARK: f"{places.stack}:{name}:"},
        "cwd": str(cwd),
        "user": user,
        "is_store": is_store,
    }
