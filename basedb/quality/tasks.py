"""Tasks of the departments whose rows failed (质量整改): opened and settled by checks, answered by their owners.

A fault is fixed when a later check no longer finds it: the owner corrects the row where it comes from and it is aggregated anew.
What is right although it breaks a rule is accepted with a reason, until the row changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import Dataset
from basedb.models import FaultState, QualityFault, QualityRule, QualityTask, RuleKind
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role
from core.working_days import deadline

FAULTS: Final = "quality_faults"  # the temporary table a check leaves: rule_id, row_id, row_version, department_id
MOST_LISTED: Final = 10_000  # rows a task lists one by one; the rest is counted

# A row of `f` that its owner lets stand as it is, under rule `r`: it stays so until it changes.
_ACCEPTED: Final = (
    "SELECT FROM basedb_qualityfault q JOIN basedb_qualitytask o ON o.id = q.task_id WHERE o.dataset = r.dataset "
    "AND o.rule_code = r.code AND o.department_id = f.department_id AND q.row_id = f.row_id AND q.state = 'ACCEPTED' "
    "AND q.row_version = f.row_version"
)


def visible_to(actor: Actor) -> QuerySet[QualityTask]:
    """Return the tasks an actor may see: those of the own department, all of them at the data centre."""
    tasks = QualityTask.objects.select_related("department")
    if actor.is_data_centre and actor.has(Role.REVIEWER):
        return tasks
    if actor.has(Role.OPERATOR, Role.HEAD):
        return tasks.filter(department_id=actor.department_id or 0)
    return tasks.none()


def visible_task(uid: UUID, actor: Actor) -> QualityTask:
    """Return one visible task; NotFound otherwise."""
    task = visible_to(actor).filter(uid=uid).first()
    if task is None:
        raise NotFound("quality.task_not_found", _("没有这张整改单，或您无权查看。"))
    return task


@transaction.atomic
def accept(*, uid: UUID, fault_uids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> int:
    """Let rows stand as they are, with a reason; return how many. Only the owner department can say so."""
    task = QualityTask.objects.select_for_update(no_key=True).get(pk=visible_task(uid, actor).pk)
    if task.department_id != actor.department_id or not actor.has(Role.OPERATOR, Role.HEAD):
        raise Forbidden("quality.not_owner", _("只有责任部门的经办人或负责人可以说明情况。"))
    reason = reason.strip()
    if not 2 <= len(reason) <= 200 or not reason.isprintable():
        raise Invalid(
            "quality.reason_required", _("请说明数据属实、不需更改的理由（2 至 200 字）。"), {"reason": _("必填，2 至 200 字")}
        )
    faults = QualityFault.objects.filter(task=task, uid__in=fault_uids, state=FaultState.OPEN)
    count = faults.update(state=FaultState.ACCEPTED, reason=reason, settled_at=now)
    if count != len(set(fault_uids)):
        raise Conflict("quality.fault_settled", _("其中有记录已经处理完毕，请刷新后重新选择。"))
    _count(task, now)
    audit.record(
        actor, "quality_fault.accepted", task, at=now, department_ids=[task.department_id], rule=task.rule_code, count=count
    )
    return count


def _count(task: QualityTask, now: datetime) -> None:
    """Bring a locked task's number up to date; one with nothing left is closed."""
    task.open_count = QualityFault.objects.filter(task=task, state=FaultState.OPEN).count()
    task.closed_at = now if not task.open_count and not task.unlisted_count else None
    task.save(update_fields=["open_count", "closed_at"])


