"""Verification by identifier and code: each outcome, what is told and what is not, names, limits, records and counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from core.errors import Invalid, Unavailable
from licenses import numbering
from licenses.models import License, LicenseHolder, LicenseUse, SealKey, TrustedKey, TrustedNode, VerificationCount
from licenses.status.checker import code_text
from licenses.verification import checks, counting, limits
from licenses.verification.outcome import VERDICTS, Result, State
from tests.factories import City
from tests.licenses.verified import ELSEWHERE, ISSUER, TYPE, aggregate, make_license, make_type, no_limit_reached, seal_keys

__all__ = ["no_limit_reached", "seal_keys"]

pytestmark = pytest.mark.usefixtures("no_limit_reached")
YESTERDAY, TOMORROW = date.today() - timedelta(days=1), date.today() + timedelta(days=1)
REST, PAGE = "/openapi/v1/license-verifications", "/verify/"
SITE = "https://exchange.invalid"


def codes(result: Result) -> tuple[str, str, str]:
    return result.integrity.code, result.status.code, result.issuer.code


@pytest.fixture
def signed(city: City, seal_keys: dict[str, SealKey]) -> License:
    """A valid license, signed by the data key."""
    return make_license(make_type(city.police), signature=bytes(70), key=seal_keys["DATA"])


def test_a_valid_license_is_told_with_its_key_and_a_masked_holder(signed: License, now: datetime) -> None:
    result = checks.verify_identifier(signed.identifier, now)
    assert codes(result) == ("integrity.not_examined", "status.valid", "issuer.key_in_force")
    assert result.state == State.UNKNOWN
    assert result.outcome == "status.valid"
    assert result.issuer.evidence["key"] == signed.key.code
    assert result.status.evidence["position"] == str(signed.position)
    assert result.license is not None
    assert result.license.holder == "张**"
    text = str(result.told())
    for personal in ("张三丰", "990101199001010011", signed.number):
        assert personal not in text


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"state": "02"}, "status.suspended"),
        ({"state": "03"}, "status.rescinded"),
        ({"state": "04"}, "status.cancelled"),
        ({"state": "05"}, "status.lapsed"),
        ({"state": "06"}, "status.moved_away"),
        ({"state": "07"}, "status.revoked"),
        ({"state": "99"}, "status.other"),
        ({"valid_to": YESTERDAY}, "status.expired"),
        ({"valid_to": date.today()}, "status.valid"),
        ({"valid_from": TOMORROW}, "status.not_yet_valid"),
        ({"state": "02", "valid_to": YESTERDAY}, "status.suspended"),
    ],
)
def test_every_state_is_told_by_its_code(city: City, now: datetime, values: dict[str, Any], code: str) -> None:
    made = make_license(make_type(city.police), **{"valid_from": date.today() - timedelta(days=9)} | values)
    result = checks.verify_identifier(made.identifier, now)
    assert result.status.code == code
    assert (result.status.state == State.VALID) == (code == "status.valid")
    assert result.state == (State.UNKNOWN if code == "status.valid" else State.INVALID)


def test_a_superseded_version_names_the_one_in_force_and_nobody(city: City, now: datetime) -> None:
    kind = make_type(city.police)
    old = make_license(kind, serial="00000000077", is_current=False, state="05")
    make_license(kind, serial="00000000077", version=2, previous=old, is_current=False, state="05")
    new = make_license(kind, serial="00000000077", version=3, holder="王五")
    result = checks.verify_identifier(old.identifier, now)
    assert result.status.code == "status.superseded"
    assert result.status.evidence["superseded_by"] == new.identifier
    assert "003" in result.status.message
    assert "王" not in str(result.told())


def test_a_revoked_version_stays_revoked_though_a_later_one_is_there(city: City, now: datetime) -> None:
    kind = make_type(city.police)
    old = make_license(kind, serial="00000000078", is_current=False, state="07")
    make_license(kind, serial="00000000078", version=2)
    assert checks.verify_identifier(old.identifier, now).status.code == "status.revoked"


def test_a_forged_identifier_is_told_by_its_check_character(signed: License, now: datetime) -> None:
    wrong = signed.identifier[:-1] + ("A" if signed.identifier[-1] != "A" else "B")
    result = checks.verify_identifier(wrong, now)
    assert codes(result)[:2] == ("integrity.check_character", "status.unknown_license")
    assert result.state == State.INVALID
    assert result.license is None


def test_an_identifier_nobody_issued_is_a_forgery_where_its_issuer_issues_here(signed: License, now: datetime) -> None:
    forged = numbering.compose(TYPE, ISSUER, "99999999999", 1)
    assert checks.verify_identifier(forged, now).status.code == "status.never_issued"
    later = numbering.compose(TYPE, ISSUER, signed.serial, 2)
    assert checks.verify_identifier(later, now).status.code == "status.never_issued"


def test_an_unknown_license_of_an_unknown_issuer_stays_unknown(city: City, now: datetime) -> None:
    result = checks.verify_identifier(numbering.compose(TYPE, ELSEWHERE, "123456789", 1), now)
    assert codes(result) == ("integrity.not_examined", "status.unknown_license", "issuer.unknown")
    assert result.state == State.UNKNOWN


def test_an_issuer_of_the_city_is_said_to_be_registered(city: City, now: datetime) -> None:
    city.market.code = ELSEWHERE
    city.market.save()
    result = checks.verify_identifier(numbering.compose(TYPE, ELSEWHERE, "123456789", 1), now)
    assert result.issuer.code == "issuer.registered"


def test_a_foreign_license_is_told_by_the_trust_list(city: City, now: datetime) -> None:
    identifier = numbering.compose(TYPE, ELSEWHERE, "123456789", 1)
    node = TrustedNode.objects.create(code="330100", name="杭州市", region_code="330100", relation="PEER", created_at=now)
    assert checks.verify_identifier(identifier, now).issuer.code == "issuer.unknown", "a node nobody confirmed is none"
    operator, reviewer = city.people["police_operator"], city.people["reviewer"]
    key = TrustedKey.objects.create(
        node=node, key_id="0" * 16, fingerprint="0" * 64, public_key="-", valid_from=now, valid_to=now + timedelta(days=1),
        proposed_by=operator, proposed_at=now, confirmed_by=reviewer, confirmed_at=now,
    )  # fmt: skip
    result = checks.verify_identifier(identifier, now)
    assert codes(result) == ("integrity.not_examined", "status.foreign", "issuer.trusted_node")
    TrustedKey.objects.filter(pk=key.pk).update(revoked_at=now)
    assert checks.verify_identifier(identifier, now).issuer.code == "issuer.untrusted_node"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"retired_at": 10}, "issuer.key_retired"),
        ({"retired_at": 10, "compromised_at": 10}, "issuer.key_compromised_later"),
        ({"retired_at": 10, "compromised_at": 380}, "issuer.key_compromised"),
        ({"retired_at": 380}, "issuer.key_not_in_force"),
    ],
)
def test_keys_retired_or_lost_count_by_the_time_they_signed(signed: License, now: datetime, key: dict[str, int], code: str) -> None:
    SealKey.objects.filter(pk=signed.key_id).update(**{name: now - timedelta(days=days) for name, days in key.items()})
    result = checks.verify_identifier(signed.identifier, now)
    assert result.issuer.code == code
    assert (result.issuer.state == State.VALID) == (code in ("issuer.key_retired", "issuer.key_compromised_later"))


def test_an_aggregated_license_is_found_with_its_states(city: City, now: datetime) -> None:
    license = aggregate(city.market)
    result = checks.verify_identifier(license.identifier, now)
    assert codes(result) == ("integrity.not_examined", "status.valid", "issuer.on_record")
    assert result.license is not None
    assert result.license.holder == "李*"
    for values, code in (({"license_state": "07"}, "status.revoked"), ({"withdrawn_at": now}, "status.withdrawn")):
        type(license).objects.filter(pk=license.pk).update(**values)
        assert checks.verify_identifier(license.identifier, now).status.code == code


def test_a_holder_with_a_passport_is_masked_as_any_person(city: City, now: datetime) -> None:
    license = aggregate(city.market, holder_code_type="099", holder_code="E1234567", holder_name="JOHN DOE")
    result = checks.verify_identifier(license.identifier, now)
    assert result.license is not None
    assert result.license.holder == "J" + "*" * 7


def test_of_an_aggregated_license_an_older_version_is_superseded_and_a_newer_one_unknown(city: City, now: datetime) -> None:
    aggregate(city.market, serial="123456789", version=2)
    old = checks.verify_identifier(numbering.compose(TYPE, ISSUER, "123456789", 1), now)
    assert (old.status.code, old.status.evidence["version"], old.license) == ("status.superseded", "002", None)
    newer = checks.verify_identifier(numbering.compose(TYPE, ISSUER, "123456789", 3), now)
    assert (newer.status.code, newer.license) == ("status.unknown_license", None)
    assert newer.issuer.code == "issuer.registered"  # the version on record vouches for no other


def test_an_imported_identifier_with_a_wrong_check_character_is_told_as_on_record(city: City, now: datetime) -> None:
    identifier = numbering.compose(TYPE, ISSUER, "123456789", 1)
    wrong = identifier[:-1] + ("A" if identifier[-1] != "A" else "B")
    aggregate(city.market, serial="123456789", identifier=wrong)
    result = checks.verify_identifier(wrong, now)
    assert codes(result)[:2] == ("integrity.check_character_on_record", "status.valid")


def test_what_was_issued_here_is_told_from_here_though_it_is_aggregated_too(signed: License, city: City, now: datetime) -> None:
    aggregate(city.police, serial=signed.serial, license_state="07")
    result = checks.verify_identifier(signed.identifier, now)
    assert result.status.evidence["list"] == "issued"


def test_a_code_that_claims_another_license_s_place_is_a_forgery(signed: License, now: datetime) -> None:
    assert checks.verify_code(code_text(SITE, signed.identifier, signed.position, None), now).status.code == "status.valid"
    forged = checks.verify_code(code_text(SITE, signed.identifier, signed.position + 1, None), now)
    assert (forged.integrity.code, forged.state) == ("integrity.other_license", State.INVALID)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "license.identifier_missing"),
        ("   ", "license.identifier_missing"),
        ("x" * 401, "license.identifier_unreadable"),
        ("11100000000013338W011", "license.identifier_unreadable"),
        ("11430000006122244L", "license.identifier_unreadable"),
        ("1.2.156.3005.2.A.B", "license.identifier_unreadable"),
        ("1.2.156.3005.2.类型.机构.流水.001.A", "license.identifier_unreadable"),
        ("' OR 1=1 --", "license.identifier_unreadable"),
        ("\x00\x01", "license.identifier_unreadable"),
    ],
)
def test_garbage_is_refused_with_a_stable_code(city: City, now: datetime, text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        checks.verify_identifier(text, now)
    assert refused.value.code == code


def test_identifiers_are_read_leniently(signed: License, now: datetime) -> None:
    for text in (f"  {signed.identifier.lower()} ", signed.identifier.removeprefix("1.2.156.3005.2.")):
        assert checks.verify_identifier(text, now).status.code == "status.valid"


def test_a_name_is_compared_and_never_told(signed: License, now: datetime, client: Client) -> None:
    LicenseHolder.objects.create(
        license=signed, ordinal=2, name="阿依古丽·买买提", code="1", code_type="111", subject_key=bytes(16)
    )
    for name, agrees in (("张三丰", True), (" 张 三丰 ", True), ("张三", False), ("阿依古丽•买买提", True), ("", None)):
        body = {"identifier": signed.identifier} | ({"holder_name": name} if name else {})
        told = client.post(REST, body, content_type="application/json")
        assert told.json()["holder_agrees"] is agrees
        assert "三丰" not in told.content.decode()


def test_names_are_limited_by_license_and_by_address(signed: License, client: Client, settings: Any) -> None:
    settings.NAMES_COMPARED_A_LICENSE_A_DAY = 2
    body = {"identifier": signed.identifier, "holder_name": "张三丰"}
    told = [client.post(REST, body, content_type="application/json", REMOTE_ADDR=f"192.0.2.{n}") for n in range(3)]
    assert [one.status_code for one in told] == [200, 200, 429]
    assert told[2].json()["code"] == "verification.too_many"
    assert int(told[2]["Retry-After"]) > 3600
    plain = client.post(REST, {"identifier": signed.identifier}, content_type="application/json")
    assert plain.status_code == 200


def test_names_never_stand_in_an_address(client: Client, signed: License) -> None:
    told = client.get(REST, {"identifier": signed.identifier, "holder_name": "张三丰"})
    assert (told.status_code, told.json()["code"]) == (422, "verification.wrong_question")


def test_page_answers_a_scanned_code_and_shows_three_answers(signed: License, client: Client) -> None:
    shown = client.get(code_text("", signed.identifier, signed.position, None)).content.decode()
    for text in ("证照有效，未核验文件", "完整性", "状态", "颁发机构", "张**", "机动车驾驶证"):
        assert text in shown
    assert "张三丰" not in shown


def test_page_says_what_is_wrong_with_what_was_typed(client: Client, db: None) -> None:
    for body, text in (({"identifier": ""}, "此项必填"), ({"identifier": "abc"}, "以“.”分隔")):
        shown = client.post(PAGE, body)
        assert (shown.status_code, text in shown.content.decode()) == (422, True)
    assert client.get(PAGE, {"id": "abc"}).status_code == 422


def test_page_leads_from_a_superseded_version_to_the_new_one(city: City, client: Client) -> None:
    kind = make_type(city.police)
    old = make_license(kind, serial="00000000079", is_current=False, state="05")
    new = make_license(kind, serial="00000000079", version=2)
    shown = client.post(PAGE, {"identifier": old.identifier}).content.decode()
    assert "核验不通过" in shown
    assert f"?id={new.identifier}" in shown
    assert shown.index("请使用新版本") < shown.index("内容有没有被改动"), "the reason stands above the three answers"


def test_page_compares_a_name(signed: License, client: Client) -> None:
    shown = client.post(PAGE, {"identifier": signed.identifier, "holder_name": "李四"}).content.decode()
    assert "不一致" in shown
    assert "核验不通过" in shown


def test_a_signed_in_department_is_recorded_and_nobody_else(signed: License, city: City, client: Client) -> None:
    client.post(PAGE, {"identifier": signed.identifier})
    assert not LicenseUse.objects.exists()
    client.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    client.post(PAGE, {"identifier": signed.identifier})
    assert client.get(REST, {"identifier": signed.identifier}).status_code == 200
    uses = LicenseUse.objects.order_by("id")
    assert [(use.channel, use.department_name, use.identifier) for use in uses] == [
        ("VERIFIED", city.education.name, signed.identifier)
    ] * 2
    assert bytes(uses[0].subject_key or b"") == bytes(signed.holders.get().subject_key)


def test_what_nobody_has_is_nobody_s_use(city: City, client: Client) -> None:
    client.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    client.get(REST, {"identifier": numbering.compose(TYPE, ELSEWHERE, "123456789", 1)})
    assert not LicenseUse.objects.exists()


def test_verifications_are_counted_by_day_door_and_outcome(signed: License, client: Client, now: datetime) -> None:
    counting.tally.flush()
    VerificationCount.objects.all().delete()
    client.post(PAGE, {"identifier": signed.identifier})
    client.post(PAGE, {"identifier": signed.identifier})
    client.post(PAGE, {"identifier": numbering.compose(TYPE, ISSUER, "99999999999", 1)})
    counting.tally.flush()
    counted = set(VerificationCount.objects.values_list("day", "door", "outcome", "count"))
    assert counted == {(now.date(), "PAGE", "status.valid", 2), (now.date(), "PAGE", "status.never_issued", 1)}


def test_lookups_of_an_address_are_limited_with_headers(signed: License, client: Client, settings: Any) -> None:
    settings.VERIFICATIONS_A_MINUTE = 2
    body = {"identifier": signed.identifier}
    told = [client.post(REST, body, content_type="application/json") for _ in range(3)]
    assert [one.status_code for one in told] == [200, 200, 429]
    assert [one["RateLimit-Remaining"] for one in told[:2]] == ["1", "0"]
    page = client.post(PAGE, body)
    assert (page.status_code, "过于频繁" in page.content.decode()) == (429, True)
    assert client.post(REST, body, content_type="application/json", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_a_household_of_one_network_is_one_address() -> None:
    assert limits.network_of("2001:db8:1:2:3:4:5:6") == limits.network_of("2001:db8:1:2::9") == "2001:0db8:0001:0002"
    assert limits.network_of("2001:db8:1:3::9") != limits.network_of("2001:db8:1:2::9")
    assert limits.network_of("192.0.2.7") == "192.0.2.7"


def test_without_redis_nobody_verifies(settings: Any) -> None:
    settings.CALLS_REDIS_URL = "redis://127.0.0.1:1/0"
    limits.close()
    with pytest.raises(Unavailable):
        limits.take([limits.lookups_of("192.0.2.7")])
    limits.close()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "verification.wrong_question"),
        ({"identifier": "a", "code": "b"}, 422, "verification.wrong_question"),
        ({"identifier": 5}, 422, "request.invalid"),
        ({"identifier": "a", "unknown": "b"}, 422, "request.invalid"),
        ({"identifier": "a\x00"}, 422, "request.invalid"),
        ([], 422, "request.invalid"),
    ],
)
def test_wrong_bodies_are_refused(db: None, client: Client, body: Any, status: int, code: str) -> None:
    told = client.post(REST, body, content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (status, code)


def test_every_sentence_ends_and_names_no_placeholder_but_the_version() -> None:
    for code, (_state, sentence) in VERDICTS.items():
        assert sentence.endswith("。"), code
        assert ("%" in sentence) == (code == "status.superseded")
