"""The secrets of one stack: made once at random, kept in files only their owner may read.

The key file (current key, older keys, pepper) follows the architecture's rule for secrets: outside
the database and the repository. The signing key and the keys of answers are made by OpenSSL; public
halves of the past are kept. What is sealed or signed with them is not this module's business.
"""

import base64
import json
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from ops.places import Trouble, write_private

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


def new_signing_key() -> str:
    """Return a fresh SM2 key (PKCS#8, PEM)."""
    return _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2")


def public_half(signing_key: str) -> str:
    """Return the public half of a private key (PEM)."""
    return _openssl("pkey", "-pubout", given=signing_key)


def _openssl(*arguments: str, given: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"openssl {arguments[0]} failed; version 1.1.1 or newer is needed:\n{done.stderr}")
    return done.stdout


def prepare_signing(folder: Path, private: str, public: str) -> None:
    """Make the signing key where there is none, and list its public half with those of the past."""
    if not (folder / private).exists():
        write_private(folder / private, new_signing_key())
    half = public_half((folder / private).read_text())
    known = (folder / public).read_text() if (folder / public).exists() else ""
    if half not in known:
        write_private(folder / public, known + half)


def new_answer_keys(begin: datetime) -> list[dict[str, str]]:
    """Return a fresh answer key of each algorithm, to sign from then on."""
    sm2, ed25519 = new_signing_key(), _openssl("genpkey", "-algorithm", "ED25519")
    return [{"from": begin.isoformat(), "private": sm2}, {"from": begin.isoformat(), "private": ed25519}]


def prepare_answer_keys(path: Path) -> None:
    """Make the file of the keys answers are signed with where there is none."""
    if not path.exists():
        write_private(path, json.dumps({"keys": new_answer_keys(datetime.now(tz=UTC))}, indent=1))


def rotate_answer_keys(path: Path, begin: datetime, now: datetime) -> None:
    """Add the next answer keys, published at once and signing from `begin`; one pair may wait at a time.

    Of keys whose successors sign already only the public half is kept: answers of the past stay verifiable.
    """
    keys = json.loads(path.read_text())["keys"]
    begins = sorted({datetime.fromisoformat(key["from"]) for key in keys})
    if begins[-1] > now:
        raise Trouble(f"the next answer keys wait already; they sign from {begins[-1].isoformat()}")
    if begin <= now:
        raise Trouble("the next answer keys must begin later than now, so that callers can fetch them first")
    for key in keys:
        if datetime.fromisoformat(key["from"]) < begins[-1] and "private" in key:
            key["public"] = public_half(key.pop("private"))
    write_private(path, json.dumps({"keys": keys + new_answer_keys(begin)}, indent=1))


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
    make("metrics_token", new_password())
    make("license_passphrase", new_password())
    prepare_signing(folder, "signing.pem", "seal_keys.pem")
    prepare_answer_keys(folder / "answer_keys.json")


def passwords(folder: Path) -> dict[str, str]:
    """Return the password of every database role."""
    read: dict[str, str] = json.loads((folder / "roles.json").read_text())
    return read


def redis_passwords(folder: Path) -> dict[str, str]:
    """Return the password of each of the two Redis servers."""
    read: dict[str, str] = json.loads((folder / "redis.json").read_text())
    return read
