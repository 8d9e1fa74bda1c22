"""The secrets of one stack: made once at random, kept in files only their owner may read.

The key file (current key, older keys, pepper) follows the architecture's rule for secrets: outside
the database and the repository. What is sealed with it is not this module's business.
"""

import base64
import json
import secrets
from pathlib import Path

from ops.places import write_private

ROLES = (
    "postgres",
    "migrator",
    "web",
    "worker",
    "sealer",
    "reader",
    "ps_owner",
    "ps_reader",
    "district",
)


def new_password() -> str:
    """Return a random password that needs no quoting anywhere."""
    return secrets.token_urlsafe(32)


def new_key_file() -> str:
    """Return a fresh key file: one 32-byte key and the pepper."""

    def random_bytes() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return json.dumps({"current": 1, "keys": {"1": random_bytes()}, "pepper": random_bytes()})


def prepare(folder: Path) -> None:
    """Make every secret that is not there yet; what exists is never changed."""

    def make(name: str, text: str) -> None:
        if not (folder / name).exists():
            write_private(folder / name, text)

    make("keys.json", new_key_file())
    make("roles.json", json.dumps({role: new_password() for role in ROLES}))
    make("secret_key", new_password() + new_password())
    make("redis.json", json.dumps({name: new_password() for name in ("broker", "calls")}))
    make("supervisor", new_password())


def passwords(folder: Path) -> dict[str, str]:
    """Return the password of every database role."""
    read: dict[str, str] = json.loads((folder / "roles.json").read_text())
    return read


def redis_passwords(folder: Path) -> dict[str, str]:
    """Return the password of each of the two Redis servers."""
    read: dict[str, str] = json.loads((folder / "redis.json").read_text())
    return read
