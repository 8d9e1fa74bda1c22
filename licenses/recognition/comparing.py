"""Asking for a differences report (比对差异): by a reviewer for one node, by the timetable for all; the worker compares."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, NotFound
from licenses.models import OutBatch, OutState, TrustedNode
from licenses.recognition import differences
from licenses.recognition.keeping import may_keep

logger = logging.getLogger(__name__)

COMPARE_TASK: Final = "licenses.compare_node"


def to_compare() -> list[str]:
    """Return the codes of the nodes that are reached."""
    return list(TrustedNode.objects.exclude(endpoint="").order_by("code").values_list("code", flat=True))


def work(*, code: str, now: datetime) -> None:
    """Compare with one node; one that does not answer is tried again by the next turn."""
    node = TrustedNode.objects.get(code=code)
    try:
        differences.compare(node=node, now=now)
    except DomainError as error:
        logger.warning("no differences report with node %s: %s", code, error.code)


@transaction.atomic
def ask_for(*, node_uid: UUID, actor: Actor, now: datetime) -> TrustedNode:
    """Have the worker compare with a node now."""
    node = _node(node_uid, actor)
    if not node.endpoint:
        raise Conflict("recognition.no_endpoint", _("节点“%(node)s”没有登记接口地址，无法比对。") % {"node": node.name})
    audit.record(actor, "license_differences.asked", node, at=now, department_ids=[actor.department_id])
    transaction.on_commit(partial(current_app.send_task, COMPARE_TASK, [node.code]))
    return node


@transaction.atomic
def send_again(*, node_uid: UUID, actor: Actor, now: datetime) -> TrustedNode:
    """Let a stopped batch be sent again, after the other side has put right what kept it."""
    node = _node(node_uid, actor)
    stopped = OutBatch.objects.filter(node=node, state=OutState.STOPPED)
    if not stopped.update(state=OutState.PENDING, next_attempt_at=now):
        raise Conflict("recognition.nothing_stopped", _("没有停止的批次，请刷新页面。"))
    audit.record(actor, "license_batch.resumed", node, at=now, department_ids=[actor.department_id])
    return node


def _node(uid: UUID, actor: Actor) -> TrustedNode:
    if not may_keep(actor):
        raise Forbidden("recognition.not_yours", _("互认名单由数据中心审核员和负责人维护。"))
    node = TrustedNode.objects.filter(uid=uid).first()
    if node is None:
        raise NotFound("recognition.node_not_found", _("没有这个互认节点。"))
    return node
