"""The keys kept beside a call with many of them are covered by its seal: who changes or drops them is found out."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.exchange.sealed import INSERT, append, first_bad, seal, sealable, tamper

__all__ = ["sealable"]
pytestmark = pytest.mark.usefixtures("sealable")
DIGEST = "sha256('answer'), sha256(uuid_send(md5('a')::uuid) || uuid_send(md5('b')::uuid)),"
WITH_DIGEST = INSERT.replace("answer_digest,", "answer_digest, subjects_digest,").replace("sha256('answer'),", DIGEST)
KEPT = f"""
WITH recorded AS ({WITH_DIGEST} RETURNING requested_at, consumer_id, call_id)
INSERT INTO exchange_callsubjects (requested_at, consumer_id, call_id, subject_keys)
SELECT requested_at, consumer_id, call_id, ARRAY[md5('a')::uuid, md5('b')::uuid] FROM recorded RETURNING call_id"""


def sealed_calls(count: int) -> list[str]:
    """Seal calls about two people each among calls about one; return the numbers of those about two."""
    numbers = []
    with connection.cursor() as cursor:
        for _ in range(count):
            append(2)
            cursor.execute(KEPT)
            numbers.append(str(cursor.fetchone()[0]))
    seal(batch=4)
    assert first_bad() == ""
    return numbers


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE exchange_callsubjects SET subject_keys = ARRAY[md5('a')::uuid, md5('c')::uuid] WHERE call_id = %s",
        "UPDATE exchange_callsubjects SET subject_keys = ARRAY[md5('b')::uuid, md5('a')::uuid] WHERE call_id = %s",
        "UPDATE exchange_callsubjects SET subject_keys = ARRAY[md5('a')::uuid] WHERE call_id = %s",
        "DELETE FROM exchange_callsubjects WHERE call_id = %s",
    ],
)
def test_changed_subjects_of_a_call_are_named(change: str) -> None:
    calls = sealed_calls(3)
    tamper("exchange_callsubjects", change, calls[1])
    assert f"subjects of call {calls[1]}" in first_bad()
