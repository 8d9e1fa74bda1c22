"""Batches: checked row by row, signed by another person, issued in transactions a killed worker leaves whole; delivered, fed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from basedb.models import License as CityLicense
from basedb.models import SourceRecord
from core.crypto import sm3
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry
from licenses import delivering, numbering
from licenses.issuing import batch_work, batches, drafts, expiring, feeding, sheets, signing, states
from licenses.issuing.workflow import BatchCommand
from licenses.models import (
    BatchSource,
    BatchState,
    DraftKind,
    IssuingBatch,
    IssuingRow,
    IssuingRowState,
    License,
    LicenseDelivery,
    SealKey,
)
from licenses.sealing import keys
from licenses.sealing.canonical import canonical, data_of
from licenses.verification import checks
from tests.basedb.credit_facts import make_fact
from tests.factories import City
from tests.licenses.issuing_scene import card_type, food_type, issued, make_company, make_person, values_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Any) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()


def taken_in(city: City, rows: list[dict[str, Any]], now: datetime, type_code: str, **values: Any) -> IssuingBatch:
    given: dict[str, Any] = {"source": BatchSource.PAGE, "actor": city.actor("market_operator")}
    return batches.take_in(type_code=type_code, rows=rows, now=now, **given | values)


def worked(batch: IssuingBatch, now: datetime) -> IssuingBatch:
    batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    batch.refresh_from_db()
    return batch


def advanced(city: City, batch: IssuingBatch, command: BatchCommand, who: str, now: datetime) -> IssuingBatch:
    batch.refresh_from_db()
    return batches.advance(
        uid=batch.uid, revision=batch.revision, command=command, remark="请核对", actor=city.actor(who), now=now
    )  # fmt: skip


def states_of(batch: IssuingBatch) -> list[str]:
    return list(batch.rows.order_by("place").values_list("state", flat=True))


def codes_of(batch: IssuingBatch, place: int) -> set[str]:
    return {fault["code"] for fault in batch.rows.get(place=place).faults}


def test_good_rows_are_issued_and_bad_ones_say_why(city: City, now: datetime) -> None:
    version = food_type(city)
    good, other, gone = make_company(city.market), make_company(city.market), make_company(city.market, registration_state="4")
    rows = [
        values_of(good, number="A1"),
        values_of(gone),
        values_of(other, number="A1"),
        values_of(other, valid_to="2020-01-01"),
        values_of(good),
        values_of(other, face={"premises": "甲乙\\丙\n丁"}),
    ]
    batch = worked(taken_in(city, rows, now, version.code), now)
    assert batch.state == BatchState.CHECKED
    assert states_of(batch) == ["GOOD", "REFUSED", "REFUSED", "REFUSED", "REFUSED", "GOOD"]
    assert codes_of(batch, 2) == {"holder.cancelled"}
    assert codes_of(batch, 3) == {"number.twice"}
    assert codes_of(batch, 4) == {"validity.reversed"}
    assert codes_of(batch, 5) == {"holder.twice_in_batch"}
    advanced(city, batch, BatchCommand.SUBMIT, "market_operator", now)
    with pytest.raises(Forbidden):
        advanced(city, batch, BatchCommand.SIGN, "market_operator", now)
    advanced(city, batch, BatchCommand.SIGN, "market_head", now)
    batch = worked(batch, now)
    assert (batch.state, batch.issued_count, batch.good_count, batch.refused_count) == (BatchState.DONE, 2, 2, 4)
    made = list(License.objects.order_by("serial"))
    assert [license.number for license in made] == ["A1", made[1].serial]
    assert made[1].face == {"premises": "甲乙\\丙\n丁"}
    assert all(numbering.parse(license.identifier).warnings == () for license in made)
    assert all(bytes(license.digest) == sm3(canonical(data_of(license))) for license in made)
    assert {license.signature for license in made} == {None}
    entry = AuditEntry.objects.get(action="license.issued_in_batch")
    assert entry.detail["digests"] == sm3(b"".join(bytes(license.digest) for license in made)).hex()


def test_signatures_left_out_are_added_and_nothing_altered_is_signed(city: City, now: datetime) -> None:
    version = card_type(city)
    rows = [values_of(make_person(city.police)) for _ in range(3)]
    issue(city, rows, now, version.code)
    altered = License.objects.order_by("pk").first()
    assert altered is not None
    License.objects.filter(pk=altered.pk).update(face={"trade": "焊工"})
    signing.sign_pending(until=now + timedelta(days=1), clock=lambda: now)
    signed = License.objects.exclude(pk=altered.pk).select_related("key")
    assert all(one.key and keys.verify(one.key, canonical(data_of(one)), bytes(one.signature)) for one in signed)
    altered.refresh_from_db()
    assert altered.signature is None


def issue(city: City, rows: list[dict[str, Any]], now: datetime, type_code: str) -> IssuingBatch:
    batch = worked(taken_in(city, rows, now, type_code), now)
    advanced(city, batch, BatchCommand.SUBMIT, "market_operator", now)
    advanced(city, batch, BatchCommand.SIGN, "market_head", now)
    return worked(batch, now)


def test_a_batch_without_a_good_row_is_not_submitted_and_one_cancelled_issues_nothing(city: City, now: datetime) -> None:
    version = food_type(city)
    empty = worked(taken_in(city, [values_of(make_company(city.market, registration_state="4"))], now, version.code), now)
    with pytest.raises(Conflict):
        advanced(city, empty, BatchCommand.SUBMIT, "market_operator", now)
    batch = worked(taken_in(city, [values_of(make_company(city.market))], now, version.code, source=BatchSource.REST), now)
    assert batch.state == BatchState.TO_SIGN, "what a system hands in goes on to the head"
    advanced(city, batch, BatchCommand.RETURN, "market_head", now)
    advanced(city, batch, BatchCommand.CANCEL, "market_operator", now)
    worked(batch, now)
    assert not License.objects.exists()
    with pytest.raises(Invalid):
        taken_in(city, [], now, version.code)
    with pytest.raises(Invalid):
        taken_in(city, [values_of(make_company(city.market), number="a\x00")], now, version.code)


def test_what_changed_between_check_and_issue_is_refused_then(city: City, now: datetime) -> None:
    version, person = card_type(city), make_person(city.police)
    batch = worked(taken_in(city, [values_of(person), values_of(make_person(city.police))], now, version.code), now)
    advanced(city, batch, BatchCommand.SUBMIT, "market_operator", now)
    person.person_status = "9"
    person.save()
    advanced(city, batch, BatchCommand.SIGN, "market_head", now)
    batch = worked(batch, now)
    assert (states_of(batch), codes_of(batch, 1)) == (["REFUSED", "ISSUED"], {"holder.dead"})


def test_a_worker_killed_in_the_middle_leaves_whole_chunks_and_another_goes_on(
    city: City, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = card_type(city)
    monkeypatch.setattr(batch_work, "CHUNK", 2)
    rows = [values_of(make_person(city.police)) for _ in range(5)]
    batch = worked(taken_in(city, rows, now, version.code), now)
    advanced(city, batch, BatchCommand.SUBMIT, "market_operator", now)
    advanced(city, batch, BatchCommand.SIGN, "market_head", now)
    token = batch_work._claim(batch.uid, now)
    assert token is not None
    assert batch_work._step(batch.uid, token, lambda: now)
    with pytest.raises(Died):
        batch_work._step(batch.uid, token, dying_after(now, 1))
    assert License.objects.count() == batch.rows.filter(state=IssuingRowState.ISSUED).count() == 2
    assert batch_work.unattended(now=now + timedelta(seconds=30)) == [], "the lease still holds"
    later = now + timedelta(minutes=2)
    assert batch_work.unattended(now=later) == [batch.uid]
    batch = worked(batch, later)
    assert (batch.state, batch.issued_count, License.objects.count()) == (BatchState.DONE, 5, 5)
    assert not batch_work._step(batch.uid, token, lambda: later), "the first worker comes back too late"


class Died(BaseException):
    """A worker that is gone."""


def dying_after(now: datetime, calls: int) -> Callable[[], datetime]:
    left = [calls]

    def clock() -> datetime:
        left[0] -= 1
        if left[0] < 0:
            raise Died
        return now

    return clock


def delivered() -> list[tuple[str, str, str | None, str]]:
    rows = CityLicense.objects.filter(withdrawn_at=None).order_by("number", "holder_name")
    return [(row.number, row.license_state, row.license_version, row.holder_name) for row in rows]


def settled(now: datetime) -> int:
    """Deliver as if the transaction of the test had ended."""
    License.objects.update(changed_xid=1)
    LicenseDelivery.objects.update(through_xid=0)
    return delivering.deliver(now=now)


def test_what_is_issued_and_changed_is_in_the_base_and_twice_changes_nothing(city: City, now: datetime) -> None:
    version, company = food_type(city), make_company(city.market)
    license = issued(city, version, company, now, number="N1")
    assert settled(now) == 1
    assert delivered() == [("N1", "01", "001", company.name)]
    row = CityLicense.objects.get()
    assert (row.identifier, bytes(row.subject_key), row.source_department_id) == (
        license.identifier, bytes(company.subject_key), city.market.pk,
    )  # fmt: skip
    records, changed = SourceRecord.objects.count(), row.version
    settled(now)
    assert (SourceRecord.objects.count(), CityLicense.objects.get().version) == (records, changed)
    head = city.actor("market_head")
    states.suspend(license_uid=license.uid, reason="检查", basis="第九条", actor=head, now=now)
    settled(now)
    assert delivered() == [("N1", "02", "001", company.name)]
    states.resume(license_uid=license.uid, reason="期满", basis="", actor=head, now=now)
    operator = city.actor("market_operator")
    draft = drafts.make_next(
        license_uid=license.uid, kind=DraftKind.CHANGE, values=values_of(company, face={"premises": "新址"}), reason="迁址",
        basis="", actor=operator, now=now,
    )  # fmt: skip
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)
    settled(now)
    assert delivered() == [("N1", "01", "002", company.name)]


def test_a_holder_left_out_of_the_next_version_has_it_no_more(city: City, now: datetime) -> None:
    version, one, two = card_type(city, holders_at_most=2), make_person(city.police), make_person(city.police)
    holders = [{"name": who.name, "code": who.citizen_id} for who in (one, two)]
    license = issued(city, version, one, now, holders=holders, number="X")
    settled(now)
    assert len(delivered()) == 2
    operator, head = city.actor("market_operator"), city.actor("market_head")
    draft = drafts.make_next(
        license_uid=license.uid,
        kind=DraftKind.CHANGE,
        values=values_of(one),
        reason="减少持证人",
        basis="",
        actor=operator,
        now=now,
    )
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)
    settled(now)
    assert delivered() == [("X", "01", "002", one.name)]


def test_what_is_aggregated_without_an_identifier_becomes_a_batch(city: City, now: datetime) -> None:
    version, company = food_type(city), make_company(city.market)
    made = make_fact(
        "license.license", city.market, number="JY9", type_code=version.code, holder_code=company.uscc, holder_name=company.name,
        holder_code_type="001", valid_from="20260115", valid_to="20310114", identifier=None, region_code="320102",
    )  # fmt: skip
    CityLicense.objects.filter(pk=made.pk).update(
        subject_key=company.subject_key, changed_xid=1, face={"premises": "南京市玄武区 1 号"}
    )
    with pytest.raises(Forbidden):
        feeding.open_feed(type_code=version.code, actor=city.actor("market_operator"), now=now)
    feeding.open_feed(type_code=version.code, actor=city.actor("market_head"), now=now)
    assert feeding.gather(now=now) == 1
    assert feeding.gather(now=now) == 0, "the same rows are gathered once"
    batch = worked(IssuingBatch.objects.get(source=BatchSource.AGGREGATION), now)
    assert batch.state == BatchState.TO_SIGN, list(batch.rows.values_list("faults", flat=True))
    advanced(city, batch, BatchCommand.SIGN, "market_head", now)
    worked(batch, now)
    assert License.objects.get().number == "JY9"


def test_what_one_transaction_brought_becomes_as_many_batches_as_it_takes(
    city: City, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, company = food_type(city), make_company(city.market)
    for number in range(5):
        made = make_fact(
            "license.license", city.market, number=f"JY{number}", type_code=version.code, holder_code=company.uscc,
            holder_name=company.name, holder_code_type="001", identifier=None, region_code="320102",
        )  # fmt: skip
        CityLicense.objects.filter(pk=made.pk).update(subject_key=company.subject_key, changed_xid=1)
    monkeypatch.setattr(batches, "MOST_ROWS", 2)
    feeding.open_feed(type_code=version.code, actor=city.actor("market_head"), now=now)
    assert feeding.gather(now=now) == 3
    assert list(IssuingBatch.objects.order_by("pk").values_list("row_count", flat=True)) == [2, 2, 1]
    assert feeding.gather(now=now) == 0


def test_a_row_that_starts_beyond_the_calendar_is_refused_and_the_others_are_checked(city: City, now: datetime) -> None:
    version = card_type(city)
    rows = [values_of(make_person(city.police)), values_of(make_person(city.police)) | {"valid_from": "9999-12-01", "valid_to": ""}]
    batch = worked(taken_in(city, rows, now, version.code), now)
    assert (batch.state, states_of(batch)) == (BatchState.CHECKED, ["GOOD", "REFUSED"])
    assert codes_of(batch, 2) == {"validity.too_far"}


def test_what_is_signed_after_the_batch_was_issued_by_a_key_made_since_is_genuine(city: City, now: datetime) -> None:
    issue(city, [values_of(make_person(city.police))], now, card_type(city).code)
    signing.sign_pending(until=now + timedelta(days=1), clock=lambda: now)
    made = License.objects.select_related("key").get()
    SealKey.objects.filter(pk=made.key_id).update(valid_from=now + timedelta(minutes=1))
    assert checks.verify_identifier(made.identifier, now + timedelta(hours=1)).issuer.code == "issuer.key_in_force"


def test_issuers_are_told_of_what_expires_and_nothing_is_changed(city: City, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now, valid_to=str(now.date() + timedelta(days=30)))
    before = License.objects.values().get(pk=license.pk)
    assert expiring.remind(now=now) == 1
    assert expiring.remind(now=now + timedelta(days=1)) == 0
    assert License.objects.values().get(pk=license.pk) == before


def test_a_line_of_a_table_becomes_a_row_and_comes_back_when_refused(city: City, now: datetime) -> None:
    version = food_type(city)
    header = sheets.header_of(version)
    assert header == [
        "证照编号", "持证主体", "持证主体代码", "有效期起", "有效期止", "管辖属地", "发放纸质证照", "经营场所", "经营项目",
    ]  # fmt: skip
    line = ["'-1", "某公司", "91990101MA0000000X", "2026-01-01", "2030-01-01", "320102", "是", "地址", None]
    (row,) = sheets.rows_of(version, header, iter([line]))
    assert (row["number"], row["has_paper"], row["face"]) == ("-1", True, {"premises": "地址"})
    kept = IssuingRow(place=7, content=row, faults=[{"field": "number", "code": "x", "message": "不对"}])
    assert sheets.line_of(version, kept)[:5] == [7, "不对", "-1", "某公司", "91990101MA0000000X"]


def test_an_item_titled_like_a_column_of_the_table_has_one_of_its_own(city: City) -> None:
    titles = ("有效期起", "持证主体代码", "工种")
    version = card_type(city, rulebook=[{"name": f"i{n}", "title": title} for n, title in enumerate(titles)])
    header = sheets.header_of(version)
    assert len(set(header)) == len(header)
    (row,) = sheets.rows_of(version, header, iter([[f"值{place}" for place in range(len(header))]]))
    assert row["valid_from"] == f"值{header.index('有效期起')}"
    assert row["face"] == {
        f"i{n}": f"值{header.index(column)}" for n, column in enumerate(("照面有效期起", "照面持证主体代码", "工种"))
    }
