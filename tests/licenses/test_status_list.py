"""Status lists: the bit string, what it says of every state, signing, publishing, keeping, and checking without a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import struct
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from basedb.models import License as AggregatedLicense
from core.audit import PLATFORM
from core.models import AuditEntry
from licenses import numbering
from licenses.models import LicenseState, ListName, SealKey, StatusList
from licenses.sealing import keys
from licenses.status import checker, publishing, states
from licenses.status.checker import CODES, LEAST, NotGenuine
from tests.factories import City
from tests.licenses.verified import ISSUER, TYPE, aggregate, make_license, make_type, seal_keys

__all__ = ["seal_keys"]

YESTERDAY, TOMORROW = date.today() - timedelta(days=1), date.today() + timedelta(days=2)
KEYS = "/openapi/v1/license-status/keys"


def publish(now: datetime, name: ListName = ListName.ISSUED) -> StatusList | None:
    return publishing.publish(name=name, actor=PLATFORM, now=now)


def published(now: datetime, name: ListName = ListName.ISSUED) -> StatusList:
    made = publish(now, name)
    assert made is not None
    return made


def trusting(_key: str, _message: bytes, _signature: bytes) -> bool:
    return True


def list_of(made: StatusList) -> checker.StatusList:
    return checker.read_list(bytes(made.document), trusting)


def altered(made: StatusList, **values: Any) -> bytes:
    return json.dumps(json.loads(bytes(made.document)) | values).encode()


entries = st.dictionaries(st.integers(0, 3 * LEAST), st.sampled_from(sorted(CODES)), max_size=40)


@settings(max_examples=25, deadline=None)
@given(entries)
def test_a_bit_string_says_what_was_packed_and_nothing_between(given_entries: dict[int, int]) -> None:
    bits = checker.packed(given_entries, max(given_entries, default=0) + 1)
    assert len(bits) * 2 % LEAST == 0
    assert checker.decoded(checker.encoded(bits), 2 * len(bits)) == bits
    for position, code in given_entries.items():
        assert checker.entry(bits, position) == code
        for beside in (position - 1, position + 1):
            if beside not in given_entries:
                assert checker.entry(bits, beside) == checker.UNASSIGNED
    assert checker.entry(bits, 2 * len(bits)) == checker.UNASSIGNED


def test_a_short_list_is_as_long_as_hides_who_asks() -> None:
    assert len(checker.packed({}, 1)) * 2 == LEAST == 131_072


def test_the_lists_equal_the_tables_by_digest(city: City, now: datetime) -> None:
    kind = make_type(city.police)
    found: dict[int, int] = {}
    for state in LicenseState:
        for is_current, valid_to in ((True, None), (True, YESTERDAY), (True, TOMORROW), (False, None)):
            made = make_license(kind, state=state, is_current=is_current, valid_to=valid_to, valid_from=YESTERDAY)
            code = states.code_of(state=state, is_current=is_current, valid_to=valid_to, today=date.today())
            found[made.position] = code
    ahead = make_license(kind, valid_from=TOMORROW)
    found[ahead.position] = states.code_of(
        state=LicenseState.VALID, is_current=True, valid_to=None, valid_from=TOMORROW, today=date.today()
    )
    assert found[ahead.position] == checker.OTHER, "what begins later is not valid yet"
    with connection.cursor() as cursor:
        bits = states.read_bits(cursor, ListName.ISSUED, date.today())
    assert hashlib.sha256(bits).digest() == hashlib.sha256(checker.packed(found, max(found) + 1)).digest()
    assert sum(states.counts(bits).values()) == len(found)


def test_aggregated_licenses_stand_at_their_rows_and_withdrawn_ones_count_no_more(city: City, now: datetime) -> None:
    rows = {
        aggregate(city.market, license_state=state, valid_to=valid_to, withdrawn_at=withdrawn_at): word
        for state, valid_to, withdrawn_at, word in (
            ("01", None, None, "valid"),
            ("01", YESTERDAY, None, "lapsed"),
            ("01", TOMORROW, None, "valid"),
            ("01", None, now, "other"),
            ("02", None, None, "suspended"),
            ("03", None, None, "rescinded"),
            ("04", None, None, "cancelled"),
            ("05", None, None, "lapsed"),
            ("06", None, None, "moved_away"),
            ("07", None, None, "revoked"),
            ("99", None, None, "other"),
            ("??", None, None, "other"),
        )
    }
    ahead = aggregate(city.market, valid_from=TOMORROW)
    rows[ahead] = "other"
    with connection.cursor() as cursor:
        bits = states.read_bits(cursor, ListName.AGGREGATED, date.today())
    assert {row.pk: CODES[checker.entry(bits, row.pk)] for row in rows} == {row.pk: word for row, word in rows.items()}
    assert hashlib.sha256(bits).digest() == hashlib.sha256(_slowly(AggregatedLicense.objects.all())).digest()


def _slowly(rows: Any) -> bytes:
    found = {}
    for row in rows:
        if row.withdrawn_at is not None or row.license_state not in LicenseState.values:
            found[row.pk] = checker.OTHER
        else:
            found[row.pk] = states.code_of(
                state=row.license_state, is_current=True, valid_to=row.valid_to, valid_from=row.valid_from, today=date.today()
            )
    return checker.packed(found, max(found) + 1)


def test_a_license_issued_between_the_two_questions_of_a_list_fits_in() -> None:
    entries = bytes([0x10, 0, 0, 0, 0, 0, 0, 0x07])
    groups = struct.pack(">hiqi8s", 2, 8, 3 * LEAST // 16, 8, entries)
    bits = states._laid_out(memoryview(groups), 1)
    assert len(bits) * 2 == 4 * LEAST
    assert (checker.entry(bits, 3 * LEAST), checker.entry(bits, 3 * LEAST + 15)) == (checker.VALID, checker.REVOKED)


def test_superseded_says_less_than_revoked_and_more_than_lapsed() -> None:
    told = {state: states.code_of(state=state, is_current=False, valid_to=None, today=date.today()) for state in LicenseState}
    assert told[LicenseState.REVOKED] == checker.REVOKED
    assert told[LicenseState.CANCELLED] == checker.CANCELLED
    assert told[LicenseState.LAPSED] == told[LicenseState.VALID] == checker.SUPERSEDED


def test_a_published_list_is_verified_by_openssl_and_audited(
    city: City, now: datetime, seal_keys: dict[str, SealKey], tmp_path: Path, client: Client
) -> None:
    license = make_license(make_type(city.police), state="02")
    made = published(now)
    pem = tmp_path / "keys.pem"
    pem.write_bytes(client.get(KEYS).content)
    found = checker.read_list(bytes(made.document), checker.OpenSsl(pem))
    assert found.state_at(license.position) == "suspended"
    assert found.said["key"] == seal_keys["STATUS"].code
    assert made.counts == {"suspended": 1}
    entry = AuditEntry.objects.get(action="status_list.published")
    assert entry.detail["digest"] == bytes(made.digest).hex()


@pytest.mark.parametrize(
    "change",
    [
        {"number": 2},
        {"built_at": "2099-01-01T00:00:00+08:00"},
        {"valid_until": "2099-01-01T00:00:00+08:00"},
        {"list": "aggregated"},
        {"key": "STATUS-0000000000000000"},
        {"signature": "AAAA"},
        {"encoded_list": checker.encoded(bytes(LEAST // 2))},
        {"encoded_list": "u!!!!"},
        {"encoded_list": ""},
        {"status_size": 1},
        {"format": "other"},
        {"length": -4},
        {"key": "a\nb"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_list_is_not_believed(
    city: City, now: datetime, seal_keys: dict[str, SealKey], tmp_path: Path, change: dict[str, Any]
) -> None:
    make_license(make_type(city.police))
    made = published(now)
    pem = tmp_path / "keys.pem"
    pem.write_text(seal_keys["STATUS"].public_key)
    with pytest.raises(NotGenuine):
        checker.read_list(altered(made, **change), checker.OpenSsl(pem))


def test_a_list_that_unpacks_to_more_than_it_says_is_not_unpacked() -> None:
    bomb = "u" + base64.urlsafe_b64encode(gzip.compress(bytes(50_000_000))).decode().rstrip("=")
    with pytest.raises(NotGenuine):
        checker.decoded(bomb, LEAST)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"null", b'"text"'])
def test_what_is_no_list_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NotGenuine):
        checker.read_list(content, trusting)


def test_nothing_is_published_again_while_nothing_changed(city: City, now: datetime, seal_keys: dict[str, SealKey]) -> None:
    license = make_license(make_type(city.police))
    noon = now.replace(hour=12)
    assert published(noon).number == 1
    assert publish(noon + timedelta(minutes=3)) is None
    license.paper_number = "A1"
    license.save()  # touched, same state
    assert publish(noon + timedelta(minutes=6)) is None
    license.state = "07"
    license.save()
    assert published(noon + timedelta(minutes=9)).number == 2


def test_a_list_is_renewed_before_it_gets_old_and_when_the_day_turns(
    city: City, now: datetime, seal_keys: dict[str, SealKey]
) -> None:
    license = make_license(make_type(city.police), valid_from=YESTERDAY, valid_to=date.today())
    morning = now.replace(hour=1, minute=0)
    assert list_of(published(morning)).state_at(license.position) == "valid"
    assert publish(morning + timedelta(hours=5)) is None
    assert published(morning + timedelta(hours=6)).number == 2
    assert publish(now.replace(hour=11, minute=59)) is None
    turned = list_of(published(now.replace(hour=0, minute=1) + timedelta(days=1)))
    assert turned.said["number"] == 3
    assert turned.state_at(license.position) == "lapsed"


def test_old_lists_are_thinned_to_one_a_day_and_go_in_the_end(city: City, now: datetime, seal_keys: dict[str, SealKey]) -> None:
    license = make_license(make_type(city.police))
    start = now.replace(hour=8, minute=0) - timedelta(days=100)
    for days in (0, 50, 99):
        for hour in range(2):
            license.state = "02" if hour else "01"
            license.save()
            published(start + timedelta(days=days, hours=hour))
    assert publishing.thin(now=now) == 3
    assert list(StatusList.objects.order_by("number").values_list("number", flat=True)) == [4, 5, 6]


def test_a_license_issued_later_is_not_in_an_old_list(city: City, now: datetime, seal_keys: dict[str, SealKey]) -> None:
    kind = make_type(city.police)
    make_license(kind)
    found = list_of(published(now))
    assert found.state_at(make_license(kind).position) == "unassigned"


def test_lists_are_handed_out_with_a_tag_and_not_again_to_whoever_has_them(
    city: City, now: datetime, seal_keys: dict[str, SealKey], client: Client
) -> None:
    make_license(make_type(city.police))
    made = published(now)
    first = client.get("/openapi/v1/license-status/issued")
    assert first.content == bytes(made.document)
    assert first["Cache-Control"] == "public, max-age=180"
    again = client.get("/openapi/v1/license-status/issued", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    (told,) = client.get("/openapi/v1/license-status").json()["lists"]
    assert told["counts"] == {"valid": 1}
    assert told["sha256"] == hashlib.sha256(first.content).hexdigest()
    kept = client.get(told["url"][told["url"].index("/openapi") :])
    assert (kept.content, "immutable" in kept["Cache-Control"]) == (first.content, True)
    assert client.get("/openapi/v1/license-status/aggregated").json()["code"] == "status_list.not_found"


def test_compromised_keys_are_not_handed_out(seal_keys: dict[str, SealKey], now: datetime, client: Client) -> None:
    old = seal_keys["STATUS"]
    new = keys.rotate(keys.KeyPurpose.STATUS, actor=PLATFORM, now=now, compromised_at=now)
    text = client.get(KEYS).content.decode()
    assert new.code in text
    assert old.code not in text


@pytest.fixture
def kit(city: City, now: datetime, seal_keys: dict[str, SealKey], tmp_path: Path, client: Client) -> Any:
    """The checker's own program, run alone, on a list with a valid, a revoked and an expired license."""
    kind = make_type(city.police)
    licenses = {
        "valid": make_license(kind),
        "revoked": make_license(kind, state="07"),
        "lapsed": make_license(kind, valid_to=YESTERDAY, valid_from=YESTERDAY),
    }
    (tmp_path / "issued.json").write_bytes(bytes(published(now).document))
    (tmp_path / "keys.pem").write_bytes(client.get(KEYS).content)
    (tmp_path / "license_checker.py").write_bytes(Path(checker.__file__).read_bytes())

    def run(text: str, list_name: str = "issued.json") -> tuple[int, str]:
        command = [sys.executable, "-I", "license_checker.py", "--keys", "keys.pem", "--list", list_name, text]
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return told.returncode, told.stdout + told.stderr

    return licenses, run, tmp_path


