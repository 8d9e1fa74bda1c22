"""Settings of the test suite: real PostgreSQL and Redis, quick password hashing."""

import json
import os

from settings.base import *  # noqa: F403
from settings.base import DATABASES, ENV, INSTALLED_APPS

INSTALLED_APPS += ["demo"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["TEST"]["NAME"] = "test_" + os.environ.get("PYTEST_DB_SUFFIX", "platform")
DATABASES["default"]["CONN_MAX_AGE"] = 0
ROLES_FILE = ENV.run_dir / "secrets" / "roles.json"
CELERY_TASK_ALWAYS_EAGER = False
SEALER_PASSWORD = json.loads(ROLES_FILE.read_text())["sealer"]
SOURCE_HOSTS = (f"{ENV.db_host}:*",)
METRICS_TOKEN_FILE = ENV.run_dir / "no-metrics-token"