def lock(dataset: Dataset) -> None:
    """Let one check at a time write the tasks of a dataset; the next one sees what this one wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"quality_tasks:{dataset.code}"])


def assign(dataset: Dataset, rules: Sequence[QualityRule], errors: Mapping[int, str], *, batch_only: bool, now: datetime) -> None:
    """Turn the failed rows of a check (temporary table `quality_faults`) into tasks, and settle what is no longer found.

    A check of one batch only adds. A rule that could not be carried out settles nothing, one no longer in force settles all.
    What another check found since this one began (`now`) is left to the next. The caller holds the `lock`.
    """
    by_id = {rule.pk: rule for rule in rules if rule.kind != RuleKind.MEASURE and rule.pk not in errors}
    gone: set[str] = set() if batch_only else _codes_out_of_force(dataset, rules)
    tasks = _open_tasks(dataset, by_id, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS pg_temp.quality_found;"
            "CREATE TEMPORARY TABLE quality_found ON COMMIT DROP AS SELECT t.id AS task_id, f.row_id, f.row_version "
            f"FROM {FAULTS} f JOIN basedb_qualityrule r ON r.id = f.rule_id JOIN basedb_qualitytask t "
            "ON t.dataset = r.dataset AND t.rule_code = r.code AND t.department_id = f.department_id AND t.closed_at IS NULL "
            f"WHERE NOT EXISTS ({_ACCEPTED} AND o.id <> t.id)"
        )
        cursor.execute(
            "UPDATE basedb_qualityfault q SET state = 'OPEN', row_version = f.row_version, settled_at = NULL, reason = '' "
            "FROM quality_found f WHERE q.task_id = f.task_id AND q.row_id = f.row_id AND q.state = 'ACCEPTED' "
            "AND q.row_version <> f.row_version"
        )
        cursor.execute(
            "INSERT INTO basedb_qualityfault (task_id, row_id, row_version, found_at) "
            "SELECT f.task_id, f.row_id, f.row_version, %s FROM quality_found f "
            "WHERE NOT EXISTS (SELECT FROM basedb_qualityfault q WHERE q.task_id = f.task_id AND q.row_id = f.row_id "
            "AND q.state <> 'FIXED')",
            [now],
        )
        if not batch_only:
            cursor.execute(
                "UPDATE basedb_qualityfault q SET state = 'FIXED', settled_at = %s FROM basedb_qualitytask t "
                "WHERE t.id = q.task_id AND t.dataset = %s AND t.rule_code = ANY (%s) AND t.closed_at IS NULL AND q.state = 'OPEN' "
                "AND q.found_at <= %s "
                "AND NOT EXISTS (SELECT FROM quality_found f WHERE f.task_id = q.task_id AND f.row_id = q.row_id)",
                [now, dataset.code, [*gone, *(rule.code for rule in by_id.values())], now],
            )
    _settle(dataset, by_id.values(), tasks, gone=gone, batch_only=batch_only, now=now)


def _codes_out_of_force(dataset: Dataset, rules: Iterable[QualityRule]) -> set[str]:
    """Return the codes of open tasks whose rule was switched off, or looks at no rows any more."""
    in_force = [rule.code for rule in rules if rule.kind != RuleKind.MEASURE]
    opened = QualityTask.objects.filter(dataset=dataset.code, closed_at=None)
    return set(opened.exclude(rule_code__in=in_force).values_list("rule_code", flat=True))


def _open_tasks(dataset: Dataset, by_id: Mapping[int, QualityRule], now: datetime) -> set[int]:
    """Open the tasks that are missing and tell their owners; return which are new. Rows accepted before open nothing again."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT f.rule_id, f.department_id FROM {FAULTS} f JOIN basedb_qualityrule r ON r.id = f.rule_id "
            f"WHERE f.department_id IS NOT NULL AND NOT EXISTS ({_ACCEPTED})"
        )
        wanted = {(by_id[rule_id], department) for rule_id, department in cursor.fetchall()}
    there = set(
        QualityTask.objects.filter(dataset=dataset.code, closed_at=None)
        .select_for_update(no_key=True)
        .values_list("rule_code", "department_id")
    )
    due_at, new = deadline(now, settings.QUALITY_WORKING_DAYS), set()
    for rule, department in sorted(wanted, key=lambda pair: (pair[0].code, pair[1])):
        if (rule.code, department) in there:
            continue
        task = QualityTask.objects.create(
            dataset=dataset.code,
            rule_code=rule.code,
            title=rule.title,
            dimension=rule.dimension,
            department_id=department,
            opened_at=now,
            due_at=due_at,
        )
        new.add(task.pk)
    return new


def _settle(
    dataset: Dataset, rules: Iterable[QualityRule], new: set[int], *, gone: set[str], batch_only: bool, now: datetime
) -> None:
    codes = [*gone, *(rule.code for rule in rules)]
    for task in QualityTask.objects.filter(dataset=dataset.code, rule_code__in=codes, closed_at=None):
        if not batch_only:
            task.unlisted_count = 0 if task.rule_code in gone else _unlisted(task)
            task.save(update_fields=["unlisted_count"])
        _count(task, now)
        if task.pk in new and task.closed_at is None:
            title = _("数据质量待整改：%(what)s") % {"what": task.title}
            body = _("%(count)s 行数据不符合规则，请在来源系统更正后重新归集。") % {"count": task.open_count + task.unlisted_count}
            path = f"/quality/tasks/{task.uid}/"
            notify_role(Role.OPERATOR, department_id=task.department_id, title=title, body=body, path=path, now=now)


def _unlisted(task: QualityTask) -> int:
    """Return how many rows failed beyond those the task lists: none when the newest check of its rule met no row of its owner."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN r.department_id = %s THEN r.failed ELSE 0 END FROM basedb_qualityresult r "
            "JOIN basedb_qualityrule q ON q.id = r.rule_id JOIN basedb_qualitycheck c ON c.id = r.check_of_id "
            "WHERE q.dataset = %s AND q.code = %s AND c.run_id IS NULL "
            "ORDER BY r.check_of_id DESC, r.department_id = %s DESC NULLS LAST LIMIT 1",
            [task.department_id, task.dataset, task.rule_code, task.department_id],
        )
        told = cursor.fetchone()
    return max(0, int(told[0]) - MOST_LISTED) if told else 0


def open_faults(task: QualityTask) -> QuerySet[QualityFault]:
    """Return the rows of a task that wait for their owner, then those accepted."""
    return QualityFault.objects.filter(Q(state=FaultState.OPEN) | Q(state=FaultState.ACCEPTED), task=task)
