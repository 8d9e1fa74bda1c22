"""Pages of sources: registering, testing, mounting, rotating; secrets are never displayed; the track above beside ours."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from catalog import mounting
from core.errors import Invalid
from core.models import AuditEntry
from exchange.models import NationalRequester, SourceConnection, UpstreamAccount, UpstreamInterface, UpstreamRelay
from tests import factories
from tests.exchange.test_upstream import authorize
from tests.factories import City


def table_form(**values: Any) -> dict[str, Any]:
    url = urlsplit(os.environ["DEMO_SOURCE_URL"])
    given = {
        "title": "婚姻登记表",
        "kind": "POSTGRESQL",
        "key_kind": "CITIZEN_ID",
        "host": url.hostname,
        "port": url.port,
        "database": url.path[1:],
        "username": url.username,
        "password": url.password,
        "schema": "pg_catalog",
        "table": "pg_class",
        "key_column": "relname",
        "region_column": "",
        "columns": "relname 名称\nrelkind 种类",
        "timeout_ms": 3000,
        "at_once": 4,
    }
    return given | values


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["police_operator"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_table_is_registered_tested_and_offered_to_its_own_department_only(city: City, operator: Client) -> None:
    assert operator.post("/sources/tables/new/", table_form()).status_code == 302
    source = SourceConnection.objects.get()
    operator.post(f"/sources/{source.uid}/test/")
    page = operator.get(f"/sources/{source.uid}/").content.decode()
    assert "2 个登记字段都在" in page
    assert table_form()["password"] not in page
    code = f"table.{source.uid.hex}"
    assert code in [offered.code for offered in mounting.datasets(city.police.pk)]
    assert code not in [offered.code for offered in mounting.datasets(city.market.pk)]


def test_a_missing_column_is_told_by_the_test(operator: Client) -> None:
    operator.post("/sources/tables/new/", table_form(columns="relname 名称\nnirgends 没有"))
    source = SourceConnection.objects.get()
    operator.post(f"/sources/{source.uid}/test/")
    assert "nirgends" in operator.get(f"/sources/{source.uid}/").content.decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host": "metadata.internal"}, "外联白名单"),
        ({"columns": ""}, "此项必填"),
        ({"columns": "xm 姓名\nxm 又一个"}, "不重复的字段"),
        ({"columns": "xm 姓\x00名"}, "不能含有控制字符"),
        ({"at_once": 99}, "不能大于 8"),
    ],
)
def test_a_registration_with_faults_saves_nothing(operator: Client, values: dict[str, Any], said: str) -> None:
    answer = operator.post("/sources/tables/new/", table_form(**values))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not SourceConnection.objects.exists()


def test_an_entry_is_not_mounted_on_another_departments_source_nor_for_bulk(city: City, operator: Client, now: datetime) -> None:
    operator.post("/sources/tables/new/", table_form())
    code = f"table.{SourceConnection.objects.get().uid.hex}"
    columns = {"name": "relname", "sex": "relkind"}
    for provider, modes in [(city.market, ["QUERY"]), (city.police, ["QUERY", "BULK"])]:
        resource = factories.make_resource(provider, sharing_modes=modes)
        resource.items.exclude(name__in=columns).delete()
        given = {"dataset_code": code, "columns": columns, "revision": resource.revision, "actor": city.actor("reviewer")}
        with pytest.raises(Invalid):
            mounting.mount(uid=resource.uid, now=now, **given)
    resource = factories.make_resource(city.police, sharing_modes=["QUERY"])
    resource.items.exclude(name__in=columns).delete()
    given |= {"revision": resource.revision}
    assert mounting.mount(uid=resource.uid, now=now, **given).dataset == code


def test_an_identity_number_is_never_put_into_an_address(operator: Client) -> None:
    form = {
        "title": "接口", "key_kind": "CITIZEN_ID", "timeout_ms": 1000, "at_once": 2, "method": "GET", "url": "http://127.0.0.1:1/p",
        "parameters": "sfzh key", "columns": "xm /data/xm 姓名", "record": "/data", "code": "/code", "ok": "0",
    }  # fmt: skip
    answer = operator.post("/sources/interfaces/new/", form)
    assert "不得放在地址中" in answer.content.decode()
    assert operator.post("/sources/interfaces/new/", form | {"method": "POST"}).status_code == 302
    assert UpstreamInterface.objects.get().request_map == {"sfzh": {"in": "body", "from": "key"}}


def test_an_address_that_is_none_is_refused_beside_its_field(operator: Client) -> None:
    interface = {
        "title": "接口", "key_kind": "USCC", "timeout_ms": 1000, "at_once": 2, "method": "POST", "url": "http://[",
        "parameters": "tyxydm key", "columns": "mc /data/mc 名称", "record": "/data", "code": "/code", "ok": "0",
    }  # fmt: skip
    account = {
        "title": "省平台", "auth": "NATIONAL", "family": "gjzwfwpt", "rid": "6a1f@320100", "refresh_url": "http://[",
        "refresh_sid": "s_000001", "secret": "0123456789abcdef",
    }  # fmt: skip
    for page, form in (("/sources/interfaces/new/", interface), ("/sources/accounts/new/", account)):
        answer = operator.post(page, form)
        assert answer.status_code == 422
        assert "请填写以 http:// 或 https:// 开头" in answer.content.decode()


def test_what_is_done_with_a_source_is_audited_under_one_noun(operator: Client) -> None:
    operator.post("/sources/tables/new/", table_form())
    uid = SourceConnection.objects.get().uid
    operator.post(f"/sources/{uid}/test/")
    operator.post(f"/sources/{uid}/switch/", {"is_active": "0"})
    done = AuditEntry.objects.filter(object_uid=str(uid)).order_by("id").values_list("action", flat=True)
    assert list(done) == ["source_connection.registered", "source_connection.tested", "source_connection.disabled"]


def test_a_secret_is_rotated_by_date_and_never_displayed(operator: Client) -> None:
    first, second = "first-secret-value", "second-secret-value"
    form = {"title": "省平台", "auth": "HEADER", "header_name": "X-Api-Key", "secret": first}
    assert operator.post("/sources/accounts/new/", form).status_code == 302
    account = UpstreamAccount.objects.get()
    page = f"/sources/accounts/{account.uid}/"
    rotation = {"secret": second, "begins_on": "2099-01-01", "old_ends_on": "2099-01-08"}
    assert operator.post(page, rotation).status_code == 302
    assert account.secrets.count() == 2
    shown = operator.get(page).content.decode()
    assert first not in shown
    assert second not in shown
    assert operator.post(page, rotation).status_code == 422


def test_an_app_key_is_shown_once(city: City, operator: Client) -> None:
    system = factories.make_system(city.police)
    answer = operator.post("/national/requesters/new/", {"system": str(system.uid), "rid": "6a1f4a4e@320100"})
    assert answer.status_code == 200
    assert "应用授权码" in answer.content.decode()
    assert NationalRequester.objects.get().rid == "6a1f4a4e@320100"
    assert "6a1f4a4e@320100" in operator.get("/national/").content.decode()


def test_a_reviewer_relays_a_request_and_both_tracks_stand_on_its_page(city: City, client: Client, now: datetime) -> None:
    client.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    resource = factories.make_resource(city.police)
    authorize(city, resource, now)
    due_at = now + timedelta(days=9)
    values = {"state": "CLEARED", "desk": "DATA_CENTRE", "route": "PROVIDER_FIRST", "answer_due_at": due_at}
    made = factories.make_request(resource, factories.make_system(city.education), city.people["education_operator"], **values)
    assert "转报上级" in client.get(f"/requests/{made.uid}/").content.decode()
    assert client.post(f"/requests/{made.uid}/relay/", {"document_number": "宁数函8号"}).status_code == 302
    page = client.get(f"/requests/{made.uid}/").content.decode()
    assert f"转报期间答复时限照常计算，至 {timezone.localtime(due_at):%Y-%m-%d %H:%M}" in page
    made.refresh_from_db()
    assert made.answer_due_at == due_at
    answer = {"state": "5", "document_number": "部复9号", "external_id": "UP-9"}
    assert client.post(f"/requests/{made.uid}/receipt/", answer).status_code == 302
    page = client.get(f"/requests/{made.uid}/").content.decode()
    assert "上级已同意" in page
    assert "部复9号" in page
    assert UpstreamRelay.objects.get().external_id == "UP-9"
