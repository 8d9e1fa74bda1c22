"""Whoever changes the database afterwards, its owner included, is found out, and the first bad entry is named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from core.models import AuditEntry
from core.signing import SigningKey
from exchange.evidence import archiving, sealing
from exchange.evidence.verifier import digest_of, read_statement
from exchange.models import CallRecord, Chain, Seal
from tests.core.test_signing import new_key
from tests.exchange.sealed import append, first_bad, seal, sealable, tamper
from tests.hotpath.scene import password_of

__all__ = ["sealable"]
pytestmark = pytest.mark.usefixtures("sealable")
RECORDS, SEALS = "exchange_callrecord", "exchange_seal"


@contextmanager
def undone() -> Iterator[None]:
    """Take back what was done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sealed_records(count: int = 35) -> list[CallRecord]:
    append(count)
    seal()
    assert first_bad() == ""
    return list(CallRecord.objects.order_by("xid"))


COLUMN_CHANGES = {
    "outcome": "'call.closed'",
    "row_count": "row_count + 1",
    "fields": "ARRAY['name']",
    "grant_id": "grant_id + 1",
    "subject_key": "substr(sha256('other'), 1, 16)",
    "request_digest": "sha256('other')",
    "answer_digest": "NULL",
    "client_ip": "'127.0.0.2'",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "nonce": "nonce || ' '",
}


def test_an_edited_record_is_named() -> None:
    victim = sealed_records()[12]
    for column, value in COLUMN_CHANGES.items():
        with undone():
            tamper(RECORDS, f"UPDATE {RECORDS} SET {column} = {value} WHERE call_id = %s", victim.call_id)
            assert first_bad() == f"CALLS seal 2, record 3 of 10 (call_id {victim.call_id}): edited", column
    assert first_bad() == ""


def test_the_first_of_several_is_named() -> None:
    records = sealed_records()
    for victim in (records[30], records[4], records[17]):
        tamper(RECORDS, f"UPDATE {RECORDS} SET row_count = 0 WHERE call_id = %s", victim.call_id)
    assert first_bad() == f"CALLS seal 1, record 5 of 10 (call_id {records[4].call_id}): edited"


def test_a_deleted_record_is_named() -> None:
    records = sealed_records()
    for place in (0, 5, 9, 10, 29, 34):
        with undone():
            tamper(RECORDS, f"DELETE FROM {RECORDS} WHERE call_id = %s", records[place].call_id)
            size = 5 if place > 29 else 10
            assert first_bad() == f"CALLS seal {place // 10 + 1}, record {place % 10 + 1} of {size}: deleted"


def test_an_inserted_record_is_named_even_when_the_web_role_dates_it_back() -> None:
    before = sealed_records()[12]
    place = connection.settings_dict
    forger = psycopg2.connect(host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user="web", password=password_of("web"))
    with forger, forger.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {RECORDS} (requested_at, consumer_id, call_id, credential_id, department_id, mode, outcome, xid)"
            " VALUES (now(), 9, gen_random_uuid(), 1, 1, 'QUERY', 'call.answered', %s::text::xid8) ",
            [str(before.xid)],
        )
    forger.close()
    inserted = CallRecord.objects.get(consumer_id=9)
    assert first_bad() == f"CALLS seal 2, after record 3 (call_id {inserted.call_id}): inserted"


def test_reordered_records_are_named() -> None:
    records = sealed_records()
    first, second = records[3], records[6]
    for record, xid in ((first, 2**62), (second, first.xid), (first, second.xid)):
        tamper(RECORDS, f"UPDATE {RECORDS} SET xid = %s::text::xid8 WHERE call_id = %s", str(xid), record.call_id)
    assert first_bad() == f"CALLS seal 1, record 4 of 10 (call_id {second.call_id}): edited"


def test_an_edited_seal_is_named() -> None:
    sealed_records()
    for change in ("record_count = 9", "xid_to = '1'", "first_at = now()", "sealed_at = now()"):
        with undone():
            tamper(SEALS, f"UPDATE {SEALS} SET {change} WHERE number = 2")
            assert first_bad() == "CALLS seal 2: edited: its columns are not what was signed"
    tamper(SEALS, f"UPDATE {SEALS} SET chain = 'AUDIT' WHERE number = 2")
    assert first_bad() == "CALLS seal 2: deleted: seal 3 stands in its place"
    assert first_bad(Chain.AUDIT) == "AUDIT seal 1: deleted"


def test_an_edited_statement_signature_or_list_of_digests_is_named() -> None:
    sealed_records()
    kept = Seal.objects.get(number=3)
    for change, reason in (
        ("statement = replace(statement, 'record_count 10', 'record_count 11')", "signature"),
        ("statement = statement || 'more'", "malformed"),
        ("signature = set_byte(signature, 40, get_byte(signature, 40) # 1)", "signature"),
        ("record_digests = set_byte(record_digests, 40, get_byte(record_digests, 40) # 1)", "list of record digests"),
    ):
        tamper(SEALS, f"UPDATE {SEALS} SET {change} WHERE number = 3")
        assert first_bad().startswith("CALLS seal 3: edited")
        assert reason in first_bad()
        values = (kept.statement, bytes(kept.signature), bytes(kept.record_digests))
        tamper(SEALS, f"UPDATE {SEALS} SET statement = %s, signature = %s, record_digests = %s WHERE number = 3", *values)
    assert first_bad() == ""


