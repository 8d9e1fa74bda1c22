"""Definitions of thematic databases: drafted by a department, approved by a reviewer who did not write them, retired.

A change is the next version; it takes over when it is approved, and rows both versions hold alike stay untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import Error, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.models import ThematicDataset, ThematicKind, ThematicRow, ThematicState, ThematicSubject
from basedb.thematic.compiling import Compiled, compile_spec
from basedb.thematic.values import NAME
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models.shared import CurrentXid
from core.roles import Role
from core.texts import listed

SHORTEST_INTERVAL: Final = 5
LONGEST_INTERVAL: Final = 7 * 24 * 60
FEWEST_TOLD: Final = 20
_PREVIEW_TIMEOUT: Final = "15s"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an author writes."""

    code: str
    title: str
    kind: str
    subject: str
    purpose: str
    legal_basis: str
    spec: Any
    every_minutes: int | None = None
    daily_at: time | None = None


def is_centre(actor: Actor) -> bool:
    """Return whether the actor reviews for the data centre."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


def definitions_visible_to(actor: Actor) -> QuerySet[ThematicDataset]:
    """Return the definitions an actor may see: those in force all who work, drafts and old ones their department and the centre."""
    found = ThematicDataset.objects.select_related("department", "author", "approver")
    if is_centre(actor) or actor.has(Role.AUDIT_ADMINISTRATOR):
        return found
    if not actor.has(Role.OPERATOR, Role.HEAD, Role.REVIEWER):
        return found.none()
    return found.filter(Q(state=ThematicState.APPROVED) | Q(department_id=actor.department_id))


def visible_definition(uid: UUID, actor: Actor, *, lock: bool = False) -> ThematicDataset:
    """Return one visible definition; NotFound otherwise."""
    found = definitions_visible_to(actor)
    if lock:
        found = found.select_for_update(of=("self",), no_key=True)
    definition = found.filter(uid=uid).first()
    if definition is None:
        raise NotFound("thematic.not_found", _("没有这个主题库，或您无权查看。"))
    return definition


def compiled(definition: ThematicDataset, *, now: datetime) -> Compiled:
    """Return the query of a definition as of a day."""
    return compile_spec(definition.subject, definition.spec, today=now.astimezone(SHANGHAI).date())


def check(draft: Draft, *, now: datetime) -> Compiled:
    """Return what a draft compiles to; Invalid, naming the field, when it cannot be taken."""
    faults: dict[str, str] = {}
    if not NAME.fullmatch(draft.code):
        faults["code"] = _("以小写字母开头，只含小写字母、数字和下划线，最多 30 个字符")
    for name, choices in (("kind", ThematicKind.values), ("subject", ThematicSubject.values)):
        if getattr(draft, name) not in choices:
            faults[name] = _("须为 %(names)s 之一") % {"names": listed(choices)}
    faults |= {name: _("此项必填。") for name in ("title", "purpose", "legal_basis") if not getattr(draft, name).strip()}
    if (draft.every_minutes is None) == (draft.daily_at is None):
        faults["every_minutes"] = _("更新间隔与每天更新时刻须填且只填一项")
    elif draft.every_minutes is not None and not SHORTEST_INTERVAL <= draft.every_minutes <= LONGEST_INTERVAL:
        faults["every_minutes"] = _("须为 %(least)s 至 %(most)s 分钟") % {"least": SHORTEST_INTERVAL, "most": LONGEST_INTERVAL}
    if faults:
        raise Invalid("thematic.draft_invalid", _("主题库定义有误，请按提示更正。"), faults)
    return compile_spec(draft.subject, draft.spec, today=now.astimezone(SHANGHAI).date())


def preview(draft: Draft, *, actor: Actor, now: datetime) -> int:
    """Return how many rows a draft would hold, to the nearest ten, 0 for fewer than `FEWEST_TOLD`; no row is shown.

    Exact counts would let an author ask about single people by making the conditions narrow; the asking is audited.
    """
    _may_write(actor)
    made = check(draft, now=now)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            audit.record(actor, "thematic.previewed", None, at=now, department_ids=[actor.department_id], code=draft.code)
            cursor.execute(f"SET LOCAL statement_timeout = '{_PREVIEW_TIMEOUT}'")
            cursor.execute(f"SELECT count(*) FROM ({made.sql}) q")
            count = int(cursor.fetchone()[0])
    except Error as error:
        text = _("数据库没有在 15 秒内算出行数；定义本身可以保存，后台更新时不受此限。")
        raise Invalid("thematic.preview_failed", text, {}) from error
    return round(count, -1) if count >= FEWEST_TOLD else 0


@transaction.atomic
def propose(*, draft: Draft, actor: Actor, now: datetime) -> ThematicDataset:
    """Write a draft, or write it anew: the next version of its code."""
    department_id = _may_write(actor)
    check(draft, now=now)
    versions = list(ThematicDataset.objects.select_for_update(no_key=True).filter(code=draft.code).order_by("-version"))
    if versions and versions[0].department_id != department_id:
        raise Conflict("thematic.code_taken", _("该代码已由其他部门使用，请另取一个。"))
    values: Mapping[str, Any] = {
        name: getattr(draft, name)
        for name in ("title", "kind", "subject", "purpose", "legal_basis", "spec", "every_minutes", "daily_at")
    } | {"author_id": actor.user_id, "created_at": now}
    definition = next((one for one in versions if one.state == ThematicState.DRAFTED), None)
    if definition is None:
        version = versions[0].version + 1 if versions else 1
        definition = ThematicDataset(code=draft.code, version=version, department_id=department_id)
    for name, value in values.items():
        setattr(definition, name, value)
    definition.save()
    audit.record(actor, "thematic.drafted", definition, at=now, department_ids=[department_id], version=definition.version)
    return definition


@transaction.atomic
def approve(*, uid: UUID, actor: Actor, now: datetime, drafted_at: datetime | None = None) -> ThematicDataset:
    """Put a draft in force: a reviewer of the data centre, never its author. The version before it is superseded.

    `drafted_at` is when the text the reviewer read was written: what was written anew since is not approved unread.
    """
    definition = visible_definition(uid, actor, lock=True)
    if not is_centre(actor):
        raise Forbidden("thematic.approved_by_the_centre", _("主题库由数据主管部门的审核员审核。"))
    if definition.author_id == actor.user_id:
        raise Forbidden("thematic.own_draft", _("起草人不能审核自己起草的定义，请由其他审核员办理。"))
    if definition.state != ThematicState.DRAFTED:
        raise Conflict("thematic.not_drafted", _("该定义不在待审核状态。"))
    if drafted_at is not None and drafted_at != definition.created_at:
        raise Conflict("thematic.draft_rewritten", _("起草部门在您打开页面后改写了这份定义，请核对新的内容后再审核。"))
    compiled(definition, now=now)
    older = ThematicDataset.objects.filter(code=definition.code, state=ThematicState.APPROVED)
    older.update(state=ThematicState.RETIRED, retired_at=now, next_refresh_at=None)
    definition.state, definition.approver_id, definition.approved_at = ThematicState.APPROVED, actor.user_id, now
    definition.next_refresh_at = now
    definition.save(update_fields=["state", "approver", "approved_at", "next_refresh_at"])
    _record(actor, "thematic.approved", definition, now)
    return definition


@transaction.atomic
def retire(*, uid: UUID, actor: Actor, now: datetime) -> ThematicDataset:
    """End a definition or drop a draft; the rows of one in force leave. Its head's department or the data centre may."""
    definition = visible_definition(uid, actor, lock=True)
    is_own = definition.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    if not (is_centre(actor) or is_own):
        raise Forbidden("thematic.retired_by_owner", _("主题库由建设部门或数据主管部门停用。"))
    if definition.state == ThematicState.RETIRED:
        raise Conflict("thematic.already_retired", _("该定义已停用。"))
    if definition.state == ThematicState.APPROVED:
        rows = ThematicRow.objects.filter(code=definition.code, left_at=None)
        rows.update(left_at=now, changed_at=now, changed_xid=CurrentXid())
    definition.state, definition.retired_at, definition.next_refresh_at = ThematicState.RETIRED, now, None
    definition.save(update_fields=["state", "retired_at", "next_refresh_at"])
    _record(actor, "thematic.retired", definition, now)
    return definition


def next_refresh(definition: ThematicDataset, *, now: datetime) -> datetime:
    """Return when a definition is to be refreshed next: by its interval, or at its hour in Shanghai."""
    if definition.every_minutes is not None:
        return now + timedelta(minutes=definition.every_minutes)
    local = now.astimezone(SHANGHAI)
    at = datetime.combine(local.date(), definition.daily_at or time(3), tzinfo=SHANGHAI)
    return at if at > local else at + timedelta(days=1)


def _may_write(actor: Actor) -> int:
    """Return the department somebody writes for; Forbidden for those who do not write."""
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.REVIEWER):
        raise Forbidden("thematic.written_by_operators", _("主题库由部门经办人起草。"))
    return actor.department_id


def _record(actor: Actor, action: str, definition: ThematicDataset, now: datetime) -> None:
    audit.record(actor, action, definition, at=now, department_ids=[definition.department_id], version=definition.version)
