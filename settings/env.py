"""The process environment, read once and typed.

Every process (web, worker, beat, a management command) gets its own database role and nothing it does not need.
Secrets arrive through the environment or the key file, never through a settings module.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Environment:
    """What one process is told from outside. URLs carry their passwords; do not log this object."""

    run_dir: Path
    secret_key: str
    public_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    db_host: str
    db_port: str
    db_name: str
    db_user: str
    db_password: str
    broker_url: str
    calls_redis_url: str
    key_file: Path
    drop_dir: Path
    upload_dir: Path
    archive_dir: Path
    bulk_dir: Path
    seal_keys_file: Path
    signing_key_file: Path | None
    answer_keys_file: Path
    license_keys_dir: Path
    license_passphrase_file: Path
    license_files_dir: Path
    license_fonts_dir: Path
    sealer_password: str
    metrics_token_file: Path
    tsa_url: str
    tsa_certificates_file: Path | None
    source_hosts: tuple[str, ...]
    source_ca_file: str


def read(environ: os._Environ[str] | dict[str, str] = os.environ) -> Environment:
    """Return the environment of this process; a missing variable raises KeyError naming it."""
    run_dir = Path(environ.get("RUN_DIR", str(BASE_DIR / ".run"))).resolve()
    return Environment(
        run_dir=run_dir,
        secret_key=environ["SECRET_KEY"],
        public_url=environ.get("PUBLIC_URL", "http://127.0.0.1:8000"),
        allowed_hosts=tuple(h for h in environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",") if h),
        trusted_proxies=tuple(ip_network(p.strip()) for p in environ.get("TRUSTED_PROXIES", "").split(",") if p.strip()),
        db_host=environ.get("DB_HOST", "127.0.0.1"),
        db_port=environ["DB_PORT"],
        db_name=environ.get("DB_NAME", "platform"),
        db_user=environ["DB_USER"],
        db_password=environ["DB_PASSWORD"],
        broker_url=environ["BROKER_URL"],
        calls_redis_url=environ["CALLS_REDIS_URL"],
        key_file=Path(environ.get("KEY_FILE", str(run_dir / "secrets" / "keys.json"))),
        drop_dir=Path(environ.get("DROP_DIR", str(run_dir / "drop"))),
        upload_dir=Path(environ.get("UPLOAD_DIR", str(run_dir / "uploads"))),
        archive_dir=Path(environ.get("ARCHIVE_DIR", str(run_dir / "archive"))),
        bulk_dir=Path(environ.get("BULK_DIR", str(run_dir / "bulk"))),
        seal_keys_file=Path(environ.get("SEAL_KEYS_FILE", str(run_dir / "secrets" / "seal_keys.pem"))),
        signing_key_file=Path(environ["SIGNING_KEY_FILE"]) if "SIGNING_KEY_FILE" in environ else None,
        answer_keys_file=Path(environ.get("ANSWER_KEYS_FILE", str(run_dir / "secrets" / "answer_keys.json"))),
        license_keys_dir=Path(environ.get("LICENSE_KEYS_DIR", str(run_dir / "license_keys"))),
        license_passphrase_file=Path(environ.get("LICENSE_PASSPHRASE_FILE", str(run_dir / "secrets" / "license_passphrase"))),
        license_files_dir=Path(environ.get("LICENSE_FILES_DIR", str(run_dir / "license_files"))),
        license_fonts_dir=Path(environ.get("LICENSE_FONTS_DIR", "/usr/share/fonts/opentype/noto")),
        sealer_password=environ.get("SEALER_PASSWORD", ""),
        metrics_token_file=Path(environ.get("METRICS_TOKEN_FILE", str(run_dir / "secrets" / "metrics_token"))),
        tsa_url=environ.get("TSA_URL", ""),
        tsa_certificates_file=Path(environ["TSA_CERTIFICATES_FILE"]) if environ.get("TSA_CERTIFICATES_FILE") else None,
        source_hosts=tuple(h.strip().lower() for h in environ.get("SOURCE_HOSTS", "").split(",") if h.strip()),
        source_ca_file=environ.get("SOURCE_CA_FILE", ""),
    )
