"""Pages of public credit: people masked, a case from application to decision, the catalogue, the chart."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.credit import shipped
from basedb.models import CreditCatalogVersion, CreditObjection, CreditPenalty, CreditRepair, CreditShield, CreditStanding
from core.ids import uuid7
from core.models import AuditEntry
from exchange.subject_keys import subject_key_of
from tests.basedb.credit_facts import make_fact
from tests.basedb.credit_rows import CITIZEN, COMPANY
from tests.factories import City


def days_ago(days: int) -> str:
    return f"{date.today() - timedelta(days=days):%Y%m%d}"


@pytest.fixture
def penalty(city: City) -> Any:
    shipped.load_tiers(apps)
    shipped.load_catalog(apps)
    return make_fact(
        "credit.penalty", city.market, authority_code=city.market.code, decided_on=days_ago(150), published_on=days_ago(148),
        publish_until=days_ago(-100),
    )  # fmt: skip


def address(record: Any) -> str:
    return f"/credit/records/penalty/{bytes(record.row_key).hex()}/"


def test_people_are_masked_in_lists_and_on_their_record(city: City, penalty: Any, client: Client) -> None:
    person = make_fact(
        "credit.penalty", city.market, subject_category="自然人", subject_code=CITIZEN, subject_name="王建国",
        representative_id=CITIZEN,
    )  # fmt: skip
    client.force_login(city.people["market_operator"])
    for page in ("/credit/?kind=penalty", address(person)):
        shown = client.get(page).content.decode()
        assert CITIZEN not in shown
        assert "王建国" not in shown
        assert "王**" in shown
    assert "玄武区（320102）" in shown
    assert "行政处罚信息（0202）" in client.get(address(person)).content.decode()
    assert COMPANY in client.get("/credit/?kind=penalty").content.decode()


def test_window_pages_through_the_newest_of_all_departments_without_sorting_the_table(city: City, client: Client) -> None:
    made = [
        make_fact("credit.penalty", department, document_number=f"测罚〔2026〕{n}号", decided_on=days_ago(n // 3))
        for n, department in enumerate([city.market, city.police, city.education, city.market] * 14)
    ]
    client.force_login(city.people["reviewer"])
    shown, after = [], ""
    for _page in range(3):
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/credit/", {"kind": "penalty", "after": after}).context["page"]
        own = [query["sql"] for query in queries.captured_queries if 'FROM "basedb_creditpenalty"' in query["sql"]]
        assert len(own) == 3
        assert own[1].count("LIMIT 21") == 3, "the first of each department, by an index"
        shown += page.items
        after = page.next
    assert after == ""
    found = client.get("/credit/", {"kind": "penalty", "document_number": made[5].document_number}).context["page"]
    assert [row.pk for row in found.items] == [made[5].pk]
    assert [row.pk for row in shown] == [row.pk for row in sorted(made, key=lambda row: (row.decided_on, row.pk), reverse=True)]


def test_search_by_subject_is_posted_and_finds_only_what_one_may_see(city: City, penalty: Any, client: Client) -> None:
    key = subject_key_of(COMPANY)
    CreditPenalty.objects.filter(pk=penalty.pk).update(subject_key=key)
    client.force_login(city.people["market_operator"])
    assert penalty.document_number in client.post("/credit/subject/", {"code": COMPANY}).content.decode()
    assert AuditEntry.objects.get(action="credit_record.searched").detail == {"subject": bytes(key).hex(), "records": 1}
    client.force_login(city.people["police_operator"])
    assert "没有查到记录" in client.post("/credit/subject/", {"code": COMPANY}).content.decode()
    assert client.post("/credit/subject/", {"code": "1"}).status_code == 422


def test_repair_goes_from_application_to_decision_on_pages(city: City, penalty: Any, client: Client) -> None:
    client.force_login(city.people["police_operator"])
    form = {"submission": uuid7().hex, "reason": "义务已履行", "evidence": "缴款凭证"}
    for _twice in range(2):
        assert client.post(f"{address(penalty)}repair/", form).status_code == 302
    repair = CreditRepair.objects.get()
    page = f"/credit/repairs/{repair.uid}/"
    assert "信用窗口" in client.get(page).content.decode()
    for revision, (who, action) in enumerate([("reviewer", "ACCEPT"), ("market_operator", "CHECK"), ("market_head", "GRANT")], 1):
        client.force_login(city.people[who])
        shown = client.get(page).content.decode()
        assert f'value="{action}"' in shown
        done = client.post(page, {"revision": str(revision), "text": "情况属实", "action": action})
        assert done.status_code == 302
    stale = client.post(page, {"revision": "1", "text": "x", "action": "GRANT"})
    assert stale.status_code == 409
    assert "已修复" in client.get(address(penalty)).content.decode()
    assert "准予修复，停止公示" in client.get(address(penalty)).content.decode()


def test_too_early_repair_names_the_first_day_on_the_page(city: City, client: Client) -> None:
    shipped.load_tiers(apps)
    record = make_fact(
        "credit.penalty", city.market, decided_on=days_ago(10), published_on=days_ago(9), publish_until=days_ago(-90)
    )
    client.force_login(city.people["market_operator"])
    form = {"submission": uuid7().hex, "reason": "义务已履行", "evidence": "缴款凭证"}
    refused = client.post(f"{address(record)}repair/", form)
    assert refused.status_code == 422
    assert "最早可于" in refused.content.decode()


def test_objection_and_retraction_are_decided_by_the_head(city: City, penalty: Any, client: Client) -> None:
    client.force_login(city.people["police_operator"])
    client.post(f"{address(penalty)}objection/", {"submission": uuid7().hex, "reason": "主体有误"})
    page = f"/credit/objections/{CreditObjection.objects.get().uid}/"
    client.force_login(city.people["market_operator"])
    assert 'name="action"' not in client.get(page).content.decode()
    assert "公示中，有异议" in client.get(address(penalty)).content.decode()
    client.force_login(city.people["market_head"])
    assert client.post(page, {"revision": "1", "text": "无误", "action": "DISMISS"}).status_code == 302
    assert client.post(f"{address(penalty)}retract/", {"document": "撤〔2026〕1号", "reason": "复议撤销"}).status_code == 302
    assert CreditStanding.objects.get().retracted_at is not None


def test_catalogue_version_is_loaded_from_a_file(city: City, penalty: Any, client: Client) -> None:
    item = {"code": "0202", "name": "行政处罚信息", "dataset": "credit.penalty", "basis": "行政处罚法第四十八条"}
    given = {"code": "2099", "title": "目录(2099年版)", "issued_by": "某部门", "effective_from": "2099-01-01", "items": [item]}
    client.force_login(city.people["reviewer"])
    wrong = client.post("/credit/catalog/", {"file": SimpleUploadedFile("a.json", b"[]")})
    assert wrong.status_code == 422
    assert "JSON" in wrong.content.decode()
    done = client.post("/credit/catalog/", {"file": SimpleUploadedFile("a.json", json.dumps(given).encode())})
    assert done.status_code == 302
    assert "目录(2099年版)" in client.get("/credit/catalog/").content.decode()
    assert CreditCatalogVersion.objects.count() == 2


def test_shield_is_placed_and_ended(city: City, penalty: Any, client: Client) -> None:
    client.force_login(city.people["reviewer"])
    today = timezone.localdate()
    form = {
        "submission": uuid7().hex, "code": COMPANY, "court": "某中级人民法院", "case_number": "(2026)破1号",
        "first_day": today.isoformat(), "last_day": (today + timedelta(days=30)).isoformat(),
    }  # fmt: skip
    assert client.post("/credit/shields/new/", form | {"code": CITIZEN}).status_code == 422
    assert client.post("/credit/shields/new/", form | {"last_day": "9999-12-31"}).status_code == 422
    assert client.post("/credit/shields/new/", form | {"submission": uuid7().hex}).status_code == 302
    shield = CreditShield.objects.get()
    assert "解除屏蔽" in client.get("/credit/shields/").content.decode()
    assert client.post(f"/credit/shields/{shield.uid}/end/").status_code == 302
    assert "已结束" in client.get("/credit/shields/").content.decode()


def test_chart_of_timeliness_has_its_table(city: City, penalty: Any, client: Client) -> None:
    client.force_login(city.people["reviewer"])
    shown = client.get(f"/credit/timeliness/?first_day={date.today() - timedelta(days=200)}").content.decode()
    assert city.market.name in shown
    assert "100" in shown
    assert client.get("/credit/timeliness/?first_day=x").status_code == 422
    too_long = client.get("/credit/timeliness/", {"first_day": "2020-01-01"})
    assert (too_long.status_code, "400 天" in too_long.content.decode()) == (422, True)
    assert client.get("/credit/timeliness/?first_day=9999-12-31&last_day=9999-12-31").status_code == 200


def test_tier_is_changed_from_a_day_on(city: City, client: Client) -> None:
    shipped.load_tiers(apps)
    client.force_login(city.people["police_operator"])
    assert "/credit/tiers/2/" not in client.get("/credit/tiers/").content.decode()
    client.force_login(city.people["reviewer"])
    assert "/credit/tiers/2/" in client.get("/credit/tiers/").content.decode()
    page = client.get("/credit/tiers/2/")
    form = {name: page.context["form"].initial[name] for name in page.context["form"].initial} | {"citation": "《测试办法》第一条"}
    assert client.post("/credit/tiers/2/", form | {"effective_from": date.today().isoformat()}).status_code == 422
    later = (date.today() + timedelta(days=30)).isoformat()
    assert client.post("/credit/tiers/2/", form | {"effective_from": later}).status_code == 302
    assert later in client.get("/credit/tiers/").content.decode()
    assert client.get("/credit/tiers/9/").status_code == 404
