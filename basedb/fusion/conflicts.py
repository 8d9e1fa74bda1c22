"""Conflicts as tasks (校核单): who sees them, what each side says, and the answer of the department whose word counts.

Fusion opens and resolves them (`projecting`, `linking`). The clock is that of Order 809 Art. 26: verified, corrected and answered
within ten working days. A value stays in doubt until the sources agree, or the department has confirmed what stands.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.dictionary import DATASETS
from basedb.fusion import merging
from basedb.fusion.naming import named
from basedb.fusion.survivorship import NAME
from basedb.geography.divisions import names_of
from basedb.masking import mask_value
from basedb.models import ConflictKind, ConflictState, DecisionKind, FusionConflict
from basedb.wording import worded
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role

LONGEST_ANSWER = 500
_PATH = "/fusion/conflicts/"
_DIGEST = re.compile("[0-9a-f]{32}")  # the key of a row whose source has none tells nobody which row it is
_OVERSEERS = (Role.REVIEWER, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)


class Verdict(TextChoices):
    """What the department found out."""

    CONFIRMED = "CONFIRMED", gettext_lazy("现用值正确（标识冲突：确为两个主体），请其他部门更正")
    CORRECTING = "CORRECTING", gettext_lazy("现用值有误，本部门将更正来源数据")  # by the usual way


@dataclass(frozen=True, slots=True)
class Side:
    """What one record says in a conflict; the value is masked for those who need not know it.

    `source_key` is by what the reader's own source knows the row; empty for rows of others.
    """

    chain: int
    department_id: int
    department: str
    source: str
    value: str
    received_at: datetime
    valid_from: datetime | None
    source_key: str


def conflicts_visible_to(actor: Actor) -> QuerySet[FusionConflict]:
    """Return the conflicts of the actor's department; those of all departments for the centre and the overseers."""
    rows = FusionConflict.objects.select_related("owner", "answered_by")
    if actor.has(*_OVERSEERS):
        return rows
    if not actor.has(Role.OPERATOR, Role.HEAD) or actor.department_id is None:
        return rows.none()
    return rows.filter(owner_id=actor.department_id)


def find(uid: UUID, actor: Actor) -> FusionConflict:
    """Return one conflict; NotFound when there is none the actor may see or was asked to correct rows because of."""
    conflict = conflicts_visible_to(actor).filter(uid=uid).first() or _told(uid, actor)
    if conflict is None:
        raise NotFound("conflict.not_found", _("没有这张校核单，或您无权查看。"))
    return conflict


def is_asked_to_correct(conflict: FusionConflict, actor: Actor) -> bool:
    """Whether the department that had to verify confirmed its value, and the actor's has a row that says otherwise."""
    if conflict.state != ConflictState.RESOLVED or conflict.answered_at is None or conflict.answered_at != conflict.resolved_at:
        return False
    return actor.has(Role.OPERATOR, Role.HEAD) and actor.department_id in _others(conflict)


def _told(uid: UUID, actor: Actor) -> FusionConflict | None:
    rows = FusionConflict.objects.select_related("owner", "answered_by").filter(uid=uid, resolved_at=F("answered_at"))
    conflict = rows.first()
    return conflict if conflict is not None and is_asked_to_correct(conflict, actor) else None


def field_title(conflict: FusionConflict) -> str:
    """Return what a conflict is about, in words."""
    dataset = DATASETS[conflict.dataset]
    name = conflict.field or NAME
    return str(dataset.field(name).title) if name in dataset.field_names else name


def may_see_values(conflict: FusionConflict, actor: Actor) -> bool:
    """Whether an actor is shown values as they are: only those who have to verify them."""
    return conflict.owner_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)


def may_answer(conflict: FusionConflict, actor: Actor) -> bool:
    """Whether an actor may answer now."""
    is_owner = conflict.owner_id == actor.department_id and actor.has(Role.OPERATOR)
    return is_owner and conflict.state != ConflictState.RESOLVED


def subject_of(conflict: FusionConflict, actor: Actor) -> str:
    """Return whom a conflict is about, by name and identifier; masked for those who need not verify it."""
    key = bytes(conflict.entity_key)
    return named(conflict.dataset, [key], is_plain=may_see_values(conflict, actor)).get(key, "")


