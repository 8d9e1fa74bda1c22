"""Scores (质量评分): how good what a department delivers is, by dataset, field and dimension, and how it was before.

A score is the weighted mean of the shares of rows that passed each rule, in percent. Rules that could not be carried out and rules
that found nothing to check take no part in it and are told apart: nought checked is not a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from django.db.models import Max, QuerySet

from basedb.models import CheckState, QualityCheck, QualityResult
from core.audit import Actor
from core.models import Department
from core.roles import Role

Key = TypeVar("Key")
CHECKS_ON_CHART = 30


class Verdict(StrEnum):
    """What a result says against the lines of its rule."""

    PASS = "PASS"  # noqa: S105
    WARN = "WARN"
    FAIL = "FAIL"
    ERROR = "ERROR"
    NOTHING = "NOTHING"


@dataclass(slots=True)
class Score:
    """Results put together: counts with their denominator, the weighted share, and what had no part in it."""

    checked: int = 0
    failed: int = 0
    errors: int = 0
    empty: int = 0
    _rules: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # rule -> weight, checked, failed

    def add(self, result: QualityResult) -> None:
        """Put one result in; what departments have under the same rule is one share, so that a small one weighs little."""
        if result.error:
            self.errors += 1
        elif not result.checked:
            self.empty += 1
        else:
            self.checked += result.checked
            self.failed += result.failed
            _weight, checked, failed = self._rules.get(result.rule_id, (0, 0, 0))
            self._rules[result.rule_id] = (result.rule.weight, checked + result.checked, failed + result.failed)

    @property
    def percent(self) -> float | None:
        """The score; None when nothing was checked."""
        weight = sum(weight for weight, _checked, _failed in self._rules.values())
        passed = sum(weight * (checked - failed) / checked for weight, checked, failed in self._rules.values())
        return 100 * passed / weight if weight else None


def verdict(result: QualityResult) -> Verdict:
    """Return what one result says."""
    if result.error:
        return Verdict.ERROR
    if not result.checked:
        return Verdict.NOTHING
    share = 100 * result.passed / result.checked
    if share < result.rule.fail_below:
        return Verdict.FAIL
    return Verdict.WARN if share < result.rule.warn_below else Verdict.PASS


def results_visible_to(actor: Actor) -> QuerySet[QualityResult]:
    """Return the results an actor may see: the own department's and those of no department; all at the data centre."""
    results = QualityResult.objects.select_related("rule", "department", "check_of")
    if actor.has(Role.AUDIT_ADMINISTRATOR) or (actor.is_data_centre and actor.has(Role.REVIEWER, Role.HEAD)):
        return results
    if actor.has(Role.OPERATOR, Role.HEAD):
        return results.filter(department_id=actor.department_id or 0) | results.filter(department=None)
    return results.none()


def newest_checks() -> dict[str, int]:
    """Return the newest finished check of all rows, by dataset."""
    done = QualityCheck.objects.filter(state=CheckState.DONE, run_id=None)
    return dict(done.values("dataset").annotate(newest=Max("id")).values_list("dataset", "newest"))


def newest_results(actor: Actor) -> QuerySet[QualityResult]:
    """Return what the newest check of every dataset found, as far as the actor may see it."""
    return results_visible_to(actor).filter(check_of__in=newest_checks().values())


def grouped(results: Iterable[QualityResult], by: Callable[[QualityResult], Key]) -> dict[Key, Score]:
    """Return a score for each value of `by`."""
    scores: dict[Key, Score] = {}
    for result in results:
        scores.setdefault(by(result), Score()).add(result)
    return scores


def history(
    actor: Actor, *, dataset: str, department: Department | None = None, dimension: str = "", item: str = ""
) -> list[tuple[QualityCheck, Score]]:
    """Return the scores of the last checks of a dataset, the oldest first; of a department, dimension or item when one is named."""
    last = QualityCheck.objects.filter(dataset=dataset, state=CheckState.DONE, run_id=None).order_by("-id")[:CHECKS_ON_CHART]
    checks = {check.pk: check for check in last}
    results = narrowed(results_visible_to(actor), department=department, dimension=dimension, item=item)
    scores = grouped(results.filter(check_of__in=checks), lambda result: result.check_of_id)
    return [(checks[pk], scores[pk]) for pk in sorted(scores)]


def narrowed(
    results: QuerySet[QualityResult], *, department: Department | None = None, dimension: str = "", item: str = ""
) -> QuerySet[QualityResult]:
    """Return the results of a department, a dimension, an item of the dataset, as far as they are named."""
    if department is not None:
        results = results.filter(department=department)
    if dimension:
        results = results.filter(rule__dimension=dimension)
    return results.filter(rule__field=item) if item else results
