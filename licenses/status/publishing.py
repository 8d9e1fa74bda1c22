"""Publishing status lists (状态清单发布): built when something changed, the day changed or the last one gets old; signed; kept.

What changed is read by transactions, none skipped and none lost. A list that would say the same is not published again before
it gets old. Who asks for lists is not known here.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from licenses.models import KeyPurpose, ListName, StatusList
from licenses.sealing import keys
from licenses.status.checker import BITS, CODES, FORM, encoded, statement
from licenses.status.states import TABLES, counts, read_bits

RENEWED_HOURS: Final = 6
VALID_HOURS: Final = 24
KEPT_DAYS: Final = 90  # one a day; of the last two days all
ALL_KEPT_DAYS: Final = 2
MEMORY: Final = "64MB"


def publish_due(*, actor: Actor, now: datetime) -> list[StatusList]:
    """Publish every list that is due and take away what is kept no longer; return what was published."""
    published = [made for name in ListName if (made := publish(name=name, actor=actor, now=now))]
    thin(now=now)
    return published


@transaction.atomic
def publish(*, name: ListName, actor: Actor, now: datetime) -> StatusList | None:
    """Publish a list unless its states are as last told; None when there is nothing new or another worker is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('licenses.status_list'), hashtext(%s))", [name.value])
        if not cursor.fetchone()[0]:
            return None
        last = latest(name)
        is_old = last is None or _is_old(last, now)
        if last is not None and not is_old and not _changed(cursor, name, last.through_xid):
            return None
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")  # before reading: what is missed is read again
        horizon = int(cursor.fetchone()[0])
        cursor.execute("SET LOCAL statement_timeout = '20min'")
        cursor.execute(f"SET LOCAL work_mem = '{MEMORY}'")
        # Sixteen licenses make a group; the planner expects as many groups as licenses, and would leave all to one worker.
        cursor.execute("SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0")
        bits = read_bits(cursor, name, now.astimezone(SHANGHAI).date())
    digest = hashlib.sha256(bits).digest()
    if last is not None and not is_old and bytes(last.digest) == digest:
        StatusList.objects.filter(pk=last.pk).update(through_xid=horizon, checked_at=now)
        return None
    made = _signed(name, last.number + 1 if last else 1, bits, digest, now)
    made.through_xid = horizon
    made.save()
    audit.record(actor, "status_list.published", made, at=now, list=name.value, number=made.number, digest=digest.hex())
    return made


def _is_old(last: StatusList, now: datetime) -> bool:
    is_of_today = last.built_at.astimezone(SHANGHAI).date() == now.astimezone(SHANGHAI).date()  # validity ends with a day
    return not is_of_today or now - last.built_at >= timedelta(hours=RENEWED_HOURS)


def _changed(cursor: Any, name: ListName, since: int) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {TABLES[name][0]} WHERE changed_xid >= %s::xid8)", [str(since)])
    return bool(cursor.fetchone()[0])


def _signed(name: ListName, number: int, bits: bytes, digest: bytes, now: datetime) -> StatusList:
    built_at, valid_until = now.astimezone(SHANGHAI).replace(microsecond=0), now + timedelta(hours=VALID_HOURS)
    said: dict[str, Any] = {
        "format": FORM,
        "list": name.value,
        "number": number,
        "status_size": BITS,
        "length": 2 * len(bits),
        "built_at": built_at.isoformat(),
        "valid_until": valid_until.astimezone(SHANGHAI).replace(microsecond=0).isoformat(),
        "digest": digest.hex(),
        "key": keys.current(KeyPurpose.STATUS).code,
    }
    signature, key = keys.sign(KeyPurpose.STATUS, statement(said))
    if key.code != said["key"]:  # rotated between the two questions
        signature, key = keys.sign(KeyPurpose.STATUS, statement(said | {"key": key.code}))
    said |= {"key": key.code, "signature": base64.b64encode(signature).decode(), "encoded_list": encoded(bits)}
    said["codes"] = {f"{code:x}": word for code, word in CODES.items()}
    document = json.dumps(said, ensure_ascii=False).encode()
    return StatusList(
        name=name,
        number=number,
        length=2 * len(bits),
        counts=counts(bits),
        document=document,
        size=len(document),
        sha256=hashlib.sha256(document).digest(),
        digest=digest,
        key=key,
        built_at=built_at,
        valid_until=valid_until,
        checked_at=now,
    )


def latest(name: str) -> StatusList | None:
    """Return the list in force, without its document."""
    return without_document().filter(name=name).order_by("-number").first()


def without_document() -> QuerySet[StatusList]:
    """Return the lists there are, their bytes left in the database."""
    return StatusList.objects.defer("document").order_by("name", "-number")


@transaction.atomic
def thin(*, now: datetime) -> int:
    """Take away lists kept no longer: of days past the last of each day stays, and none beyond `KEPT_DAYS`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM licenses_statuslist s WHERE built_at < %(gone)s AND EXISTS (
                    SELECT FROM licenses_statuslist l WHERE l.name = s.name AND l.number > s.number)
                OR built_at < %(thinned)s AND EXISTS (
                    SELECT FROM licenses_statuslist l WHERE l.name = s.name AND l.number > s.number
                    AND (l.built_at AT TIME ZONE 'Asia/Shanghai')::date = (s.built_at AT TIME ZONE 'Asia/Shanghai')::date)""",
            {"gone": now - timedelta(days=KEPT_DAYS), "thinned": now - timedelta(days=ALL_KEPT_DAYS)},
        )
        return int(cursor.rowcount)
