"""Verdicts (匹配判定): what becomes of the scored pairs of one record. Pure.

A score alone never links: the name must be the same (variant characters set aside, or a former name), the birth date too (or day
and month exchanged), nobody else may be possible, and no old number may say otherwise. Everything else that is possible is a
person's to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from basedb.matching.scoring import Pair


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `certain` on the rules link, from `possible` on a person is asked; `levels` must be reached for the former."""

    certain: float
    possible: float
    levels: dict[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The pair the rules link, and the pairs a person is asked about."""

    linked: Pair | None
    asked: tuple[Pair, ...]


def judge(pairs: Sequence[Pair], thresholds: Thresholds, *, refused: Collection[str], is_contradicted: bool) -> Verdict:
    """Judge the pairs of one record; `refused` are the people it was parted from before while both said the same as now.

    With a refusal behind it a record is a person's to decide, whoever else it resembles.
    """
    possible = sorted((pair for pair in pairs if pair.score >= thresholds.possible), key=lambda pair: (-pair.score, pair.person))
    left = tuple(pair for pair in possible if pair.person not in refused)
    if len(possible) == 1 and left and not is_contradicted and _is_certain(left[0], thresholds):
        return Verdict(left[0], ())
    return Verdict(None, left)


def _is_certain(pair: Pair, thresholds: Thresholds) -> bool:
    agrees = all(pair.level(name) in levels for name, levels in thresholds.levels.items())
    return agrees and pair.score >= thresholds.certain
