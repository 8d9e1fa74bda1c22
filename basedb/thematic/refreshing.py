"""Refreshing thematic databases (主题库更新): the rows a definition holds now against those it held, in one transaction.

Rows that leave are ended, changed ones written, new ones added; unchanged ones keep their transaction, so that whoever follows the
table hears of changes alone. The row of the refresh stays locked meanwhile, which tells a worker that works from one that is gone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from celery import current_app
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from basedb.models import RefreshState, ThematicDataset, ThematicRefresh, ThematicState
from basedb.thematic.definitions import compiled, is_centre, next_refresh, visible_definition
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden
from core.roles import Role

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
REFRESH_TASK: Final = "basedb.refresh_thematic"
PATIENCE: Final = timedelta(minutes=1)
UNFINISHED: Final = (RefreshState.QUEUED, RefreshState.RUNNING)
_TIMEOUT, _MEMORY = "30min", "128MB"
_NEW: Final = "thematic_new"
MOST_LEVELS: Final = 100  # told on the page of a definition, the largest first


@transaction.atomic
def ask(*, uid: UUID, actor: Actor, now: datetime) -> ThematicRefresh:
    """Queue a refresh by hand; Conflict while another is under way."""
    definition = visible_definition(uid, actor)
    is_own = definition.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    if not (is_centre(actor) or is_own):
        raise Forbidden("thematic.refreshed_by_owner", _("更新由建设部门或数据主管部门发起。"))
    if definition.state != ThematicState.APPROVED:
        raise Conflict("thematic.not_approved", _("该定义未生效，不能更新。"))
    refresh = _queue(definition, now, asked_by_id=actor.user_id)
    if refresh is None:
        raise Conflict("thematic.refresh_under_way", _("正在更新，请等它结束。"))
    audit.record(actor, "thematic.refresh_queued", definition, at=now, department_ids=[definition.department_id])
    return refresh


def _queue(definition: ThematicDataset, now: datetime, **values: Any) -> ThematicRefresh | None:
    """Queue a refresh; None while another is under way."""
    try:
        with transaction.atomic():
            refresh = ThematicRefresh.objects.create(definition=definition, queued_at=now, **values)
    except IntegrityError:
        return None
    transaction.on_commit(lambda: current_app.send_task(REFRESH_TASK, [str(refresh.uid)], retry=False), robust=True)
    return refresh


@transaction.atomic
def queue_due(*, now: datetime) -> int:
    """Queue every definition whose time has come; return how many."""
    due = ThematicDataset.objects.select_for_update(skip_locked=True, no_key=True).filter(
        state=ThematicState.APPROVED, next_refresh_at__lte=now
    )
    queued = 0
    for definition in due:
        queued += _queue(definition, now) is not None
        definition.next_refresh_at = next_refresh(definition, now=now)
        definition.save(update_fields=["next_refresh_at"])
    return queued


def unattended(*, now: datetime) -> list[UUID]:
    """Return the refreshes no worker has in hand: queued for a while, or left by a worker that is gone."""
    waiting = Q(state=RefreshState.QUEUED, queued_at__lte=now - timedelta(seconds=5))
    left = Q(state=RefreshState.RUNNING, started_at__lte=now - PATIENCE)
    with transaction.atomic():
        free = ThematicRefresh.objects.select_for_update(skip_locked=True, no_key=True).filter(waiting | left)
        return [refresh.uid for refresh in free]


def work(*, refresh_uid: UUID, clock: Clock) -> None:
    """Carry a queued refresh to its end; one that another worker has in hand is left to it."""
    found = ThematicRefresh.objects.filter(uid=refresh_uid)
    found.filter(state=RefreshState.QUEUED).update(state=RefreshState.RUNNING, started_at=clock())
    try:
        with transaction.atomic():
            held = ThematicRefresh.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            refresh = held.select_related("definition").filter(uid=refresh_uid, state=RefreshState.RUNNING).first()
            if refresh is not None:
                _carry_out(refresh, clock)
    except (Error, DomainError) as error:
        log.error("thematic refresh %s: %s", refresh_uid, type(error).__name__)  # a database error's text may quote a row
        said = error.message if isinstance(error, DomainError) else _("数据库没有完成这次更新，原有数据保持不变，到时会再次更新。")
        found.filter(state=RefreshState.RUNNING).update(state=RefreshState.FAILED, finished_at=clock(), message=str(said)[:300])


def _carry_out(refresh: ThematicRefresh, clock: Clock) -> None:
    now = clock()
    # Locked for the code's sake: an approval of the next version or a retirement waits until the rows stand.
    definition = ThematicDataset.objects.select_for_update(no_key=True).get(pk=refresh.definition_id)
    if definition.state != ThematicState.APPROVED:
        raise Conflict("thematic.not_approved", _("该定义未生效，不能更新。"))
    made = compiled(definition, now=now)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_TIMEOUT}'; SET LOCAL work_mem = '{_MEMORY}'")
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{_NEW}; CREATE TEMPORARY TABLE {_NEW} ON COMMIT DROP AS {made.sql}")
        cursor.execute(f"ANALYZE {_NEW}")
        refresh.left_count, refresh.changed_count, refresh.entered_count = _differ(cursor, definition, now)
        refresh.regions = _counted(cursor, "left(region_code, 6)")
        refresh.levels = _counted(cursor, "level", most=MOST_LEVELS)
    refresh.row_count = sum(refresh.regions.values())
    refresh.state, refresh.finished_at = RefreshState.DONE, clock()
    refresh.save()


def _differ(cursor: Any, definition: ThematicDataset, now: datetime) -> tuple[int, int, int]:
    """Bring the kept rows in line with those found; return how many left, changed and entered."""
    code, changed = definition.code, "changed_at = %s, changed_xid = pg_current_xact_id()"
    cursor.execute(
        f"UPDATE basedb_thematicrow r SET left_at = %s, {changed} WHERE r.code = %s AND r.left_at IS NULL "
        f"AND NOT EXISTS (SELECT FROM {_NEW} n WHERE n.subject_key = r.subject_key)",
        [now, now, code],
    )
    left = cursor.rowcount
    cursor.execute(
        f"UPDATE basedb_thematicrow r SET region_code = n.region_code, level = n.level, values = n.values, "
        f"definition_version = %s, {changed} FROM {_NEW} n WHERE r.code = %s AND r.left_at IS NULL "
        "AND n.subject_key = r.subject_key "
        "AND (r.region_code, r.level, r.values) IS DISTINCT FROM (n.region_code, n.level, n.values)",
        [definition.version, now, code],
    )
    altered = cursor.rowcount
    cursor.execute(
        "INSERT INTO basedb_thematicrow "
        "(code, subject_key, region_code, level, values, definition_version, entered_at, changed_at) "
        f"SELECT %s, n.subject_key, n.region_code, n.level, n.values, %s, %s, %s FROM {_NEW} n WHERE NOT EXISTS "
        "(SELECT FROM basedb_thematicrow r WHERE r.code = %s AND r.left_at IS NULL AND r.subject_key = n.subject_key)",
        [code, definition.version, now, now, code],
    )
    return left, altered, cursor.rowcount


def _counted(cursor: Any, by: str, *, most: int | None = None) -> dict[str, int]:
    groups = f"SELECT {by} AS name, count(*) AS held FROM {_NEW} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most or 'ALL'}"
    cursor.execute(f"SELECT coalesce(json_object_agg(name, held), '{{}}')::text FROM ({groups}) q")
    return dict(json.loads(cursor.fetchone()[0]))