def test_the_program_alone_tells_states_without_a_network(kit: Any) -> None:
    licenses, run, folder = kit
    codes = {
        word: checker.code_text("https://exchange.invalid", one.identifier, one.position, one.valid_to)
        for word, one in licenses.items()
    }
    for word, expected in (("valid", 0), ("revoked", 1), ("lapsed", 1)):
        status, told = run(codes[word])
        assert (status, f"（{word}）" in told) == (expected, True), told
        assert "距今 0 小时" in told
    status, told = run(licenses["valid"].identifier)
    assert (status, "请联网核验" in told) == (2, True)
    status, told = run(codes["valid"].replace(ISSUER, ISSUER[:-1] + "Z"))
    assert (status, "校验位不符" in told) == (1, True)
    content = (folder / "issued.json").read_text()
    (folder / "forged.json").write_text(content.replace('"number": 1', '"number": 9'))
    status, told = run(codes["valid"], "forged.json")
    assert (status, "不可信" in told) == (3, True)


def test_a_list_a_day_old_is_said_to_be_stale_and_vouches_for_nothing(
    city: City, now: datetime, seal_keys: dict[str, SealKey]
) -> None:
    license = make_license(make_type(city.police))
    found = list_of(published(now))
    code = checker.read_code(checker.code_text("https://exchange.invalid", license.identifier, license.position, None))
    fresh, stale = (checker.lines_of(code, found, now + timedelta(hours=hours)) for hours in (1, 25))
    assert fresh[1] == 0
    assert (stale[1], "清单已过期" in "".join(stale[0])) == (2, True)
    early = checker.lines_of(code, found, now - timedelta(hours=2))
    assert early[1] == 2


