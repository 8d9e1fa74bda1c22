"""Batches of a backflow (回流批次): fixed range, delivery, acknowledgement; killing a worker anywhere loses and doubles nothing.

1. PREPARED, in our database: number, random uid and the range (from, to] of (changed_xid, id) are fixed below the horizon, where
   every transaction has ended. Then the range is read, and everyone in it and in the region is noted as a member before anything
   is sent: whoever may be over there is known, and a later departure is delivered as a removal.
2. Delivered, in the receiver's database: rows and receipt in one transaction (`delivery`). A row that changed meanwhile has a
   newer xid, left the range, and comes with a later batch; nothing can enter the range. So a batch delivered after a kill may
   carry less than planned, never something else, and what is missing follows.
3. ACKNOWLEDGED, in our database: the receipt, the cursor and the members that left, together. Killed before it, the next
   worker prepares nothing new, finds the receipt standing, writes nothing over there and acknowledges. A member is dropped only
   when its row still stands in the range and outside the region: then its removal was in the parcel. A member too many costs a
   removal of nobody.

A whole delivery (全量), the first or one ordered by a reviewer, takes every row of the region whatever its xid: a database restored
elsewhere counts transactions anew while its rows keep the xids of before. The horizon at its beginning is where the feed goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from basedb import changes
from basedb.changes import START, Position, RegionFeed
from basedb.dictionary import DATASETS
from core import audit
from core.audit import PLATFORM
from core.errors import Conflict, DomainError, Unavailable
from exchange.backflow import delivery
from exchange.backflow.delivery import Parcel, Receipt
from exchange.failures import DATABASE_ERRORS, code_of, forget_broken_connection, told_of
from exchange.models import BackflowBatch, BackflowMember, BackflowSubscription, BatchState, SubscriptionState

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
WHOLE = changes.LAST_ID  # above every transaction
LEASE = timedelta(seconds=60)
AGAIN = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker delivers for this subscription now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to deliver for a subscription."""

    subscription_id: int
    token: UUID


def due(*, now: datetime) -> list[UUID]:
    """Return the subscriptions that are due and that no worker holds."""
    rows = BackflowSubscription.objects.filter(state=SubscriptionState.ACTIVE).filter(
        Q(next_run_at=None) | Q(next_run_at__lte=now), Q(lease_until=None) | Q(lease_until__lte=now)
    )
    return list(rows.values_list("uid", flat=True))


def work(*, subscription_uid: UUID, clock: Clock) -> None:
    """Deliver all that changed; what goes wrong is noted on the subscription and tried again later."""
    lease = take(subscription_uid=subscription_uid, now=clock())
    if lease is None:
        return
    try:
        subscription = BackflowSubscription.objects.get(pk=lease.subscription_id)
        received = delivery.prepare_target(subscription)
        while batch := prepare(lease, clock(), received=received):
            parcel = pack(lease, batch.pk)
            receipt = delivery.deliver(subscription, parcel)
            acknowledge(lease, batch.pk, parcel, receipt, clock())
        rest(lease, "", clock())
    except LeaseLost:
        log.warning("backflow %s: another worker has it", subscription_uid)
    except DomainError as error:
        rest(lease, str(error.message), clock())
    except Exception as error:
        log.error("backflow %s: %s", subscription_uid, told_of(error))
        _rest_after_failure(lease, error, clock())


@transaction.atomic(durable=True)
def take(*, subscription_uid: UUID, now: datetime) -> Lease | None:
    """Take the lease of an active subscription nobody holds; None when there is nothing to take."""
    rows = BackflowSubscription.objects.select_for_update(no_key=True, skip_locked=True)
    row = rows.filter(uid=subscription_uid, state=SubscriptionState.ACTIVE).first()
    if row is None or (row.lease_until is not None and row.lease_until > now):
        return None
    row.lease_token, row.lease_until = uuid4(), now + LEASE
    row.save(update_fields=["lease_token", "lease_until"])
    return Lease(row.pk, row.lease_token)


def _held(lease: Lease) -> BackflowSubscription:
    row = BackflowSubscription.objects.select_for_update(no_key=True).get(pk=lease.subscription_id)
    if row.lease_token != lease.token or row.state == SubscriptionState.ENDED:
        raise LeaseLost
    return row


def feed_of(subscription: BackflowSubscription) -> RegionFeed:
    """Return the feed of the region's rows and of those the receiver may still hold."""
    return RegionFeed(
        dataset=DATASETS[subscription.dataset],
        region_code=subscription.region.code,
        also="EXISTS (SELECT FROM exchange_backflowmember m WHERE m.subscription_id = %s AND m.subject_key = p.subject_key)",
        also_parameters=(subscription.pk,),
    )


def waiting_count(subscription: BackflowSubscription, *, most: int) -> int:
    """Return how many of the region's rows wait to be delivered, counting no further than `most`; departures are not counted."""
    feed = RegionFeed(DATASETS[subscription.dataset], subscription.region.code, also="false", also_parameters=())
    after = Position(subscription.cursor_xid, subscription.cursor_id)
    is_whole = after == START or bool(subscription.whole_from_xid)
    return feed.count(after, WHOLE if is_whole else changes.horizon(), most)


