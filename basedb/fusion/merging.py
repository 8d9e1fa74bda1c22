"""Merging and holding apart (合并与撤销): what people decide about entities and records, and how it is carried out.

One person proposes, another confirms; a worker then closes and opens links and projects, so that golden rows and feeds follow.
No record and no value is touched: taking a merge back gives every chain the link it had before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Kind
from basedb.dossier.entities import has_records_of
from basedb.fusion import crosswalks, projecting
from basedb.fusion.linking import MERGE
from basedb.fusion.reading import is_standing, key_carried
from basedb.fusion.rebuilding import alone, project_keys, rebuild
from basedb.fusion.survivorship import RULE_VERSION
from basedb.models import (
    CandidateState,
    Crosswalk,
    DataSource,
    DecisionKind,
    DecisionState,
    FusionDecision,
    MatchCandidate,
    MatchTier,
    SourceRecord,
)
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import RoleAssignment
from core.notifications import notify_users
from core.roles import Role

log = logging.getLogger(__name__)
LONGEST_REASON = 200
LINK = "decided-link"
_PATH = "/fusion/decisions/"


def decisions_visible_to(actor: Actor) -> QuerySet[FusionDecision]:
    """Return the decisions of people an actor may see: a reviewer all, others what somebody of their department proposed."""
    rows = FusionDecision.objects.exclude(kind__in=[DecisionKind.RECOMPUTE, DecisionKind.REBUILD])
    if actor.has(Role.REVIEWER, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR):
        return rows
    return rows.filter(proposed_by__department_id=actor.department_id) if actor.department_id else rows.none()


def link_visible_to(actor: Actor, chain: int) -> Crosswalk:
    """Return where a chain of records belongs now: a reviewer sees all of them, others those of their department's sources."""
    rows = Crosswalk.objects.filter(chain=crosswalks.as_bigint(chain), linked__upper_inf=True)
    if not actor.has(Role.REVIEWER):
        own = SourceRecord.objects.filter(chain=chain, source__department_id=actor.department_id or 0)
        rows = rows.filter(chain__in=own.values("chain"))
    link = rows.first() if chain < 2**63 else None  # an address may name any number
    if link is None:
        raise NotFound("fusion.record_not_found", _("没有这条来源记录，或它尚未归并。"))
    return link


@transaction.atomic
def merge_entities(
    *, dataset: str, entity_key: bytes, other_key: bytes, reason: str, actor: Actor, now: datetime
) -> FusionDecision:
    """Propose that the records of `other_key` belong to `entity_key`."""
    if entity_key == other_key:
        raise Invalid("fusion.same_entity", _("合并需要两个不同的主体。"), {"other_key": [_("与保留的主体相同。")]})
    _check_known(actor, entity_key, other_key)
    for key in (entity_key, other_key):
        if not crosswalks.links_of(dataset, key).exists():
            raise _unknown_entity()
    if not is_standing(DATASETS[dataset], entity_key):
        text = _("保留的主体已撤下：没有主数源再提供它的记录。请保留另一个号码。")
        raise Invalid("fusion.kept_withdrawn", text, {"entity_key": [text]})
    return _propose(DecisionKind.MERGE, dataset, reason, actor, now, entity_key=entity_key, other_key=other_key)


@transaction.atomic
def unmerge(*, dataset: str, entity_key: bytes, other_key: bytes, reason: str, actor: Actor, now: datetime) -> FusionDecision:
    """Propose to take back that `other_key` was merged into `entity_key`."""
    _check_known(actor, entity_key, other_key)
    if not crosswalks.merged(dataset, entity_key, other_key):
        raise NotFound("fusion.not_merged", _("这两个主体没有合并，无需撤销。"))
    return _propose(DecisionKind.UNMERGE, dataset, reason, actor, now, entity_key=entity_key, other_key=other_key)


