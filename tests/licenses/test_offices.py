"""Several offices issue one type: whoever is entrusted, in its own name; nobody else; what was issued outlasts the entrustment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from exchange.license_statistics import measuring, reading
from licenses import delivering, numbering
from licenses.issuing import batch_work, batches, drafts, feeding, states
from licenses.issuing.workflow import BatchCommand
from licenses.models import BatchSource, DraftKind, IssuingBatch, IssuingFeed, License, TypeOffice, TypeVersion
from licenses.reissue import providers
from licenses.types import entrusting, offices
from licenses.verification import checks
from tests.factories import City
from tests.licenses.issuing_scene import food_type, issued, make_company, to_sign, values_of
from tests.licenses.offices_scene import BASIS, district_office, entrusted_office, proposed_office
from tests.licenses.verified import TYPE, aggregate, make_license, make_type

pytestmark = pytest.mark.django_db
REASON = "区划调整，由市局收回。"


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Any) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()


def issued_by(city: City, who: str, version: TypeVersion, now: datetime) -> License:
    """Return a license an office drafted, checked and signed."""
    company = make_company(city.market)
    operator, head = city.actor(f"{who}_operator"), city.actor(f"{who}_head")
    draft = drafts.make(type_code=version.code, values=values_of(company), actor=operator, now=now)
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    assert draft.state == "TO_SIGN", draft.findings
    return drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)


def taken_in(city: City, version: TypeVersion, who: str, now: datetime) -> IssuingBatch:
    given: dict[str, Any] = {"type_code": version.code, "rows": [values_of(make_company(city.market))], "source": BatchSource.PAGE}
    return batches.take_in(**given, actor=city.actor(f"{who}_operator"), now=now)


def verdict(license: License | Any, now: datetime) -> tuple[str, str]:
    told = checks.verify_identifier(license.identifier, now).issuer
    return told.state, told.code


def test_an_entrusted_district_office_issues_under_its_own_code(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    entrusted_office(city, version, office, now)
    license = issued_by(city, "320102", version, now)
    read = numbering.parse(license.identifier)
    assert (read.issuer_code, read.warnings) == (office.code, ())
    assert (license.issuer_name, license.region_code) == ("玄武区市场监督管理局", "320102")
    assert verdict(license, now) == ("VALID", "issuer.key_in_force")
    assert issued(city, version, make_company(city.market), now).issuer == city.market
    assert {version.code} == set(offices.issuable_by(office.pk, now.date()).values_list("code", flat=True))


def test_an_office_issues_nothing_before_it_is_entrusted(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    values, actor = values_of(make_company(city.market)), city.actor("320102_operator")
    proposed_office(city, version, office, now)
    with pytest.raises(Forbidden, match="not_entrusted") as refused:
        drafts.make(type_code=version.code, values=values, actor=actor, now=now)
    assert office.name in str(refused.value.message)
    assert city.market.name in str(refused.value.message)
    with pytest.raises(Forbidden, match="not_entrusted"):
        taken_in(city, version, "320102", now)
    with pytest.raises(Forbidden, match="not_entrusted"):
        feeding.open_feed(type_code=version.code, actor=city.actor("320102_head"), now=now)
    assert not offices.issuable_by(office.pk, now.date()).exists()


def test_an_ended_entrustment_refuses_what_is_new_and_keeps_the_old(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    entry = entrusted_office(city, version, office, now)
    old, operator, head = issued_by(city, "320102", version, now), city.actor("320102_operator"), city.actor("320102_head")
    values = values_of(make_company(city.market))
    draft = drafts.make(type_code=version.code, values=values, actor=operator, now=now)
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    entrusting.end(uid=entry.uid, reason=REASON, actor=city.actor("market_head"), now=now)
    with pytest.raises(Invalid) as refused:
        drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)
    assert "签发机构" in str(refused.value.details)
    with pytest.raises(Forbidden, match="not_entrusted"):
        drafts.make(type_code=version.code, values=values, actor=operator, now=now)
    with pytest.raises(Forbidden, match="not_entrusted"):
        drafts.make_next(
            license_uid=old.uid,
            kind=DraftKind.CHANGE,
            values=drafts.values_of(old),
            reason="变更",
            basis="",
            actor=operator,
            now=now,
        )
    assert verdict(old, now) == verdict(old, now + timedelta(days=400)) == ("VALID", "issuer.key_in_force")
    assert states.suspend(license_uid=old.uid, reason="抽检不合格", basis="文书 1 号", actor=head, now=now).state == "02"
    assert License.objects.count() == 1


def test_batches_under_way_stop_with_the_entrustment(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    entry = entrusted_office(city, version, office, now)
    operator, head = city.actor("320102_operator"), city.actor("320102_head")
    feeding.open_feed(type_code=version.code, actor=head, now=now)
    made = [taken_in(city, version, "320102", now) for _ in range(2)]
    for batch in made:
        batch_work.work(batch_uid=batch.uid, clock=lambda: now)
        batch.refresh_from_db()
        batches.advance(uid=batch.uid, revision=batch.revision, command=BatchCommand.SUBMIT, actor=operator, now=now)
        batch.refresh_from_db()
    signed, unsigned = made
    batches.advance(uid=signed.uid, revision=signed.revision, command=BatchCommand.SIGN, actor=head, now=now)
    entrusting.end(uid=entry.uid, reason=REASON, actor=city.actor("reviewer"), now=now)
    with pytest.raises(Forbidden, match="not_entrusted"):
        batches.advance(uid=unsigned.uid, revision=unsigned.revision, command=BatchCommand.SIGN, actor=head, now=now)
    batch_work.work(batch_uid=signed.uid, clock=lambda: now)
    signed.refresh_from_db()
    assert (signed.issued_count, signed.refused_count) == (0, 1)
    assert signed.rows.get().faults[0]["code"] == "license.not_entrusted"
    assert IssuingFeed.objects.get().closed_at == now
    assert not License.objects.exists()


def test_entrusting_takes_two_people_of_the_keeping_department(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    given: dict[str, Any] = {"type_code": version.code, "department": office.uid, "basis": BASIS, "now": now}
    for who in ("market_head", "police_operator", "320102_operator", "reviewer"):
        with pytest.raises(Forbidden):
            entrusting.propose(**given, actor=city.actor(who))
    city.people["market_operator"].role_assignments.create(role="HEAD")
    entry = proposed_office(city, version, office, now)
    for who in ("market_operator", "320102_head", "reviewer"):
        with pytest.raises(Forbidden):
            entrusting.confirm(uid=entry.uid, actor=city.actor(who), now=now)
    with pytest.raises(NotFound):
        entrusting.confirm(uid=entry.uid, actor=city.actor("police_head"), now=now)
    entrusting.confirm(uid=entry.uid, actor=city.actor("market_head"), now=now)
    with pytest.raises(Conflict, match="taken"):
        proposed_office(city, version, office, now)
    told = AuditEntry.objects.get(action="license_office.confirmed")
    assert told.detail["office"] == office.name
    assert Notification.objects.filter(user=city.people["320102_operator"], title__contains=version.name).exists()


@pytest.mark.parametrize("wrong", ["unknown", "keeper", "code", "basis", "closed"])
def test_an_office_that_cannot_issue_is_not_proposed(city: City, now: datetime, wrong: str) -> None:
    version, office = food_type(city), district_office(city)
    if wrong == "code":
        office.code = "玄武市监"
    if wrong == "closed":
        office.valid_to = date(2026, 1, 1)
    office.save()
    department = {"unknown": uuid4(), "keeper": city.market.uid}.get(wrong, office.uid)
    with pytest.raises(Invalid) as refused:
        entrusting.propose(
            type_code=version.code, department=department, basis=" " if wrong == "basis" else BASIS,
            actor=city.actor("market_operator"), now=now,
        )  # fmt: skip
    assert list(refused.value.details) == ["basis" if wrong == "basis" else "department"]
    assert not TypeOffice.objects.exists()


def test_a_dropped_proposal_entrusts_nobody_and_may_be_made_anew(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    entry = proposed_office(city, version, office, now)
    entrusting.end(uid=entry.uid, reason="误选", actor=city.actor("market_operator"), now=now)
    with pytest.raises(Conflict, match="not_proposed"):
        entrusting.confirm(uid=entry.uid, actor=city.actor("market_head"), now=now)
    second = entrusted_office(city, version, office, now)
    entrusting.end(uid=second.uid, reason=REASON, actor=city.actor("market_head"), now=now)
    with pytest.raises(Conflict, match="ended"):
        entrusting.end(uid=second.uid, reason=REASON, actor=city.actor("market_head"), now=now)
    entrusted_office(city, version, office, now)
    assert issued_by(city, "320102", version, now)


def test_the_database_keeps_one_open_line_and_dates_its_end(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    entry = entrusted_office(city, version, office, now)
    for values in ({"ended_at": now}, {"effective": None}, {"confirmed_by_id": entry.proposed_by_id}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TypeOffice.objects.filter(pk=entry.pk).update(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        TypeOffice.objects.create(type_code=version.code, department=office, basis=BASIS)


def test_a_new_keeper_leaves_what_the_one_before_issued_good(city: City, now: datetime) -> None:
    version = food_type(city)
    old = issued(city, version, make_company(city.market), now)
    waiting = to_sign(city, version, make_company(city.market), now)
    entrusting.entrust(code=version.code, department=city.police.uid, actor=city.actor("reviewer"), now=now)
    assert verdict(old, now) == ("VALID", "issuer.key_in_force")
    with pytest.raises(Invalid):
        drafts.sign(uid=waiting.uid, revision=waiting.revision, actor=city.actor("market_head"), now=now)
    former = TypeOffice.objects.get(type_code=version.code)
    assert (former.department, former.is_former_keeper, former.ended_at) == (city.market, True, now)
    entrusting.entrust(code=version.code, department=city.market.uid, actor=city.actor("reviewer"), now=now)
    assert TypeOffice.objects.filter(department=city.police, is_former_keeper=True).get().effective.lower == now.date()
    assert issued(city, version, make_company(city.market), now)


def test_verification_tells_an_issuer_that_was_not_entrusted_that_day(city: City, now: datetime) -> None:
    version, office = make_type(city.police), district_office(city)
    stray = make_license(version, issuer=office, issuer_code=office.code)
    assert verdict(stray, now) == ("INVALID", "issuer.not_entrusted")
    earlier = aggregate(city.police, issuer_code=office.code, issued_on=date(2024, 5, 1))
    assert verdict(earlier, now) == ("VALID", "issuer.on_record")
    actors = {"actor": city.actor("police_operator"), "now": now - timedelta(days=10)}
    entry = entrusting.propose(type_code=TYPE, department=office.uid, basis=BASIS, **actors)
    entrusting.confirm(uid=entry.uid, actor=city.actor("police_head"), now=now - timedelta(days=10))
    entrusting.end(uid=entry.uid, reason=REASON, actor=city.actor("police_head"), now=now - timedelta(days=3))
    days = {ago: aggregate(city.police, issuer_code=office.code, issued_on=now.date() - timedelta(days=ago)) for ago in (9, 3, 2)}
    assert [verdict(days[ago], now)[1] for ago in (9, 3, 2)] == ["issuer.on_record", "issuer.on_record", "issuer.not_listed"]
    other = aggregate(city.police, issued_on=now.date())
    assert verdict(other, now) == ("UNKNOWN", "issuer.not_listed")
    assert verdict(aggregate(city.police, issuer_code=city.police.code, issued_on=now.date()), now)[1] == "issuer.on_record"


def test_statistics_count_by_issuer_and_region(city: City, now: datetime) -> None:
    version = food_type(city)
    for number, (code, count) in enumerate((("320102", 1), ("320104", 2)), start=71):
        entrusted_office(city, version, district_office(city, code, number), now)
        for _ in range(count):
            issued_by(city, code, version, now)
    License.objects.update(changed_xid=1)  # as if the transaction of the test had ended
    delivering.deliver(now=now)
    measuring.measure(now=now)
    scope = reading.Scope(type_code=version.code)
    counted = {line.title: line.total for line in reading.held("issuer", scope)}
    assert counted == {"玄武区市场监督管理局": 1, "秦淮区市场监督管理局": 2}
    assert sum(line.total for line in reading.held("type", scope)) == 3


def test_a_missing_license_is_looked_for_where_it_was_issued(city: City, now: datetime) -> None:
    version, office = food_type(city), district_office(city)
    nobody, today = b"\0" * 16, now.date()
    assert providers.provider_of(version.code, "320102", nobody, today) == city.market
    entry = entrusted_office(city, version, office, now)
    assert providers.provider_of(version.code, "320102001", nobody, today) == office
    assert providers.provider_of(version.code, "320104", nobody, today) == city.market
    license = issued(city, version, make_company(city.market), now)
    key = bytes(license.holders.get().subject_key)
    assert providers.provider_of(version.code, "320102", key, today) == city.market, "who issued it has the archive"
    issued_by(city, "320102", version, now)
    assert providers.provider_of(version.code, "320102", nobody, today) == office
    entrusting.end(uid=entry.uid, reason=REASON, actor=city.actor("market_head"), now=now)
    assert providers.provider_of(version.code, "320102", nobody, today) == city.market
