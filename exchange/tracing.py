"""Tracing (溯源): from a call to its seal, grant, request, approvals, catalogue version and source batches; and back.

One reading for the page and for the query endpoint. Nothing is decided here; that an auditor traced, or anybody a subject, is
recorded. Runs are shown to overseers and to the department that delivered them, not to the consumer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from basedb.models import SourceRecord
from catalog import mounting
from catalog.models import Binding
from core import audit, keyset
from core.audit import Actor
from core.errors import Forbidden, Invalid, NotFound
from exchange import call_log, finding
from exchange.aggregation.visibility import runs_visible_to
from exchange.call_log import CallLine, CallTrace
from exchange.evidence import proof
from exchange.evidence.proof import Proof
from exchange.models import AggregationRun, CallRecord, Grant, GrantVersion, RunState
from exchange.querysets import access_requests_visible_to, calls_visible_to, grants_visible_to, is_auditor, is_reviewer
from exchange.statistics import sides

RUNS_OF_A_COPY: Final = 5
READERS_LOOKED_AT: Final = 20_000  # the newest calls since a run that are looked through for those about its rows
A_YEAR: Final = timedelta(days=366)
OF_MANY: Final = """
EXISTS (SELECT FROM exchange_callsubjects s, unnest(s.subject_keys) AS k (key)
    JOIN basedb_sourcerecord r ON r.subject_key = uuid_send(k.key) AND r.run_id = %s
    WHERE s.requested_at = exchange_callrecord.requested_at AND s.consumer_id = exchange_callrecord.consumer_id
        AND s.call_id = exchange_callrecord.call_id)"""


@dataclass(frozen=True, slots=True)
class SourceRun:
    """A run that brought what a call could read: how many of the call's subjects, and when the last of them arrived."""

    run: AggregationRun
    subject_count: int | None = None
    received_at: datetime | None = None


@dataclass(slots=True)
class Chain:
    """Everything a call hangs on. `dataset` is what the entry is mounted on now, empty when it no longer is."""

    call: CallTrace
    proof: Proof | None = None
    granted: GrantVersion | None = None
    binding: Binding | None = None
    dataset: str = ""
    sees_runs: bool = False
    runs: Sequence[SourceRun] = field(default_factory=list)


def trace(*, call_id: UUID, actor: Actor, now: datetime) -> Chain:
    """Follow a call both ways of its chain; an invisible call raises NotFound. The count of queries does not depend on the call."""
    call = call_log.trace(call_id=call_id, actor=actor, now=now)
    record, grant = call.line.record, call.grant
    chain = Chain(call, proof.of_call(int(record.xid), str(record.call_id)))
    if grant is None:
        return chain
    chain.granted = GrantVersion.objects.filter(grant=grant, number=record.grant_version or 0).first()
    chain.binding = Binding.objects.filter(resource_id=grant.resource_id).first()
    if chain.binding is None:
        return chain
    chain.dataset = _title_of(chain.binding.dataset)
    chain.sees_runs = _sees_runs(actor, record)
    if chain.sees_runs:
        chain.runs = _runs_behind(record, chain.binding.dataset, actor)
    return chain


def _sees_runs(actor: Actor, record: CallRecord) -> bool:
    return is_auditor(actor) or is_reviewer(actor) or actor.department_id == record.provider_id


def _title_of(code: str) -> str:
    try:
        return str(mounting.dataset(code).title)
    except Invalid:
        return code


def _runs_behind(record: CallRecord, dataset: str, actor: Actor) -> list[SourceRun]:
    """Return the runs that last changed the rows of a call's subjects before it; of a copy, the last ones that changed anything."""
    runs = _runs_seen_by(actor)
    subjects = finding.subjects_of(record)
    if not subjects:
        done = runs.filter(plan__dataset=dataset, finished_at__lte=record.recorded_at, changed_count__gt=0)
        return [SourceRun(run) for run in done.filter(state=RunState.SUCCEEDED).order_by("-finished_at")[:RUNS_OF_A_COPY]]
    brought = (
        SourceRecord.objects.filter(subject_key__in=subjects, source__dataset=dataset, received_at__lte=record.recorded_at)
        .order_by("subject_key", "-received_at", "-id")
        .distinct("subject_key")
        .values_list("run_id", "received_at")
    )
    counted: Counter[int] = Counter()
    last: dict[int, datetime] = {}
    for run_id, at in brought:
        counted[run_id] += 1
        last[run_id] = max(at, last.get(run_id, at))
    found = {run.pk: run for run in runs.filter(pk__in=list(counted))}
    return [SourceRun(found[pk], count, last[pk]) for pk, count in counted.most_common() if pk in found]