def test_a_deleted_seal_is_named_with_its_records_or_without() -> None:
    records = sealed_records()
    tamper(SEALS, f"DELETE FROM {SEALS} WHERE number = 2")
    assert first_bad() == "CALLS seal 2: deleted: seal 3 stands in its place"
    for record in records[10:20]:
        tamper(RECORDS, f"DELETE FROM {RECORDS} WHERE call_id = %s", record.call_id)
    assert first_bad() == "CALLS seal 2: deleted: seal 3 stands in its place"
    tamper(SEALS, f"DELETE FROM {SEALS} WHERE number = 1")
    assert first_bad() == "CALLS seal 2: deleted"


def test_swapped_seals_are_named() -> None:
    sealed_records()
    for number, other in ((1, 99), (2, 1), (99, 2)):
        tamper(SEALS, f"UPDATE {SEALS} SET number = %s WHERE number = %s", other, number)
    assert first_bad().startswith("CALLS seal 1: edited")


def test_an_end_that_was_cut_off_is_missed_by_the_archives() -> None:
    records = sealed_records()
    archiving.archive_due(now=timezone.now(), everything=True)
    tamper(SEALS, f"DELETE FROM {SEALS} WHERE number = 4")
    for record in records[30:]:
        tamper(RECORDS, f"DELETE FROM {RECORDS} WHERE call_id = %s", record.call_id)
    assert first_bad().startswith("CALLS seal 4: deleted")


def test_a_chain_forged_with_another_key_is_not_believed(tmp_path: Any) -> None:
    victim = sealed_records()[2]
    tamper(RECORDS, f"UPDATE {RECORDS} SET row_count = 99 WHERE call_id = %s", victim.call_id)
    forged = SigningKey.load(new_key("SM2", tmp_path))
    tamper(SEALS, f"DELETE FROM {SEALS}")
    with sealing.sealer() as sealer:
        while sealing.seal_next(sealer, Chain.CALLS, forged):
            pass
    assert first_bad().startswith("CALLS seal 1: edited: its signature is not one of the trusted key")


def test_a_seal_made_over_again_by_the_key_holder_breaks_what_follows() -> None:
    """Even the platform's key cannot rewrite one seal alone: the next one names its digest."""
    sealed_records()
    made = Seal.objects.get(number=2)
    digests = bytes(made.record_digests)[32:]
    said = read_statement(made.statement, "")
    text = said._replace(record_count=9, records_digest=hashlib.sha256(digests).hexdigest()).text()
    signature = sealing.signing_key().sign(text.encode())
    tamper(
        SEALS,
        f"UPDATE {SEALS} SET statement = %s, signature = %s, record_digests = %s, record_count = 9 WHERE number = 2",
        *(text, signature, digests),
    )
    tamper(RECORDS, f"DELETE FROM {RECORDS} WHERE call_id = %s", CallRecord.objects.order_by("xid")[10].call_id)
    assert first_bad() == "CALLS seal 3: it does not follow seal 2 as that stands now"
    assert digest_of(text) != digest_of(made.statement)


def test_the_command_verifies_names_and_leaves_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    victim = sealed_records()[12]
    archiving.archive_due(now=timezone.now(), everything=True)
    call_command("verify_evidence")
    assert "CALLS: intact, 4 seals, 35 records" in capsys.readouterr().out
    today = f"{timezone.localdate():%Y-%m-%d}"
    call_command("verify_evidence", "--from", today, "--to", today)
    assert AuditEntry.objects.filter(action="evidence.verified").count() == 2
    tamper(RECORDS, f"UPDATE {RECORDS} SET row_count = 2 WHERE call_id = %s", victim.call_id)
    with pytest.raises(CommandError):
        call_command("verify_evidence")
    assert f"FIRST BAD ENTRY CALLS seal 2, record 3 of 10 (call_id {victim.call_id}): edited" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="evidence.refuted").count() == 1


def test_archives_are_verified_with_the_database_and_a_missing_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    sealed_records()
    (name,) = archiving.archive_due(now=timezone.now(), everything=True)
    (settings.ARCHIVE_DIR / name).unlink()
    with pytest.raises(CommandError):
        call_command("verify_evidence")
    assert f"CALLS archives: FIRST BAD ENTRY {name}: deleted" in capsys.readouterr().out


def test_a_tampered_batch_is_not_archived() -> None:
    from exchange.evidence.verifier import Tampered

    victim = sealed_records()[12]
    tamper(RECORDS, f"UPDATE {RECORDS} SET row_count = 2 WHERE call_id = %s", victim.call_id)
    with pytest.raises(Tampered, match=str(victim.call_id)):
        archiving.archive_due(now=timezone.now(), everything=True)
    assert list(settings.ARCHIVE_DIR.glob("*.zip")) == []