@transaction.atomic
def hold(*, chain: int, reason: str, actor: Actor, now: datetime) -> FusionDecision:
    """Propose to keep a record apart from every entity."""
    link = link_visible_to(actor, chain)
    if link.tier == MatchTier.HELD and link.decided_by_id:
        raise Conflict("fusion.held_already", _("这条记录已经暂不归并。"))
    return _propose(DecisionKind.HOLD, link.dataset, reason, actor, now, chain=chain)


@transaction.atomic
def release(*, chain: int, reason: str, actor: Actor, now: datetime) -> FusionDecision:
    """Propose to let a record that a person held or linked follow the rules again."""
    link = link_visible_to(actor, chain)
    if link.decided_by_id is None:
        raise Conflict("fusion.not_decided", _("这条记录本来就按规则归并，无需解除。"))
    return _propose(DecisionKind.RELEASE, link.dataset, reason, actor, now, chain=chain)


@transaction.atomic
def confirm(*, uid: UUID, actor: Actor, now: datetime) -> FusionDecision:
    """Confirm what somebody else proposed; it is carried out by the worker at once."""
    decision = _decide(uid, actor, DecisionState.CONFIRMED, now)
    if decision.kind == DecisionKind.MERGE and not _may_merge(decision):
        raise Conflict("fusion.entities_changed", _("两个主体已有变化：一方已撤下或已并入别的主体。请退回，按现在的主体重新提出。"))
    audit.record(actor, "fusion_decision.confirmed", decision, at=now, kind=decision.kind, dataset=decision.dataset)
    return decision


@transaction.atomic
def refuse(*, uid: UUID, actor: Actor, now: datetime) -> FusionDecision:
    """Send a proposal back; nothing changes."""
    decision = _decide(uid, actor, DecisionState.REFUSED, now)
    _tell_refused(decision, actor, now)
    return decision


@transaction.atomic
def link_record(
    *,
    chain: int,
    entity_key: bytes,
    tier: MatchTier,
    score: Decimal | None,
    rule_version: str,
    reason: str,
    decided_by: int | None,
    now: datetime,
) -> None:
    """Link one chain to an entity by another tier than its own key, and project both sides. Runs in the worker's role."""
    if tier in (MatchTier.EXACT, MatchTier.HELD):
        raise ValueError("links by the record's own key are computed, not made")
    own = key_carried(chain)
    if decided_by is None and own not in (None, entity_key):
        raise ValueError("a record with an identifier of its own is linked to another entity by people only")
    dataset = _dataset_of(chain)
    projecting.lock(DATASETS[dataset])
    old = crosswalks.close([chain], now)
    Crosswalk.objects.create(
        chain=chain, dataset=dataset, entity_key=entity_key, tier=tier, score=score, rule_version=rule_version, reason=reason,
        decided_by_id=decided_by, linked=(crosswalks.since(chain, now), None),
    )  # fmt: skip
    _project(dataset, {entity_key, *old, *crosswalks.own_keys([chain])}, now)


@transaction.atomic
def part_record(*, chain: int, rule_version: str, reason: str, now: datetime) -> None:
    """Take one chain from the entity it was linked to; it is held apart, or follows its own key. Runs in the worker's role."""
    dataset = _dataset_of(chain)
    old = crosswalks.close([chain], now)
    if key_carried(chain) is None:
        crosswalks.wait(chain, dataset, rule_version, reason, now)
    _project(dataset, old | crosswalks.own_keys([chain]), now)


def apply_due(*, clock: Callable[[], datetime]) -> int:
    """Carry out what is confirmed and due, each in a transaction of its own; return how many. One that fails stops no other."""
    count = 0
    for pk in FusionDecision.objects.filter(state=DecisionState.CONFIRMED, due_at__lte=clock()).values_list("pk", flat=True):
        try:
            count += _apply(pk, clock)
        except (Error, DomainError) as error:
            log.error("fusion decision %s: %s", pk, type(error).__name__)
    return count


