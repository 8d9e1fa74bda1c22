"""The type catalogue in the portal: the list, the editor without JavaScript and live, publishing after a look, bulk loading."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from licenses.models import TypeOffice, TypeState, TypeUse, TypeVersion
from licenses.types.facts import TypeFacts
from licenses.types.layout import Layout
from licenses.types.publishing import today
from tests.factories import City
from tests.licenses.types_scene import (
    BODY,
    draft_type,
    load_shipped,
    next_version,
    proposed_use,
    published_type,
    submitted_type,
)


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


def text_of(client: Client, path: str, **data: Any) -> str:
    answer = client.get(path, data)
    assert answer.status_code == 200, path
    return answer.content.decode()


def element(version: TypeVersion, **values: Any) -> dict[str, Any]:
    given = {
        "revision": version.revision, "action": "save", "kind": "text", "text": "监制", "item": "",
        "x": 10, "y": 60, "w": 40, "h": 8,
        "size": 10, "align": "left", "stroke": 0, "color": "#1f1f1f", "fill": "#ffffff",
    }  # fmt: skip
    return given | values


def item(version: TypeVersion, **values: Any) -> dict[str, Any]:
    given = {
        "revision": version.revision, "action": "save", "name": "remark", "title": "备注", "kind": "TEXT", "length": 50,
        "codes": "",
        "choices": "", "grade": "L2", "mask": "NONE", "source": "", "example": "示例备注",
    }  # fmt: skip
    return given | values


def test_the_list_shows_every_type_page_by_page_and_filters(city: City, now: datetime) -> None:
    load_shipped(city.centre, now)
    client = signed_in(city, "auditor")
    page, seen = text_of(client, "/license-types/"), 0
    while True:
        seen += page.count('data-label="证照类型"')
        if 'rel="next"' not in page:
            break
        cursor = page.split('href="?after=')[1].split('"')[0]
        page = client.get(f"/license-types/?after={cursor}").content.decode()
    assert seen == 85
    assert text_of(client, "/license-types/", standing="LAID_OUT").count('data-label="证照类型"') == 9
    found = text_of(client, "/license-types/", q="驾驶证", holder_kind="PERSON")
    assert "11100000000013338W003" in found
    assert found.count('data-label="证照类型"') == 1
    assert "没有符合条件的证照类型" in text_of(client, "/license-types/", q="没有这种")
    assert client.get("/license-types/", {"standing": "x"}).status_code == 422


def test_a_type_page_shows_items_layout_versions_and_uses(city: City, now: datetime) -> None:
    load_shipped(city.police, now)
    client = signed_in(city, "education_operator")
    page = text_of(client, "/license-types/11100000000013338W003/")
    for words in ("准驾车型", "population.person.name", "<svg", "中华人民共和国机动车驾驶证", "交通违法处理", "现行", "市公安局"):
        assert words in page, words
    assert "编制新版本" not in page
    assert "style=" not in page.split("<svg", 1)[1].split("</svg>")[0]
    assert "编制新版本" in text_of(signed_in(city, "police_operator"), "/license-types/11100000000013338W003/")
    listed = text_of(client, "/license-types/11100000000013338W011/")
    assert "只登记入目录" in listed
    assert client.get("/license-types/11100000000013338W999/").status_code == 404
    assert client.get("/license-types/11100000000013338W003/", {"number": "7"}).status_code == 404
    assert "宾馆住宿登记" in text_of(client, "/license-types/uses/", matter="宾馆")


def test_a_type_is_drafted_laid_out_and_published_by_plain_forms(city: City, now: datetime) -> None:
    operator, head = signed_in(city, "police_operator"), signed_in(city, "police_head")
    facts = {
        "submission": "t" * 32, "code": f"{BODY}500", "name": "保安员证", "defining_body": "试验部", "defining_body_code": BODY,
        "holder_kind": "PERSON", "holders_at_most": 1, "validity_kind": "MONTHS", "validity_months": "",
    }  # fmt: skip
    answer = operator.post("/license-types/new/", facts)
    assert answer.status_code == 422
    assert "按月计算有效期时要写明月数" in answer.content.decode()
    answer = operator.post("/license-types/new/", facts | {"validity_months": 36})
    version = TypeVersion.objects.get()
    base = f"/license-types/versions/{version.uid}/"
    assert answer.headers["Location"] == base
    assert "还没有照面项目" in text_of(operator, base)

    for values in (
        {"name": "holder", "title": "姓名", "required": "on"},
        {"name": "level", "title": "等级", "kind": "CODE", "choices": "1 一级\n2 二级"},
    ):
        version.refresh_from_db()
        assert operator.post(f"{base}item/", item(version, **{"example": ""} | values)).status_code == 302
    version.refresh_from_db()
    assert operator.post(f"{base}arrange/", {"revision": version.revision, "do": "layout-auto"}).status_code == 302
    version.refresh_from_db()
    assert operator.post(f"{base}arrange/", {"revision": version.revision, "do": "item-up:1"}).status_code == 302
    version.refresh_from_db()
    assert [one["name"] for one in version.rulebook] == ["level", "holder"]

    assert operator.post(f"{base}submit/", {"revision": version.revision}).status_code == 302
    version.refresh_from_db()
    assert version.submitted_at is not None
    look = text_of(head, f"{base}publish/")
    assert "首次发布" in look
    given = {"revision": version.revision, "effective_from": today(now).isoformat()}
    assert operator.post(f"{base}publish/", given).status_code == 403
    assert head.post(f"{base}publish/", given).status_code == 302
    version.refresh_from_db()
    assert version.state == TypeState.PUBLISHED
    assert operator.post(f"{base}item/", item(version)).status_code == 409


def test_a_preview_by_button_or_live_draws_and_saves_nothing(city: City, now: datetime) -> None:
    version = draft_type(city, now)
    client = signed_in(city, "police_operator")
    path = f"/license-types/versions/{version.uid}/element/"
    page = client.post(path, element(version, action="preview"))
    assert (page.status_code, "监制" in page.content.decode().split("<svg viewBox")[1]) == (200, True)
    live = client.post(path, element(version), headers={"HX-Request": "true"})
    fragment = live.content.decode()
    assert live.status_code == 200
    assert fragment.lstrip().startswith('<div id="preview"')
    assert ">监制</text>" in fragment
    wrong = client.post(path, element(version, kind="qr", w=3, h=3), headers={"HX-Request": "true"}).content.decode()
    assert "二维码的边长不能小于" in wrong
    named = item(version, name="name", title="姓名", example="王小示")
    other = client.post(f"/license-types/versions/{version.uid}/item/?name=name", named, headers={"HX-Request": "true"})
    assert ">王小示</text>" in other.content.decode()
    version.refresh_from_db()
    assert len(version.layout["elements"]) == 6
    assert version.revision == 1


def test_elements_are_added_changed_copied_and_removed(city: City, now: datetime) -> None:
    version = draft_type(city, now)
    client = signed_in(city, "police_operator")
    base = f"/license-types/versions/{version.uid}/"

    def post(path: str, **data: Any) -> int:
        version.refresh_from_db()
        return client.post(f"{base}{path}", {"revision": version.revision} | data).status_code

    version.refresh_from_db()
    assert client.post(f"{base}element/", element(version)).status_code == 302
    assert post("arrange/", do="element-copy:6") == 302
    version.refresh_from_db()
    assert [one.text for one in Layout.of(version.layout).elements[-2:]] == ["监制", "监制"]
    assert client.post(f"{base}element/?at=7", element(version, text="核发")).status_code == 302
    assert post("arrange/", do="element-remove:6") == 302
    version.refresh_from_db()
    assert Layout.of(version.layout).elements[-1].text == "核发"
    for wrong in ("element-remove:99", "element-explode:1", "nothing", "item-up:x", ""):
        assert post("arrange/", do=wrong) == 422, wrong
    assert post("page/", action="save", width=80, height=140, background="#fff0f0") == 302
    assert "元素超出页面" in text_of(client, base)
    assert client.get(f"{base}element/?at=99").status_code == 404
    assert client.post(f"{base}element/", element(version, revision=1)).status_code == 409


def test_a_renamed_item_stays_on_the_page_and_a_duplicate_is_told_at_its_field(city: City, now: datetime) -> None:
    version = draft_type(city, now)
    client = signed_in(city, "police_operator")
    path = f"/license-types/versions/{version.uid}/item/?name=name"
    twice = client.post(path, item(version, name="sex", title="别名"))
    assert twice.status_code == 422
    assert "重复" in twice.content.decode()
    assert client.post(path, item(version, name="full_name", title="全名")).status_code == 302
    version.refresh_from_db()
    assert version.rulebook[0]["name"] == "full_name"
    assert version.layout["elements"][1]["item"] == "full_name"
    assert client.get(path).status_code == 404


def test_versions_are_compared_and_the_head_sees_what_changes(city: City, now: datetime) -> None:
    first = published_type(city, now)
    second = next_version(city, first.code, now)
    page = text_of(signed_in(city, "market_operator"), f"/license-types/{first.code}/compare/")
    assert second.rulebook[-1]["title"] in page
    assert page.count("<svg viewBox") == 2
    same = text_of(signed_in(city, "market_operator"), f"/license-types/{first.code}/compare/", old=1, new=1)
    assert "两个版本的内容相同" in same


def test_a_draft_waits_at_the_head_who_gives_it_back(city: City, now: datetime) -> None:
    version = submitted_type(city, now)
    head = signed_in(city, "police_head")
    base = f"/license-types/versions/{version.uid}/"
    assert "退回" in text_of(head, base)
    assert head.post(f"{base}return/", {"revision": version.revision, "reason": "请补版式"}).status_code == 302
    assert "送审" in text_of(signed_in(city, "police_operator"), base)
    assert signed_in(city, "market_operator").get(base).status_code == 404


def test_a_file_is_checked_then_loaded_whole(city: City, now: datetime) -> None:
    client = signed_in(city, "reviewer")
    rows = [{"code": f"{BODY}{n:03d}", "name": f"证{n}", "defining_body": "试验部", "holder_kind": "自然人"} for n in (1, 2)]

    def send(given: Any, action: str) -> Any:
        file = SimpleUploadedFile("types.json", json.dumps(given).encode())
        return client.post("/license-types/load/", {"file": file, "action": action})

    bad = send([*rows, rows[0] | {"name": ""}], "load")
    assert bad.status_code == 422
    assert "整份文件没有装载" in bad.content.decode()
    assert "与第 1 行的类型代码重复" in bad.content.decode()
    assert send(rows, "check").status_code == 200
    assert TypeVersion.objects.count() == 0
    done = send(rows, "load")
    assert "已装载" in done.content.decode()
    assert TypeVersion.objects.count() == 2


def test_uses_are_proposed_published_and_ended_on_the_type_page(city: City, now: datetime) -> None:
    version = published_type(city, now)
    operator, head = signed_in(city, "police_operator"), signed_in(city, "police_head")
    given = {"submission": "u" * 32, "matter": "年检", "purpose": "核对", "basis": "条例", "items": ["name", "license.number"]}
    assert operator.post(f"/license-types/{version.code}/uses/new/", given | {"items": ["x"]}).status_code == 422
    assert operator.post(f"/license-types/{version.code}/uses/new/", given).status_code == 302
    use = TypeUse.objects.get()
    assert "待发布" in text_of(head, f"/license-types/{version.code}/")
    assert head.post(f"/license-types/uses/{use.uid}/publish/").status_code == 302
    assert "年检" in text_of(signed_in(city, "market_operator"), "/license-types/uses/")
    assert head.post(f"/license-types/uses/{use.uid}/end/", {"reason": "不再办理"}).status_code == 302
    assert "已终止" in text_of(head, f"/license-types/{version.code}/")
    other = proposed_use(city, version, now, matter="备案")
    assert signed_in(city, "market_operator").get(f"/license-types/uses/{other.uid}/end/").status_code == 404


def test_the_reviewer_retires_and_entrusts(city: City, now: datetime) -> None:
    version = published_type(city, now - timedelta(days=1))
    client = signed_in(city, "reviewer")
    assert client.post(f"/license-types/{version.code}/entrust/", {"department": str(city.market.uid)}).status_code == 302
    assert "市市场监督管理局" in text_of(client, f"/license-types/{version.code}/")
    assert client.post(f"/license-types/{version.code}/retire/", {"reason": "并入新证"}).status_code == 302
    assert "已停用" in text_of(client, f"/license-types/{version.code}/")


def test_an_office_is_proposed_confirmed_and_ended_on_the_type_page(city: City, now: datetime) -> None:
    version = published_type(city, now)
    operator, head, path = signed_in(city, "police_operator"), signed_in(city, "police_head"), f"/license-types/{version.code}/"
    given = {"submission": "o" * 32, "department": str(city.market.uid), "basis": ""}
    answer = operator.post(f"{path}offices/new/", given)
    assert (answer.status_code, "basis" in answer.content.decode()) == (422, True)
    assert operator.post(f"{path}offices/new/", given | {"basis": "《试验条例》第二条"}).headers["Location"] == f"{path}#offices"
    office = TypeOffice.objects.get()
    assert "待确认" in text_of(head, path)
    assert "待确认" not in text_of(signed_in(city, "education_operator"), path)
    assert head.post(f"/license-types/offices/{office.uid}/confirm/").status_code == 302
    page = text_of(signed_in(city, "market_operator"), path)
    for words in ("可签发", "《试验条例》第二条", "police_head", city.market.code, today(now).isoformat()):
        assert words in page, words
    assert version.name in text_of(signed_in(city, "market_operator"), "/licenses/drafts/new/")
    assert "终止后" in text_of(head, f"/license-types/offices/{office.uid}/end/")
    assert head.post(f"/license-types/offices/{office.uid}/end/", {"reason": ""}).status_code == 422
    assert head.post(f"/license-types/offices/{office.uid}/end/", {"reason": "由市局收回"}).status_code == 302
    assert "由市局收回" in text_of(operator, path)
    assert version.name not in text_of(signed_in(city, "market_operator"), "/licenses/drafts/new/")


def test_whether_a_holder_may_hold_several_is_edited_and_shown_with_the_type(city: City, now: datetime) -> None:
    version = published_type(city, now)
    operator = signed_in(city, "police_operator")
    operator.post(f"/license-types/{version.code}/next/")
    draft = TypeVersion.objects.get(state=TypeState.DRAFT)
    facts = TypeFacts.of(draft).to_json() | {"revision": draft.revision, "action": "save", "is_repeatable": "on"}
    assert operator.post(f"/license-types/versions/{draft.uid}/facts/", facts).status_code == 302
    draft.refresh_from_db()
    assert draft.is_repeatable
    assert "同一主体可持有多份" in text_of(operator, f"/license-types/{version.code}/compare/")


def test_the_published_lists_are_given_out_as_files(city: City, now: datetime) -> None:
    load_shipped(city.centre, now)
    draft_type(city, now)
    client = signed_in(city, "auditor")
    types = client.get("/license-types/export/").content.decode("utf-8-sig").splitlines()
    assert len(types) == 86
    assert any(line.startswith("11100000000013338W003,机动车驾驶证,1,公安部") and "准驾车型" in line for line in types)
    lines = client.get("/license-types/uses/export/").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + TypeUse.objects.count()
    assert any("出生一件事" in line and "公民身份号码" in line for line in lines)
