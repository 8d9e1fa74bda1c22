"""Sealing: everything once, in order, under concurrency and kill -9; the signature is one OpenSSL accepts."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2.errors import InsufficientPrivilege

from core import audit
from core.audit import PLATFORM
from core.errors import Unavailable
from core.models import AuditEntry
from exchange import tasks
from exchange.evidence import sealing
from exchange.evidence.lag import lags
from exchange.evidence.verifier import NONE, digest_of, read_statement
from exchange.models import CallRecord, Chain, Seal
from tests.exchange import killing
from tests.exchange.sealed import INSERT, append, first_bad, seal, sealable, tamper

__all__ = ["sealable"]

SEAL = """
from exchange.evidence import sealing
from exchange.models import Chain
with sealing.sealer() as sealer:
    while True:
        sealing.seal_next(sealer, Chain.CALLS, sealing.signing_key(), batch=3)
"""


def other_connection() -> Any:
    place = connection.settings_dict
    return psycopg2.connect(
        host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"]
    )


@pytest.mark.usefixtures("sealable")
def test_every_record_is_sealed_once_in_an_unbroken_chain() -> None:
    append(25)
    seals = seal()
    assert [made.number for made in seals] == list(range(1, len(seals) + 1))
    assert [made.record_count for made in seals] == [10, 10, 5]
    assert sum(len(made.record_digests) for made in seals) == 25 * 32
    statements = [read_statement(made.statement, "") for made in seals]
    assert [said.xid_from for said in statements] == [0, statements[0].xid_to, statements[1].xid_to]
    digests = [digest_of(made.statement) for made in seals]
    assert [said.previous_digest for said in statements] == [NONE, *digests[:-1]]
    assert first_bad() == ""
    assert [made.pk for made in seal()] == [made.pk for made in seals]


@pytest.mark.usefixtures("sealable")
def test_openssl_verifies_every_signature_and_notices_a_flipped_byte(tmp_path: Path) -> None:
    append(20)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "message"]
    command += ["-sigfile", "signature", "-digest", "sm3"]
    (tmp_path / "key").write_text(sealing.signing_key().public.pem)

    def accepted(message: bytes, signature: bytes) -> bool:
        (tmp_path / "message").write_bytes(message)
        (tmp_path / "signature").write_bytes(signature)
        done = subprocess.run([*command, "-pkeyopt", "distid:1234567812345678"], cwd=tmp_path, check=False, capture_output=True)
        return done.returncode == 0

    for made in seal(batch=5):
        message, signature = made.statement.encode(), bytes(made.signature)
        assert accepted(message, signature)
        place = random.randrange(len(message))
        assert not accepted(message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :], signature)


@pytest.mark.usefixtures("sealable")
def test_a_record_that_commits_late_is_waited_for_not_skipped() -> None:
    append(2)
    seal()
    late = other_connection()
    with late.cursor() as cursor:
        cursor.execute(INSERT)
    append(3)
    assert sum(made.record_count for made in seal(until=2)) == 2
    late.commit()
    late.close()
    assert sum(made.record_count for made in seal(until=6)) == 6
    assert first_bad() == ""


@pytest.mark.usefixtures("sealable")
def test_a_transaction_larger_than_a_batch_is_one_batch() -> None:
    append(3)
    made = other_connection()
    with made, made.cursor() as cursor:
        for _ in range(25):
            cursor.execute(INSERT)
    made.close()
    append(3)
    assert [made.record_count for made in seal(batch=10)] == [3, 25, 3]
    assert first_bad() == ""


@pytest.mark.usefixtures("sealable")
def test_transactions_go_by_number_not_by_text() -> None:
    append(20)
    for place, record in enumerate(CallRecord.objects.order_by("xid"), start=91):
        tamper(
            "exchange_callrecord", "UPDATE exchange_callrecord SET xid = %s::text::xid8 WHERE call_id = %s", place, record.call_id
        )
    assert [(made.record_count, made.xid_to) for made in seal(batch=8)][:2] == [(8, 99), (8, 107)]
    assert first_bad() == ""


@pytest.mark.usefixtures("sealable")
def test_audit_entries_have_a_chain_of_their_own() -> None:
    from django.utils import timezone

    for number in range(4):
        audit.record(PLATFORM, "probe.made", None, at=timezone.now(), note="制表\t换行\n反斜杠\\", number=number)
    append(2)
    seals = seal(Chain.AUDIT, until=4)
    assert sum(made.record_count for made in seals) == AuditEntry.objects.count() == 4
    assert Seal.objects.filter(chain=Chain.CALLS).count() == 0
    assert first_bad(Chain.AUDIT) == ""


@pytest.mark.usefixtures("sealable")
def test_workers_at_the_same_time_seal_nothing_twice() -> None:
    append(60)
    barrier = Barrier(4)

    def work() -> None:
        with sealing.sealer() as sealer:
            barrier.wait(10)
            for _ in range(30):
                sealing.seal_next(sealer, Chain.CALLS, sealing.signing_key(), batch=3)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(made.record_count for made in seal()) == 60
    assert first_bad() == ""


@pytest.mark.usefixtures("sealable")
def test_a_killed_worker_leaves_a_chain_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SIGNING_KEY_FILE", str(settings.SIGNING_KEY_FILE))
    killed = 0
    for number in range(6):
        append(30)
        sealed = Seal.objects.count()
        killed += killing.kill_when(SEAL, lambda sealed=sealed: Seal.objects.count() > sealed, delay=random.random() / 40 * number)  # type: ignore[misc]
    assert killed >= 4
    assert sum(made.record_count for made in seal()) == CallRecord.objects.count() == 180
    assert first_bad() == ""


@pytest.mark.usefixtures("sealable")
def test_lag_is_the_age_of_the_oldest_unsealed_record() -> None:
    append(1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.2)")
        assert 0.2 <= lags(cursor)["calls"] < 5
        seal()
        assert lags(cursor) == {"calls": 0.0, "audit": 0.0, "uses": 0.0}


@pytest.mark.usefixtures("sealable")
def test_the_task_seals_both_chains_and_only_where_the_keys_are() -> None:
    append(3)
    tasks.seal_records()
    settings.SEALER_PASSWORD = ""
    with pytest.raises(Unavailable):
        sealing.seal_all()


@pytest.mark.usefixtures("sealable")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exchange_seal SET statement = ''",
        "DELETE FROM exchange_seal",
        "INSERT INTO exchange_callrecord SELECT * FROM exchange_callrecord",
        "UPDATE exchange_callrecord SET outcome = outcome",
        "SELECT 1 FROM core_user",
        "SELECT 1 FROM basedb_person",
    ],
)
def test_the_sealer_can_do_nothing_but_seal(statement: str) -> None:
    with sealing.sealer() as sealer, sealer.cursor() as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement)
