"""Laying a plan down and looking after it (归集任务设立与维护): draft, connection, mapping, timetable; edits, switching off.

An operator lays plans down for the own department, the data centre's reviewers for any. A draft keeps what was typed between the
steps, its password sealed; the plan is made of it at the end by `plans.create_plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department
from core.roles import Role
from exchange.aggregation import schema_drift
from exchange.aggregation.connectors.drops import folder_of
from exchange.aggregation.connectors.registry import CONNECTORS, DROPS
from exchange.aggregation.plans import check_alone, create_plan
from exchange.aggregation.visibility import may_look_after, visible_plan
from exchange.models import AggregationPlan, AggregationRun, PlanDraft, RunState
from exchange.querysets import is_reviewer
from exchange.sealed_passwords import password_of, seal_password

WHERE = ("host", "port", "database", "user", "url", "header")  # a password is for just this
LIMITS = ("reject_limit_percent", "reject_limit_count", "delete_limit_percent")
EDITABLE = ("title", "every_minutes", "lag_seconds", "batch_size", *LIMITS, "parts")


def may_lay_down(actor: Actor) -> bool:
    """Return whether the actor sets plans up at all."""
    return is_reviewer(actor) or (actor.has(Role.OPERATOR) and actor.department_id is not None)


def departments_for(actor: Actor) -> QuerySet[Department]:
    """Return the departments the actor may set plans up for."""
    everybody = Department.objects.order_by("name")
    return everybody if is_reviewer(actor) else everybody.filter(pk=actor.department_id or 0)


def drafts_visible_to(actor: Actor) -> QuerySet[PlanDraft]:
    """Return the unfinished drafts the actor may go on with."""
    drafts = PlanDraft.objects.filter(plan=None).select_related("department")
    if is_reviewer(actor):
        return drafts
    return drafts.filter(department_id=actor.department_id or 0) if may_lay_down(actor) else drafts.none()


def visible_draft(uid: UUID, actor: Actor, *, lock: bool = False) -> PlanDraft:
    """Return one draft, locked when asked; NotFound otherwise."""
    drafts = drafts_visible_to(actor)
    if lock:
        drafts = drafts.select_for_update(of=("self",), no_key=True)
    draft = drafts.filter(uid=uid).first()
    if draft is None:
        raise NotFound("plan_draft.not_found", _("没有这个归集任务草稿，或您无权查看；它可能已经设立为任务。"))
    return draft


def _department(uid: UUID, actor: Actor) -> Department:
    if not may_lay_down(actor) or actor.user_id is None:
        raise Forbidden("plan.not_yours", _("归集任务由部门经办人或数据中心设立。"))
    department = departments_for(actor).filter(uid=uid).first()
    if department is None:
        fault = _("请选择本部门；为其他部门设立任务请联系数据中心。")
        raise Invalid("plan.department_invalid", fault, {"department": fault})
    return department


def _check_place(connector: str, settings: Mapping[str, Any], department: Department, actor: Actor) -> None:
    """Raise Invalid for settings that cannot work, and for a folder of the exchange node that is not the department's own.

    Its own is the folder named by its code, and any the data centre has laid a plan of the department's on.
    """
    CONNECTORS[connector].check_settings(settings)
    if connector not in DROPS or is_reviewer(actor):
        return
    folder = folder_of(settings)
    plans = AggregationPlan.objects.filter(department=department, connector__in=DROPS)
    own = [folder_of({"folder": department.code}), *(folder_of(known) for known in plans.values_list("settings", flat=True))]
    if not any(folder.is_relative_to(one) for one in own):
        fault = _("只能使用本部门的前置机目录（以部门代码命名），其他目录请由数据中心设立。")
        raise Invalid("plan.folder_not_yours", fault, {"folder": fault})


def _check_password(holder: AggregationPlan | PlanDraft, settings: Mapping[str, Any], password: str) -> None:
    """Raise Invalid when a kept password would go to another place than the one it was typed for."""
    moved = any(holder.settings.get(name) != settings.get(name) for name in WHERE)
    if moved and not password and holder.secret_key_id is not None:
        fault = _("连接位置已更改，请重新填写口令。")
        raise Invalid("plan.password_again", fault, {"password": fault})


@transaction.atomic
def lay_down_at_once(*, values: Mapping[str, Any], actor: Actor, now: datetime) -> AggregationPlan:
    """Make a plan of everything that is said about it in one go; `department` is a uid."""
    department = _department(values["department"], actor)
    given = {"key_column": "", **values, "department": department}
    _check_place(given["connector"], given["settings"], department, actor)
    return create_plan(**given, actor=actor, now=now)


@transaction.atomic
def start_draft(*, title: str, department_uid: UUID, dataset: str, connector: str, actor: Actor, now: datetime) -> PlanDraft:
    """Begin a plan: whose data, into what, from which kind of source. Without a dataset it serves the catalogue alone."""
    department = _department(department_uid, actor)
    if (dataset and dataset not in DATASETS) or connector not in CONNECTORS:
        fault = _("没有这个数据集或接入方式。")
        raise Invalid("plan.dataset_unknown", fault, {"dataset": fault})
    draft = PlanDraft.objects.create(
        title=title, department=department, dataset=dataset, connector=connector, created_by_id=actor.user_id or 0
    )
    audit.record(actor, "plan_draft.started", draft, at=now, department_ids=[department.pk], connector=connector)
    return draft


@transaction.atomic
def connect_draft(*, uid: UUID, settings: Mapping[str, Any], password: str, actor: Actor, now: datetime) -> PlanDraft:
    """Say where the rows come from; an empty password keeps the one that was typed before."""
    draft = visible_draft(uid, actor, lock=True)
    _check_place(draft.connector, settings, draft.department, actor)
    _check_password(draft, settings, password)
    draft.settings = dict(settings)
    if password:
        seal_password(draft, password)
    draft.revision += 1
    draft.save()
    audit.record(actor, "plan_draft.connected", draft, at=now, department_ids=[draft.department_id])
    return draft


@transaction.atomic
def map_draft(*, uid: UUID, mapping: Mapping[str, Any], actor: Actor, now: datetime) -> PlanDraft:
    """Say which column is which field; what must be mapped is judged when the plan is made."""
    draft = visible_draft(uid, actor, lock=True)
    draft.mapping = dict(mapping)
    draft.revision += 1
    draft.save()
    audit.record(actor, "plan_draft.mapped", draft, at=now, department_ids=[draft.department_id])
    return draft


@transaction.atomic
def lay_down(*, uid: UUID, values: Mapping[str, Any], actor: Actor, now: datetime) -> AggregationPlan:
    """Make the plan of a complete draft; `values` are timetable, part of the source, deletes and limits."""
    draft = visible_draft(uid, actor, lock=True)
    if not draft.dataset:
        fault = _("这份草稿没有目标数据集，只能用于逆向编目。")
        raise Invalid("plan.dataset_missing", fault, {"dataset": fault})
    plan = create_plan(
        title=draft.title,
        department=draft.department,
        dataset=draft.dataset,
        connector=draft.connector,
        settings=draft.settings,
        columns=draft.mapping.get("columns", {}),
        key_column=draft.mapping.get("key_column", ""),
        cursor_column=draft.mapping.get("cursor_column", ""),
        valid_from_column=draft.mapping.get("valid_from_column", ""),
        password=password_of(draft),
        actor=actor,
        now=now,
        **values,
    )
    draft.plan = plan
    draft.secret_key_id = draft.secret_nonce = draft.secret_ciphertext = None
    draft.save()
    return plan


def _looked_after(uid: UUID, actor: Actor) -> AggregationPlan:
    """Return a plan the actor may change, locked."""
    plan = visible_plan(uid, actor, lock=True)
    if not may_look_after(plan, actor):
        raise Forbidden("plan.not_yours", _("归集任务由部门经办人或数据中心维护。"))
    return plan


@transaction.atomic
def edit_plan(
    *,
    uid: UUID,
    revision: int,
    values: Mapping[str, Any],
    settings: Mapping[str, Any],
    password: str,
    actor: Actor,
    now: datetime,
) -> AggregationPlan:
    """Change title, timetable, limits and where the source is; an empty password keeps the old one."""
    plan = _looked_after(uid, actor)
    if plan.revision != revision:
        raise Conflict("plan.changed", _("该归集任务刚刚被他人修改，请核对后再保存。"), {"revision": plan.revision})
    _check_place(plan.connector, settings, plan.department, actor)
    _check_password(plan, settings, password)
    changed = sorted(name for name in EDITABLE if name in values and getattr(plan, name) != values[name])
    for name in changed:
        setattr(plan, name, values[name])
    if dict(plan.settings) != dict(settings):
        changed.append("settings")
        plan.settings = dict(settings)
    if "every_minutes" in changed:
        plan.next_run_at = now if plan.every_minutes else None
    if password:
        seal_password(plan, password)
        changed.append("password")
    plan.revision += 1
    plan.save()
    audit.record(actor, "aggregation_plan.edited", plan, at=now, department_ids=[plan.department_id], changed=changed)
    return plan


@transaction.atomic
def switch_plan(*, uid: UUID, is_active: bool, actor: Actor, now: datetime) -> AggregationPlan:
    """Take a plan out of use or into it again; what is under way is carried to its end."""
    plan = _looked_after(uid, actor)
    if is_active:
        check_alone(plan)
    plan.is_active = is_active
    plan.next_run_at = now if is_active and plan.every_minutes else None
    plan.revision += 1
    plan.save(update_fields=["is_active", "next_run_at", "revision", "updated_at"])
    event = "enabled" if is_active else "disabled"
    audit.record(actor, f"aggregation_plan.{event}", plan, at=now, department_ids=[plan.department_id])
    return plan


@transaction.atomic
def start_over(*, uid: UUID, actor: Actor, now: datetime) -> AggregationPlan:
    """Have the next run read from the start and take the source's schema as it then is; nothing that was loaded is lost."""
    plan = _looked_after(uid, actor)
    if AggregationRun.objects.filter(plan=plan, state__in=(RunState.QUEUED, RunState.RUNNING)).exists():
        raise Conflict("run.under_way", _("该归集任务已有一次运行正在进行，请等它结束。"))
    plan.checkpoint = {}
    plan.revision += 1
    plan.save(update_fields=["checkpoint", "revision", "updated_at"])
    schema_drift.accept_types(plan=plan, actor=actor, now=now)
    audit.record(actor, "aggregation_plan.started_over", plan, at=now, department_ids=[plan.department_id])
    return plan