@transaction.atomic(durable=True)
def prepare(lease: Lease, now: datetime, *, received: int) -> BackflowBatch | None:
    """Return the batch that is open, or fix the next one; None when nothing changed or a pause was ordered.

    When a start-over was ordered, the open batch is fixed anew, under a number beyond the last one the receiver has `received`.
    """
    row = _held(lease)
    row.lease_until = now + LEASE
    row.save(update_fields=["lease_until"])
    open_batch = BackflowBatch.objects.filter(subscription=row, state=BatchState.PREPARED).first()
    if open_batch is not None and not row.starts_over:
        return open_batch
    if row.state != SubscriptionState.ACTIVE:
        return None
    after, below = Position(row.cursor_xid, row.cursor_id), changes.horizon()
    if after == START and not row.whole_from_xid:
        row.whole_from_xid = below
    if row.whole_from_xid:
        below = WHOLE
    elif after.xid >= below:
        raise Conflict(
            "backflow.counted_anew",
            _("平台数据库可能恢复到了别处（事务编号已重新计数），本次没有投递任何数据，请由审核员重新全量回流。"),
        )
    upto = feed_of(row).end_of_batch(after, below, row.batch_size)
    if upto is None and not row.starts_over:
        return None
    batch = open_batch or BackflowBatch(subscription=row)
    batch.prepared_at = now
    batch.from_xid, batch.from_id = after
    batch.to_xid, batch.to_id = upto or Position(WHOLE - 1, changes.LAST_ID)
    return _number(row, batch, received)


def _number(row: BackflowSubscription, batch: BackflowBatch, received: int) -> BackflowBatch:
    """Give the next batch its number and uid; what was ordered is thereby begun."""
    last = BackflowBatch.objects.filter(subscription=row).order_by("-sequence").values_list("sequence", flat=True).first() or 0
    batch.sequence = (max(last, received) if row.starts_over else last) + 1
    batch.uid, batch.starts_over = uuid4(), row.starts_over
    batch.save()
    row.starts_over = False
    row.save(update_fields=["starts_over", "whole_from_xid"])
    return batch


@transaction.atomic(durable=True)
def pack(lease: Lease, batch_id: int) -> Parcel:
    """Read a batch's range as it stands now and note who is in it, before anything is sent."""
    row = _held(lease)
    batch = BackflowBatch.objects.get(pk=batch_id)
    if batch.state != BatchState.PREPARED or row.starts_over:
        raise LeaseLost
    after, upto = Position(batch.from_xid, batch.from_id), Position(batch.to_xid, batch.to_id)
    rows = feed_of(row).read(row.fields, after, upto)
    put = [changed for changed in rows if changed.is_inside]
    members = [BackflowMember(subscription=row, subject_key=changed.subject_key) for changed in put]
    BackflowMember.objects.bulk_create(members, ignore_conflicts=True)
    return Parcel(
        sequence=batch.sequence,
        batch=batch.uid,
        put=put,
        removed=[changed.subject_key for changed in rows if not changed.is_inside],
        starts_over=batch.starts_over,
    )


@transaction.atomic(durable=True)
def acknowledge(lease: Lease, batch_id: int, parcel: Parcel, receipt: Receipt, now: datetime) -> None:
    """Note the receipt, advance the cursor and drop the members that left.

    A receipt may carry another digest than the parcel: it then stems from an earlier delivery of the same range, from before some
    of its rows moved on. In a whole delivery rows may also have come into the range since; then no member is dropped.
    """
    row = _held(lease)
    batch = BackflowBatch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.PREPARED or row.starts_over:
        raise LeaseLost
    if (receipt.sequence, receipt.batch) != (batch.sequence, str(batch.uid)):
        raise Conflict("target.receipt_wrong", _("目标库的回执与批次不符，请核对目标库后由审核员重新全量回流。"))
    batch.state, batch.acknowledged_at = BatchState.ACKNOWLEDGED, now
    batch.row_count, batch.removed_count, batch.digest = receipt.row_count, receipt.removed_count, receipt.digest
    batch.receipt = asdict(receipt) | {"digest": receipt.digest.hex()}
    batch.save()
    row.cursor_xid, row.cursor_id, row.lease_until, row.last_error = batch.to_xid, batch.to_id, now + LEASE, ""
    if not row.whole_from_xid or receipt.digest == parcel.digest:
        BackflowMember.objects.filter(subscription=row, subject_key__in=list(parcel.removed)).delete()
    if row.whole_from_xid and batch.to_xid == WHOLE - 1:
        row.cursor_xid, row.whole_from_xid = row.whole_from_xid - 1, 0
    row.save(update_fields=["cursor_xid", "cursor_id", "whole_from_xid", "lease_until", "last_error"])
    audit.record(
        PLATFORM,
        "backflow_batch.acknowledged",
        row,
        at=now,
        department_ids=[row.department_id],
        sequence=batch.sequence,
        rows=batch.row_count,
        removed=batch.removed_count,
        digest=receipt.digest.hex(),
    )


def _rest_after_failure(lease: Lease, error: Exception, now: datetime) -> None:
    forget_broken_connection()
    try:
        rest(lease, _("平台内部错误（错误码 %(code)s），稍后自动重试。") % {"code": code_of(error)}, now)
    except DATABASE_ERRORS:
        raise Unavailable("platform.database_away", _("平台数据库暂时不可用。")) from None


@transaction.atomic(durable=True)
def rest(lease: Lease, error: str, now: datetime) -> None:
    """Give the lease back; come again in time, sooner after an error."""
    try:
        row = _held(lease)
    except LeaseLost:
        return
    row.last_error = error[:300]
    row.next_run_at = now + (AGAIN if error else timedelta(minutes=row.every_minutes))
    row.lease_token = row.lease_until = None
    row.save(update_fields=["last_error", "next_run_at", "lease_token", "lease_until"])
