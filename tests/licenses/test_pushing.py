"""Pushing licenses to a node above: once, in order, signed for; silence, gaps, refusals, false receipts, keys not in force."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from basedb.models import License as CityLicense
from core.errors import Conflict, Unavailable
from core.models import Notification
from licenses.models import OutBatch
from licenses.recognition import comparing, keeping, pushing, questions, receiving, sending, transport
from tests.factories import City
from tests.licenses.nodes import PROVINCE, own_keys, reached, second_keeper, simulated, trusted
from tests.licenses.verified import aggregate

__all__ = ["own_keys", "reached"]
pytestmark = pytest.mark.usefixtures("own_keys", "reached")


def settled(city: City) -> CityLicense:
    """A license whose transaction has ended long ago: what this test's own wrote lies above the horizon."""
    made = aggregate(city.police)
    CityLicense.objects.update(changed_xid=3)
    return made


def pushed(city: City, now: datetime) -> Any:
    """A province that is reached, in this process."""
    above = simulated(PROVINCE, "ABOVE", endpoint="https://province.example")
    trusted(city, above, now)
    transport.use(above)
    return above


def test_everything_of_ours_goes_up_once_in_order_and_is_signed_for(city: City, now: datetime) -> None:
    above = pushed(city, now)
    for _number in range(3):
        settled(city)
    nameless = settled(city)
    CityLicense.objects.filter(pk=nameless.pk).update(identifier=None)
    assert pushing.make_batches(now=now) == 1
    assert sending.send_due(now=now) == 1
    assert len(above.taken) == 3
    batch = OutBatch.objects.get()
    assert (batch.state, batch.attempts) == ("ACKNOWLEDGED", 1)
    assert pushing.make_batches(now=now) == 0
    assert sending.send_due(now=now) == 0


def test_a_node_that_does_not_answer_is_tried_again_later_and_later(city: City, now: datetime) -> None:
    pushed(city, now)
    settled(city)
    pushing.make_batches(now=now)

    class Away:
        def post(self, *_: Any) -> tuple[int, Any]:
            raise Unavailable("recognition.unreachable", "away")

        def get(self, *_: Any) -> tuple[int, Any]:
            return 404, None

    transport.use(Away())
    pauses = []
    at = now
    for _time in range(3):
        sending.send_due(now=at)
        batch = OutBatch.objects.get()
        pauses.append((batch.next_attempt_at - at).total_seconds())
        assert sending.send_due(now=at) == 0
        at = batch.next_attempt_at
    assert pauses == [30, 60, 120]
    assert (batch.state, batch.fault, batch.attempts) == ("PENDING", "recognition.unreachable", 3)


def test_a_sender_killed_before_the_receipt_was_kept_sends_again_and_it_is_taken_once(city: City, now: datetime) -> None:
    above = pushed(city, now)
    settled(city)
    pushing.make_batches(now=now)
    claimed = sending._claim(OutBatch.objects.get().node_id, now)
    assert claimed is not None
    transport.current().post(claimed.node, transport.BATCHES, json.loads(claimed.envelope))  # and then it was killed
    assert sending.send_due(now=now + timedelta(minutes=1)) == 0  # still in its hand
    assert sending.send_due(now=now + timedelta(minutes=3)) == 1
    assert (len(above.taken), above.numbers) == (1, [1, 1])


def test_a_gap_over_there_is_filled_from_its_first_number(city: City, now: datetime) -> None:
    above = pushed(city, now)
    for _number in range(2):
        settled(city)
        pushing.make_batches(now=now)
    assert sending.send_due(now=now) == 2
    above.numbers.clear()  # they were restored from a copy that knows neither
    settled(city)
    pushing.make_batches(now=now)
    sending.send_due(now=now)
    assert sending.send_due(now=now) == 3
    assert above.numbers == [1, 2, 3]


def test_a_batch_that_will_never_be_taken_stops_the_line_until_somebody_has_looked(city: City, now: datetime) -> None:
    above = pushed(city, now)
    settled(city)
    pushing.make_batches(now=now)

    class Refusing:
        def post(self, *_: Any) -> tuple[int, Any]:
            return 409, {"code": "license_batch.number_taken"}

        def get(self, *_: Any) -> tuple[int, Any]:
            return 404, None

    transport.use(Refusing())
    assert sending.send_due(now=now) == 0
    assert OutBatch.objects.get().state == "STOPPED"
    assert Notification.objects.filter(user=city.people["reviewer"], path__startswith="/recognition/").exists()
    transport.use(above)
    assert sending.send_due(now=now + timedelta(days=1)) == 0
    comparing.send_again(node_uid=OutBatch.objects.get().node.uid, actor=city.actor("reviewer"), now=now)
    assert sending.send_due(now=now) == 1


def test_a_receipt_of_somebody_else_is_no_receipt(city: City, now: datetime) -> None:
    above = pushed(city, now)
    settled(city)
    pushing.make_batches(now=now)

    class Lying:
        def post(self, *_: Any) -> tuple[int, Any]:
            return 200, above.seal({"form": receiving.RECEIPT_FORM, "number": 9, "digest": "", "rejected": []})

        def get(self, *_: Any) -> tuple[int, Any]:
            return 404, None

    transport.use(Lying())
    assert sending.send_due(now=now) == 0
    assert OutBatch.objects.get().fault == "receipt.other_batch"


def test_nothing_is_sent_to_or_asked_of_a_node_only_one_person_laid_down(city: City, now: datetime) -> None:
    above = simulated(PROVINCE, "ABOVE", endpoint="https://province.example")
    second_keeper(city)
    node = keeping.propose(content=above.card(now), actor=city.actor("reviewer"), now=now)
    transport.use(above)
    settled(city)
    assert pushing.make_batches(now=now) == 0
    with pytest.raises(Conflict) as refused_:
        questions.ask(node=node, kind=questions.SUMMARY, now=now, region=PROVINCE)
    assert refused_.value.code == "recognition.node_not_trusted"
    keeping.confirm(key_uid=node.keys.get().uid, typed=above.fingerprint(), actor=city.actor("centre_head"), now=now)
    assert pushing.make_batches(now=now) == 1
    keeping.revoke(key_uid=node.keys.get().uid, reason="失密", actor=city.actor("reviewer"), now=now)
    assert sending.send_due(now=now) == 0
    assert (above.taken, above.numbers) == ([], [])
