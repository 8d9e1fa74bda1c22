"""What repairs and objections have in common (信用办件): who may see one, as whom somebody acts, the next desk and its deadline."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.credit import records
from basedb.credit.workflow import Party
from basedb.models.credit import CreditRow
from basedb.models.credit_cases import CreditCase
from core import notifications
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import uuid7
from core.models import Department
from core.roles import Role
from core.texts import visible

C = TypeVar("C", bound=CreditCase)
LONGEST = 500


def visible_to(actor: Actor, cases: QuerySet[C]) -> QuerySet[C]:
    """Return the cases a department determines or submitted; all of them at the window and for auditors."""
    found = cases.select_related("owner", "submitted_from")
    if records.is_window(actor) or actor.has(Role.AUDIT_ADMINISTRATOR):
        return found
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return found.none()
    return found.filter(Q(owner_id=actor.department_id) | Q(submitted_from_id=actor.department_id))


def locked(cases: QuerySet[C], uid: UUID, revision: int, actor: Actor) -> C:
    """Return a case the actor may see, locked; a page that is out of date raises Conflict."""
    case = visible_to(actor, cases).select_for_update(of=("self",)).filter(uid=uid).first()
    if case is None:
        raise NotFound("credit.case_not_found", _("没有这个事项，或您无权查看。"))
    if case.revision != revision:
        raise Conflict("credit.stale", _("这个事项刚被办理过，请刷新页面查看最新状态。"), {"revision": case.revision})
    return case


def parties_of(actor: Actor, case: CreditCase) -> frozenset[Party]:
    """Return as whom an actor may act on a case."""
    owns, sent = case.owner_id == actor.department_id, case.submitted_from_id == actor.department_id
    held = {
        Party.WINDOW: records.is_window(actor),
        Party.OWNER_OPERATOR: owns and actor.has(Role.OPERATOR),
        Party.OWNER_HEAD: owns and actor.has(Role.HEAD),
        Party.APPLICANT: sent and actor.has(Role.OPERATOR, Role.HEAD, Role.REVIEWER),
    }
    return frozenset(party for party, is_held in held.items() if is_held)


def opened(
    dataset: str, record: CreditRow, *, prefix: str, reason: str, actor: Actor, due_at: datetime, now: datetime
) -> dict[str, object]:
    """Return the columns every new case has; Forbidden for whoever has no business role."""
    if actor.user_id is None or actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD, Role.REVIEWER):
        raise Forbidden("credit.not_yours", _("信用修复和异议由部门经办人、负责人或信用窗口提交。"))
    uid = uuid7()
    return {
        "uid": uid,
        "number": f"{prefix}{now.astimezone(SHANGHAI):%Y%m%d}-{uid.hex[-8:].upper()}",
        "dataset": dataset,
        "row_key": bytes(record.row_key),
        "document_number": record.document_number,
        "owner": records.owner_of(record),
        "submitted_from_id": actor.department_id,
        "submitted_by_id": actor.user_id,
        "submitted_at": now,
        "reason": text_of(reason, "reason", _("请填写理由。")),
        "due_at": due_at,
    }


def text_of(given: str, field: str, missing: str) -> str:
    """Return a text without blanks around it; Invalid when there is nothing to be seen in it or it is too long."""
    text = given.replace("\r\n", "\n").strip()
    if not visible(text):
        raise Invalid("credit.text_missing", missing, {field: [missing]})
    if len(text) > LONGEST:
        wrong = _("最多 %(count)s 个字。") % {"count": LONGEST}
        raise Invalid("credit.text_too_long", wrong, {field: [wrong]})
    return text


def tell_desk(case: CreditCase, desk: Party | None, *, title: str, path: str, now: datetime) -> None:
    """Tell whoever has the ball next; when nobody has it, tell whoever submitted what became of it."""
    match desk:
        case None:
            notifications.notify_users([case.submitted_by_id], title=title, path=path, now=now)
        case Party.WINDOW:
            for pk in Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True):
                notifications.notify_role(Role.REVIEWER, department_id=pk, title=title, path=path, now=now)
        case _:
            role = Role.HEAD if desk is Party.OWNER_HEAD else Role.OPERATOR
            notifications.notify_role(role, department_id=case.owner_id, title=title, path=path, now=now)