@transaction.atomic
def sides(conflict: FusionConflict, *, actor: Actor, now: datetime) -> list[Side]:
    """Return what each record says now, the reference side first. Showing values as they are is audited."""
    dataset = DATASETS[conflict.dataset]
    field = dataset.field(conflict.field or NAME)
    shown = may_see_values(conflict, actor)
    own = actor.department_id if actor.has(Role.OPERATOR, Role.HEAD) else None
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.chain, s.department_id, d.name, s.title, coalesce(r.payload ->> %s, ''), r.received_at, lower(r.valid),
                r.source_key
            FROM basedb_sourcerecord r JOIN basedb_datasource s ON s.id = r.source_id
            JOIN core_department d ON d.id = s.department_id
            WHERE r.chain = ANY (%s) AND upper_inf(r.known) AND upper_inf(r.valid)
            ORDER BY s.department_id <> %s, r.chain""",
            [field.name, list(conflict.records), conflict.owner_id],
        )
        rows = cursor.fetchall()
    if shown or own in {row[1] for row in rows}:
        audit.record(actor, "fusion_conflict.opened", conflict, at=now, department_ids=[conflict.owner_id], field=field.name)
    divisions = names_of({row[4] for row in rows}) if field.is_division else {}
    return [
        Side(
            chain,
            department_id,
            department,
            source,
            worded(field, value if shown or department_id == own else mask_value(field.mask, value) or "", divisions),
            received_at,
            since,
            source_key if department_id == own and not _DIGEST.fullmatch(source_key) else "",
        )
        for chain, department_id, department, source, value, received_at, since, source_key in rows
    ]


def revision_of(conflict: FusionConflict) -> int:
    """Return what tells whether the sides say what they said when somebody looked at them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id FROM basedb_sourcerecord r WHERE r.chain = ANY (%s) AND upper_inf(r.known) AND upper_inf(r.valid)"
            " ORDER BY r.id",
            [list(conflict.records)],
        )
        return zlib.crc32(repr(cursor.fetchall()).encode()) & 0x7FFFFFFF


@transaction.atomic
def answer(*, uid: UUID, verdict: Verdict, text: str, actor: Actor, now: datetime, revision: int | None = None) -> FusionConflict:
    """Answer a conflict as the department whose word counts. Confirming ends it; the others are told to correct theirs.

    With `revision`, only what somebody looked at is answered: a newer version of either side is looked at first.
    """
    conflict = conflicts_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if conflict is None or actor.user_id is None:
        raise NotFound("conflict.not_found", _("没有这张校核单，或您无权查看。"))
    if conflict.owner_id != actor.department_id or not actor.has(Role.OPERATOR):
        raise Forbidden("conflict.not_yours", _("由核实部门的经办人答复。"))
    if conflict.state == ConflictState.RESOLVED:
        raise Conflict("conflict.resolved", _("这张校核单已经解决，无需再答复。"))
    if revision is not None and revision != revision_of(conflict):
        raise Conflict("revision.stale", _("来源数据刚有变化，请按页面上现在的取值核实后再答复。"))
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST_ANSWER:
        message = _("请说明核实结果，最多 %(longest)d 字。") % {"longest": LONGEST_ANSWER}
        raise Invalid("conflict.answer_missing", message, {"text": [message]})
    is_confirmed = verdict == Verdict.CONFIRMED
    conflict.state = ConflictState.RESOLVED if is_confirmed else ConflictState.ANSWERED
    conflict.answer, conflict.answered_at, conflict.answered_by_id = text, now, actor.user_id
    conflict.resolved_at = now if is_confirmed else None
    conflict.save(update_fields=["state", "answer", "answered_at", "answered_by", "resolved_at"])
    audit.record(
        actor, "fusion_conflict.answered", conflict, at=now, department_ids=[conflict.owner_id], verdict=verdict.value,
        kind=conflict.kind, field=conflict.field,
    )  # fmt: skip
    if is_confirmed:
        key = bytes(conflict.entity_key)
        merging.queue(DecisionKind.RECOMPUTE, dataset=conflict.dataset, entity_key=key, user_id=actor.user_id, now=now, due_at=now)
        _tell_the_others(conflict, now)
    return conflict


def remind(*, now: datetime) -> int:
    """Tell the operators of every department with open conflicts how many wait and how many are late; return how many tasks."""
    waiting = Count("id")
    late = Count("id", filter=Q(due_at__lte=now))
    rows = (
        FusionConflict.objects.filter(state=ConflictState.OPEN).order_by().values("owner_id").annotate(waiting=waiting, late=late)
    )
    total = 0
    with transaction.atomic():
        for row in rows:
            total += row["waiting"]
            title = _("有 %(waiting)d 张校核单待核实，其中 %(late)d 张已逾期") % row
            notify_role(Role.OPERATOR, department_id=row["owner_id"], title=title, path=f"{_PATH}?state=OPEN", now=now)
    return total


def _others(conflict: FusionConflict) -> set[int]:
    """Return the departments on the other side."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT s.department_id FROM basedb_sourcerecord r JOIN basedb_datasource s ON s.id = r.source_id"
            " WHERE r.chain = ANY (%s) AND upper_inf(r.known) AND s.department_id <> %s",
            [list(conflict.records), conflict.owner_id],
        )
        return {row[0] for row in cursor.fetchall()}


def _tell_the_others(conflict: FusionConflict, now: datetime) -> None:
    """Ask the departments on the other side to correct their rows; the message names no person and no value."""
    what = field_title(conflict) if conflict.kind == ConflictKind.VALUE else _("标识")
    title = _("%(owner)s已核实，请更正本部门来源数据：%(what)s") % {"owner": conflict.owner.short_name, "what": what}
    for department_id in sorted(_others(conflict)):
        notify_role(Role.OPERATOR, department_id=department_id, title=title, path=f"{_PATH}{conflict.uid}/", now=now)
