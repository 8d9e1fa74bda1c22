"""Pages of the issuing desk: drafting by the rulebook, findings, signing, a license with its versions, a file of a batch."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from basedb.models import LicenseMark
from core.ids import uuid7
from licenses.issuing import batch_work, batches, sheets
from licenses.models import BatchSource, IssuingBatch, IssuingDraft, IssuingRowState, License
from licenses.types.facts import MOST_HOLDERS
from tests.basedb.credit_facts import make_fact
from tests.factories import City
from tests.licenses.issuing_scene import card_type, food_type, issued, make_company, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Any) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["market_operator"])
    return client


@pytest.fixture
def head(city: City) -> Client:
    client = Client()
    client.force_login(city.people["market_head"])
    return client


def typed(company: Any, **values: str) -> dict[str, str]:
    given = {
        "submission": uuid7().hex, "holder_1_name": company.name, "holder_1_code": company.uscc, "valid_from": "2026-01-15",
        "valid_to": "2031-01-14", "region_code": "320102", "face_premises": "太平北路 1 号", "face_scope": "",
    }  # fmt: skip
    return given | values


def test_a_license_goes_from_the_form_to_the_signature(city: City, operator: Client, head: Client) -> None:
    version, company = food_type(city), make_company(city.market)
    page = operator.get(reverse("portal:license-draft-types")).content.decode()
    address = reverse("portal:license-draft-new", args=[version.code])
    assert address in page
    assert "经营场所" in operator.get(address).content.decode()
    assert operator.post(address, typed(company)).status_code == 302
    draft = IssuingDraft.objects.get()
    here = reverse("portal:license-draft", args=[draft.uid])
    assert "提交签发" in operator.get(here).content.decode()
    operator.post(here, {"revision": draft.revision, "remark": "", "action": "SUBMIT"})
    draft.refresh_from_db()
    page = head.get(here).content.decode()
    assert "下一步：核对内容后签发" in page
    assert page.index('value="SIGN"') < page.index('value="RETURN"')
    listed = head.get(reverse("portal:license-desk") + "?state=TO_SIGN").content.decode()
    assert draft.type_version.name in listed
    assert company.name in listed
    answer = head.post(here, {"revision": draft.revision, "remark": "", "action": "SIGN"})
    license = License.objects.get()
    assert answer["Location"] == reverse("portal:license-detail", args=[license.uid])
    shown = head.get(answer["Location"]).content.decode()
    for text in (license.identifier, company.name, "太平北路 1 号", "新发", "暂扣", "PDF"):
        assert text in shown
    assert company.uscc not in answer["Location"]


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(city: City, operator: Client) -> None:
    version, company = food_type(city), make_company(city.market)
    address = reverse("portal:license-draft-new", args=[version.code])
    wrong = typed(company, holder_1_code=company.uscc[:-1] + ("0" if company.uscc[-1] != "0" else "1"), valid_to="2020-01-01")
    answer = operator.post(address, wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "不是有效的统一社会信用代码" in page
    assert "有效期止早于有效期起" in page
    assert "太平北路 1 号" in page
    assert not IssuingDraft.objects.exists()


def test_findings_are_shown_and_the_draft_is_mended(city: City, operator: Client) -> None:
    version, gone, company = food_type(city), make_company(city.market, registration_state="4"), make_company(city.market)
    operator.post(reverse("portal:license-draft-new", args=[version.code]), typed(gone))
    draft = IssuingDraft.objects.get()
    here = reverse("portal:license-draft", args=[draft.uid])
    operator.post(here, {"revision": draft.revision, "remark": "", "action": "SUBMIT"})
    assert "已注销、撤销或被吊销" in operator.get(here).content.decode()
    draft.refresh_from_db()
    mended = {name: value for name, value in typed(company).items() if name != "submission"} | {"revision": str(draft.revision)}
    assert operator.post(reverse("portal:license-draft-edit", args=[draft.uid]), mended).status_code == 302
    draft.refresh_from_db()
    assert draft.holders[0]["code"] == company.uscc


def test_a_license_is_found_by_post_alone_and_its_state_changed_with_a_basis(
    city: City, operator: Client, head: Client, now: datetime
) -> None:
    company = make_company(city.market)
    license = issued(city, food_type(city), company, now)
    for text in (company.uscc, license.number, license.identifier):
        page = operator.post(reverse("portal:license-find"), {"typed": text}).content.decode()
        assert reverse("portal:license-detail", args=[license.uid]) in page
    listed = operator.get(reverse("portal:license-list"), {"state": "01", "month": f"{now:%Y-%m}", "type_code": license.type_code})
    assert license.number in listed.content.decode()
    assert operator.get(reverse("portal:license-list"), {"month": "2026-13"}).status_code == 422
    change = reverse("portal:license-change", args=[license.uid, "revoke"])
    assert company.name in head.get(change).content.decode()
    assert head.post(change, {"reason": "违法", "basis": ""}).status_code == 422
    assert head.post(change, {"reason": "违法", "basis": "第九条"}).status_code == 302
    assert "吊销" in operator.get(reverse("portal:license-detail", args=[license.uid])).content.decode()
    assert head.post(change, {"reason": "违法", "basis": "第九条"}).status_code == 409


def test_the_next_version_starts_from_the_old_one(city: City, operator: Client, now: datetime) -> None:
    company = make_company(city.market)
    license = issued(city, food_type(city), company, now)
    address = reverse("portal:license-next", args=[license.uid, "change"])
    assert "太平北路 1 号" in operator.get(address).content.decode()
    given = {name: value for name, value in typed(company, face_premises="新街口 8 号").items() if name != "number"}
    assert operator.post(address, given | {"reason": "迁址", "basis": ""}).status_code == 302
    assert "在办" in operator.get(reverse("portal:license-detail", args=[license.uid])).content.decode()
    assert operator.get(reverse("portal:license-next", args=[license.uid, "nothing"])).status_code == 404


def test_paper_is_registered_where_the_difference_is_listed(city: City, operator: Client, now: datetime) -> None:
    license = issued(city, food_type(city), make_company(city.market), now, has_paper=True)
    assert license.number in operator.get(reverse("portal:license-differences")).content.decode()
    address = reverse("portal:license-paper", args=[license.uid, "hand_out"])
    assert operator.post(address, {"paper_number": "", "reason": ""}).status_code == 422
    assert operator.post(address, {"paper_number": "P1", "reason": ""}).status_code == 302
    assert license.number not in operator.get(reverse("portal:license-differences")).content.decode()


def workbook(rows: list[list[Any]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_becomes_a_batch_with_its_refusals_to_download(
    city: City, operator: Client, head: Client, now: datetime, kind: str
) -> None:
    version, person = card_type(city), make_person(city.police)
    header = sheets.header_of(version)
    rows = [
        ["E1", person.name, person.citizen_id, "", "", "320102", "", "电工"],
        ["E2", "无此人", "990101198001011", "", "", "320102", "", "电工"],
    ]
    template = operator.get(reverse("portal:license-batch-template", args=[version.code])).content.decode()
    assert template.strip("\ufeff\r\n").split(",") == header
    text = "\n".join(",".join(row) for row in [header, *rows]).encode()
    file = SimpleUploadedFile(f"批.{kind}", text if kind == "csv" else workbook([header, *rows]))
    answer = operator.post(
        reverse("portal:license-batch-new"), {"submission": uuid7().hex, "type_code": version.code, "file": file}
    )
    assert answer.status_code == 302, answer.content.decode()
    batch = IssuingBatch.objects.get()
    batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    batch.refresh_from_db()
    page = operator.get(answer["Location"]).content.decode()
    assert "通过校验 1 行，未通过 1 行" in page
    assert "提交签发" in page
    only = operator.get(answer["Location"], {"refused": "1"}).content.decode()
    assert ("无此人" in only, "E1" in only) == (True, False)
    refused = b"".join(operator.get(reverse("portal:license-batch-refused", args=[batch.uid])).streaming_content).decode()  # type: ignore[attr-defined]
    assert "不是有效的公民身份号码" in refused
    assert "E1" not in refused
    operator.post(answer["Location"], {"revision": batch.revision, "remark": "", "action": "SUBMIT"})
    batch.refresh_from_db()
    head.post(answer["Location"], {"revision": batch.revision, "remark": "", "action": "SIGN"})
    assert 'hx-trigger="every 2s"' in head.get(reverse("portal:license-batch-progress", args=[batch.uid])).content.decode()
    batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    done = head.get(reverse("portal:license-batch-progress", args=[batch.uid]))
    assert "已签发 1 份" in done.content.decode()
    assert done["HX-Refresh"] == "true"
    license = License.objects.get()
    assert license.number == "E1"
    assert reverse("portal:license-detail", args=[license.uid]) in head.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0 old"], ids=range(5)
)
def test_a_file_of_another_kind_is_refused_whole(city: City, operator: Client, content: bytes) -> None:
    version = card_type(city)
    given = {"submission": uuid7().hex, "type_code": version.code, "file": SimpleUploadedFile("x.csv", content)}
    assert operator.post(reverse("portal:license-batch-new"), given).status_code == 422
    assert not IssuingBatch.objects.exists()


def test_marked_licenses_are_listed_for_who_delivered_them(city: City, operator: Client, head: Client) -> None:
    made = make_fact("license.license", city.market, title="试验证")
    LicenseMark.objects.create(row_key=made.row_key, kind="HOLDER_CANCELLED", source_department_id=city.market.pk)
    page = operator.get(reverse("portal:license-review")).content.decode()
    assert "试验证" in page
    assert "第七十条" in page
    police = Client()
    police.force_login(city.people["police_operator"])
    assert "试验证" not in police.get(reverse("portal:license-review")).content.decode()


def test_desks_without_anything_say_what_to_do(city: City, operator: Client) -> None:
    for name in (
        "license-desk",
        "license-list",
        "license-batch-list",
        "license-differences",
        "license-review",
        "license-draft-types",
    ):
        answer = operator.get(reverse(f"portal:{name}"))
        assert answer.status_code == 200
        assert "empty-title" in answer.content.decode()


def test_the_next_version_keeps_every_joint_holder(city: City, operator: Client, now: datetime) -> None:
    people = [make_person(city.market) for _number in range(8)]
    version = card_type(city, holders_at_most=12)
    license = issued(city, version, people[0], now, holders=[{"name": one.name, "code": one.citizen_id} for one in people])
    address = reverse("portal:license-next", args=[license.uid, "change"])
    fields = operator.get(address).context["form"]
    given = {name: fields[name].value() or "" for name in fields.fields if name != "has_paper"} | {"reason": "更正", "basis": ""}
    assert [given[f"holder_{number}_code"] for number in range(1, 9)] == [one.citizen_id for one in people]
    assert {name for name in given if name.startswith("holder_1")} == {
        "holder_1_name",
        "holder_1_code",
        "holder_10_name",
        "holder_10_code",
    }
    joined = make_person(city.market)
    given |= {"holder_10_name": joined.name, "holder_10_code": joined.citizen_id, "face_trade": "焊工"}
    assert operator.post(address, given).status_code == 302
    draft = IssuingDraft.objects.get(supersedes=license)
    assert [holder["code"] for holder in draft.holders] == [one.citizen_id for one in (*people, joined)]
    edited = operator.get(reverse("portal:license-draft-edit", args=[draft.uid])).content.decode()
    assert "holder_11_code" in edited
    assert "holder_12_code" not in edited


@pytest.mark.parametrize(("most", "count"), [(8, 8), (1, 2), (8, 60)])
def test_a_refused_row_comes_back_with_all_its_holders_or_with_none(
    city: City, operator: Client, now: datetime, most: int, count: int
) -> None:
    version = card_type(city, holders_at_most=most)
    holders = [{"name": f"持证人{number}", "code": "990101198001011"} for number in range(count)]
    rows = [{"number": "E1", "holders": holders, "face": {"trade": "电工"}}]
    batch = batches.take_in(
        type_code=version.code, rows=rows, source=BatchSource.REST, actor=city.actor("market_operator"), now=now
    )
    batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    address = reverse("portal:license-batch-refused", args=[batch.uid])
    refused = b"".join(operator.get(address).streaming_content)  # type: ignore[attr-defined]
    given = {"submission": uuid7().hex, "type_code": version.code, "file": SimpleUploadedFile("refused.csv", refused)}
    assert operator.post(reverse("portal:license-batch-new"), given).status_code == 302
    again = IssuingBatch.objects.exclude(pk=batch.pk).get()
    assert again.rows.get().content["holders"] == (holders if count <= MOST_HOLDERS else [])
    batch_work.work(batch_uid=again.uid, clock=lambda: now)
    assert again.rows.get().state == IssuingRowState.REFUSED
