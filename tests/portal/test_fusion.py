"""Pages of fusion: a department reads both sides and answers, the centre sees masks, a rule is counted before it is added."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from basedb.dictionary import PERSON
from basedb.masking import Mask, mask_value
from basedb.models import AuthorityRule, FusionConflict, FusionDecision
from tests.basedb.fusion.world import citizen, make_world, person
from tests.exchange.dossier_scene import deliver
from tests.exchange.dossier_scene import person as one_of
from tests.factories import City

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def conflict(city: City, now: datetime) -> FusionConflict:
    """The police and the education bureau's health source disagree about an address."""
    world = make_world(city, now)
    world.deliver("police", "a", 1, person(1, address="南京市玄武区甲路1号"))
    world.deliver("health", "b", 1, person(1, address="南京市秦淮区乙路2号"))
    world.project(run_id=1)
    return FusionConflict.objects.get()


def test_department_reads_both_sides_and_answers(client: Client, city: City, conflict: FusionConflict) -> None:
    client.force_login(city.people["police_operator"], backend=BACKEND)
    assert "住址" in client.get(reverse("portal:conflict-list"), {"state": "OPEN"}).content.decode()
    url = reverse("portal:conflict-detail", args=[conflict.uid])
    page = client.get(url)
    text, revision = page.content.decode(), page.context["form"]["revision"].value()
    assert "甲路1号" in text
    assert "乙路2号" in text
    answer = {"verdict": "CONFIRMED", "text": "已核对", "revision": revision}
    assert client.post(url, answer | {"text": ""}).status_code == 422
    assert client.post(url, answer | {"revision": revision ^ 1}).status_code == 409
    assert client.post(url, answer).status_code == 302
    assert "已核对" in client.get(url).content.decode()
    conflict.refresh_from_db()
    assert conflict.state == "RESOLVED"
    client.force_login(city.people["education_operator"], backend=BACKEND)
    told = client.get(url).content.decode()
    assert "请在本部门系统中更正" in told
    assert ("乙路2号" in told, "甲路1号" in told) == (True, False)


def test_address_of_a_record_may_name_any_number(client: Client, city: City) -> None:
    client.force_login(city.people["reviewer"], backend=BACKEND)
    for number in (1, 2**63, 10**30):
        assert client.get(reverse("portal:fusion-record", args=[number])).status_code == 404


def test_codes_in_doubt_are_told_in_words(client: Client, city: City, now: datetime) -> None:
    world = make_world(city, now)
    world.deliver("police", "a", 1, person(1, ethnicity="01", region_code="320102"))
    world.deliver("health", "b", 1, person(1, ethnicity="03", region_code="320104"))
    world.project(run_id=1)
    client.force_login(city.people["police_operator"], backend=BACKEND)
    expected = {"ethnicity": ("汉族", "回族"), "region_code": ("玄武区（320102）", "秦淮区（320104）")}
    found = {one.field: one.uid for one in FusionConflict.objects.all()}
    assert set(found) == set(expected)
    for field, shown in expected.items():
        text = client.get(reverse("portal:conflict-detail", args=[found[field]])).content.decode()
        assert all(words in text for words in shown)


def test_centre_sees_masks_and_no_answer_form(client: Client, city: City, conflict: FusionConflict) -> None:
    client.force_login(city.people["reviewer"], backend=BACKEND)
    text = client.get(reverse("portal:conflict-detail", args=[conflict.uid])).content.decode()
    assert "甲路1号" not in text
    listed = client.get(reverse("portal:conflict-list")).content.decode()
    assert mask_value(Mask.CITIZEN_ID, citizen(1)) in listed, "a list of thousands tells its lines apart"
    assert citizen(1) not in listed
    assert 'name="verdict"' not in text


def test_rule_is_counted_then_added(client: Client, city: City, conflict: FusionConflict, now: datetime) -> None:
    client.force_login(city.people["reviewer"], backend=BACKEND)
    url = reverse("portal:authority-rule-new")
    page = client.get(url)
    form = {
        "submission": page.context["form"]["submission"].value(),
        "fields_": ["address"],
        "strategy": "AUTHORITY",
        "collector_1": "HEALTH",
        "collector_3": "PUBLIC_SECURITY",
        "max_age_days": "",
        "legal_basis": "《测试办法》第一条",
        "effective_on": f"{now + timedelta(days=2):%Y-%m-%d}",
    }
    counted = client.post(url, {**form, "action": "preview"})
    assert (counted.status_code, counted.context["counted"].changed) == (200, 1)
    assert not AuthorityRule.objects.exists()
    assert client.post(url, {**form, "action": "add"}).status_code == 302
    assert AuthorityRule.objects.get().collectors == ["HEALTH", "PUBLIC_SECURITY"]
    assert "《测试办法》第一条" in client.get(reverse("portal:authority-rule-list")).content.decode()
    refused = client.post(url, {**form, "submission": "x", "collector_3": "HEALTH", "action": "add"})
    assert refused.status_code == 422


def test_merge_is_proposed_by_numbers_that_stand_in_no_address(client: Client, city: City) -> None:
    deliver(PERSON, [one_of(citizen(1), "张一"), one_of(citizen(2), "张二")], department=city.police)
    client.force_login(city.people["reviewer"], backend=BACKEND)
    url = reverse("portal:fusion-decision-new")
    form = {"kind": "MERGE", "dataset": "population.person", "kept": citizen(1), "other": citizen(2), "reason": "同一人两号"}
    for wrong in ({"other": citizen(1)}, {"other": "123"}, {"reason": " "}, {"other": citizen(3)}):
        assert client.post(url, form | wrong).status_code == 422
    sent = client.post(url, form)
    assert (sent.status_code, citizen(1) in sent["Location"]) == (302, False)
    assert FusionDecision.objects.get().kind == "MERGE"
    assert client.post(url, form).status_code == 409
    assert client.post(url, form | {"kind": "UNMERGE"}).status_code == 422
    page = client.get(reverse("portal:fusion-decision-list")).content.decode()
    assert "同一人两号" in page
    for number in (citizen(1), citizen(2)):
        assert mask_value(Mask.CITIZEN_ID, number) in page, "who confirms sees which two are meant"
        assert number not in page


def test_record_is_proposed_to_be_kept_apart_from_the_conflict_it_caused(
    client: Client, city: City, conflict: FusionConflict
) -> None:
    client.force_login(city.people["police_operator"], backend=BACKEND)
    page = client.get(reverse("portal:conflict-detail", args=[conflict.uid])).content.decode()
    own, other = (reverse("portal:fusion-record", args=[chain]) for chain in sorted(conflict.records))
    assert (own in page, other in page) == (True, False)
    assert client.get(other).status_code == 404
    assert "按规则归并" in client.get(own).content.decode()
    assert client.post(own, {"reason": "号码填错"}).status_code == 302
    assert client.post(own, {"reason": "号码填错"}).status_code == 409
    decision = FusionDecision.objects.get()
    assert (decision.kind, decision.chain, decision.state) == ("HOLD", min(conflict.records), "PROPOSED")


def test_link_of_a_record_is_found_by_the_index_of_links(client: Client, city: City, conflict: FusionConflict) -> None:
    client.force_login(city.people["police_operator"], backend=BACKEND)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("portal:fusion-record", args=[min(conflict.records)])).status_code == 200
    asked = next(q["sql"] for q in queries.captured_queries if 'FROM "basedb_crosswalk"' in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked}")
        plan = "".join(row[0] for row in cursor.fetchall())
        assert re.search(r"Index Cond: \(+chain = ", plan), "six million links are not read"