def queue(
    kind: DecisionKind, *, dataset: str, user_id: int, now: datetime, entity_key: bytes | None = None, due_at: datetime
) -> None:
    """Leave work for the worker that nobody has to confirm."""
    FusionDecision.objects.create(
        kind=kind, dataset=dataset, entity_key=entity_key, state=DecisionState.CONFIRMED, proposed_by_id=user_id, proposed_at=now,
        due_at=due_at,
    )  # fmt: skip


def _check_known(actor: Actor, *keys: bytes) -> None:
    """A department proposes about those alone it delivered something about; of others it learns not even that they are known."""
    if not actor.has(Role.REVIEWER) and not all(has_records_of(actor.department_id or 0, [key]) for key in keys):
        raise _unknown_entity()


def _unknown_entity() -> NotFound:
    return NotFound("fusion.entity_not_found", _("没有这个主体，或它没有来源记录。"))


def _propose(
    kind: DecisionKind,
    dataset: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    entity_key: bytes | None = None,
    other_key: bytes | None = None,
    chain: int | None = None,
) -> FusionDecision:
    if actor.user_id is None or not actor.has(Role.OPERATOR, Role.REVIEWER):
        raise Forbidden("fusion.not_yours", _("只有部门经办人和数据中心审核员可以提出。"))
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = _("请填写理由，最多 %(longest)d 字。") % {"longest": LONGEST_REASON}
        raise Invalid("fusion.reason_missing", text, {"reason": [text]})
    about = {"kind": kind, "dataset": dataset, "entity_key": entity_key, "other_key": other_key, "chain": chain}
    if FusionDecision.objects.filter(state=DecisionState.PROPOSED, **about).exists():
        raise Conflict("fusion.proposed_already", _("已有同样的提议在等待复核。"))
    decision = FusionDecision.objects.create(**about, reason=reason, proposed_by_id=actor.user_id, proposed_at=now, due_at=now)
    audit.record(
        actor, "fusion_decision.proposed", decision, at=now, department_ids=[actor.department_id], kind=kind, dataset=dataset
    )
    reviewers = RoleAssignment.objects.filter(role=Role.REVIEWER, user__is_active=True).exclude(user_id=actor.user_id)
    title = _("待复核：%(what)s") % {"what": decision}
    notify_users(reviewers.values_list("user_id", flat=True), title=title, path=_PATH, now=now)
    return decision


def _decide(uid: UUID, actor: Actor, state: DecisionState, now: datetime) -> FusionDecision:
    decision = decisions_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if decision is None:
        raise NotFound("fusion.decision_not_found", _("没有这项融合决定，或您无权查看。"))
    if not actor.has(Role.REVIEWER):
        raise Forbidden("fusion.not_reviewer", _("由数据中心审核员复核。"))
    if decision.proposed_by_id == actor.user_id:
        raise Forbidden("fusion.own_proposal", _("不能复核自己提出的事项，请由另一位审核员办理。"))
    if decision.state != DecisionState.PROPOSED:
        raise Conflict("fusion.decided_already", _("这项决定已经办理。"))
    decision.state, decision.decided_by_id, decision.decided_at, decision.due_at = state, actor.user_id, now, now
    decision.save(update_fields=["state", "decided_by", "decided_at", "due_at"])
    return decision


def _apply(pk: int, clock: Callable[[], datetime]) -> bool:
    """Carry out one decision. A rebuild takes many transactions and is done again from the start when it was cut short."""
    first = FusionDecision.objects.get(pk=pk)
    if first.kind != DecisionKind.REBUILD:
        return _finish(pk, clock)
    with alone(DATASETS[first.dataset]) as is_mine:
        if not is_mine or not FusionDecision.objects.filter(pk=pk, state=DecisionState.CONFIRMED).exists():
            return False
        rebuild(dataset=DATASETS[first.dataset], clock=clock)
        return _finish(pk, clock)


