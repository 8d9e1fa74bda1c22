"""Issuing one license: drafted, checked, signed by another person - or refused with the reason, and nothing issued."""

from __future__ import annotations

import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from basedb.models import License as CityLicense
from core.crypto import sm3
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from licenses import numbering
from licenses.issuing import drafts, states
from licenses.issuing.candidates import last_day
from licenses.issuing.workflow import CHANGES, Change, PaperAct, Seat, decide_change
from licenses.models import DraftKind, License, LicenseEvent, LicenseFile, LicenseState, PaperState
from licenses.sealing import keys
from licenses.sealing.canonical import canonical, data_of
from tests.basedb.credit_facts import make_fact
from tests.factories import City, make_user
from tests.licenses.issuing_scene import card_type, drafted, food_type, issued, make_company, make_person, to_sign, values_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()


def why(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.details)


def test_a_signed_draft_is_a_sealed_license_with_file_event_and_audit(city: City, now: datetime, tmp_path: Path) -> None:
    company = make_company(city.market)
    license = issued(city, food_type(city), company, now)
    read = numbering.parse(license.identifier)
    assert (read.version, read.warnings, license.number) == (1, (), license.serial)
    content = canonical(data_of(license))
    assert bytes(license.digest) == sm3(content)
    assert license.key is not None
    assert keys.verify(license.key, content, bytes(license.signature))
    assert [event.operation for event in license.events.all()] == ["01"]
    assert LicenseFile.objects.get(license=license).kind == "PDF"
    entry = AuditEntry.objects.get(action="license.issued")
    assert entry.detail["digest"] == bytes(license.digest).hex()
    assert company.uscc not in str(entry.__dict__)
    (tmp_path / "key.pem").write_text(license.key.public_key)
    (tmp_path / "data").write_bytes(content)
    (tmp_path / "signature").write_bytes(bytes(license.signature))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-in", "data", "-rawin", "-digest", "sm3",
               "-sigfile", "signature", "-pkeyopt", "distid:1234567812345678"]  # fmt: skip
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in told.stdout, told.stderr


def test_the_maker_never_signs(city: City, now: datetime) -> None:
    both = make_user("both", city.market)
    for role in ("OPERATOR", "HEAD"):
        both.role_assignments.create(role=role)
    city.people["both"] = both
    version, company = food_type(city), make_company(city.market)
    draft = drafts.make(type_code=version.code, values=values_of(company), actor=city.actor("both"), now=now)
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=city.actor("both"), now=now)
    with pytest.raises(Forbidden):
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("both"), now=now)
    assert not License.objects.exists()


def test_other_departments_see_nothing_and_issue_nothing(city: City, now: datetime) -> None:
    draft = to_sign(city, food_type(city), make_company(city.market), now)
    with pytest.raises(NotFound):
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("police_head"), now=now)
    values = values_of(make_company(city.market))
    with pytest.raises(Forbidden, match="not_entrusted"):
        drafts.make(type_code=draft.type_version.code, values=values, actor=city.actor("police_operator"), now=now)
    with pytest.raises(Forbidden):
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_operator"), now=now)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"holders": [{"name": "某公司", "code": "91990101MA000000X0"}]}, "holders[1].code"),
        ({"holders": []}, "holders"),
        ({"holders": [{"name": "甲", "code": "1"}, {"name": "乙", "code": "2"}]}, "holders"),
        ({"valid_from": "2030-01-01", "valid_to": "2029-12-31"}, "valid_to"),
        ({"valid_from": "2020-01-01", "valid_to": "2021-12-31"}, "valid_to"),
        ({"valid_to": ""}, "valid_to"),
        ({"valid_to": "2031-02-30"}, "valid_to"),
        ({"region_code": "32"}, "region_code"),
        ({"number": " 1\x00"}, "number"),
        ({"face": {}}, "face.premises"),
        ({"face": {"premises": "x", "unknown": "y"}}, "face.unknown"),
        ({"face": {"premises": "x" * 101}}, "face.premises"),
    ],
)
def test_what_is_wrong_with_its_form_is_told_by_field(city: City, now: datetime, changed: dict[str, Any], field: str) -> None:
    version, company = food_type(city), make_company(city.market)
    with pytest.raises(Invalid) as error:
        drafts.make(
            type_code=version.code, values=values_of(company, **changed), actor=city.actor("market_operator"), now=now
        )  # fmt: skip
    assert field in error.value.details


def found(city: City, draft: Any, now: datetime) -> set[str]:
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=city.actor("market_operator"), now=now)
    assert draft.state != "TO_SIGN"
    return {finding["code"] for finding in draft.findings}


