"""Pages of matters and of the statistics of licenses: the editor step by step, the window's case, basket, charts, files."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.ids import uuid7
from exchange.license_statistics import measuring
from exchange.matters import figures
from exchange.matters.fetching import fetch
from exchange.models import BasketEntry, Matter, MatterCase
from tests.exchange import matter_scene as scenes
from tests.exchange.matter_scene import CONTENT, MARRIAGE, MOTHER, STRANGER, Scene
from tests.factories import City, restore_shipped


@pytest.fixture
def scene(city: City, now: datetime) -> Scene:
    restore_shipped()
    return scenes.make_scene(city, now)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_matter_is_drafted_step_by_step_and_published_after_review(scene: Scene, client: Client) -> None:
    client.force_login(scene.city.people["police_operator"])
    head = {"code": "move", "name": "入户一件事", "legal_basis": "《户口登记条例》第十条", "summary": ""}
    made = client.post("/matters/new/", head | {"submission": uuid7().hex, "consumers": [scene.city.education.pk]})
    assert made.status_code == 302, text_of(made)
    matter = Matter.objects.get(code="move")
    page = f"/matters/{matter.uid}/"
    party = {"title": "申请人", "role": "applicant", "kind": "PERSON", "is_required": "on", "revision": "1"}
    assert client.post(f"{page}parties/new/", party).status_code == 302
    doubled = client.post(f"{page}parties/new/", party | {"revision": "2"})
    assert doubled.status_code == 422
    assert "标识重复" in text_of(doubled)
    choice = f"{page}materials/new/?party=applicant&replaced_by=dataset:population.person"
    assert 'value="name"' in text_of(client.get(choice))
    material = {"title": "身份证明", "code": "identity", "is_required": "on", "items": ["name", "sex"], "revision": "2"}
    assert client.post(choice, material).status_code == 302
    license_choice = f"{page}materials/new/?party=applicant&replaced_by=license:{MARRIAGE}"
    of_license = {"title": "结婚证", "code": "marriage", "items": ["number"], "face": "登记机关", "revision": "3"}
    assert client.post(license_choice, of_license).status_code == 302
    plain = client.post(f"{page}materials/new/?party=applicant&replaced_by=", {"title": "照片", "code": "photo", "revision": "4"})
    assert plain.status_code == 302
    assert "登记机关" in text_of(client.get(f"{page}edit/"))
    assert client.post(f"{page}materials/photo/remove/", {"revision": "5"}).status_code == 302
    assert client.post(f"{page}submit/", {"revision": "6"}).status_code == 302
    assert client.get(f"{page}edit/").status_code == 409
    client.force_login(scene.city.people["reviewer"])
    assert "同意发布" in text_of(client.get(page))
    assert client.post(f"{page}decide/", {"revision": "7", "note": "", "action": "return"}).status_code == 422
    assert client.post(f"{page}decide/", {"revision": "7", "note": "", "action": "publish"}).status_code == 302
    matter.refresh_from_db()
    assert matter.state == "PUBLISHED"
    assert list(matter.materials.values_list("code", "items")) == [
        ("identity", ["name", "sex"]), ("marriage", ["number", "face.登记机关"]),
    ]  # fmt: skip


def test_grants_of_others_are_named_and_not_linked(scene: Scene, client: Client) -> None:
    matter = Matter.objects.get(pk=scene.matter.pk)
    Matter.objects.filter(pk=matter.pk).update(consumers=[scene.system.department_id])
    scene.grant(scene.people, ("name", "sex"))
    for who in ("police_operator", "market_operator", "education_operator", "reviewer", "auditor"):
        client.force_login(scene.city.people[who])
        page = text_of(client.get(f"/matters/{matter.uid}/"))
        assert scene.system.name in page
        links = re.findall(r'href="(/grants/[^"]+/)"', page)
        assert [link for link in links if client.get(link).status_code != 200] == [], who
        assert bool(links) == (who != "market_operator"), who


def test_missing_grant_leads_to_the_basket(scene: Scene, client: Client) -> None:
    matter = Matter.objects.get(pk=scene.matter.pk)
    matter.consumers = [scene.system.department_id]
    matter.save()
    client.force_login(scene.city.people["education_operator"])
    page = f"/matters/{matter.uid}/"
    shown = text_of(client.get(page))
    assert "没有授权" in shown
    assert "加入资源篮申请" in shown
    assert client.post(f"{page}ask/identity/").status_code == 302
    entry = BasketEntry.objects.get()
    assert (entry.resource_id, entry.mode, entry.fields) == (scene.people.pk, "QUERY", ["name", "sex", "birth_on"])


def test_window_fetches_and_the_page_says_what_is_to_be_brought(scene: Scene, client: Client) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER, valid_to="20210101")
    scene.grant(scene.people, ("name", "sex"))
    scene.grant(scene.licenses, ("number",))
    client.force_login(scene.city.people["education_operator"])
    assert "出生一件事" in text_of(client.get("/matters/desk/"))
    form = {
        "submission": uuid7().hex, "system": str(scene.system.uid), "case_number": "W-1", "purpose": "出生登记", "officer": "",
        "party_mother": MOTHER, "party_father": "",
    }  # fmt: skip
    wrong = client.post("/matters/desk/birth/", form | {"party_mother": "1"})
    assert wrong.status_code == 422
    assert "代码不正确" in text_of(wrong)
    for _twice in range(2):
        done = client.post("/matters/desk/birth/", form)
        assert done.status_code == 302, text_of(done)
    case = MatterCase.objects.get()
    assert done["Location"] == f"/matters/cases/{case.uid}/"
    shown = client.get(done["Location"])
    page = text_of(shown)
    assert "李明月" in page
    assert "证照已过期" in page
    missing = re.search(r'href="(/missing-licenses/new/[^"]+material=[^"]+)"', page)
    assert missing
    report = client.get(unescape(missing[1]))
    assert report.context["form"]["kind"].value() == "NOT_FOUND"
    assert report.context["form"]["type_code"].value() in text_of(report)
    assert "办件编号 W-1" in text_of(report)
    assert MOTHER not in text_of(report)
    assert "女" in page
    assert MOTHER not in page
    assert shown["Cache-Control"] == "no-store"
    listed = text_of(client.get("/matters/cases/", {"matter_code": "birth"}))
    assert "W-1" in listed
    assert "还须提交" in listed
    client.force_login(scene.city.people["auditor"])
    assert "李明月" not in text_of(client.get(done["Location"]))
    client.force_login(scene.city.people["market_operator"])
    assert client.get(done["Location"]).status_code == 404
    assert "W-1" not in text_of(client.get("/matters/cases/"))


def test_saved_materials_are_shown_by_month(scene: Scene, client: Client) -> None:
    client.force_login(scene.city.people["police_head"])
    assert "还没有统计" in text_of(client.get("/matters/figures/"))
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    now = timezone.now()
    fetch_once(scene, now)
    figures.measure(now=now)
    shown = text_of(client.get("/matters/figures/?matter=birth"))
    assert 'id="months"' in shown
    assert client.get("/matters/figures/?matter=nothing").status_code == 422


def fetch_once(scene: Scene, now: datetime) -> None:
    fetch(ask=scenes.ask(), signed=scene.signed(now), actor=scene.actor(), now=now)


def test_statistics_of_licenses_have_tables_charts_and_files(scene: Scene, client: Client) -> None:
    client.force_login(scene.city.people["police_head"])
    assert "还没有统计" in text_of(client.get("/license-statistics/"))
    scenes.make_person(scene.city.police, MOTHER, marital_status="20")
    for holder, type_code in ((MOTHER, MARRIAGE), (STRANGER, CONTENT.materials[2].type_code)):
        scenes.make_license(scene.city.police, type_code, holder, issued_on=f"{timezone.now():%Y%m}01")
    measuring.measure(now=timezone.now())
    shown = text_of(client.get("/license-statistics/"))
    assert "结婚证" in shown
    assert re.search('data-chart="type"', shown)
    only = client.get("/license-statistics/", {"type": MARRIAGE, "region": "320102"})
    assert only.status_code == 200
    assert client.get("/license-statistics/?type=1").status_code == 422
    use = text_of(client.get("/license-statistics/use/?months=3"))
    assert "应持证口径" in use
    assert "婚姻状况为初婚或再婚" in use
    for table in ("type", "issuer", "region", "month", "channel", "department", "matter", "use_month", "coverage", "missing"):
        answer = client.get(f"/license-statistics/export/?table={table}&type={MARRIAGE}&months=3")
        assert answer.status_code == 200, table
        assert answer.content.startswith("\ufeff".encode())
    told = client.get("/openapi/v1/license-statistics", {"by": "issuer", "type_code": MARRIAGE}).json()
    assert told["total"]["total"] == 1
    assert told["held"][0]["total"] == 1
    assert told["as_of"]
