"""Numbers of cases (编号): a prefix, the day and the count of the day, in Shanghai's calendar, without gaps or doubles."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import IntegerField, Max, Model
from django.db.models.functions import Cast, Substr

from core.calendar import SHANGHAI


def next_number(model: type[Model], prefix: str, now: datetime) -> str:
    """Return <prefix><day>-<count of the day>. Writers of one day queue at an advisory lock until they commit."""
    start = f"{prefix}{now.astimezone(SHANGHAI):%Y%m%d}-"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [start])
    count = Cast(Substr("number", len(start) + 1), IntegerField())
    last = model._default_manager.filter(number__startswith=start).aggregate(last=Max(count))["last"]
    return f"{start}{(last or 0) + 1:04d}"
