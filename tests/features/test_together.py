"""Map calls on one trip: each gets the page of its own box under its own grant, and what may take long goes alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from exchange.calls import admission
from exchange.features import calling
from exchange.models import CallRecord, Grant
from tests.features.scene import NORTH, Scene
from tests.hotpath.partner import Reply


class Held:
    """Trips of map calls: how many calls each admitted. The first of them waits until it is let go."""

    def __init__(self) -> None:
        self.trips: list[int] = []
        self.may_go = threading.Event()
        self._count = admission.admit_all

    def admit_all(self, calls: Sequence[Any]) -> Any:
        """Count the calls of a trip."""
        self.trips.append(len(calls))
        if len(self.trips) == 1:
            self.may_go.wait(10)
        return self._count(calls)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait, but not for ever."""
        patience = time.monotonic() + 10
        while not is_so() and time.monotonic() < patience:
            time.sleep(0.001)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """The first trip, held up."""
    made = Held()
    monkeypatch.setattr(admission, "admit_all", made.admit_all)
    return made


def box(number: int) -> str:
    """Three parcels of the first row."""
    west = 118.70 + number * 0.004
    return f"{west:.4f},32.0000,{west + 0.0026:.4f},32.0005"


def codes(reply: Reply) -> list[str]:
    return sorted(feature["properties"]["parcel_code"] for feature in reply.json["features"])


def test_pages_that_wait_share_a_trip_and_each_keeps_to_its_own_box_and_grant(scene: Scene, held: Held) -> None:
    everywhere, north, gone = scene.grant(), scene.grant(region_prefix=NORTH), scene.grant()
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(scene.get, everywhere, bbox=box(0))
        held.until(lambda: bool(held.trips))
        rest = [pool.submit(scene.get, everywhere, bbox=box(number)) for number in (1, 2)]
        rest += [pool.submit(scene.get, north, bbox=box(number)) for number in (1, 2)]
        revoked = pool.submit(scene.get, gone, bbox=box(1))
        held.until(lambda: len(calling._TRIPS._together._waiting) == 5)
        Grant.objects.filter(pk=gone.pk).update(state="REVOKED", version=2)
        held.may_go.set()
        told = [codes(one.result(10)) for one in (first, *rest)]
        refused = revoked.result(10)
    assert held.trips[:2] == [1, 5]
    assert [[int(code[-5:]) for code in page] for page in told] == [[0, 1, 2], [4, 5, 6], [8, 9, 10], [4, 6], [8, 10]]
    assert (refused.status, refused.code) == (403, "grant.revoked")
    for grant, answered in ((everywhere, 3), (north, 2)):
        assert CallRecord.objects.filter(grant_id=grant.pk, outcome="call.answered", row_count__gt=1).count() == answered


def test_what_may_take_long_holds_up_nobody(scene: Scene, held: Held) -> None:
    grant = scene.grant()
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(scene.get, grant, bbox=box(0))
        held.until(lambda: bool(held.trips))
        alone = [
            scene.get(grant, count="true", bbox=box(0)),
            scene.get(grant, filter="area > 1000", bbox=box(0)),
            scene.get(grant, bbox=box(0), limit="1000"),
            scene.get(grant, "tiles/WebMercatorQuad/14/6643/13598"),
        ]
        assert [reply.status for reply in alone] == [200] * 4
        assert not page.done()
        held.may_go.set()
        assert page.result(10).status == 200
