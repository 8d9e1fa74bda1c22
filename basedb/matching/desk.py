"""The matching desk (匹配工作台): who sees which pairs, what each side says, a reviewer's decision and taking it back.

A decision is carried out by the worker within seconds. Linked by a person is a decided link: no rule moves it. Refused is not
proposed again while both sides say the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import Error, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.cleaning import shown_sql
from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, DataType, Field
from basedb.fusion.crosswalks import as_bigint
from basedb.fusion.linking import MERGE
from basedb.fusion.merging import LONGEST_REASON, link_record, part_record
from basedb.fusion.names import normalized
from basedb.fusion.reading import is_standing
from basedb.masking import mask_value
from basedb.matching.linking import lock
from basedb.matching.reading import still_waiting
from basedb.models import CandidateState, Crosswalk, MatchCandidate, MatchTier
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.roles import Role

log = logging.getLogger(__name__)
_OVERSEERS = (Role.REVIEWER, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a pair: what the record says and what the entity says, as far as the actor may see."""

    title: str
    record: str
    entity: str
    agrees: bool


def candidates_visible_to(actor: Actor) -> QuerySet[MatchCandidate]:
    """Return the pairs of the actor's department's sources; all of them for the centre and the overseers."""
    rows = MatchCandidate.objects.select_related("source__department", "decided_by")
    if actor.has(*_OVERSEERS):
        return rows
    if not actor.has(Role.OPERATOR, Role.HEAD) or actor.department_id is None:
        return rows.none()
    return rows.filter(source__department_id=actor.department_id)


def find(uid: UUID, actor: Actor) -> MatchCandidate:
    """Return one pair; NotFound when there is none the actor may see."""
    row = candidates_visible_to(actor).filter(uid=uid).first()
    if row is None:
        raise NotFound("match.not_found", _("没有这项匹配候选，或您无权查看。"))
    return row


def may_see_record(candidate: MatchCandidate, actor: Actor) -> bool:
    """Whether an actor is shown the record's values as they are: its department and the centre that decides."""
    is_source = candidate.source.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    return is_source or actor.has(Role.REVIEWER)


def may_see_entity(actor: Actor) -> bool:
    """Whether an actor is shown the entity's values as they are: the centre that decides."""
    return actor.has(Role.REVIEWER)


@transaction.atomic
def lines(candidate: MatchCandidate, *, actor: Actor, now: datetime) -> list[Line]:
    """Return both sides field by field. Showing values as they are is audited."""
    dataset = DATASETS[candidate.dataset]
    record, entity = _record_values(candidate), _entity_values(candidate)
    sees_record, sees_entity = may_see_record(candidate, actor), may_see_entity(actor)
    if sees_record:
        owner = candidate.source.department_id
        audit.record(actor, "match_candidate.opened", candidate, at=now, department_ids=[owner], sees_entity=sees_entity)
    found = []
    for field in dataset.fields:
        mine, theirs = record.get(field.name, ""), entity.get(field.name, "")
        if mine or theirs:
            shown, other = _shown(field, mine, is_clear=sees_record), _shown(field, theirs, is_clear=sees_entity)
            found.append(Line(str(field.title), shown, other, bool(mine) and normalized(mine) == normalized(theirs)))
    return found


