"""What a source must be able to do (接入): be opened at a checkpoint and hand out batches of raw rows.

A reading never judges rows and never writes to the base tables. Everything wrong with a source is an error of the
DomainError family with a Chinese sentence: Unavailable when trying again later may help, Invalid when somebody must act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Dataset
from basedb.staging import JoinedRow, RawRow
from core.errors import Invalid
from exchange.models import AggregationPlan, AggregationRun

LEAST_READ = 100  # below it a few rejects say nothing about the whole


class Reading(Protocol):
    """An open source. `state` is the checkpoint after the last row handed out; `is_exhausted` once there are no more."""

    expected: int | None
    state: dict[str, Any]
    is_exhausted: bool

    def begin(self) -> None:
        """Look at the source before anything is loaded; raise what is wrong with it."""
        ...

    def batch(self, size: int) -> Iterator[RawRow | JoinedRow]:
        """Hand out at most `size` rows; `number` of a row counts from 1 in every batch unless it names a stored row."""
        ...

    def plan_checkpoint(self) -> dict[str, Any]:
        """Return where the next run of the plan starts."""
        ...

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """Note in the caller's transaction what became of the source's unit of work; return a word about it for people."""
        ...

    def close(self) -> None:
        """Let go of whatever is open."""
        ...


@runtime_checkable
class TellsHighest(Protocol):
    """A reading whose source said before the first row how far its cursor reaches, None when no row lay ahead."""

    highest: str | None


@runtime_checkable
class ListsKeys(Protocol):
    """A reading that can say which keys are at its source now, by which deletions are found."""

    def keys(self) -> Iterator[str] | None:
        """Hand out the keys of all rows, None when there is nothing to compare with."""
        ...


def dataset_of(plan: AggregationPlan) -> Dataset:
    """Return the plan's dataset; a plan without a known one is Invalid."""
    try:
        return DATASETS[plan.dataset]
    except KeyError as error:
        raise Invalid(
            "plan.dataset_unknown", _("归集任务的目标数据集「%(dataset)s」不存在。") % {"dataset": plan.dataset}
        ) from error


def limit_passed(plan: AggregationPlan, rejected: int, read: int) -> str:
    """Return the limit so many rejects go past, in words: something is wrong with the source as a whole. Empty within both."""
    if plan.reject_limit_count is not None and rejected > plan.reject_limit_count:
        return _("%(count)s 行") % {"count": plan.reject_limit_count}
    if read >= LEAST_READ and rejected * 100 > plan.reject_limit_percent * read:
        return f"{plan.reject_limit_percent}%"
    return ""


def fields_of(plan: AggregationPlan) -> tuple[str, ...]:
    """Return the mapped fields in the order of the contract."""
    return tuple(name for name in dataset_of(plan).field_names if name in plan.columns)
