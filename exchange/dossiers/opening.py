"""Opening a dossier (调阅档案): the identifier becomes a key at once, the purpose is stated, and the subject will be told.

Every question is audited under the key alone, answered or not, and limited a person and day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Subject
from basedb.dossier import entities
from basedb.lookup import read_key
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry
from exchange.accesses import DOSSIER, DOSSIER_OPENED, IDENTIFIER
from exchange.dossiers.rights import DossierKind, Purpose, Reason, View, view_of
from exchange.requests.request_terms import text_fault
from exchange.systems import key_ring

MISSED: Final = "dossier.missed"
A_DAY: Final = 100
LONGEST_MATTER: Final = 60


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose dossier may be read now; `is_merged` when the identifier asked for belongs to an entity of another one."""

    kind: DossierKind
    entity_key: bytes
    purpose: Purpose
    is_merged: bool = False


def check_may_open(actor: Actor) -> None:
    """Raise Forbidden for those who may open no dossier at all."""
    view = view_of(actor, Purpose("", ""))
    if view.department_id is not None:
        about = (Subject.PERSON, Subject.LEGAL_ENTITY, Subject.EITHER)
        if not entities.delivers(view.department_id, [code for code, d in DATASETS.items() if d.subject in about]):
            raise Forbidden("dossier.nothing_delivered", _("本部门没有向基础库报送数据，不能查看档案；所需数据请申请共享。"))


def may_open(actor: Actor) -> bool:
    """Return whether an actor may open dossiers."""
    try:
        check_may_open(actor)
    except Forbidden:
        return False
    return True


@transaction.atomic(durable=True)
def open_dossier(*, kind: DossierKind, identifier: str, purpose: Purpose, actor: Actor, now: datetime) -> Opened | None:
    """Return whose dossier an identifier opens, None when nobody has it or a department delivered nothing about them."""
    check_may_open(actor)
    key = _checked(kind, identifier, purpose)
    return _open(kind, key, purpose, actor, now)


@transaction.atomic(durable=True)
def open_related(*, kind: DossierKind, subject_key: bytes, purpose: Purpose, actor: Actor, now: datetime) -> Opened | None:
    """Return the dossier of somebody another dossier names; it is opened, counted and told like any other."""
    check_may_open(actor)
    return _open(kind, subject_key, purpose, actor, now)


def _open(kind: DossierKind, key: bytes, purpose: Purpose, actor: Actor, now: datetime) -> Opened | None:
    view = view_of(actor, purpose)
    stated = {"kind": kind.value, "reason": purpose.reason, "matter": purpose.matter}
    _count(actor, now)
    entity = entities.entity_of(kind.master, key)
    if entity is None or not _concerns(view, [entity, key]):
        _note(MISSED, [key], stated, actor, now)
        return None
    _note(DOSSIER_OPENED, list(dict.fromkeys([entity, key])), stated, actor, now)
    return Opened(kind, entity, purpose, is_merged=entity != key)


def _concerns(view: View, keys: list[bytes]) -> bool:
    return view.department_id is None or entities.has_records_of(view.department_id, keys)


def _checked(kind: DossierKind, identifier: str, purpose: Purpose) -> bytes:
    """Return the keyed digest of the identifier; what is wrong is said without repeating it."""
    wrong: dict[str, Any] = {}
    key = b""
    try:
        key = key_ring().subject_key(read_key(kind.master.code, identifier))
    except ValueError:
        wrong["identifier"] = [_("不是有效的公民身份号码或统一社会信用代码，请核对。")]
    if purpose.reason not in Reason.values:
        wrong["reason"] = [_("请选择调阅事由。")]
    if fault := text_fault(purpose.matter, longest=LONGEST_MATTER, may_have_lines=False):
        wrong["matter"] = [fault]
    elif IDENTIFIER.search(purpose.matter):
        wrong["matter"] = [_("事项编号中不能有身份证件号码。")]
    if wrong:
        raise Invalid("dossier.invalid", _("填写有误，请修改后再调阅。"), wrong)
    return key


def _count(actor: Actor, now: datetime) -> None:
    """Keep to what a person may open a day, one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange.dossiers'), %s)", [int(actor.user_id or 0) % 2**31])
    midnight = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, tzinfo=SHANGHAI)
    asked = AuditEntry.objects.filter(action__in=(DOSSIER_OPENED, MISSED), actor_id=actor.user_id, at__gte=midnight).count()
    if asked >= A_DAY:
        text = _("每人每天最多调阅 %(limit)s 份档案，今天已用完，请明天再办。")
        raise Conflict("dossier.too_many", text % {"limit": A_DAY}, {"limit": A_DAY})


def _note(action: str, keys: Sequence[bytes], detail: dict[str, Any], actor: Actor, now: datetime) -> None:
    AuditEntry.objects.bulk_create([note(action, key, actor=actor, at=now, detail=detail) for key in keys])


def note(action: str, key: bytes, *, actor: Actor, at: datetime, detail: dict[str, Any]) -> AuditEntry:
    """Return an audit entry about the dossier of a subject, found again by the key's digest alone."""
    row = audit.entry(actor, action, None, at=at, department_ids=[actor.department_id], detail=detail)
    row.object_kind, row.object_uid = DOSSIER, key.hex()
    return row
