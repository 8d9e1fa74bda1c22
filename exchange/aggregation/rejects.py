"""Rejected rows in the hands of their owner (拒收处理): correct, replay, dismiss with a reason.

A correction is judged by the same rules before it is kept, so that a replay is not a guess. Who may see a row may also deal
with it. Taking rows out as a file and bringing a corrected file back is in `reject_files`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from basedb import ingest
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import Conflict, Invalid, NotFound
from core.texts import listed
from exchange.aggregation.connector import dataset_of, fields_of
from exchange.aggregation.plans import queue
from exchange.aggregation.visibility import rejected_visible_to, visible_plan
from exchange.models import AggregationPlan, AggregationRun, RejectedRow, RejectState

LONGEST_VALUE = 4_000
OPEN_STATES = (RejectState.OPEN, RejectState.CORRECTED)
DAMAGED = "_row"  # of a line that was no row: its text
_RULES: Final = """
WITH RECURSIVE found AS (
    SELECT min(rule) AS rule FROM exchange_rejectedrow WHERE plan_id = %(plan)s
    UNION ALL
    SELECT (SELECT min(rule) FROM exchange_rejectedrow WHERE plan_id = %(plan)s AND rule > found.rule)
    FROM found WHERE found.rule IS NOT NULL
) SELECT rule FROM found WHERE rule IS NOT NULL"""


def _held(uid: UUID, actor: Actor) -> RejectedRow:
    """Return a visible row, locked; NotFound otherwise."""
    row = rejected_visible_to(actor).select_for_update(of=("self",), no_key=True).filter(uid=uid).first()
    if row is None:
        raise NotFound("reject.not_found", _("没有这条拒收记录，或您无权查看。"))
    return row


def _must_be_open(row: RejectedRow) -> None:
    if row.state not in OPEN_STATES:
        raise Conflict("reject.settled", _("该记录已处理完毕(%(state)s),不能再更改。") % {"state": row.get_state_display()})


@transaction.atomic
def correct(*, uid: UUID, values: Mapping[str, str], actor: Actor, now: datetime) -> RejectedRow:
    """Keep a correction of an open row; one that still breaks a rule is Invalid, naming field and rule."""
    row = _held(uid, actor)
    _must_be_open(row)
    keep_correction(row, values, now=now)
    audit.record(
        actor,
        "rejected_row.corrected",
        row,
        at=now,
        department_ids=[row.plan.department_id],
        plan=str(row.plan.uid),
        fields=sorted(values),
    )
    return row


def lost_key(row: RejectedRow) -> str:
    """Return why no correction can tell which record of its source a row is and since when, empty when one can.

    A line that was no row at all came without its key and its date. Where no field holds them, a replay would have to make them up,
    and the row its source delivers next would be a second record, or one that is older than what was made up.
    """
    plan, mapped = row.plan, row.plan.columns.values()
    lost = []
    if not row.source_key and plan.key_column and plan.key_column not in mapped:
        lost.append(_("源主键「%(column)s」") % {"column": plan.key_column})
    if DAMAGED in row.raw and plan.valid_from_column and plan.valid_from_column not in mapped:
        lost.append(_("生效时间「%(column)s」") % {"column": plan.valid_from_column})
    said = _(
        "这一行已损坏，读不出%(what)s，更正后与数源再次送来的同一条记录对不上。请由数源改正后重新送来，本条填写原因后不再处理。"
    )
    return said % {"what": listed(lost)} if lost else ""


def keep_correction(row: RejectedRow, values: Mapping[str, str], *, now: datetime) -> None:
    """Check a correction against form and rules and store it on a locked row, in the caller's transaction."""
    if fault := lost_key(row):
        raise Invalid("reject.key_lost", fault, {"source_key": fault})
    fields = fields_of(row.plan)
    faults = {name: _("没有这个字段") for name in values if name not in fields}
    faults |= {name: _("内容过长或含有无法保存的字符") for name, text in values.items() if not _storable(text)}
    if faults:
        raise Invalid("reject.correction_invalid", _("更正内容不能保存。"), faults)
    dataset = dataset_of(row.plan)
    whole = {name: row.raw.get(name) for name in fields} | dict(values)
    rule = ingest.broken_rule(dataset, whole, today=today_in_shanghai(now))
    if rule:
        message = ingest.message_of(dataset.code, rule)
        raise Invalid(
            "reject.still_broken", _("更正后仍不符合规则：%(what)s。") % {"what": message}, {rule.partition(".")[0]: message}
        )
    row.correction, row.state = dict(values), RejectState.CORRECTED
    row.save(update_fields=["correction", "state"])


def _storable(text: str) -> bool:
    """Return whether the database can hold it; what it means is for the rules."""
    return len(text) <= LONGEST_VALUE and "\x00" not in text and text.encode(errors="replace").decode() == text


@transaction.atomic
def dismiss(*, uids: Sequence[UUID], reason: str, actor: Actor, now: datetime) -> int:
    """Let rows go for good, with a reason that stays; return how many."""
    reason = reason.strip()
    if not 2 <= len(reason) <= 200 or not reason.isprintable():
        raise Invalid("reject.reason_required", _("请填写不再处理的原因(2 至 200 字)。"), {"reason": _("必填，2 至 200 字")})
    for uid in sorted(set(uids)):
        row = _held(uid, actor)
        _must_be_open(row)
        row.state, row.reason = RejectState.DISMISSED, reason
        row.save(update_fields=["state", "reason"])
        audit.record(
            actor,
            "rejected_row.dismissed",
            row,
            at=now,
            department_ids=[row.plan.department_id],
            plan=str(row.plan.uid),
            reason=reason,
        )
    return len(set(uids))


@transaction.atomic
def replay(*, plan_uid: UUID, actor: Actor, now: datetime) -> AggregationRun:
    """Queue a run that takes in all corrected rows of a plan; Conflict when there is none or another run is under way."""
    plan = visible_plan(plan_uid, actor, lock=True)
    if not corrected_of(plan).exists():
        raise Conflict("reject.nothing_to_replay", _("没有已更正、待重放的记录。"))
    run = queue(plan, now=now, started_by_id=actor.user_id, is_replay=True)
    count = corrected_of(plan).update(replay_run=run)
    audit.record(actor, "rejected_row.replayed", run, at=now, department_ids=[plan.department_id], plan=str(plan.uid), rows=count)
    return run


def corrected_of(plan: AggregationPlan) -> QuerySet[RejectedRow]:
    """Return the rows of a plan that wait for a replay."""
    return RejectedRow.objects.filter(plan=plan, state=RejectState.CORRECTED)


def rules_of(plan: AggregationPlan) -> list[str]:
    """Return the rules rows of a plan broke, in their order; by the index from one to the next, however many rows there are."""
    with connection.cursor() as cursor:
        cursor.execute(_RULES, {"plan": plan.pk})
        return [rule for (rule,) in cursor.fetchall()]


def by_rule(run: AggregationRun) -> list[tuple[str, str, int]]:
    """Return what a run rejected: rule, its sentence, how many rows; the commonest first."""
    counted = RejectedRow.objects.filter(run=run).order_by().values("rule").annotate(count=Count("id")).order_by("-count", "rule")
    return [(line["rule"], ingest.message_of(run.plan.dataset, line["rule"]), line["count"]) for line in counted]
