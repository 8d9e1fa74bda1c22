"""The rows of a task as their owner knows them (问题数据清单): the key at the source and since when, never a value.

Some sources know their rows by people's numbers: only the owner is told the key whole.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.masking import Mask, mask_value
from basedb.models import QualityFault, QualityTask
from basedb.quality.tasks import open_faults
from core import audit
from core.audit import Actor
from core.roles import Role
from core.texts import harmless_cell

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Described:
    """A fault with the source its row comes from and the row's key there."""

    fault: QualityFault
    source: str
    source_key: str
    received_at: datetime | None


def is_owner(task: QualityTask, actor: Actor) -> bool:
    """Whether the rows of a task are those of the actor's department."""
    return task.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)


def described(task: QualityTask, faults: Sequence[QualityFault], *, actor: Actor) -> list[Described]:
    """Return some faults of one task with what their source calls them; one query."""
    is_whole, table = is_owner(task, actor), DATASETS[task.dataset].table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT b.id, d.title, s.source_key, s.received_at FROM {table} b JOIN basedb_sourcerecord s "
            "ON s.id = b.source_record_id JOIN basedb_datasource d ON d.id = s.source_id WHERE b.id = ANY (%s)",
            [[fault.row_id for fault in faults]],
        )
        told = {row[0]: (row[1], row[2] if is_whole else _masked(row[2]), row[3]) for row in cursor.fetchall()}
    return [Described(fault, *told.get(fault.row_id, ("", "", None))) for fault in faults]


def _masked(key: str) -> str:
    """Return a key of a source as others may see it: one as long as a person's number is cut like one."""
    return mask_value(Mask.CITIZEN_ID, key) or "" if re.search(r"\d{11}", key) else key


def as_csv(task: QualityTask, *, actor: Actor, now: datetime) -> Iterator[str]:
    """Return the rows of a visible task as CSV, a chunk at a time; the download is audited first."""
    audit.record(actor, "quality_task.downloaded", task, at=now, department_ids=[task.department_id], rule=task.rule_code)
    return _chunks(task, actor)


def _chunks(task: QualityTask, actor: Actor) -> Iterator[str]:
    yield "\ufeff" + _line([_("数源"), _("源主键"), _("收到时间"), _("状态"), _("说明")])
    last = 0
    while faults := list(open_faults(task).filter(id__gt=last).order_by("id")[:_CHUNK]):
        last = faults[-1].pk
        yield "".join(_line(_told(one)) for one in described(task, faults, actor=actor))


def _told(one: Described) -> Iterable[str]:
    received = timezone.localtime(one.received_at).strftime("%Y-%m-%d %H:%M") if one.received_at else ""
    return (one.source, one.source_key, received, one.fault.get_state_display(), one.fault.reason)


def _line(values: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless_cell(value) for value in values])
    return text.getvalue()
