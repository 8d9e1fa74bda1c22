"""Licenses as the verification tests need them: issued here or aggregated, in any state; keys in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis

from basedb.identifiers import generate_uscc
from basedb.models import License as AggregatedLicense
from core.audit import PLATFORM
from core.models import Department
from licenses import numbering
from licenses.models import KeyPurpose, License, LicenseHolder, SealKey, TypeState, TypeVersion, ValidityKind
from licenses.sealing import keys

_numbers = count(1)
TYPE = "11100000000013338W011"
ISSUER = generate_uscc(61, region="320100", kind="11")
ELSEWHERE = generate_uscc(62, region="330100", kind="11")


@pytest.fixture
def seal_keys(db: None, tmp_path: Path, settings: Any) -> Iterator[dict[str, SealKey]]:
    """Keys for data and status lists, made anew."""
    settings.LICENSE_KEYS_DIR = tmp_path / "license_keys"
    settings.LICENSE_PASSPHRASE_FILE = tmp_path / "passphrase"
    settings.LICENSE_PASSPHRASE_FILE.write_text("a passphrase of the tests")
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
    keys.store.forget()
    long_ago = datetime.now().astimezone() - timedelta(days=400)
    yield {purpose.value: keys.rotate(purpose, actor=PLATFORM, now=long_ago) for purpose in (KeyPurpose.DATA, KeyPurpose.STATUS)}
    keys.store.forget()


@pytest.fixture
def no_limit_reached() -> None:
    """Counters of verifications start anew."""
    client = Redis.from_url(django_settings.CALLS_REDIS_URL)
    for name in client.scan_iter("verifications:*"):
        client.delete(name)
    client.close()


def make_type(department: Department, **values: Any) -> TypeVersion:
    """Return a published type."""
    defaults: dict[str, Any] = {
        "code": TYPE,
        "name": "机动车驾驶证",
        "defining_body": "公安部",
        "defining_body_code": TYPE[:18],
        "department": department,
        "holder_kind": "PERSON",
        "validity_kind": ValidityKind.UNLIMITED,
        "state": TypeState.PUBLISHED,
        "effective": (date(2020, 1, 1), None),
    }
    return TypeVersion.objects.create(**defaults | values)


def make_license(version: TypeVersion, /, **values: Any) -> License:
    """Return a license issued here a year ago, with one holder."""
    serial = values.pop("serial", f"{next(_numbers):011d}")
    number, issuer = values.pop("version", 1), values.pop("issuer_code", ISSUER)
    holder = values.pop("holder", "张三丰")
    defaults: dict[str, Any] = {
        "type_code": version.code,
        "issuer": version.department,
        "issuer_code": issuer,
        "issuer_name": version.department.name,
        "identifier": numbering.compose(version.code, issuer, serial, number),
        "number": f"SYN{serial}",
        "region_code": "320102",
        "issued_on": date.today() - timedelta(days=365),
        "valid_from": date.today() - timedelta(days=365),
        "digest": bytes(32),
        "issued_at": datetime.now().astimezone() - timedelta(days=365),
    }
    made = License.objects.create(type_version=version, serial=serial, version=number, **defaults | values)
    LicenseHolder.objects.create(
        license=made, name=holder, code="990101199001010011", code_type="111", subject_key=made.pk.to_bytes(16, "big")
    )
    made.refresh_from_db()
    return made


def aggregate(source: Department, **values: Any) -> AggregatedLicense:
    """Return an aggregated license."""
    number = next(_numbers)
    serial, version = values.pop("serial", f"{number:09d}"), values.pop("version", 1)
    issuer = values.get("issuer_code", ISSUER)
    defaults: dict[str, Any] = {
        "subject_key": number.to_bytes(16, "big"),
        "row_key": number.to_bytes(16, "big"),
        "source_department": source,
        "source_record_id": number,
        "run_id": 1,
        "type_code": TYPE,
        "identifier": numbering.compose(TYPE, issuer, serial, version),
        "title": "机动车驾驶证",
        "number": f"SYN{serial}",
        "holder_name": "李四",
        "holder_code": "990101199001010011",
        "holder_code_type": "111",
        "issuer": source.name,
        "issuer_code": issuer,
        "issued_on": date(2024, 5, 1),
        "valid_from": date(2024, 5, 1),
        "region_code": "320102",
        "license_state": "01",
        "license_version": f"{version:03d}",
    }
    return AggregatedLicense.objects.create(**defaults | values)