def test_holders_the_base_does_not_know_or_who_are_no_more_are_refused(city: City, now: datetime) -> None:
    card, food = card_type(city), food_type(city)
    alive, dead = make_person(city.police), make_person(city.police, person_status="9")
    died = make_person(city.police, died_on=date(2025, 1, 1))
    moved, cancelled = make_person(city.police, person_status="1"), make_company(city.market, registration_state="4")
    revoked = make_company(city.market, registration_state="2")
    assert found(city, drafted(city, card, dead, now), now) == {"holder.dead"}
    assert found(city, drafted(city, card, died, now), now) == {"holder.dead"}
    assert found(city, drafted(city, card, moved, now), now) == {"holder.cancelled"}
    assert found(city, drafted(city, food, cancelled, now), now) == {"holder.cancelled"}
    assert found(city, drafted(city, food, revoked, now), now) == {"holder.cancelled"}
    alive.name = "王大一"
    assert found(city, drafted(city, card, alive, now), now) == {"holder.name"}
    alive.delete()
    assert found(city, drafted(city, card, alive, now), now) == {"holder.unknown"}
    assert not License.objects.exists()


def test_a_holder_who_died_after_the_check_is_refused_at_the_signature(city: City, now: datetime) -> None:
    person = make_person(city.police)
    draft = to_sign(city, card_type(city), person, now)
    person.person_status = "9"
    person.save()
    with pytest.raises(Invalid) as error:
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_head"), now=now)
    assert "死亡" in why(error)
    assert not License.objects.exists()
    draft.refresh_from_db()
    assert draft.state == "TO_SIGN"


def test_names_are_compared_as_the_base_compares_them(city: City, now: datetime) -> None:
    company = make_company(city.market, name="南京（示例）面馆")
    company.name = "南京(示例)面馆"
    assert issued(city, food_type(city), company, now)


def test_a_second_license_of_the_same_type_is_refused_unless_the_type_repeats(city: City, now: datetime) -> None:
    version, company = food_type(city), make_company(city.market)
    first = issued(city, version, company, now)
    assert found(city, drafted(city, version, company, now), now) == {"license.already_held"}
    version.is_repeatable = True
    version.save()
    assert found(city, drafted(city, version, company, now), now) == {"license.already_held"}, "the very same face"
    other = {"premises": "南京市秦淮区 2 号"}
    assert issued(city, version, company, now, face=other).serial > first.serial


def test_a_live_license_of_the_city_counts_and_one_of_the_same_number_is_the_same(city: City, now: datetime) -> None:
    version, company = food_type(city), make_company(city.market)
    delivered = make_fact(
        "license.license", city.market, number="JY001", type_code=version.code, holder_code=company.uscc, valid_to=None,
        identifier=None,
    )  # fmt: skip
    CityLicense.objects.filter(pk=delivered.pk).update(subject_key=company.subject_key)
    assert found(city, drafted(city, version, company, now), now) == {"license.already_held"}
    assert issued(city, version, company, now, number="JY001")


def test_a_number_is_given_once(city: City, now: datetime) -> None:
    version = food_type(city)
    issued(city, version, make_company(city.market), now, number="JY1")
    assert found(city, drafted(city, version, make_company(city.market), now, number="JY1"), now) == {"number.taken"}


def test_a_version_out_of_force_is_not_issued(city: City, now: datetime) -> None:
    version = food_type(city)
    draft = to_sign(city, version, make_company(city.market), now)
    version.effective = DateRange(date(2026, 1, 1), now.date())
    version.save()
    with pytest.raises(Invalid) as error:
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_head"), now=now)
    assert "施行期" in why(error)
    with pytest.raises(NotFound):
        drafted(city, version, make_company(city.market), now)


def test_a_returned_draft_is_mended_and_a_stale_page_refused(city: City, now: datetime) -> None:
    draft = to_sign(city, food_type(city), make_company(city.market), now)
    head, operator = city.actor("market_head"), city.actor("market_operator")
    with pytest.raises(Invalid):
        drafts.return_to_maker(uid=draft.uid, revision=draft.revision, remark=" ", actor=head, now=now)
    back = drafts.return_to_maker(uid=draft.uid, revision=draft.revision, remark="请核对地址", actor=head, now=now)
    with pytest.raises(Conflict):
        drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    with pytest.raises(Conflict):
        drafts.sign(uid=back.uid, revision=back.revision, actor=head, now=now)
    withdrawn = drafts.withdraw(uid=back.uid, revision=back.revision, actor=operator, now=now)
    assert (withdrawn.state, License.objects.count()) == ("WITHDRAWN", 0)


