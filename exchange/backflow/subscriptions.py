"""Backflow subscriptions (回流任务): laying down, pausing, ending, and who sees them.

Order 809 art. 24: a city or county gets its own rows back. The data centre's reviewer decides; the receiving department
looks on. Selecting and delivering is in `batches` and `delivery`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import BY_SUBJECT
from core import audit
from core.audit import PLATFORM, Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department, Region
from core.roles import Role
from exchange.models import BackflowSubscription, SubscriptionState
from exchange.querysets import is_reviewer
from exchange.sealed_passwords import seal_password

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NEXT_STATES = {
    SubscriptionState.ACTIVE: {SubscriptionState.SUSPENDED, SubscriptionState.ENDED},
    SubscriptionState.SUSPENDED: {SubscriptionState.ACTIVE, SubscriptionState.ENDED},
    SubscriptionState.ENDED: set(),
}


def subscriptions_visible_to(actor: Actor) -> QuerySet[BackflowSubscription]:
    """Return all for reviewers of the data centre, those of the own department for its operators and head."""
    rows = BackflowSubscription.objects.select_related("department", "region")
    if is_reviewer(actor):
        return rows
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return rows.none()
    return rows.filter(department_id=actor.department_id)


def visible_subscription(uid: UUID, actor: Actor, *, lock: bool = False) -> BackflowSubscription:
    """Return one visible subscription, locked when asked; NotFound otherwise."""
    rows = subscriptions_visible_to(actor).filter(uid=uid)
    row = (rows.select_for_update(of=("self",), no_key=True) if lock else rows).first()
    if row is None:
        raise NotFound("backflow.not_found", _("没有这个回流任务，或您无权查看。"))
    return row


@transaction.atomic
def create_subscription(
    *,
    title: str,
    department: Department,
    region: Region,
    dataset: str,
    fields: Sequence[str],
    settings: Mapping[str, Any],
    password: str,
    actor: Actor,
    now: datetime,
    **values: Any,
) -> BackflowSubscription:
    """Lay a subscription down; one region has one of each dataset. Only a reviewer of the data centre, or the platform itself."""
    if actor is not PLATFORM and not is_reviewer(actor):
        raise Forbidden("backflow.reviewer_only", _("回流任务由数据中心审核员设立。"))
    _check(dataset, fields, settings)
    row = BackflowSubscription(
        title=title,
        department=department,
        region=region,
        dataset=dataset,
        fields=list(fields),
        settings=dict(settings),
        next_run_at=now,
        **values,
    )
    seal_password(row, password)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("backflow.exists", _("该区划已有这个数据集的回流任务。"), {"region": _("已有回流任务")}) from error
    audit.record(
        actor, "backflow_subscription.created", row, at=now, department_ids=[department.pk], region=region.code, dataset=dataset
    )
    return row


def _check(dataset: str, fields: Sequence[str], settings: Mapping[str, Any]) -> None:
    faults: dict[str, Any] = {}
    contract = BY_SUBJECT.get(dataset)
    if contract is None:
        faults["dataset"] = _("没有这个数据集")
    elif not fields or set(fields) - set(contract.field_names) or len(set(fields)) != len(fields):
        faults["fields"] = _("信息项须取自该数据集，不能为空或重复")
    if not _NAME.fullmatch(str(settings.get("table", ""))):
        faults["table"] = _("目标表名只能由小写字母、数字和下划线组成")
    if not all(settings.get(name) for name in ("host", "port", "database", "user")):
        faults["host"] = _("目标库的地址、端口、库名和用户都要填写")
    if faults:
        raise Invalid("backflow.invalid", _("回流任务的内容不完整。"), faults)


@transaction.atomic
def change_state(*, uid: UUID, state: SubscriptionState, revision: int, actor: Actor, now: datetime) -> BackflowSubscription:
    """Pause, take up again or end a subscription; a stale page is a Conflict."""
    row = visible_subscription(uid, actor, lock=True)
    if not is_reviewer(actor):
        raise Forbidden("backflow.reviewer_only", _("只有数据中心审核员可以更改回流任务。"))
    if row.revision != revision:
        raise Conflict("backflow.changed", _("回流任务已被他人更改，请刷新后再操作。"), {"state": row.get_state_display()})
    if state not in _NEXT_STATES[SubscriptionState(row.state)]:
        raise Conflict("backflow.state", _("当前状态为「%(state)s」，不能这样更改。") % {"state": row.get_state_display()})
    row.state, row.revision, row.next_run_at = state, row.revision + 1, now
    row.save(update_fields=["state", "revision", "next_run_at", "updated_at"])
    done = "activated" if state == SubscriptionState.ACTIVE else state.lower()
    audit.record(actor, f"backflow_subscription.{done}", row, at=now, department_ids=[row.department_id])
    return row


@transaction.atomic
def start_over(*, uid: UUID, actor: Actor, now: datetime) -> BackflowSubscription:
    """Deliver everything anew, when either side was set back: the next batch empties the target table and begins again."""
    row = visible_subscription(uid, actor, lock=True)
    if not is_reviewer(actor):
        raise Forbidden("backflow.reviewer_only", _("只有数据中心审核员可以更改回流任务。"))
    row.starts_over, row.whole_from_xid = True, 0  # the worker fixes an open batch anew
    row.cursor_xid, row.cursor_id, row.next_run_at = 0, 0, now
    row.revision += 1
    row.save(update_fields=["starts_over", "whole_from_xid", "cursor_xid", "cursor_id", "next_run_at", "revision", "updated_at"])
    audit.record(actor, "backflow_subscription.started_over", row, at=now, department_ids=[row.department_id])
    return row
