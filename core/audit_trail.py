"""Reading the audit trail (审计查询): who sees which entries, filters, export. Reading and exporting leave entries themselves.

Writing is `core.audit`. What was exchanged is evidence and stands in the call records, not here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, keyset
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Forbidden, Invalid
from core.loose_scan import values_of
from core.models import AuditEntry
from core.roles import Role
from core.texts import in_clauses, listed

ORDER = ("-at", "-id")
EXPORT_LIMIT = 50_000
CENTRE_DECIDES_ON = (
    "resource",
    "accessrequest",
    "grant",
    "consumersystem",
    "credential",
    "aggregationplan",
    "backflowsubscription",
)
READERS = (Role.AUDIT_ADMINISTRATOR, Role.OPERATOR, Role.HEAD, Role.REVIEWER)

HEADER = (
    gettext_lazy("时间"),
    gettext_lazy("操作人"),
    gettext_lazy("部门"),
    gettext_lazy("动作"),
    gettext_lazy("对象类型"),
    gettext_lazy("对象"),
    gettext_lazy("对象标识"),
    gettext_lazy("详情"),
    gettext_lazy("来源地址"),
    gettext_lazy("请求编号"),
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is looked for. Empty = not limited; `department` and `actor` match a part of the name."""

    since: date | None = None
    until: date | None = None
    actor: str = ""
    department: str = ""
    action: str = ""
    object: str = ""

    def as_detail(self) -> dict[str, str]:
        """Return the filters that were set, for the entry that tells of the reading."""
        return {name: str(value) for name, value in asdict(self).items() if value}


def chosen_from(given: Mapping[str, Any]) -> Chosen:
    """Return the filters out of cleaned values, ignoring what is not a filter."""
    return Chosen(**{field.name: given[field.name] for field in fields(Chosen) if given.get(field.name)})


def visible_to(actor: Actor) -> QuerySet[AuditEntry]:
    """The auditor sees all; a department what touched its own; reviewers also what the data centre decided; others nothing."""
    if actor.has(Role.AUDIT_ADMINISTRATOR):
        return AuditEntry.objects.all()
    seen = Q(pk__in=[])
    if actor.has(Role.OPERATOR, Role.HEAD, Role.REVIEWER):
        seen |= Q(department_ids__contains=[actor.department_id])
    if actor.is_data_centre and actor.has(Role.REVIEWER):
        seen |= Q(actor_department_id=actor.department_id, object_kind__in=CENTRE_DECIDES_ON)
    return AuditEntry.objects.filter(seen)


def select(actor: Actor, chosen: Chosen) -> QuerySet[AuditEntry]:
    """Return the entries the actor may see that fit; days are whole days in Shanghai."""
    rows = visible_to(actor)
    if chosen.since:
        rows = rows.filter(at__gte=datetime.combine(chosen.since, time.min, SHANGHAI))
    if chosen.until:
        rows = rows.filter(at__lt=datetime.combine(chosen.until, time.min, SHANGHAI) + timedelta(days=1))
    if chosen.actor:
        rows = rows.filter(actor_name__icontains=chosen.actor)
    if chosen.department:
        rows = rows.filter(actor_department__icontains=chosen.department)
    if chosen.action:
        rows = rows.filter(action=chosen.action)
    if chosen.object:
        rows = rows.filter(Q(object_title__icontains=chosen.object) | Q(object_uid=chosen.object))
    return rows


@transaction.atomic(durable=True)
def read(*, actor: Actor, chosen: Chosen, cursor: str, now: datetime) -> keyset.Page[AuditEntry]:
    """Return one page of the trail, and write down that it was read and what was looked for."""
    _check_reader(actor)
    found = keyset.page(select(actor, chosen), order=ORDER, cursor=cursor, size=50)
    audit.record(actor, "audit.read", None, at=now, filters=chosen.as_detail(), shown_count=len(found.items))
    return found


@transaction.atomic(durable=True)
def export(*, actor: Actor, chosen: Chosen, now: datetime, describe: Callable[[AuditEntry], str]) -> Iterator[str]:
    """Return the trail as CSV lines, newest first, and write down the export before the first line leaves.

    `describe` gives an entry's details in words. More than 50,000 entries raise Invalid: choose a shorter time.
    """
    _check_reader(actor)
    rows = select(actor, chosen).order_by(*ORDER)
    count = rows[: EXPORT_LIMIT + 1].count()
    if count > EXPORT_LIMIT:
        text = _("符合条件的记录超过 %(limit)s 条，请缩小时间范围后再导出。") % {"limit": EXPORT_LIMIT}
        raise Invalid("audit.export_too_large", text, {"since": [text]})
    newest = rows.values_list("id", flat=True).order_by("-id").first() or 0
    audit.record(actor, "audit.exported", None, at=now, filters=chosen.as_detail(), row_count=count)
    return _lines(rows.filter(id__lte=newest), describe)


def last_hand(obj: Model, actor: Actor, *deeds: str) -> str:
    """Return who last did one of these deeds to an object, as the actor is told it: the actor's own is called so."""
    entry = AuditEntry.objects.filter(object_uid=str(obj.uid), action__in=deeds).order_by("-id").first()  # type: ignore[attr-defined]
    if entry is None:
        return _("有人")
    return _("您本人") if entry.actor_id is not None and entry.actor_id == actor.user_id else entry.actor_name


def actions() -> list[str]:
    """Return the actions that occur in the trail."""
    return values_of(AuditEntry, "action")


def _check_reader(actor: Actor) -> None:
    if not actor.has(*READERS):
        raise Forbidden("role.required", _("审计记录仅供审计管理员和业务部门查看。"), {"roles": [role.value for role in READERS]})


def _lines(rows: QuerySet[AuditEntry], describe: Callable[[AuditEntry], str]) -> Iterator[str]:
    yield "\ufeff" + csv_line([str(title) for title in HEADER])
    for entry in rows.iterator(chunk_size=2000):
        yield csv_line(
            [
                entry.at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
                entry.actor_name,
                entry.actor_department,
                entry.action,
                entry.object_kind,
                entry.object_title,
                entry.object_uid,
                describe(entry),
                entry.client_ip or "",
                entry.request_id,
            ]
        )


def detail_text(detail: Mapping[str, Any]) -> str:
    """Return the details of an entry on one line."""
    return in_clauses(f"{name}={_shown(value)}" for name, value in detail.items() if value not in (None, "", [], {}))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return listed(value)
    if isinstance(value, dict):
        return "(" + detail_text(value) + ")"
    return str(value)


def csv_line(values: list[str]) -> str:
    """Return one CSV line; a value a spreadsheet would run as a formula is given a quote in front."""
    out = StringIO()
    csv.writer(out).writerow(["'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value for value in values])
    return out.getvalue()
