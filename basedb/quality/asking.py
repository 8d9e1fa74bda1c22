"""Asking for checks (发起质量检查): by hand, every night, and for what an aggregation run brought."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from celery import current_app
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.models import CheckState, QualityCheck, QualityRule, QualityTask, RuleKind
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, NotFound
from core.roles import Role

CHECK_TASK: Final = "basedb.check_quality"
UNFINISHED: Final = (CheckState.QUEUED, CheckState.RUNNING)


@transaction.atomic
def ask(*, dataset: str, actor: Actor, now: datetime) -> QualityCheck:
    """Queue a check of all rows of a dataset; Conflict while another is under way."""
    if not (actor.is_data_centre and actor.has(Role.REVIEWER)):
        raise Forbidden("quality.checks_of_the_centre", _("质量检查由数据主管部门的审核员发起。"))
    if dataset not in DATASETS:
        raise NotFound("quality.dataset_unknown", _("没有这个数据集。"))
    check = _queue(dataset, now, asked_by_id=actor.user_id)
    audit.record(actor, "quality_check.queued", check, at=now, dataset=dataset)
    return check


def _queue(dataset: str, now: datetime, **values: object) -> QualityCheck:
    try:
        with transaction.atomic():
            check = QualityCheck.objects.create(dataset=dataset, queued_at=now, **values)
    except IntegrityError as error:
        raise Conflict("quality.check_under_way", _("该数据集正在检查，请等它结束。")) from error
    transaction.on_commit(lambda: current_app.send_task(CHECK_TASK, [str(check.uid)], retry=False), robust=True)
    return check


@transaction.atomic
def ask_for_batch(*, dataset: str, batch: UUID, run_id: int, now: datetime) -> QualityCheck | None:
    """Queue a check of what one aggregation run brought; None when it has one already or the dataset has no rules."""
    rules = QualityRule.objects.filter(dataset=dataset, is_active=True, retired_at=None)
    if not rules.exclude(kind=RuleKind.MEASURE).exists():
        return None
    try:
        return _queue(dataset, now, batch=batch, run_id=run_id)
    except Conflict:
        return None


@transaction.atomic
def ask_for_all(*, now: datetime) -> int:
    """Queue a check of every dataset that has rules, or tasks its rules left behind, and none under way; return how many."""
    under_way = set(QualityCheck.objects.filter(state__in=UNFINISHED, batch=None).values_list("dataset", flat=True))
    ruled = set(QualityRule.objects.filter(is_active=True, retired_at=None).values_list("dataset", flat=True))
    tasked = set(QualityTask.objects.filter(closed_at=None).values_list("dataset", flat=True))
    asked = sorted(((ruled | tasked) & DATASETS.keys()) - under_way)
    for dataset in asked:
        _queue(dataset, now)
    return len(asked)