def _runs_seen_by(actor: Actor) -> QuerySet[AggregationRun]:
    """Return all runs for the auditor, for others those they see where data is collected."""
    return AggregationRun.objects.select_related("plan__department") if is_auditor(actor) else runs_visible_to(actor)


@dataclass(frozen=True, slots=True)
class Start:
    """Where tracing begins when it is not a call: exactly one of these."""

    grant: UUID | None = None
    request: UUID | None = None
    run: UUID | None = None
    subject: bytes | None = None

    def as_detail(self) -> dict[str, str]:
        """Return it as the audit trail keeps it: of a subject the keyed digest."""
        named = {"grant": self.grant, "request": self.request, "run": self.run, "subject": self.subject and self.subject.hex()}
        return {name: str(value) for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """Calls that hang on a start, newest first, and the start itself (a subject has none)."""

    origin: Grant | AggregationRun | None
    lines: list[CallLine]
    next: str
    is_first: bool


@transaction.atomic
def calls_from(*, start: Start, actor: Actor, now: datetime, cursor: str = "", size: int = keyset.PAGE_SIZE) -> Found:
    """Return the calls of a grant or a request, those that read rows a run brought, or those about a subject."""
    origin, rows = _start(start, actor, now)
    page = keyset.page(rows, order=call_log.ORDER, cursor=cursor, size=size)
    if is_auditor(actor) or start.subject is not None:
        audit.record(actor, "call_log.traced", None, at=now, start=start.as_detail(), rows=len(page.items))
    return Found(origin, call_log.lines(page.items), page.next, page.is_first)


def _start(start: Start, actor: Actor, now: datetime) -> tuple[Grant | AggregationRun | None, QuerySet[CallRecord]]:
    if start.run is not None:
        return _read_since(start.run, actor)
    if start.subject is not None:
        if not (is_auditor(actor) or is_reviewer(actor)):
            raise Forbidden("trace.subject_for_overseers", _("按查询对象溯源仅限审计管理员和数据中心审核员。"))
        places = [finding.place_of(record) for record in finding.about(start.subject, since=now - A_YEAR, size=1000)]
        return None, CallRecord.objects.filter(pk__in=places) if places else CallRecord.objects.none()
    grants = grants_visible_to(actor).select_related("resource", "system__department", "access_request")
    if start.request is not None:
        requests = access_requests_visible_to(actor).filter(uid=start.request)
        grant = grants.filter(access_request__in=requests).first()
    else:
        grant = grants.filter(uid__in=[start.grant]).first()
    if grant is None:
        raise NotFound("trace.start_not_found", _("没有找到，或您无权查看。请核对编号。"))
    return grant, calls_visible_to(actor).filter(grant_id=grant.pk)


def _read_since(run_uid: UUID, actor: Actor) -> tuple[AggregationRun, QuerySet[CallRecord]]:
    """Return the calls since a run that were about a row it brought and asked what its dataset serves."""
    run = _runs_seen_by(actor).filter(uid=run_uid).first()
    if run is None:
        raise NotFound("trace.start_not_found", _("没有找到，或您无权查看。请核对编号。"))
    served = Binding.objects.filter(dataset=run.plan.dataset).values("resource_id")
    since = run.started_at or run.queued_at
    answered = calls_visible_to(actor).filter(requested_at__gte=since, outcome__in=sides.ANSWERED, resource_id__in=served)
    newest = answered.order_by(*call_log.ORDER).values("pk")[:READERS_LOOKED_AT]
    brought = SourceRecord.objects.filter(run_id=run.pk, subject_key=OuterRef("subject_key"))
    looked_at = answered.filter(pk__in=newest).annotate(is_of_many=RawSQL(OF_MANY, [run.pk]))  # noqa: S611 - a constant text
    return run, looked_at.filter(Exists(brought) | Q(is_of_many=True))