@transaction.atomic
def _finish(pk: int, clock: Callable[[], datetime]) -> bool:
    """Change what a decision is about and mark it. A merge that has lost one of its sides meanwhile goes back."""
    decision = FusionDecision.objects.select_for_update(skip_locked=True).filter(pk=pk, state=DecisionState.CONFIRMED).first()
    if decision is None:
        return False
    now = clock()
    if decision.kind != DecisionKind.REBUILD:
        projecting.lock(DATASETS[decision.dataset])
        if decision.kind == DecisionKind.MERGE and not _may_merge(decision):
            decision.state = DecisionState.REFUSED
            decision.save(update_fields=["state"])
            _tell_refused(decision, audit.PLATFORM, now)
            return False
        _project(decision.dataset, _carry_out(decision, now), now)
    decision.state, decision.applied_at = DecisionState.APPLIED, now
    decision.save(update_fields=["state", "applied_at"])
    audit.record(audit.PLATFORM, "fusion_decision.applied", decision, at=now, kind=decision.kind, dataset=decision.dataset)
    return True


def _may_merge(decision: FusionDecision) -> bool:
    """Whether both sides are still what they were when somebody proposed to merge them."""
    kept, other = bytes(decision.entity_key or b""), bytes(decision.other_key or b"")
    return is_standing(DATASETS[decision.dataset], kept) and crosswalks.links_of(decision.dataset, other).exists()


def _tell_refused(decision: FusionDecision, actor: Actor, now: datetime) -> None:
    audit.record(actor, "fusion_decision.refused", decision, at=now, kind=decision.kind, dataset=decision.dataset)
    notify_users([decision.proposed_by_id], title=_("融合决定被退回：%(what)s") % {"what": decision}, path=_PATH, now=now)


def _carry_out(decision: FusionDecision, now: datetime) -> set[bytes]:
    """Change the links; return the keys to be projected."""
    keys = {bytes(key) for key in (decision.entity_key, decision.other_key) if key is not None}
    if decision.kind == DecisionKind.MERGE:
        chains = list(crosswalks.links_of(decision.dataset, bytes(decision.other_key or b"")).values_list("chain", flat=True))
        crosswalks.close(chains, now)
        _open(chains, decision, now, entity_key=bytes(decision.entity_key or b""), tier=MatchTier.MANUAL, rule_version=MERGE)
    elif decision.kind == DecisionKind.UNMERGE:
        chains = crosswalks.merged(decision.dataset, bytes(decision.entity_key or b""), bytes(decision.other_key or b""))
        crosswalks.close(chains, now)
        crosswalks.reopen(chains, now)
    elif decision.chain is not None:
        chains = [decision.chain]
        MatchCandidate.objects.filter(chain=decision.chain, state=CandidateState.ACCEPTED).update(state=CandidateState.SUPERSEDED)
        keys |= crosswalks.close(chains, now)
        if decision.kind == DecisionKind.HOLD:
            _open(chains, decision, now, entity_key=None, tier=MatchTier.HELD, rule_version=LINK)
        elif key_carried(decision.chain) is None:  # it has no rule to follow: it waits for matching once more
            crosswalks.wait(decision.chain, decision.dataset, RULE_VERSION, decision.reason, now)
    else:
        chains = []
    return keys | crosswalks.own_keys(chains)


def _open(
    chains: Iterable[int], decision: FusionDecision, now: datetime, *, entity_key: bytes | None, tier: MatchTier, rule_version: str
) -> None:
    Crosswalk.objects.bulk_create(
        Crosswalk(
            chain=chain, dataset=decision.dataset, entity_key=entity_key, tier=tier, rule_version=rule_version,
            reason=decision.reason, decided_by_id=decision.decided_by_id, linked=(crosswalks.since(chain, now), None),
        )
        for chain in chains
    )  # fmt: skip


def _dataset_of(chain: int) -> str:
    source = DataSource.objects.filter(pk__in=SourceRecord.objects.filter(chain=chain).values("source_id")).first()
    if source is None:
        raise NotFound("fusion.record_not_found", _("没有这条来源记录，或它尚未归并。"))
    return source.dataset


def _project(dataset: str, keys: Iterable[bytes], now: datetime) -> None:
    if DATASETS[dataset].kind is Kind.MASTER:
        project_keys(DATASETS[dataset], keys, now=now)
