"""Whose desk it is (签发岗位): who sees drafts, licenses and batches, as whom somebody acts, how people are told.

The issuing department works on its own; the audit administrator looks on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import notifications
from core.audit import Actor
from core.errors import Forbidden, Invalid
from core.models import Department
from core.roles import Role
from core.texts import visible
from licenses.issuing.workflow import Seat
from licenses.models import IssuingBatch, IssuingDraft, License
from licenses.types.faults import readable

M = TypeVar("M", bound=models.Model)
LONGEST = 500


def licenses_visible_to(actor: Actor) -> QuerySet[License]:
    """Return the licenses the own department issued; all of them for the audit administrator."""
    return _visible(License.objects.select_related("type_version", "issuer"), "issuer_id", actor)


def drafts_visible_to(actor: Actor) -> QuerySet[IssuingDraft]:
    """Return the drafts of the own department; all of them for the audit administrator."""
    found = IssuingDraft.objects.select_related("type_version", "department", "made_by", "decided_by", "supersedes", "issued")
    return _visible(found, "department_id", actor)


def batches_visible_to(actor: Actor) -> QuerySet[IssuingBatch]:
    """Return the batches of the own department; all of them for the audit administrator."""
    return _visible(IssuingBatch.objects.select_related("type_version", "department", "decided_by"), "department_id", actor)


def _visible(rows: QuerySet[M], owner: str, actor: Actor) -> QuerySet[M]:
    if actor.has(Role.AUDIT_ADMINISTRATOR):
        return rows
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return rows.none()
    return rows.filter(**{owner: actor.department_id})


def seats_of(actor: Actor, *, department_id: int, made_by_id: int | None = None) -> frozenset[Seat]:
    """Return as whom somebody acts on what a department issues; who made it does not sign it."""
    if actor.department_id != department_id or actor.user_id is None:
        return frozenset()
    held = {Seat.OPERATOR: actor.has(Role.OPERATOR), Seat.SIGNER: actor.has(Role.HEAD) and actor.user_id != made_by_id}
    return frozenset(seat for seat, is_held in held.items() if is_held)


def own_department(actor: Actor) -> Department:
    """Return the department of an operator, who makes drafts and batches in its name; Forbidden for anybody else."""
    if actor.user_id is None or actor.department_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("draft.operators_only", _("证照由颁发机构的经办人起草。"))
    return Department.objects.select_related("region").get(pk=actor.department_id)


def text_of(given: str, field: str, *, missing: str = "") -> str:
    """Return what was typed without blanks around it; Invalid when it is too long or, with `missing`, when there is nothing."""
    text = given.replace("\r\n", "\n").strip()
    wrong = ""
    if missing and not visible(text):
        wrong = missing
    elif len(text) > LONGEST:
        wrong = _("最多 %(count)s 个字。") % {"count": LONGEST}
    elif not readable(text.replace("\n", "")):
        wrong = _("不能含有控制字符。")
    if wrong:
        raise Invalid("license.text_invalid", wrong, {field: [wrong]})
    return text


def tell_signers(department_id: int, *, title: str, path: str, now: datetime) -> None:
    """Tell the heads of a department that something waits for a signature."""
    notifications.notify_role(Role.HEAD, department_id=department_id, title=title, path=path, now=now)


def tell_maker(thing: Any, *, title: str, path: str, now: datetime) -> None:
    """Tell who made a draft or a batch; for a batch of a system, the operators of the department."""
    if thing.made_by_id:
        notifications.notify_users([thing.made_by_id], title=title, path=path, now=now)
    else:
        notifications.notify_role(Role.OPERATOR, department_id=thing.department_id, title=title, path=path, now=now)
