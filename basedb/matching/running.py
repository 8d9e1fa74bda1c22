"""A run of matching (匹配任务): old numbers first, then likeness, a chunk of held records at a time, each kept on its own.

A run may be stopped and started again anywhere; one that finds nothing new writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings

from basedb.dictionary import ENTERPRISE, PERSON
from basedb.matching import legacy
from basedb.matching.features import Features, basis
from basedb.matching.keeping import Done, Finding, forget_outdated, keep, refused
from basedb.matching.reading import Waiting, name_counts, people_like, population, waiting
from basedb.matching.scoring import MODEL, VERSION, Pair, score_pairs
from basedb.matching.verdicts import Thresholds, judge
from basedb.models import CandidateState, MatchCandidate, MatchTier

CHUNK: Final = 2_000
HIGHEST: Final = 0.9999  # nothing but a person is sure


def match_records(*, clock: Callable[[], datetime], chunk: int = CHUNK) -> Done:
    """Match every held record without an identifier; return what was done."""
    done = Done()
    for dataset in (PERSON.code, ENTERPRISE.code):
        done += Done(superseded=forget_outdated(dataset, now=clock()))
        done += legacy.match_by_old_number(dataset, clock=clock, chunk=chunk)
    people, after = population(), 0
    while batch := waiting(after=after, limit=chunk):
        after = batch[-1][0].chain
        done += _match_chunk(batch, people, clock)
    return done


def _match_chunk(batch: Sequence[tuple[Waiting, Features]], population: int, clock: Callable[[], datetime]) -> Done:
    sides = [features for _record, features in batch]
    people = people_like(sides)
    pairs: dict[str, list[Pair]] = {}
    for pair in score_pairs(sides, people, name_counts=name_counts(sides), population=population):
        pairs.setdefault(pair.record, []).append(pair)
    person_of = {one.unique_id: one for one in people}
    chains = [record.chain for record, _features in batch]
    was_refused = refused(PERSON.code, chains)
    contradicted = set(
        MatchCandidate.objects.filter(chain__in=chains, tier=MatchTier.LEGACY, state=CandidateState.OPEN).values_list(
            "chain", flat=True
        )
    )
    thresholds = Thresholds(settings.MATCH_CERTAIN, settings.MATCH_POSSIBLE, MODEL["certain"])
    findings = []
    for record, features in batch:
        bases = {pair.person: basis(features, person_of[pair.person]) for pair in pairs.get(features.unique_id, [])}
        parted = {person for person, said in bases.items() if said in was_refused.get((record.chain, bytes.fromhex(person)), set())}
        verdict = judge(pairs.get(features.unique_id, []), thresholds, refused=parted, is_contradicted=record.chain in contradicted)
        linked = (verdict.linked,) if verdict.linked else ()
        findings += [_finding(record, pair, bases[pair.person], is_linked=pair in linked) for pair in (*linked, *verdict.asked)]
    seen = {record.chain: record.record_id for record, _features in batch}
    return keep(PERSON.code, seen, findings, tier=MatchTier.PROBABLE, model_version=VERSION, now=clock())


def _finding(record: Waiting, pair: Pair, said: bytes, *, is_linked: bool) -> Finding:
    return Finding(
        chain=record.chain,
        record_id=record.record_id,
        source_id=record.source_id,
        entity_key=bytes.fromhex(pair.person),
        is_linked=is_linked,
        score=Decimal(str(round(min(pair.score, HIGHEST), 4))).quantize(Decimal("0.0001")),
        why=[asdict(reason) for reason in pair.why],
        basis=said,
    )