def test_the_end_of_validity_in_the_code_counts_without_a_list_of_that_day(
    city: City, now: datetime, seal_keys: dict[str, SealKey]
) -> None:
    license = make_license(make_type(city.police))
    found = list_of(published(now))
    text = checker.code_text("https://exchange.invalid", license.identifier, license.position, YESTERDAY)
    assert checker.lines_of(checker.read_code(text), found, now)[1] == 1


@pytest.mark.parametrize(
    "text",
    ["", "?", "https://a.invalid/verify/?id=&p=x&to=1", "https://a.invalid/?p=99999999999999", "x" * 5000, "?" + "a=1&" * 50],
)
def test_codes_that_say_nothing_are_read_as_nothing(text: str) -> None:
    code = checker.read_code(text)
    assert code.position is None
    assert code.valid_to == ""


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="0123456789ABCXZ", min_size=9, max_size=20), st.integers(1, 999), st.integers(0, 40))
def test_the_checker_and_the_office_agree_on_check_characters(serial: str, version: int, place: int) -> None:
    identifier = numbering.compose(TYPE, ISSUER, serial, version)
    assert checker.check_ok(identifier)
    body = len(checker.ROOT) + place % (len(identifier) - len(checker.ROOT))
    changed = identifier[:body] + ("1" if identifier[body] != "1" else "2") + identifier[body + 1 :]
    assert checker.check_ok(changed) == numbering.check_ok(changed)
