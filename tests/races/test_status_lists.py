"""States that change while a status list is built: the list tells one moment, and the next one what was missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

import pytest
from django.db import transaction

from core.audit import PLATFORM
from core.models.shared import CurrentXid
from licenses.models import License, ListName, SealKey, StatusList
from licenses.status import checker, publishing
from tests.factories import City
from tests.licenses.verified import make_license, make_type, seal_keys
from tests.races.test_decisions import at_once, town

__all__ = ["seal_keys", "town"]


def publish(now: datetime) -> StatusList | None:
    return publishing.publish(name=ListName.ISSUED, actor=PLATFORM, now=now)


def states_told(made: StatusList) -> dict[int, str]:
    found = checker.read_list(bytes(made.document), lambda *_: True)
    return {one.position: found.state_at(one.position) for one in License.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_a_state_written_before_and_committed_after_a_list_is_in_the_next(
    town: City, seal_keys: dict[str, SealKey], now: datetime
) -> None:
    license = make_license(make_type(town.police))
    written, built = Event(), Event()
    made: list[StatusList | None] = []

    def change() -> None:
        with transaction.atomic():
            License.objects.filter(pk=license.pk).update(state="07", changed_xid=CurrentXid())
            written.set()
            assert built.wait(20)

    def build() -> None:
        assert written.wait(20)
        try:
            made.append(publish(now))
        finally:
            built.set()

    assert at_once(change, build) == [None, None]
    assert made[0] is not None
    assert states_told(made[0]) == {license.position: "valid"}
    after = publish(now + timedelta(minutes=3))
    assert after is not None
    assert states_told(after) == {license.position: "revoked"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_publish_one_list(town: City, seal_keys: dict[str, SealKey], now: datetime) -> None:
    make_license(make_type(town.police))
    told = at_once(lambda: publish(now), lambda: publish(now))
    assert not [one for one in told if isinstance(one, Exception)]
    assert StatusList.objects.count() == 1
