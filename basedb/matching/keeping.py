"""Keeping what matching found (候选入库): candidates added, brought up to date or taken off the desk; certain ones linked.

Doing it again with the same findings changes nothing. What a person decided stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from basedb.fusion.merging import part_record
from basedb.matching.linking import Link, link_all, lock
from basedb.matching.reading import still_waiting
from basedb.models import CandidateState, MatchCandidate, MatchTier, SourceRecord

PARTED = "来源记录已变化，重新匹配"


@dataclass(frozen=True, slots=True)
class Finding:
    """A pair as the rules see it: linked at once, or put before a person."""

    chain: int
    record_id: int
    source_id: int
    entity_key: bytes
    is_linked: bool
    score: Decimal | None
    why: list[dict[str, Any]]
    basis: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """How many records were looked at, linked, put before a person, and taken off the desk."""

    seen: int = 0
    linked: int = 0
    asked: int = 0
    superseded: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            self.seen + other.seen, self.linked + other.linked, self.asked + other.asked, self.superseded + other.superseded
        )


@transaction.atomic
def keep(
    dataset: str, seen: dict[int, int], findings: Sequence[Finding], *, tier: MatchTier, model_version: str, now: datetime
) -> Done:
    """Keep what was found about the chains of `seen` (chain -> version judged); what changed meanwhile waits for the next run."""
    lock(dataset)
    waits = still_waiting(dataset, list(seen))
    pairs = MatchCandidate.objects.filter(dataset=dataset, state=CandidateState.ACCEPTED)
    linking = set(pairs.filter(chain__in=list(waits), applied_at=None).values_list("chain", flat=True))
    same = {chain for chain, record in seen.items() if waits.get(chain) == record and chain not in linking}
    pairs.filter(chain__in=same).update(state=CandidateState.SUPERSEDED)  # linked before, let go since
    rows = MatchCandidate.objects.filter(dataset=dataset, chain__in=same, tier=tier, state=CandidateState.OPEN)
    opened = {(row.chain, bytes(row.entity_key)): row for row in rows.select_for_update()}
    taken = set(
        MatchCandidate.objects.filter(dataset=dataset, chain__in=same, state=CandidateState.OPEN)
        .exclude(tier=tier)
        .values_list("chain", "entity_key")
    )
    elsewhere = {(chain, bytes(key)) for chain, key in taken}
    found = {(one.chain, one.entity_key): one for one in findings if one.chain in same}
    linked = [one for one in found.values() if one.is_linked]
    gone = [row.pk for pair, row in opened.items() if pair not in found or found[pair].is_linked]
    MatchCandidate.objects.filter(pk__in=gone).update(state=CandidateState.SUPERSEDED)
    fresh = [_candidate(dataset, one, tier, model_version, now) for one in linked]
    for pair, one in found.items():
        if one.is_linked or pair in elsewhere:
            continue
        if pair not in opened:
            fresh.append(_candidate(dataset, one, tier, model_version, now))
        else:
            _refresh(opened[pair], one, model_version)
    MatchCandidate.objects.filter(chain__in=[one.chain for one in linked], state=CandidateState.OPEN).update(
        state=CandidateState.SUPERSEDED
    )
    MatchCandidate.objects.bulk_create(fresh)
    links = [Link(one.chain, one.entity_key, one.score) for one in linked]
    link_all(dataset, links, tier=tier, rule_version=model_version, now=now)
    return Done(len(seen), len(linked), len(fresh) - len(linked), len(gone))


def forget_outdated(dataset: str, *, now: datetime) -> int:
    """Part what the rules linked when the record says something else now; take pairs off the desk that wait no more."""
    current = SourceRecord.objects.filter(known__upper_inf=True, valid__upper_inf=True)
    count = 0
    accepted = MatchCandidate.objects.filter(dataset=dataset, state=CandidateState.ACCEPTED, decided_by=None)
    for row in accepted.only("pk", "chain", "record_id").iterator():
        record = current.filter(chain=row.chain).values_list("pk", "subject_key").first()
        if record is None or record[0] == row.record_id:
            continue
        count += 1
        with transaction.atomic():
            lock(dataset)
            MatchCandidate.objects.filter(pk=row.pk).update(state=CandidateState.SUPERSEDED)
            if record[1] is None:
                part_record(chain=row.chain, rule_version=row.model_version, reason=PARTED, now=now)
    chains = list(MatchCandidate.objects.filter(dataset=dataset, state=CandidateState.OPEN).values_list("chain", flat=True))
    over = set(chains) - set(still_waiting(dataset, chains))
    MatchCandidate.objects.filter(chain__in=over, state=CandidateState.OPEN).update(state=CandidateState.SUPERSEDED)
    return count + len(over)


def refused(dataset: str, chains: Sequence[int]) -> dict[tuple[int, bytes], set[bytes]]:
    """Return what people refused: the pair, and what both sides said then."""
    rows = MatchCandidate.objects.filter(dataset=dataset, chain__in=chains, state=CandidateState.REFUSED)
    told: dict[tuple[int, bytes], set[bytes]] = {}
    for chain, key, basis in rows.values_list("chain", "entity_key", "basis"):
        told.setdefault((chain, bytes(key)), set()).add(bytes(basis))
    return told


def _candidate(dataset: str, one: Finding, tier: MatchTier, model_version: str, now: datetime) -> MatchCandidate:
    return MatchCandidate(
        dataset=dataset, source_id=one.source_id, chain=one.chain, record_id=one.record_id, entity_key=one.entity_key, tier=tier,
        score=one.score, why=one.why, model_version=model_version, basis=one.basis, found_at=now,
        state=CandidateState.ACCEPTED if one.is_linked else CandidateState.OPEN, applied_at=now if one.is_linked else None,
        decided_at=now if one.is_linked else None,
    )  # fmt: skip


def _refresh(row: MatchCandidate, one: Finding, model_version: str) -> None:
    said = {
        "record_id": one.record_id, "score": one.score, "why": one.why, "model_version": model_version, "basis": one.basis,
    }  # fmt: skip
    if any(_plain(getattr(row, name)) != value for name, value in said.items()):
        for name, value in said.items():
            setattr(row, name, value)
        row.save(update_fields=list(said))


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
