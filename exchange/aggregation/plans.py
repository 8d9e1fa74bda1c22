"""Aggregation plans (归集任务): laying one down, and queueing runs, by a clerk or because one is due.

A plan has at most one run queued or running; the database promises it. What a run does is in `runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from basedb.matching.legacy import kinds_of
from basedb.models import DataSource
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Invalid
from core.models import Department
from core.texts import listed
from exchange.aggregation.connector import dataset_of
from exchange.aggregation.connectors import drops
from exchange.aggregation.connectors.registry import CONNECTORS, DATABASES, DROPS
from exchange.aggregation.visibility import visible_plan
from exchange.models import AggregationPlan, AggregationRun, ConnectorKind, DeleteMode, RunState
from exchange.sealed_passwords import seal_password

RUN_TASK = "exchange.run_aggregation"
PART_TASK = "exchange.run_aggregation_part"
LOOK_INTO_FOLDERS = timedelta(minutes=5)
UNFINISHED = (RunState.QUEUED, RunState.RUNNING)


@transaction.atomic
def create_plan(
    *,
    title: str,
    department: Department,
    dataset: str,
    connector: str,
    settings: Mapping[str, Any],
    columns: Mapping[str, str],
    key_column: str,
    actor: Actor,
    now: datetime,
    cursor_column: str = "",
    every_minutes: int | None = None,
    password: str = "",
    source: DataSource | None = None,
    collector: str = "",
    is_lead: bool = True,
    is_keyless: bool = False,
    row_key_kind: str = "",
    **values: Any,
) -> AggregationPlan:
    """Lay a plan down with its source (数源), its password sealed; a mapping that cannot work is Invalid.

    Without a `source` given one is made: it speaks for `collector`, by default the kind of department the contract names for the
    key; a lead source makes entities, another adds to them; `row_key_kind` says which old identifier keys a keyless one.
    """
    plan = AggregationPlan(
        title=title,
        department=department,
        dataset=dataset,
        connector=connector,
        settings=dict(settings),
        columns=dict(columns),
        key_column=key_column,
        cursor_column=cursor_column,
        every_minutes=every_minutes,
        next_run_at=now if every_minutes else None,
        **values,
    )
    plan.source = source or _source_of(plan, collector, is_lead=is_lead, is_keyless=is_keyless, row_key_kind=row_key_kind)
    _check_mapping(plan)
    if password:
        seal_password(plan, password)
    plan.source.save()
    plan.source_id = plan.source.pk
    plan.save(force_insert=True)
    audit.record(
        actor, "aggregation_plan.created", plan, at=now, department_ids=[department.pk], dataset=dataset, connector=connector
    )
    return plan


def _source_of(plan: AggregationPlan, collector: str, *, is_lead: bool, is_keyless: bool, row_key_kind: str) -> DataSource:
    dataset = dataset_of(plan)
    return DataSource(
        code=f"{dataset.code}.{plan.uid.hex[-12:]}",
        title=plan.title,
        dataset=dataset.code,
        department=plan.department,
        collector=collector or dataset.field(dataset.key_field).source,
        is_lead=is_lead,
        is_keyless=is_keyless,
        row_key_kind=row_key_kind,
    )


def _needed(plan: AggregationPlan) -> set[str]:
    """The fields a plan must map: all required ones for a lead source, else what names the subject; without a key, none."""
    dataset, source = dataset_of(plan), plan.source
    needed = {field.name for field in dataset.fields if field.required} if source.is_lead else {dataset.key_field}
    return needed - {dataset.key_field} if source.is_keyless else needed


def _check_mapping(plan: AggregationPlan) -> None:
    dataset = dataset_of(plan)
    if plan.source.dataset != dataset.code:
        raise Invalid("plan.source_differs", _("所选数源属于另一个数据集，请更换数源。"), {"source": _("数据集不一致")})
    unknown = sorted(plan.columns.keys() - set(dataset.field_names))
    needed = _needed(plan)
    missing = [name for name in dataset.field_names if name in needed and not plan.columns.get(name)]
    if unknown or missing:
        titles = listed(f"{dataset.field(name).title}({name})" for name in missing)
        told = _("字段对应缺少%(fields)s，请补上。") % {"fields": titles} if missing else ""
        told += _("目标数据集没有字段%(fields)s，请从字段对应中去掉。") % {"fields": listed(unknown)} if unknown else ""
        raise Invalid("plan.columns_invalid", told, {"columns": [*missing, *unknown]})
    if plan.connector in DATABASES and not plan.key_column:
        raise Invalid("plan.key_missing", _("部门数据库的归集任务必须指定源主键。"), {"key_column": _("必填")})
    if plan.source.is_keyless and not plan.key_column:
        raise Invalid("plan.key_missing", _("可缺标识的数源必须指定源主键。"), {"key_column": _("必填")})
    if plan.source.row_key_kind and (not plan.source.is_keyless or plan.source.row_key_kind not in kinds_of(dataset.code)):
        text = _("源主键所用的旧标识只用于可缺标识的数源，且须适合目标数据集。")
        raise Invalid("plan.row_key_kind_invalid", text, {"row_key_kind": [text]})
    _check_deletes(plan)
    check_alone(plan)
    CONNECTORS[plan.connector].check_settings(plan.settings)


def _check_deletes(plan: AggregationPlan) -> None:
    if plan.delete_mode == DeleteMode.TOMBSTONE and not (plan.tombstone_column and plan.tombstone_value):
        said = _("按删除标志处理时，必须指定删除标志字段和标志值。")
        raise Invalid("plan.tombstone_missing", said, {"tombstone_column": _("必填")})
    if plan.delete_mode == DeleteMode.FULL_KEYS and not plan.key_column:
        raise Invalid("plan.key_missing", _("全量主键比对必须指定源主键。"), {"key_column": _("必填")})
    if plan.delete_mode == DeleteMode.FULL_KEYS and plan.connector == ConnectorKind.HTTP_PAGES:
        said = _("接口不能列出全部主键，请改为按删除标志处理或不处理删除。")
        raise Invalid("plan.keys_not_listed", said, {"delete_mode": said})


def check_alone(plan: AggregationPlan) -> None:
    """Raise Conflict where a plan that compares all keys would end what another plan in use brings into the same data source."""
    others = AggregationPlan.objects.filter(source_id=plan.source_id, is_active=True).exclude(pk=plan.pk)
    if plan.delete_mode != DeleteMode.FULL_KEYS:
        others = others.filter(delete_mode=DeleteMode.FULL_KEYS)
    other = others.order_by("id").first() if plan.source_id else None
    if other is not None:
        said = _(
            "数源「%(source)s」已由归集任务「%(plan)s」使用；全量主键比对的任务须独占数源，否则会互相终止对方的记录。请另设数源，或先停用那个任务。"
        )
        raise Conflict(
            "plan.source_shared", said % {"source": plan.source.title, "plan": other.title}, {"delete_mode": str(other.uid)}
        )


@transaction.atomic
def queue_run(*, plan_uid: UUID, actor: Actor, now: datetime) -> AggregationRun:
    """Start a run by hand: it is queued now and taken by the next free worker."""
    plan = visible_plan(plan_uid, actor, lock=True)
    if not plan.is_active:
        raise Conflict("plan.inactive", _("归集任务已停用，不能启动。"))
    run = queue(plan, now=now, started_by_id=actor.user_id)
    audit.record(actor, "aggregation_run.queued", run, at=now, department_ids=[plan.department_id], plan=str(plan.uid))
    return run


def queue(plan: AggregationPlan, *, now: datetime, **values: Any) -> AggregationRun:
    """Insert a run of a locked plan and hand it to a worker on commit; Conflict while another is under way."""
    try:
        with transaction.atomic():
            run = AggregationRun.objects.create(plan=plan, queued_at=now, **values)
    except IntegrityError as error:
        raise Conflict("run.under_way", _("该归集任务已有一次运行正在进行，请等它结束。")) from error
    transaction.on_commit(lambda: current_app.send_task(RUN_TASK, [str(run.uid)], retry=False), robust=True)
    return run


@transaction.atomic
def queue_due(*, now: datetime) -> int:
    """Queue a run of every plan that is due, skipping those under way and folders without a new file; return how many."""
    under_way = AggregationRun.objects.filter(plan=OuterRef("pk"), state__in=UNFINISHED)
    due = AggregationPlan.objects.filter(~Exists(under_way), is_active=True, next_run_at__lte=now)
    queued = 0
    for plan in due.select_for_update(skip_locked=True, no_key=True):
        if _has_something(plan):
            queue(plan, now=now)
            queued += 1
        plan.next_run_at = _next_time(plan, now)
        plan.save(update_fields=["next_run_at"])
    return queued


def _has_something(plan: AggregationPlan) -> bool:
    if plan.connector not in DROPS:
        return True
    try:
        return next(drops.waiting_files(plan, again=False), None) is not None
    except DomainError:
        return True  # the run will say what is wrong


def _next_time(plan: AggregationPlan, now: datetime) -> datetime | None:
    """A folder is looked into often, however seldom its department has promised a file."""
    if plan.every_minutes is None:
        return None
    period = timedelta(minutes=plan.every_minutes)
    return now + (min(period, LOOK_INTO_FOLDERS) if plan.connector in DROPS else period)
