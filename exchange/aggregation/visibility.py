"""Who sees and steers aggregation (可见范围): operators and head of the source department, reviewers of the data centre.

The same people may start runs, correct, replay and dismiss; for everybody else plans do not exist.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import NotFound
from core.roles import Role
from exchange.models import AggregationPlan, AggregationRun, RejectedRow
from exchange.querysets import is_reviewer


def _seen(actor: Actor, department: str) -> Q:
    if is_reviewer(actor):
        return Q()
    return Q(**{department: actor.department_id}) if actor.has(Role.OPERATOR, Role.HEAD) else Q(pk__in=[])


def plans_visible_to(actor: Actor) -> QuerySet[AggregationPlan]:
    """Return the plans the actor may see and run."""
    return AggregationPlan.objects.filter(_seen(actor, "department_id")).select_related("department")


def may_look_after(plan: AggregationPlan, actor: Actor) -> bool:
    """Return whether the actor may change a visible plan; heads look on."""
    return is_reviewer(actor) or (actor.has(Role.OPERATOR) and plan.department_id == actor.department_id)


def runs_visible_to(actor: Actor) -> QuerySet[AggregationRun]:
    """Return the runs of those plans."""
    seen = _seen(actor, "plan__department_id")
    return AggregationRun.objects.filter(seen).select_related("plan", "plan__department", "started_by")


def rejected_visible_to(actor: Actor) -> QuerySet[RejectedRow]:
    """Return the rejected rows of those plans."""
    return RejectedRow.objects.filter(_seen(actor, "plan__department_id")).select_related("plan", "run")


def visible_plan(uid: UUID, actor: Actor, *, lock: bool = False) -> AggregationPlan:
    """Return one visible plan, locked when asked; NotFound otherwise."""
    plans = plans_visible_to(actor)
    if lock:
        plans = plans.select_for_update(of=("self",), no_key=True)
    plan = plans.filter(uid=uid).first()
    if plan is None:
        raise NotFound("plan.not_found", _("没有这个归集任务，或您无权查看。"))
    return plan
