"""Bulk issuing by aggregation (归集签发): rows a department aggregates without an identifier become batches to be signed.

A head opens a type for it. What aggregation brings into `license.license` afterwards from that department, live and without an
identifier, is gathered into a batch by the timetable; once issued it is delivered back onto the same rows, now with an identifier.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.licenses import live_sql
from core import audit
from core.audit import PLATFORM, Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, DomainError, Forbidden, NotFound
from core.models import Department
from core.roles import Role
from licenses.issuing import batches
from licenses.models import BatchSource, IssuingFeed, TypeVersion
from licenses.types import offices
from licenses.types.reading import find_in_force, in_force

log = logging.getLogger(__name__)

_FROM: Final = f"""FROM basedb_license l
WHERE l.source_department_id = %s AND l.type_code = %s AND l.identifier IS NULL AND {live_sql("l")}
    AND l.changed_xid >= %s::xid8 AND l.changed_xid < %s::xid8"""
_XIDS: Final = f"SELECT l.changed_xid::text {_FROM} ORDER BY l.changed_xid LIMIT %s"
_ROWS: Final = f"""
SELECT l.number, l.holder_name, l.holder_code, l.holder_code_type, l.region_code, l.valid_from::text, l.valid_to::text, l.face::text
{_FROM} ORDER BY l.number, l.id"""


@transaction.atomic
def open_feed(*, type_code: str, actor: Actor, now: datetime) -> IssuingFeed:
    """Let what a department aggregates of a type be issued, from what the base holds already on."""
    department = _headed(actor)
    today = now.astimezone(SHANGHAI).date()
    offices.check_entrusted(in_force(type_code, today), department, today)
    try:
        with transaction.atomic():
            feed = IssuingFeed.objects.create(
                department=department, type_code=type_code, opened_by_id=actor.user_id or 0, opened_at=now
            )
    except IntegrityError as error:
        raise Conflict("feed.open", _("这一类型的归集签发已经开通。")) from error
    audit.record(actor, "license_feed.opened", None, at=now, department_ids=[department.pk], type=type_code)
    return feed


@transaction.atomic
def close_feed(*, feed_id: int, actor: Actor, now: datetime) -> IssuingFeed:
    """Stop it; batches under way go on."""
    feed = feeds_visible_to(actor).select_for_update().filter(pk=feed_id, department=_headed(actor)).first()
    if feed is None:
        raise NotFound("feed.not_found", _("没有这项归集签发，或已经停止。"))
    feed.closed_at = now
    feed.save(update_fields=["closed_at"])
    audit.record(actor, "license_feed.closed", None, at=now, department_ids=[feed.department_id], type=feed.type_code)
    return feed


def feeds_visible_to(actor: Actor) -> QuerySet[IssuingFeed]:
    """Return the open feeds of the own department."""
    if not actor.has(Role.OPERATOR, Role.HEAD):
        return IssuingFeed.objects.none()
    return IssuingFeed.objects.filter(closed_at=None, department_id=actor.department_id or 0)


def gather(*, now: datetime) -> int:
    """Make batches of what each open feed brought since the last time; return how many. One that fails keeps no other back."""
    count = 0
    for pk in IssuingFeed.objects.filter(closed_at=None).order_by("pk").values_list("pk", flat=True):
        try:
            count += _gather_one(pk, now)
        except (Error, DomainError) as error:
            log.error("issuing feed %s: %s", pk, type(error).__name__)  # a database error's text may quote a row
    return count


@transaction.atomic
def _gather_one(pk: int, now: datetime) -> int:
    held = IssuingFeed.objects.select_for_update(skip_locked=True, of=("self",)).select_related("department__region")
    feed = held.filter(pk=pk, closed_at=None).first()
    today = now.astimezone(SHANGHAI).date()
    version = find_in_force(feed.type_code, today) if feed else None
    if feed is None or version is None or not offices.may_issue(version, feed.department_id, today):
        return 0
    horizon = _horizon(feed)
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [feed.department_id, feed.type_code, str(feed.through_xid), str(horizon)])
        rows = cursor.fetchall()
    feed.through_xid = horizon
    feed.save(update_fields=["through_xid"])
    licenses = list(_licenses(rows))
    starts = range(0, len(licenses), batches.MOST_ROWS)  # one transaction may have brought more than a batch takes
    for start in starts:
        _make_batch(feed, version, licenses[start : start + batches.MOST_ROWS], now)
    return len(starts)


def _make_batch(feed: IssuingFeed, version: TypeVersion, licenses: list[dict[str, Any]], now: datetime) -> None:
    batch = batches.open_batch(
        version, feed.department, source=BatchSource.AGGREGATION, now=now, made_by_name=_("数据归集"), made_by_id=None
    )
    batch.row_count = batches.keep_rows(batch, licenses)
    batch.save(update_fields=["row_count"])
    audit.record(
        PLATFORM, "license_batch.taken_in", batch, at=now, department_ids=[feed.department_id],
        type=feed.type_code, source=batch.source, rows=batch.row_count,
    )  # fmt: skip
    batches.work_soon(batch)


def _horizon(feed: IssuingFeed) -> int:
    """Return the transaction up to which rows are gathered now: below everything under way, as many rows as a batch takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        horizon = int(cursor.fetchone()[0])
        cursor.execute(_XIDS, [feed.department_id, feed.type_code, str(feed.through_xid), str(horizon), batches.MOST_ROWS + 1])
        xids = [int(xid) for (xid,) in cursor.fetchall()]
    return horizon if len(xids) <= batches.MOST_ROWS else max(xids[-1], xids[0] + 1)


def _licenses(rows: list[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Put the rows of one number together: a row of the base is a license and one of its holders."""
    last: dict[str, Any] | None = None
    for number, name, code, code_type, region, starts, ends, face in rows:
        holder = {"name": name, "code": code, "code_type": code_type}
        if last is not None and last["number"] == number:
            last["holders"].append(holder)
            continue
        if last is not None:
            yield last
        shown = {item: value for item, value in json.loads(face or "{}").items() if isinstance(value, str)}
        last = {"number": number, "holders": [holder], "region_code": region, "valid_from": starts, "valid_to": ends, "face": shown}
    if last is not None:
        yield last


def _headed(actor: Actor) -> Department:
    if actor.user_id is None or actor.department_id is None or not actor.has(Role.HEAD):
        raise Forbidden("feed.heads_only", _("归集签发由颁发机构负责人开通和停止。"))
    return Department.objects.get(pk=actor.department_id)
