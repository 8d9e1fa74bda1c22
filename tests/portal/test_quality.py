"""Quality in the portal: scores, a report, a task with its rows, rules that are changed and refused."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from basedb.models import DataSource, QualityCheck, QualityFault, QualityRule, QualityTask
from basedb.quality import asking, checking, rulebook
from core.models import Department
from tests.basedb.test_quality import PEOPLE, check, person
from tests.factories import City


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


@pytest.fixture
def checked(city: City) -> QualityCheck:
    rulebook.load_standard_rules(now=timezone.now())
    for serial in range(1, 4):
        person(city, serial)
    person(city, 4, sex="1")
    return check()


def test_scores_stand_in_tables_and_charts(city: City, checked: QualityCheck) -> None:
    page = signed_in(city, "reviewer").get("/quality/", {"dataset": PEOPLE}).content.decode()
    for text in ("综合得分", "规范性", "准确性", 'data-chart="radar"', "性别与公民身份号码一致", "不合格", "没有可检查的数据"):
        assert text in page, text


def test_a_report_can_be_printed_and_shows_denominators(city: City, checked: QualityCheck) -> None:
    page = signed_in(city, "auditor").get(f"/quality/checks/{checked.uid}/").content.decode()
    assert '<p class="h1 d-none d-print-block">人口基本信息质量报告</p>' in page, "the page's own heading is not printed"
    assert "75.00" in page


def test_the_owner_says_that_a_row_is_right(city: City, checked: QualityCheck) -> None:
    task = QualityTask.objects.get(rule_code="sex.agrees")
    fault = QualityFault.objects.get(task=task)
    client = signed_in(city, "police_operator")
    page = client.get(f"/quality/tasks/{task.uid}/")
    assert "现由责任部门办理" in page.content.decode()
    refused = client.post(f"/quality/tasks/{task.uid}/", {"rows": [str(fault.uid)], "reason": ""})
    assert refused.status_code == 422
    told = client.post(f"/quality/tasks/{task.uid}/", {"rows": [str(fault.uid)], "reason": "户籍登记如此"}, follow=True)
    assert "已说明 1 条" in told.content.decode()
    assert "户籍登记如此" in told.content.decode()
    assert signed_in(city, "education_operator").get(f"/quality/tasks/{task.uid}/").status_code == 404


def test_rows_leave_by_the_key_of_their_source(city: City, checked: QualityCheck) -> None:
    assert not DataSource.objects.exists()
    task = QualityTask.objects.get(rule_code="sex.agrees")
    response = signed_in(city, "police_operator").get(f"/quality/tasks/{task.uid}/rows/")
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.splitlines()[0].endswith("数源,源主键,收到时间,状态,说明")
    assert "待处理" in text
    assert "9901" not in text


def test_a_reviewer_changes_a_rule_and_learns_why_one_is_refused(city: City, checked: QualityCheck) -> None:
    rule = QualityRule.objects.get(dataset=PEOPLE, code="sex.agrees")
    client = signed_in(city, "reviewer")
    form = {
        "submission": "a" * 32,
        "title": "性别相符",
        "dimension": "ACCURACY",
        "kind": "AGREES",
        "field": "sex",
        "parameters": '{"as": "height", "other": "citizen_id"}',
        "warn_below": "99",
        "fail_below": "90",
        "weight": "2",
        "is_active": "on",
    }
    refused = client.post(f"/quality/rules/{rule.uid}/", form)
    assert refused.status_code == 422
    assert "birth、sex、kind" in refused.content.decode()
    wrong = client.post(f"/quality/rules/{rule.uid}/", form | {"parameters": "["})
    assert "不是有效的 JSON" in wrong.content.decode()
    taken = client.post(f"/quality/rules/{rule.uid}/", form | {"parameters": '{"as": "sex", "other": "citizen_id"}'}, follow=True)
    assert "新版本已生效" in taken.content.decode()
    assert QualityRule.objects.get(dataset=PEOPLE, code="sex.agrees", retired_at=None).version == 2


def test_a_check_is_asked_for_once_and_its_page_says_so(city: City, checked: QualityCheck) -> None:
    client = signed_in(city, "reviewer")
    page = client.post("/quality/checks/start/", {"submission": "b" * 32, "dataset": PEOPLE}, follow=True)
    assert "后台正在检查" in page.content.decode()
    again = client.post("/quality/checks/start/", {"submission": "c" * 32, "dataset": PEOPLE}, follow=True)
    assert "正在检查，请等它结束" in again.content.decode()
    queued = QualityCheck.objects.get(state="QUEUED")
    checking.work(check_uid=queued.uid, clock=timezone.now)
    assert asking.ask_for_all(now=timezone.now()) > 0


def test_figures_and_trend_are_of_the_department_and_item_chosen(city: City, checked: QualityCheck) -> None:
    Department.objects.filter(pk=city.education.pk).update(short_name=city.police.short_name)
    person(city, 5, source_department=city.education, phone="x")
    check()
    client = signed_in(city, "reviewer")
    whole = client.get("/quality/", {"dataset": PEOPLE}).context
    assert len(whole["departments"]) == 2, "two of the same short name are two"
    part = client.get("/quality/", {"dataset": PEOPLE, "department": str(city.education.uid), "item": "phone"})
    assert part.context["whole"].percent == part.context["past"][-1][1] < whole["past"][-1][1]
    assert {line["result"].rule.field for line in part.context["lines"]} == {"phone"}
    assert "item=phone" in client.get("/quality/", {"dataset": PEOPLE}).content.decode()
    assert client.get("/quality/", {"dataset": "legal_entity.enterprise", "item": "sex"}).status_code == 200


@pytest.mark.parametrize("odd", ['"\\u0000"', '"\\ud800"', "NaN", "1e999", "[" * 3000])
def test_parameters_that_cannot_be_kept_are_refused(city: City, checked: QualityCheck, odd: str) -> None:
    rule = QualityRule.objects.get(dataset=PEOPLE, code="sex.agrees")
    form = {
        "submission": "d" * 32, "title": "性别相符", "dimension": "ACCURACY", "kind": "AGREES", "field": "sex", "warn_below": "99",
        "parameters": f'{{"as": "sex", "other": "citizen_id", "x": {odd}}}', "fail_below": "90", "weight": "2",
    }  # fmt: skip
    assert signed_in(city, "reviewer").post(f"/quality/rules/{rule.uid}/", form).status_code == 422
