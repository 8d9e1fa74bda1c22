"""Keeping the list of types of the base database in step (证照类型登记): `basedb.LicenseType` says in short what was published.

Only publishing, loading and retiring call this, each under the lock of the type catalogue.
"""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.models import LicenseType
from core.errors import Conflict
from licenses.models import TypeVersion
from licenses.types.load_words import BASE_HOLDERS


def lock() -> None:
    """Let nobody else change the type catalogue until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('licenses.types'))")


def enter(version: TypeVersion, first_day: date) -> None:
    """Enter a version from its first day on; the entry before it ends there, one that begins on that day is written anew."""
    rows = LicenseType.objects.select_for_update().filter(code=version.code)
    if rows.filter(effective__startswith__gt=first_day).exists():
        text = _("证照类型目录中已有自更晚日期起施行的版本，请把施行日期定在其后。")
        raise Conflict("license_type.later_entry", text, {"effective_from": [text]})
    standing = rows.filter(effective__contains=first_day).first()
    if standing is not None and standing.effective.lower != first_day:
        standing.effective = DateRange(standing.effective.lower, first_day)
        standing.save(update_fields=["effective"])
        standing = None
    entry = standing or LicenseType(code=version.code)
    entry.name, entry.version = version.name, str(version.number)
    entry.defining_body, entry.defining_body_code = version.defining_body, version.defining_body_code
    entry.holder_kind, entry.validity_months = BASE_HOLDERS[version.holder_kind], version.validity_months
    entry.effective = DateRange(first_day, None)
    entry.save()


def end(code: str, day: date) -> None:
    """End what is entered for a type: from that day on it is no type of the catalogue."""
    for entry in LicenseType.objects.select_for_update().filter(code=code):
        first = entry.effective.lower
        if not entry.effective.isempty and (entry.effective.upper is None or entry.effective.upper > day):
            entry.effective = DateRange(first, max(day, first)) if first else DateRange(None, day)
            entry.save(update_fields=["effective"])
