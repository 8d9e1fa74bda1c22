"""Bulk answers over a real connection: whole ones, and ones the caller walks away from."""

from __future__ import annotations

import hashlib
import http.client
import time

import pytest
from django.conf import settings
from django.db import connection

from exchange.calls import bulk
from exchange.calls.refusals import Refusal
from exchange.models import Grant
from tests.hotpath.partner import path_of
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.scene import Scene
from tests.hotpath.server import Exchange, exchange

__all__ = ["exchange"]

MANY = 60_000


@pytest.fixture(scope="module")
def crowd(scene: Scene) -> int:
    """Many rows of nobody: more than fits into the buffers between database and caller."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO basedb_person (subject_key, citizen_id, name, sex, birth_on, person_status, region_code, address,
                   source_department_id, source_record_id, run_id, version)
               SELECT decode(md5(n::text), 'hex'), '990101' || n, '某人' || n, '1', '1980-05-17', '0', '320102', repeat('路', 200),
                   %s, 1, 1, 1 FROM generate_series(1, %s) n""",
            [scene.city.police.id, MANY],
        )
    return MANY + len(scene.people)


def start(exchange: Exchange, scene: Scene, grant: Grant) -> http.client.HTTPConnection:
    path = path_of(grant, "bulk")
    asking = http.client.HTTPConnection("127.0.0.1", exchange.port, timeout=30)
    asking.request("POST", path, b"{}", scene.partner.headers(path, b"{}"))
    return asking


def test_whole_table_arrives_as_the_closing_record_says(exchange: Exchange, scene: Scene, crowd: int) -> None:
    grant = scene.grant(mode="BULK", fields=["name", "address"])
    content = start(exchange, scene, grant).getresponse().read()
    assert len(content.decode().splitlines()) == crowd + 1
    opened, closed = records_of(grant)
    assert (opened.outcome, closed.outcome, closed.row_count) == ("call.opened", "call.closed", crowd)
    assert bytes(closed.answer_digest) == hashlib.sha256(content).digest()


def wait_for_end(grant: Grant) -> None:
    """Wait until every answer that was opened has ended."""
    until = time.monotonic() + 10
    while outcomes_of(grant).count("call.aborted") < outcomes_of(grant).count("call.opened") and time.monotonic() < until:
        time.sleep(0.1)


def test_slow_readers_with_one_key_leave_places_to_others() -> None:
    taken = [1, 1, 2, 2]
    try:
        bulk.take_place(1)
        bulk.take_place(1)
        with pytest.raises(Refusal, match=r"platform\.busy") as told:
            bulk.take_place(1)
        assert told.value.details == {"bulk": "more_than_2_at_once_of_this_key"}
        bulk.take_place(2)
        bulk.take_place(2)
        with pytest.raises(Refusal, match=r"platform\.busy"):
            bulk.take_place(3)
    finally:
        for key in taken:
            bulk.give_place(key)
    bulk.take_place(1)
    bulk.give_place(1)


def test_caller_who_walks_away_leaves_an_aborted_record_and_no_transfer(exchange: Exchange, scene: Scene, crowd: int) -> None:
    grant = scene.grant(mode="BULK", fields=["name", "address"])
    for _ in range(6):  # more than there are places: each must be given back
        asking = start(exchange, scene, grant)
        assert asking.getresponse().read(10)
        asking.close()
        wait_for_end(grant)
    assert sorted(outcomes_of(grant)) == ["call.aborted"] * 6 + ["call.opened"] * 6
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %' AND state = 'active'")
        assert cursor.fetchone()[0] == 0


def test_grant_revoked_midway_ends_the_stream_within_seconds(exchange: Exchange, scene: Scene, crowd: int) -> None:
    grant = scene.grant(mode="BULK", fields=["name", "address"])
    answer = start(exchange, scene, grant).getresponse()
    assert answer.read(10)
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    time.sleep(bulk.CHECKED_EVERY_SECONDS + settings.GRANT_CACHE_SECONDS)
    content = answer.read()
    assert content.endswith(b'\n"!call.aborted')
    assert len(content.splitlines()) < crowd
    wait_for_end(grant)
    assert sorted(outcomes_of(grant)) == ["call.aborted", "call.opened"]
