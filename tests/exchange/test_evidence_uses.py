"""Use records of licenses are sealed in a chain of their own: changes are found, archives hold them, the verifier checks them."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from django.conf import settings

from exchange.evidence import archiving, verifier
from exchange.models import Chain, Seal
from licenses.uses import Use, record_many
from tests.exchange.sealed import first_bad, keys_file, seal, sealable, tamper

__all__ = ["sealable"]


def append(now: datetime, count: int = 5) -> None:
    for number in range(count):
        record_many(
            [
                Use(
                    identifier=f"1.2.156.3005.2.{number}",
                    type_code="11100000000013338W011",
                    channel="PRESENTED",
                    subject_key=b"k" * 16,
                    matter="转移登记",
                    items=["license.number", "area"],
                    at=now,
                )
            ]
        )


def test_uses_are_sealed_in_their_own_chain_and_every_change_is_found(sealable: None, now: datetime) -> None:
    append(now)
    seals = seal(Chain.USES, batch=2, until=5)
    assert sum(made.record_count for made in seals) == 5
    assert Seal.objects.exclude(chain=Chain.USES).count() == 0
    assert first_bad(Chain.USES) == ""
    tamper("licenses_licenseuse", "UPDATE licenses_licenseuse SET matter = %s WHERE identifier = %s", "其他", "1.2.156.3005.2.3")
    assert "edited" in first_bad(Chain.USES)
    assert "(id " in first_bad(Chain.USES)


def test_a_use_taken_away_is_missed(sealable: None, now: datetime) -> None:
    append(now)
    seal(Chain.USES, until=5)
    tamper("licenses_licenseuse", "DELETE FROM licenses_licenseuse WHERE identifier = %s", "1.2.156.3005.2.0")
    assert "deleted" in first_bad(Chain.USES)


def test_archives_of_uses_are_verified_without_the_platform(sealable: None, now: datetime) -> None:
    append(now)
    seal(Chain.USES, until=5)
    [name] = archiving.archive_due(now=now, everything=True)
    assert name.startswith("mlog-uses-")
    path = settings.ARCHIVE_DIR / name
    command = [sys.executable, str(Path(verifier.__file__)), "--keys", str(keys_file()), str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "5 records" in told.stdout
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
