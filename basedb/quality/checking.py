"""Carrying out a check (质量检查): all rules over all rows of a dataset, or over those one aggregation run changed.

Rules that look at one row at a time share two scans: one counts what they apply to, the other looks closely at the few rows that
are not right at a glance. A rule that cannot be carried out is an error of its own and spoils nothing else: it has neither passed
nor failed. What failed becomes the task of the department the rows come from. Everything is one transaction; the row of the check
stays locked meanwhile, which tells a worker that works from one that is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import Error, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Dataset
from basedb.models import CheckState, QualityCheck, QualityResult, QualityRule, RuleKind
from basedb.quality import tasks
from basedb.quality.compiling import applies_sql, failing_sql, looks_apart, passes_sql
from basedb.quality.glance import glance_of
from basedb.quality.measures import MEASURES
from core.calendar import today_in_shanghai
from core.errors import DomainError

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
_TIMEOUT = "20min"
_MEMORY = "256MB"  # for sorting the keys of a whole city
PATIENCE = timedelta(minutes=1)


@dataclass(slots=True)
class Found:
    """What a check found so far: rule -> department -> (checked, failed), and the rules that could not be carried out."""

    rows: int = 0
    counts: dict[int, dict[int | None, tuple[int, int]]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    def add(self, rule: QualityRule, department: int | None, checked: int) -> None:
        """Note how many rows of a department one rule looked at; nothing checked is nothing found."""
        if checked:
            self.counts.setdefault(rule.pk, {})[department] = (checked, 0)

    def fail(self, rule: QualityRule, department: int | None, failed: int) -> None:
        """Note how many of them failed; rows that came between two looks were looked at as well."""
        if failed:
            of_rule = self.counts.setdefault(rule.pk, {})
            checked, _before = of_rule.get(department, (0, 0))
            of_rule[department] = (max(checked, failed), failed)

    def failed(self, rule: QualityRule) -> int:
        """Return how many rows failed a rule."""
        return sum(failed for _checked, failed in self.counts.get(rule.pk, {}).values())


def work(*, check_uid: UUID, clock: Clock) -> None:
    """Carry a queued check to its end; one that another worker has in hand is left to it."""
    QualityCheck.objects.filter(uid=check_uid, state=CheckState.QUEUED).update(state=CheckState.RUNNING, started_at=clock())
    try:
        with transaction.atomic():
            held = QualityCheck.objects.select_for_update(skip_locked=True, no_key=True)
            check = held.filter(uid=check_uid, state=CheckState.RUNNING).first()
            if check is None:
                return
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{_TIMEOUT}'")
            _carry_out(check, clock)
    except (Error, DomainError) as error:
        log.error("quality check %s: %s", check_uid, type(error).__name__)  # a database error's text may quote a row
        said = error.message if isinstance(error, DomainError) else _("数据库没有完成这次检查，请稍后重新检查。")
        QualityCheck.objects.filter(uid=check_uid, state=CheckState.RUNNING).update(
            state=CheckState.FAILED, finished_at=clock(), message=str(said)[:300]
        )


def unattended(*, now: datetime) -> list[UUID]:
    """Return the checks no worker has in hand: queued for a while, or left by a worker that is gone."""
    waiting = Q(state=CheckState.QUEUED, queued_at__lte=now - timedelta(seconds=5))
    left = Q(state=CheckState.RUNNING, started_at__lte=now - PATIENCE)
    with transaction.atomic():
        free = QualityCheck.objects.select_for_update(skip_locked=True, no_key=True).filter(waiting | left)
        return [check.uid for check in free]


def _carry_out(check: QualityCheck, clock: Clock) -> None:
    dataset, now = DATASETS[check.dataset], clock()
    rules = list(_rules_for(check).order_by("code"))
    rows = _rows(check)
    found = look(dataset, rules, rows=rows, now=now)
    QualityResult.objects.bulk_create(_results(check, rules, found))
    tasks.lock(dataset)
    _collect(dataset, rules, rows, found, now)
    tasks.assign(dataset, rules, found.errors, batch_only=check.run_id is not None, now=now)
    check.row_count, check.state, check.finished_at = found.rows, CheckState.DONE, clock()
    check.save(update_fields=["row_count", "state", "finished_at"])


def _rules_for(check: QualityCheck) -> QuerySet[QualityRule]:
    """Return the rules a check carries out: measures tell of plans and services as a whole, never of what one run brought."""
    rules = QualityRule.objects.filter(dataset=check.dataset, is_active=True, retired_at=None)
    return rules if check.run_id is None else rules.exclude(kind=RuleKind.MEASURE)


def _rows(check: QualityCheck) -> str:
    batch = f" AND b.run_id = {int(check.run_id)}" if check.run_id is not None else ""
    return f"b.withdrawn_at IS NULL{batch}"


@transaction.atomic
def look(dataset: Dataset, rules: Sequence[QualityRule], *, rows: str, now: datetime) -> Found:
    """Return what the rules find; nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{_MEMORY}'")
    found, filled = Found(), _filled(dataset)
    compiled = {rule: sql for rule in rules if (sql := _compiled(dataset, rule, found, now))}
    apart = [rule for rule in compiled if looks_apart(rule)]
    by_row = {rule: sql for rule, sql in compiled.items() if rule not in apart}
    try:
        with transaction.atomic():
            _scan(dataset, by_row, apart, rows, found=found, filled=filled)
    except Error:
        found.counts.clear()
        for rule, sql in by_row.items():
            one = {rule: sql}
            _alone(found, rule, lambda one=one: _scan(dataset, one, [], rows, found=found, filled=filled))  # type: ignore[misc]
        for rule in apart:
            _alone(found, rule, lambda rule=rule: _scan(dataset, {}, [rule], rows, found=found, filled=filled))  # type: ignore[misc]
    for rule in rules:
        if rule in apart and rule.pk not in found.errors:
            _alone(found, rule, lambda rule=rule: _look_apart(dataset, rule, rows, found))  # type: ignore[misc]
        elif rule.kind == RuleKind.MEASURE:
            _alone(found, rule, lambda rule=rule: _measure(dataset, rule, now, found))  # type: ignore[misc]
    return found


