"""Settings shared by every way of running the platform (the composition root)."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from settings import env as environment

ENV = environment.read()
BASE_DIR = environment.BASE_DIR

SECRET_KEY = ENV.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENV.allowed_hosts)
PUBLIC_URL = ENV.public_url
CSRF_TRUSTED_ORIGINS = [ENV.public_url]

# One database = one node of the federation; shared objects carry this code as their origin.
NODE_CODE = "320100"
# A call's signed time may differ from ours by this much, both ways.
CALL_WINDOW_SECONDS = 300
# A grant may live in a process's cache this long before it is read again (the SQL statement checks its version anyway).
GRANT_CACHE_SECONDS = 3
# A service is ended with at least this many days of notice (Order 809 art. 27).
TERMINATION_NOTICE_DAYS = 10
# Emergency access without the workflow: off unless the node's authority has agreed to it; so many calls a day.
BREAK_GLASS_ALLOWED = False
BREAK_GLASS_QUOTA_PER_DAY = 200
# Working days to dispose of the data of a grant that has ended, and to file the usage record of a quarter that has ended.
DISPOSAL_DAYS = 10
USAGE_RECORD_DAYS = 10
# Matching without an identifier: from this probability on a pair is linked by the rules, and put before a person, respectively.
MATCH_CERTAIN = 0.995
MATCH_POSSIBLE = 0.6
QUALITY_WORKING_DAYS = 10  # working days a department has to put right what a quality check found
FUSION_CONFLICT_DAYS = 10  # working days a department has to verify a value sources disagree about (Order 809 Art. 26)
# When use counts as unusual. Nights are 22:00 to 06:00 in Shanghai; `times` compares with the mean of the last 14 days.
ALERT_THRESHOLDS = {
    "night_bulk_rows": 10_000,
    "enumeration_minutes": 15,
    "enumeration_questions": 200,
    "enumeration_missed_percent": 50,
    "volume_times": 5,
    "volume_calls": 1_000,
    "volume_rows": 20_000,
    "subject_limit_refusals": 20,
    "refusals": 30,
}
# Verifications of one subject by one system in a day: who may ask without end learns by guessing what is not told.
CALL_QUESTIONS_PER_SUBJECT_PER_DAY = 20
# Materials of a matter: how long one of them may take; how long the sealed answer is kept for a repeated request (0: not at all).
MATTER_PART_TIMEOUT_MS = 3_000
MATTER_ANSWER_KEPT_MINUTES = 30
# Public verification of licenses: lookups and files of one address; names typed by one address, and about one license.
VERIFICATIONS_A_MINUTE = 120
VERIFIED_FILES_IN_TEN_MINUTES = 20
NAMES_COMPARED_AN_HOUR = 20
NAMES_COMPARED_A_LICENSE_A_DAY = 10
VERIFIED_FILE_BYTES = 10 * 1024 * 1024
# Prepared statements must be switched off behind a transaction-pooling proxy.
CALL_PREPARED_STATEMENTS = True

# Hosts and networks (with a /) that sources outside the base databases may be read from; nothing else is connected to.
SOURCE_HOSTS = ENV.source_hosts
# A certificate file for upstream interfaces whose authority the system does not know; empty: the system's own list.
SOURCE_CA_FILE = ENV.source_ca_file
# Calls of one process that may wait for such sources at the same time: half of its threads stay free.
SOURCE_CALLS_AT_ONCE = 8
# A source that failed several times in a row is tried again after so long.
SOURCE_BREAKER_SECONDS = 30
# The national convention leaves the mode of AES open: ECB (PKCS#5 padding, practice) or CBC (the IV before the ciphertext).
NATIONAL_AES_MODE = "ECB"
NATIONAL_SESSION_SECONDS = 7200

INSTALLED_APPS = [
    "core",
    "catalog",
    "basedb",
    "licenses",
    "exchange",
    "portal",
    "openapi",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "core.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.PortalErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.shell.shell",
            ],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "HOST": ENV.db_host,
        "PORT": ENV.db_port,
        "NAME": ENV.db_name,
        "USER": ENV.db_user,
        "PASSWORD": ENV.db_password,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"options": "-c timezone=Asia/Shanghai -c statement_timeout=60000", "connect_timeout": 5},
        "TEST": {"TEMPLATE": "template_platform"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "portal:login"
LOGIN_REDIRECT_URL = "portal:home"
LOGOUT_REDIRECT_URL = "portal:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5
AXES_LOCKOUT_PARAMETERS = [["username"]]
SILENCED_SYSTEM_CHECKS = [
    "axes.W006",  # locked by name alone: an office's people share one address behind its proxy
    "gis.W001",  # Debian 12 has GDAL 3.6, which serves everything used here
]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "portal.accounts.locked_out"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "zh-hans"
FORMAT_MODULE_PATH = "settings.formats"
LANGUAGES = [("zh-hans", _("中文")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = ENV.run_dir / "static"
ASSETS_DIR = ENV.run_dir / "assets"
STATICFILES_DIRS = [ASSETS_DIR] if ASSETS_DIR.is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],  # ECharts and the progress bars set style attributes
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Ten attachments of ten MiB and the form around them.
UPLOAD_MAX_REQUEST_SIZE = 101 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "core.upload_limit.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "openapi.schema.PlatformSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["openapi.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["openapi.parsing.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "openapi.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "政务数据共享交换平台 / Government data-sharing exchange",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/openapi/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ResourceState": "catalog.models.ResourceState",
        "SharingMode": "catalog.models.SharingMode",
        "RequestState": "exchange.models.RequestState",
        "ExtensionState": "exchange.models.ExtensionState",
        "GrantState": "exchange.models.GrantState",
        "AlertKind": "exchange.models.AlertKind",
        "CredentialState": "exchange.models.CredentialState",
        "FileFormat": "exchange.models.FileFormat",
        "StreamFormat": ["csv"],
        "JobState": "exchange.models.JobState",
        "SignatureAlgorithm": "exchange.models.SignatureAlgorithm",
        "RowFilterKind": ["own_clients", "list"],
        "CreditRecordKind": "openapi.v1.credit.KINDS",
        "VerificationState": ["VALID", "INVALID", "UNKNOWN"],
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "openapi.schema.add_error"],
}

# Proxies whose X-Forwarded-For is believed (addresses or networks); see settings/wsgi.py.
TRUSTED_PROXIES = ENV.trusted_proxies

CELERY_BROKER_URL = ENV.broker_url
CALLS_REDIS_URL = ENV.calls_redis_url
KEY_FILE = ENV.key_file
DROP_DIR = ENV.drop_dir
UPLOAD_DIR = ENV.upload_dir
# The path of a callable that is given an attachment's content and returns the name of what it found in it, or "".
ATTACHMENT_SCANNER = ""

# Files of bulk jobs: where, how many rows a part, how long they are kept, what must stay free on their disk.
BULK_DIR = ENV.bulk_dir
BULK_ROWS_A_PART = 100_000
BULK_KEPT_HOURS = 72
BULK_FREE_BYTES = 2 * 1024**3
# How long a change feed may rest before it has to begin with a snapshot again.
FEED_KEPT_DAYS = 30

# Sealing and archiving of evidence. Only the worker is given the sealer's password and the signing key.
ARCHIVE_DIR = ENV.archive_dir
SEAL_KEYS_FILE = ENV.seal_keys_file
SIGNING_KEY_FILE = ENV.signing_key_file
SEALER_PASSWORD = ENV.sealer_password
# What answers to SM2 and Ed25519 callers are signed with; only the web processes are given it.
ANSWER_KEYS_FILE = ENV.answer_keys_file
# Keys that seal licenses (encrypted, their passphrase apart), the sealed files, and the font they are set in.
LICENSE_KEYS_DIR = ENV.license_keys_dir
LICENSE_PASSPHRASE_FILE = ENV.license_passphrase_file
LICENSE_FILES_DIR = ENV.license_files_dir
LICENSE_FONTS_DIR = ENV.license_fonts_dir
# Months of call records kept in the table calls write to (at least 6), and kept at all (at least 36).
CALLS_HOT_MONTHS = 13
CALLS_KEPT_MONTHS = 36
# How often a day one person may look up who looked at somebody's data.
LOOKS_A_DAY = 20
# An authority that stamps the time of seals (RFC 3161), and the root certificates it is trusted by; without both there is none.
TSA_URL = ENV.tsa_url
TSA_CERTIFICATES_FILE = ENV.tsa_certificates_file
# Records older than this without a seal stop calls on sensitive resources.
SEAL_LAG_LIMIT_SECONDS = 14_400
# Whoever shows this token may read /metrics; without the file only the machine itself may.
METRICS_TOKEN_FILE = ENV.metrics_token_file

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    # Messages of database errors quote whole rows: the formatter leaves them out, whoever logs.
    "formatters": {"line": {"()": "core.quiet_log.QuietFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},  # Django's own handlers would format by themselves
        "django.server": {"handlers": [], "propagate": True},
        "django.db.backends": {"level": "WARNING"},
        "axes": {"level": "ERROR"},
    },
}
