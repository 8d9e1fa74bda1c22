"""When a source changes its shape (数源结构变化): before anything is loaded, the columns found are held against those known.

A mapped column that is gone, renamed or of another type stops the run with the names; a new column does no harm and waits
for a person, who takes it into the mapping or leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.texts import headed, in_clauses, listed
from exchange.aggregation.column_breaks import settle_breaks
from exchange.aggregation.connector import dataset_of
from exchange.aggregation.connectors.terms import Column, fingerprint, place_of
from exchange.aggregation.visibility import may_look_after, plans_visible_to
from exchange.models import AggregationPlan, AggregationRun, RunState, SchemaChange, SchemaChangeState, SourceSchema


@transaction.atomic
def compare(plan: AggregationPlan, columns: Sequence[Column], *, now: datetime) -> None:
    """Raise Invalid when a mapped column is missing or changed its type; queue new columns and remember what is there."""
    found = {column.name: column.base_type for column in columns}
    known = SourceSchema.objects.filter(plan=plan).first()
    check_mapped(place_of(plan).wanted, found, known.columns if known else {})
    settle_breaks(plan, now=now)
    digest = fingerprint(found)
    if known is not None and known.fingerprint == digest:
        return
    if known is not None and known.columns:
        _queue(plan, [column for column in columns if column.name not in known.columns], now)
    SourceSchema.objects.update_or_create(plan=plan, defaults={"columns": found, "fingerprint": digest, "seen_at": now})


def known_columns(plan: AggregationPlan) -> tuple[Column, ...]:
    """Return the columns the last good run saw."""
    known = SourceSchema.objects.filter(plan=plan).first()
    return tuple(Column(name, kind) for name, kind in known.columns.items()) if known else ()


def check_mapped(wanted: Sequence[str], found: dict[str, str], known: dict[str, str]) -> None:
    """Raise Invalid for wanted columns that are not there, then for those of another type; pure."""
    missing = [name for name in wanted if name not in found]
    if missing:
        fresh = [name for name in found if known and name not in known]
        text = _("数源表缺少字段：%(names)s。") % {"names": listed(missing)}
        if fresh:
            text += _("新出现的字段：%(names)s，可能是改名，请核对字段对应。") % {"names": listed(fresh[:10])}
        raise Invalid("source.column_missing", text, {"columns": missing})
    changed = [name for name in wanted if name in known and known[name] != found[name]]
    if changed:
        said = in_clauses(headed(name, f"{known[name]} → {found[name]}") for name in changed)
        text = _("数源字段的类型已改变（%(what)s），未归集任何记录。请与数源部门核实，确认后在任务页面「接受新结构」。")
        raise Invalid("source.type_changed", text % {"what": said[:300]}, {"columns": changed})


def _queue(plan: AggregationPlan, columns: Sequence[Column], now: datetime) -> None:
    settled = set(SchemaChange.objects.filter(plan=plan).values_list("column", flat=True))
    SchemaChange.objects.bulk_create(
        SchemaChange(
            plan=plan,
            column=column.name[:128],
            column_type=column.data_type[:100],
            comment=column.comment[:200],
            found_at=now,
        )
        for column in columns
        if column.name not in settled
    )


def pending_of(plan: AggregationPlan) -> QuerySet[SchemaChange]:
    """Return the new columns of a plan that wait for somebody."""
    return SchemaChange.objects.filter(plan=plan, state=SchemaChangeState.PENDING)


@transaction.atomic
def decide(*, uid: UUID, field: str, actor: Actor, now: datetime) -> SchemaChange:
    """Take a new column into the mapping under `field`, or leave it out when `field` is empty.

    The mapping of a run under way stays: what it has read already would lack the column, and its checkpoint would hide that.
    """
    change = SchemaChange.objects.filter(uid=uid, plan__in=plans_visible_to(actor)).first()
    if change is None:
        raise NotFound("schema_change.not_found", _("没有这条数源结构变化，或您无权查看。"))
    plan = AggregationPlan.objects.select_for_update(no_key=True).get(pk=change.plan_id)
    if not may_look_after(plan, actor):
        raise Forbidden("plan.not_yours", _("归集任务由部门经办人或数据中心维护。"))
    change = SchemaChange.objects.select_for_update(no_key=True).get(pk=change.pk)
    if change.state != SchemaChangeState.PENDING:
        raise Conflict("schema_change.settled", _("这条数源结构变化已由他人确认。"))
    if field and AggregationRun.objects.filter(plan=plan, state__in=(RunState.QUEUED, RunState.RUNNING)).exists():
        raise Conflict("run.under_way", _("该归集任务已有一次运行正在进行，请等它结束。"))
    if field:
        _map(plan, field, change.column)
    change.state = SchemaChangeState.ACCEPTED if field else SchemaChangeState.IGNORED
    change.field, change.decided_at, change.decided_by_id = field, now, actor.user_id
    change.save(update_fields=["state", "field", "decided_at", "decided_by"])
    event = "schema_change.accepted" if field else "schema_change.ignored"
    audit.record(actor, event, plan, at=now, department_ids=[plan.department_id], column=change.column, field=field)
    return change


def _map(plan: AggregationPlan, field: str, column: str) -> None:
    if field not in dataset_of(plan).field_names or field in plan.columns:
        fault = _("请选择数据集中尚未对应的信息项。")
        raise Invalid("schema_change.field_invalid", fault, {"field": fault})
    plan.columns = {**plan.columns, field: column}
    plan.checkpoint = {}  # rows already here lack the value: they are read once more
    plan.revision += 1
    plan.save(update_fields=["columns", "checkpoint", "revision", "updated_at"])


@transaction.atomic
def accept_types(*, plan: AggregationPlan, actor: Actor, now: datetime) -> None:
    """Forget the known schema, so that the next run takes the source as it is; the caller holds the plan."""
    SourceSchema.objects.filter(plan=plan).update(columns={}, fingerprint="", seen_at=now)
    audit.record(actor, "source_schema.accepted", plan, at=now, department_ids=[plan.department_id])