@transaction.atomic
def accept(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> MatchCandidate:
    """Link the record to the entity; its other pairs are off the desk."""
    row = _to_decide(uid, actor)
    said = _said(reason)
    if row.state != CandidateState.OPEN:
        raise Conflict("match.decided_already", _("这项匹配候选已经办理或失效。"))
    if still_waiting(row.dataset, [row.chain]).get(row.chain) != row.record_id:
        raise Conflict("match.record_changed", _("来源记录已变化，请等待重新匹配后再判定。"))
    if not is_standing(DATASETS[row.dataset], bytes(row.entity_key)):
        raise Conflict("match.entity_changed", _("该主体已撤下或已并入别的主体，请等待重新匹配后再判定。"))
    others = MatchCandidate.objects.filter(chain=row.chain, state=CandidateState.OPEN).exclude(pk=row.pk)
    others.update(state=CandidateState.SUPERSEDED)
    return _decide(row, CandidateState.ACCEPTED, said, actor, now, applied_at=None)


@transaction.atomic
def refuse(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> MatchCandidate:
    """Say that the two are not the same; they are not proposed again while both say what they say now."""
    row = _to_decide(uid, actor)
    said = _said(reason)
    if row.state != CandidateState.OPEN:
        raise Conflict("match.decided_already", _("这项匹配候选已经办理或失效。"))
    return _decide(row, CandidateState.REFUSED, said, actor, now, applied_at=now)


@transaction.atomic
def undo(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> MatchCandidate:
    """Take back a link of a person or of the rules: the record is held apart again and the pair counts as refused."""
    row = _to_decide(uid, actor)
    said = _said(reason)
    if row.state != CandidateState.ACCEPTED:
        raise Conflict("match.not_linked", _("只有已关联的候选可以撤销。"))
    return _decide(row, CandidateState.REFUSED, said, actor, now, applied_at=None)


def apply_due(*, clock: Callable[[], datetime]) -> int:
    """Carry out what was decided, each in a transaction of its own; return how many. One that fails stops no other."""
    due = MatchCandidate.objects.filter(state__in=[CandidateState.ACCEPTED, CandidateState.REFUSED], applied_at=None)
    count = 0
    for pk in due.order_by("id").values_list("pk", flat=True):
        try:
            count += _apply(pk, clock)
        except (Error, DomainError) as error:
            log.error("match candidate %s: %s", pk, type(error).__name__)
    return count


def _apply(pk: int, clock: Callable[[], datetime]) -> bool:
    with transaction.atomic():
        row = MatchCandidate.objects.select_for_update(skip_locked=True).filter(pk=pk, applied_at=None).first()
        if row is None:
            return False
        lock(row.dataset)
        now = clock()
        if row.state == CandidateState.ACCEPTED:
            _link(row, now)
        elif _is_linked(row):
            part_record(chain=row.chain, rule_version=row.model_version, reason=row.reason, now=now)
        row.applied_at = now
        row.save(update_fields=["state", "applied_at"])
        audit.record(audit.PLATFORM, "match_candidate.applied", row, at=now, dataset=row.dataset, state=row.state)
    return True


def _is_linked(row: MatchCandidate) -> bool:
    """Whether the link of a pair is still in force, be it at an entity theirs was merged into."""
    links = Crosswalk.objects.filter(chain=as_bigint(row.chain), linked__upper_inf=True).exclude(tier=MatchTier.EXACT)
    return links.filter(Q(entity_key=row.entity_key) | Q(rule_version=MERGE)).exists()


def _link(row: MatchCandidate, now: datetime) -> None:
    """Link unless the record stopped waiting since it was decided, or the entity stands no more."""
    if row.chain not in still_waiting(row.dataset, [row.chain]) or not is_standing(DATASETS[row.dataset], bytes(row.entity_key)):
        row.state = CandidateState.SUPERSEDED
        return
    link_record(
        chain=row.chain, entity_key=bytes(row.entity_key), tier=MatchTier.MANUAL, score=row.score, rule_version=row.model_version,
        reason=row.reason, decided_by=row.decided_by_id, now=now,
    )  # fmt: skip


def _to_decide(uid: UUID, actor: Actor) -> MatchCandidate:
    row = candidates_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if row is None or actor.user_id is None:
        raise NotFound("match.not_found", _("没有这项匹配候选，或您无权查看。"))
    if not actor.has(Role.REVIEWER):
        raise Forbidden("match.not_reviewer", _("由数据中心审核员判定。"))
    return row


def _said(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = _("请填写理由，最多 %(longest)d 字。") % {"longest": LONGEST_REASON}
        raise Invalid("match.reason_missing", text, {"reason": [text]})
    return reason


def _decide(
    row: MatchCandidate, state: CandidateState, reason: str, actor: Actor, now: datetime, *, applied_at: datetime | None
) -> MatchCandidate:
    was = row.state
    row.state, row.reason, row.decided_by_id, row.decided_at, row.applied_at = state, reason, actor.user_id, now, applied_at
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "applied_at"])
    audit.record(
        actor, "match_candidate.decided", row, at=now, department_ids=[row.source.department_id], was=was, state=state.value,
        dataset=row.dataset, model_version=row.model_version,
    )  # fmt: skip
    return row


def _shown(field: Field, value: str, *, is_clear: bool) -> str:
    """A value as people read it: codes with what they mean."""
    if not is_clear:
        return mask_value(field.mask, value) or ""
    known = CODE_SETS.get(field.code_set or "")
    return f"{value} {known.label(value)}" if value and known and value in known.labels else value


def _record_values(candidate: MatchCandidate) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, value FROM basedb_sourcerecord r, jsonb_each_text(r.payload) WHERE r.id = %s", [candidate.record_id]
        )
        values = dict(cursor.fetchall())
    days = {field.name for field in DATASETS[candidate.dataset].fields if field.data_type is DataType.DATE}
    return {
        name: f"{text[:4]}-{text[4:6]}-{text[6:]}" if name in days and len(text) == 8 else text for name, text in values.items()
    }


def _entity_values(candidate: MatchCandidate) -> dict[str, str]:
    dataset = DATASETS[candidate.dataset]
    columns = ", ".join(shown_sql(field, field.name) for field in dataset.fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {dataset.table} WHERE subject_key = %s", [bytes(candidate.entity_key)])
        row = cursor.fetchone()
    return {field.name: value or "" for field, value in zip(dataset.fields, row, strict=True)} if row else {}
