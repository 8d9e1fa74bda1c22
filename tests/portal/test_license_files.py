"""Sealed files in the portal and over REST: who opens them, copies and their open page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from django.test import Client

from core.ids import uuid7
from licenses.models import FileKind, License, LicenseCopy, LicenseUse
from licenses.sealing import copies, files
from tests.factories import City
from tests.licenses.sealed import make_license, make_type

ASKED = {"purpose": "办理公积金提取", "receiver": "南京住房公积金管理中心", "days": "7"}


@pytest.fixture
def license(city: City, now: datetime, settings: Any, tmp_path: Path) -> License:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    return make_license(make_type(city.market), city.market, now)


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


def test_the_issuing_department_sees_the_page_and_fetches_the_file(city: City, license: License) -> None:
    client = signed_in(city, "market_operator")
    page = client.get(f"/licenses/{license.uid}/files/")
    assert page.status_code == 200
    assert "尚未制作" in page.content.decode()
    assert f'<a href="/licenses/{license.uid}/">' in page.content.decode(), "the way back"
    reply = client.get(f"/licenses/{license.uid}/files/license.pdf")
    assert reply["Content-Type"] == "application/pdf"
    assert reply["Content-Disposition"].startswith("attachment;")
    assert "no-store" in reply["Cache-Control"]
    assert reply.content == files.open_file(license.files.get(kind=FileKind.PDF).sha256)
    opened = client.get(f"/licenses/{license.uid}/files/license.pdf?inline")
    assert opened["Content-Disposition"].startswith("inline;")
    assert opened.content == reply.content
    assert client.get(f"/licenses/{license.uid}/files/license.ofd")["Content-Type"] == "application/ofd"
    assert client.get(f"/licenses/{license.uid}/files/license.exe").status_code == 404
    assert LicenseUse.objects.filter(channel="DOWNLOADED", identifier=license.identifier).count() == 3
    assert (
        bytes(license.files.get(kind=FileKind.PDF).sha256).hex() in client.get(f"/licenses/{license.uid}/files/").content.decode()
    )


def test_another_department_sees_nothing_the_data_centre_does(city: City, license: License) -> None:
    for name in ("police_operator", "police_head"):
        assert signed_in(city, name).get(f"/licenses/{license.uid}/files/").status_code == 404
        assert signed_in(city, name).get(f"/licenses/{license.uid}/files/license.pdf").status_code == 404
        assert signed_in(city, name).get(f"/licenses/{license.uid}/files/preview.svg").status_code == 404
    assert signed_in(city, "reviewer").get(f"/licenses/{license.uid}/files/license.pdf").status_code == 200
    assert signed_in(city, "auditor").get(f"/licenses/{license.uid}/files/license.pdf").status_code == 403


def test_a_look_at_the_preview_is_a_use_unless_the_issuer_looks(city: City, license: License) -> None:
    address = f"/licenses/{license.uid}/files/preview.svg"
    assert signed_in(city, "market_head").get(address).status_code == 200
    assert not LicenseUse.objects.exists()
    assert signed_in(city, "reviewer").get(address).status_code == 200
    use = LicenseUse.objects.get()
    assert (use.channel, use.identifier, use.actor_id) == ("QUERIED", license.identifier, city.people["reviewer"].pk)
    assert bytes(use.subject_key) == bytes(license.holders.get().subject_key)


def test_the_preview_is_a_picture_that_says_it_is_none(city: City, license: License) -> None:
    reply = signed_in(city, "market_head").get(f"/licenses/{license.uid}/files/preview.svg")
    assert reply["Content-Type"] == "image/svg+xml"
    picture = reply.content.decode()
    assert fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg", "browsers draw no other"
    assert "预览" in picture
    assert "南京玄武示例面馆有限公司" in picture
    assert "script" not in picture


def test_a_copy_is_made_once_listed_with_its_link_and_fetched_without_signing_in(
    city: City, license: License, now: datetime
) -> None:
    client = signed_in(city, "market_operator")
    form = {**ASKED, "submission": uuid7().hex}
    for _turn in range(2):
        assert client.post(f"/licenses/{license.uid}/files/", form).status_code == 302
    copy = LicenseCopy.objects.get()
    page = client.get(f"/licenses/{license.uid}/files/").content.decode()
    link = re.search(r'href="[^"]*(/license-copies/[^"]+)"', page)
    assert link is not None
    stranger = Client()
    shown = stranger.get(link[1])
    assert shown.status_code == 200
    words = shown.content.decode()
    assert "南京住房公积金管理中心" in words
    assert license.holders.get().name not in words
    assert license.identifier not in words
    assert copy.downloads == 0, "looking is not fetching"
    fetched = stranger.post(link[1])
    assert fetched.content.startswith(b"%PDF-")
    copy.refresh_from_db()
    assert copy.downloads == 1


def test_an_ended_copy_answers_404_with_a_clear_sentence(city: City, license: License, now: datetime) -> None:
    made = copies.make(
        license=license, purpose="用途", receiver="单位", days=1, actor=city.actor("market_operator"), now=now - timedelta(days=2)
    )
    for reply in (
        Client().get(f"/license-copies/{copies.token_of(made)}/"),
        Client().post(f"/license-copies/{copies.token_of(made)}/"),
    ):
        assert reply.status_code == 404
        assert "到期" in reply.content.decode()


def test_what_is_wrong_with_a_copy_stands_beside_its_field(city: City, license: License) -> None:
    client = signed_in(city, "market_operator")
    reply = client.post(f"/licenses/{license.uid}/files/", {**ASKED, "days": "100", "submission": uuid7().hex})
    assert reply.status_code == 422
    assert "不能大于 90" in reply.content.decode()
    assert not LicenseCopy.objects.exists()


def test_over_rest_files_come_with_their_digests_and_copies_with_their_links(city: City, license: License) -> None:
    client = signed_in(city, "market_operator")
    reply = client.get(f"/openapi/v1/licenses/{license.uid}/files/ofd")
    record = license.files.get(kind=FileKind.OFD)
    assert reply["X-Digest-SHA256"] == bytes(record.sha256).hex()
    assert reply["X-Digest-SM3"] == bytes(record.sm3).hex()
    path, given = f"/openapi/v1/licenses/{license.uid}/copies", {"purpose": "归档", "receiver": "档案馆", "days": 3}
    answers = [client.post(path, given, content_type="application/json", headers={"Idempotency-Key": "k1"}) for _turn in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    (listed,) = client.get(path).json()["items"]
    token = listed["link"].rstrip("/").rpartition("/")[2]
    assert Client().post(f"/license-copies/{token}/").content.startswith(b"%PDF-")
    wrong = client.post(path, {**given, "days": 0}, content_type="application/json")
    assert wrong.status_code == 422
    assert signed_in(city, "police_head").get(path).status_code == 404