def test_a_change_supersedes_and_keeps_number_and_serial(city: City, now: datetime) -> None:
    version, company = food_type(city), make_company(city.market)
    old = issued(city, version, company, now, number="JY7", has_paper=True)
    states.register_paper(
        license_uid=old.uid, act=PaperAct.HAND_OUT, paper_number="P001", reason="", actor=city.actor("market_operator"), now=now
    )
    values = values_of(company, face={"premises": "新址"}, number="OTHER", has_paper=True)
    operator = city.actor("market_operator")
    draft = drafts.make_next(
        license_uid=old.uid, kind=DraftKind.CHANGE, values=values, reason="迁址", basis="", actor=operator, now=now
    )
    with pytest.raises(Conflict, match="under_way"):
        drafts.make_next(
            license_uid=old.uid, kind=DraftKind.CHANGE, values=values, reason="迁址", basis="", actor=operator, now=now
        )
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    assert draft.findings == []
    new = drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_head"), now=now)
    old.refresh_from_db()
    assert (new.serial, new.version, new.number, new.previous_id) == (old.serial, 2, "JY7", old.pk)
    assert (old.is_current, old.state, old.paper_state) == (False, LicenseState.LAPSED, PaperState.TO_RECALL)
    assert new.paper_state == PaperState.TO_PRINT
    assert set(states.differences(operator)) == {old, new}
    with pytest.raises(Conflict):
        states.cancel(license_uid=old.uid, reason="x", basis="y", actor=city.actor("market_head"), now=now)


def test_an_expired_license_is_not_renewed(city: City, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now)
    later = now + timedelta(days=3000)
    with pytest.raises(Conflict, match="expired"):
        drafts.make_next(
            license_uid=license.uid, kind=DraftKind.RENEWAL, values={}, reason="到期", basis="", now=later,
            actor=city.actor("market_operator"),
        )  # fmt: skip


def test_what_takes_something_away_names_reason_and_basis(city: City, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now)
    head = city.actor("market_head")
    with pytest.raises(Invalid):
        states.revoke(license_uid=license.uid, reason="违法经营", basis="", actor=head, now=now)
    with pytest.raises(Forbidden):
        states.revoke(license_uid=license.uid, reason="a", basis="b", actor=city.actor("market_operator"), now=now)
    suspended = states.suspend(license_uid=license.uid, reason="检查", basis="第九条", actor=head, now=now)
    assert suspended.state == LicenseState.SUSPENDED
    assert states.resume(license_uid=license.uid, reason="期满", basis="", actor=head, now=now).state == LicenseState.VALID
    states.revoke(license_uid=license.uid, reason="违法经营", basis="第九条", actor=head, now=now)
    for change in Change:
        with pytest.raises(Conflict):
            states.carry_out(license_uid=license.uid, change=change, reason="a", basis="b", actor=head, now=now)
    assert list(license.events.values_list("operation", flat=True)) == ["01", "03", "06", "21"]
    assert AuditEntry.objects.filter(action="license.forfeited").count() == 1


def test_every_change_leads_where_the_table_says(db: None) -> None:
    for change, rule in CHANGES.items():
        for state in LicenseState:
            if state in rule.comes_from:
                assert decide_change(state, change, is_current=True, seats={Seat.SIGNER}).to == rule.to
            else:
                with pytest.raises(Conflict):
                    decide_change(state, change, is_current=True, seats={Seat.SIGNER})


def test_paper_goes_along(city: City, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now, has_paper=True)
    operator, head = city.actor("market_operator"), city.actor("market_head")
    given: dict[str, Any] = {"license_uid": license.uid, "actor": operator, "now": now}
    with pytest.raises(Invalid):
        states.register_paper(**given, act=PaperAct.HAND_OUT, paper_number="", reason="")
    with pytest.raises(Conflict):
        states.register_paper(**given, act=PaperAct.RECALL, paper_number="", reason="收回")
    states.register_paper(**given, act=PaperAct.HAND_OUT, paper_number="N1", reason="")
    states.cancel(license_uid=license.uid, reason="歇业", basis="第七十条", actor=head, now=now)
    license.refresh_from_db()
    assert (license.paper_state, license.paper_number) == (PaperState.TO_RECALL, "N1")
    states.register_paper(**given, act=PaperAct.RECALL, paper_number="", reason="已交回")
    assert not states.differences(operator).exists()


def test_what_was_signed_is_signed_once_and_events_stay(city: City, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE licenses_license SET signature = '\\x00' WHERE id = %s", [license.pk])
    with pytest.raises(DatabaseError), transaction.atomic():
        LicenseEvent.objects.all().delete()


@pytest.mark.parametrize(
    ("starts", "months", "ends"),
    [
        (date(2026, 1, 15), 12, date(2027, 1, 14)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 3, 1), 24, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2026, 12, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_a_validity_of_months_ends_the_day_before(starts: date, months: int, ends: date) -> None:
    assert last_day(starts, months) == ends
