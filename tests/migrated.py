"""A migrated database to copy (迁移模板库): migrations run once for what they are made of, and every test database is its copy.

The template's name is the digest of all migrations and of what they load, so that a change makes another one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

_PREFIX = "migrated_"
_KEPT = 3
_MADE_OF = ("*/migrations/*.py", "*/data/*", "*/privileges.py", "*/credit/shipped.py", "requirements.lock")


def template() -> str:
    """Return the name of the migrated database for the code as it is, made when there is none."""
    name = _PREFIX + _digest()
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SET statement_timeout = 0")  # another run may be migrating
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [_PREFIX])
        try:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                _make(cursor, name)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [_PREFIX])
    return name


def _digest() -> str:
    found = hashlib.sha256()
    root = Path(settings.BASE_DIR)
    for path in sorted(path for pattern in _MADE_OF for path in root.glob(pattern) if path.is_file()):
        found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _make(cursor: Any, name: str) -> None:
    """Migrate under another name first: one that was given up half way is never taken for a whole one."""
    draft = f"{name}_draft"
    cursor.execute(f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)")
    cursor.execute(f"CREATE DATABASE {draft} TEMPLATE {connection.settings_dict['TEST']['TEMPLATE']}")
    migrate = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(migrate, check=True, env={**os.environ, "DB_NAME": draft})
    cursor.execute(f"ALTER DATABASE {draft} RENAME TO {name}")
    cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC OFFSET %s", [_PREFIX + "%", _KEPT])
    for (old,) in cursor.fetchall():
        cursor.execute(f"DROP DATABASE IF EXISTS {old}")