def _filled(dataset: Dataset) -> frozenset[str]:
    """Return the columns the database itself keeps from being null: nothing need be looked at there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnotnull", [dataset.table])
        return frozenset(row[0] for row in cursor.fetchall())


def _compiled(dataset: Dataset, rule: QualityRule, found: Found, now: datetime) -> str:
    if rule.kind == RuleKind.MEASURE:
        return ""
    try:
        applies_sql(dataset, rule)
        return failing_sql(dataset, rule, "false") if looks_apart(rule) else passes_sql(dataset, rule, today=today_in_shanghai(now))
    except DomainError as error:
        found.errors[rule.pk] = str(error.message)
        return ""


def _alone(found: Found, rule: QualityRule, looking: Callable[[], None]) -> None:
    """Let one rule fail by itself."""
    try:
        with transaction.atomic():
            looking()
    except DomainError as error:
        found.errors[rule.pk] = str(error.message)
    except Error as error:
        code = getattr(error.__cause__, "pgcode", "") or ""
        found.errors[rule.pk] = _("数据库不能执行这条规则（错误码 %(code)s）。") % {"code": code}


def _scan(
    dataset: Dataset,
    by_row: Mapping[QualityRule, str],
    apart: Sequence[QualityRule],
    rows: str,
    *,
    found: Found,
    filled: Collection[str],
) -> None:
    """Count what all rules apply to in one pass, and what fails in another that looks closely at suspects alone."""
    conditions = {rule: applies_sql(dataset, rule, filled=filled) for rule in (*by_row, *apart)}
    different = list(dict.fromkeys(conditions.values()))
    counts = "".join(f", count(*) FILTER (WHERE {sql})" if sql else ", count(*)" for sql in different)
    failures = "".join(f", count(*) FILTER (WHERE {sql} IS FALSE)" for sql in by_row.values())
    suspects = glance_of(dataset, by_row, filled=filled).suspects_sql(dataset.table, rows)
    start = "SELECT b.source_department_id"
    with connection.cursor() as cursor:
        cursor.execute(f"{start}, count(*){counts} FROM {dataset.table} b WHERE {rows} GROUP BY 1")
        lines = cursor.fetchall()
        failed = []
        if by_row:
            cursor.execute(f"{start}{failures} {suspects} GROUP BY 1")
            failed = cursor.fetchall()
    found.rows = sum(line[1] for line in lines)
    for department, _count, *checked in lines:
        of_condition = dict(zip(different, checked, strict=True))
        for rule, sql in conditions.items():
            found.add(rule, department, of_condition[sql])
    for department, *counted in failed:
        for rule, count in zip(by_row, counted, strict=True):
            found.fail(rule, department, count)


def _look_apart(dataset: Dataset, rule: QualityRule, rows: str, found: Found) -> None:
    with connection.cursor() as cursor, _in_one_go(cursor):
        cursor.execute("SET LOCAL enable_hashagg = off")  # digests that hardly ever repeat are sorted in half the time
        cursor.execute(f"SELECT department_id, count(*) FROM ({failing_sql(dataset, rule, rows)}) q GROUP BY 1")
        counted = cursor.fetchall()
        cursor.execute("SET LOCAL enable_hashagg TO DEFAULT")
    for department, count in counted:
        found.fail(rule, department, count)


@contextmanager
def _in_one_go(cursor: Any) -> Iterator[None]:
    """Have whole tables compared: the planner expects few of the rows a run just brought, and would read a base once for each."""
    cursor.execute("SET LOCAL enable_nestloop = off")
    yield
    cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")


def _measure(dataset: Dataset, rule: QualityRule, now: datetime, found: Found) -> None:
    measure = MEASURES.get(str(rule.parameters.get("name")))
    if measure is None:
        found.errors[rule.pk] = _("没有这项运行指标。")
        return
    for department, measured in measure(dataset.code, now).items():
        found.add(rule, department, measured.checked)
        found.fail(rule, department, measured.failed)


def _results(check: QualityCheck, rules: Iterable[QualityRule], found: Found) -> list[QualityResult]:
    results = []
    for rule in rules:
        if rule.pk in found.errors:
            results.append(QualityResult(check_of=check, rule=rule, error=found.errors[rule.pk][:200]))
            continue
        counts = found.counts.get(rule.pk) or {None: (0, 0)}
        results += [
            QualityResult(check_of=check, rule=rule, department_id=department, checked=checked, failed=failed)
            for department, (checked, failed) in counts.items()
        ]
    return results


def _collect(dataset: Dataset, rules: Sequence[QualityRule], rows: str, found: Found, now: datetime) -> None:
    """Put the rows that failed into a temporary table: rule, row, version, department. At most so many a rule and department."""
    failing = [rule for rule in rules if found.failed(rule) and rule.kind != RuleKind.MEASURE]
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS pg_temp.{tasks.FAULTS};"
            f"CREATE TEMPORARY TABLE {tasks.FAULTS} (rule_id bigint, row_id bigint, row_version integer, department_id bigint) "
            "ON COMMIT DROP"
        )
        by_row = {rule: passes_sql(dataset, rule, today=today_in_shanghai(now)) for rule in failing if not looks_apart(rule)}
        if by_row:
            places = ", ".join(f"({rule.pk}, {sql})" for rule, sql in by_row.items())
            any_of = " OR ".join(f"{sql} IS FALSE" for sql in by_row.values())
            cursor.execute(
                _listed_sql(
                    f"SELECT v.rule_id, b.id AS row_id, b.version AS row_version, b.source_department_id AS department_id "
                    f"FROM {dataset.table} b CROSS JOIN LATERAL (VALUES {places}) AS v(rule_id, passes) "
                    f"WHERE {rows} AND ({any_of}) AND v.passes IS FALSE"
                )
            )
        with _in_one_go(cursor):
            for rule in failing:
                if looks_apart(rule):
                    query = failing_sql(dataset, rule, rows)
                    named = f"SELECT {rule.pk}::bigint AS rule_id, id AS row_id, version AS row_version, department_id"
                    cursor.execute(_listed_sql(f"{named} FROM ({query}) q"))


def _listed_sql(query: str) -> str:
    return (
        f"INSERT INTO {tasks.FAULTS} SELECT rule_id, row_id, row_version, department_id FROM (SELECT q.*, row_number() OVER "
        f"(PARTITION BY rule_id, department_id ORDER BY row_id) AS place FROM ({query}) q) p WHERE place <= {tasks.MOST_LISTED}"
    )
