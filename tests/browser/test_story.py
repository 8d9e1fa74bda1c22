"""The story of the platform, walked in the browser by the people it is made for; each step goes on where the one before ended.

It goes on where `test_aggregation_story` ended: run both.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.person import Person
from tests.browser.stack import RunningStack
from tests.browser.ways import (
    PURPOSE,
    SCHOOL_SYSTEM,
    ask,
    call_path,
    can_change_nothing,
    grant_page,
    moved_in,
    open_request,
)

Call = Callable[[str], Person]
Album = Callable[[str], Path | None]

BACKFLOW = "玄武区人口数据回流"
TITLE = "小微企业名录"
POPULATION = "户籍人口基本信息"


@dataclass
class Story:
    """What one step hands to the next."""

    resource: str = ""
    grant: str = ""
    population_grant: str = ""
    caller: Caller | None = None


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def test_2a_a_department_drafts_an_entry_and_sends_it_to_its_head(person: Call) -> None:
    operator = person("market_op")
    operator.menu("数据目录")
    operator.link("编制目录")
    operator.link("法人单位基本信息")
    operator.fill("资源名称", TITLE)
    operator.fill("资源分类", "307012")
    operator.fill("资源摘要", "在本市登记的小型微型企业，供各部门落实扶持政策时核对。")
    operator.fill("关键词", "小微 企业 扶持")
    operator.field("所属基础库").select_option(label="不属于基础库")
    operator.field("共享属性").select_option(label="有条件共享")
    operator.fill("共享条件", "只用于惠企政策的资格核验。")
    for mode in ("比对验证", "检索查询"):
        operator.page.get_by_role("checkbox", name=mode).check()
    operator.button("保存并提交")
    operator.reads("保密风险评估：")
    operator.look("2-incomplete")
    operator.link("编辑")
    operator.fill("保密风险评估", "不涉及国家秘密。市监局，2026 年评估。")
    operator.fill("个人信息保护影响评估", "涉及法定代表人姓名，默认脱敏，风险可控。")
    operator.look("2-draft")
    operator.button("保存并提交")
    operator.reads("已提交，等待本部门负责人审批。")
    operator.look("2-submitted")


def test_2b_the_head_agrees_and_the_data_centre_publishes_under_a_code(person: Call, story: Story) -> None:
    head = person("market_head")
    head.page.goto("/")
    head.reads("我的待办")
    head.look("2-home-of-the-head")
    head.link(TITLE)
    head.reads("请您审批")
    head.look("2-endorse")
    head.button("同意，转数据中心")
    head.reads("已同意，转数据中心发布。")

    reviewer = person("reviewer")
    reviewer.page.goto("/")
    reviewer.link(TITLE)
    reviewer.reads("请您审核发布")
    reviewer.look("2-publish")
    reviewer.button("发布")
    reviewer.reads("已发布，各部门现在可以检索和申请。")
    expect(reviewer.page.get_by_text(re.compile(r"307012/\d{6}")).first).to_be_visible()
    reviewer.reads("已挂接“法人单位基本信息”")
    story.resource = reviewer.page.url.removeprefix(reviewer.site)


def test_2c_another_department_finds_the_entry_by_two_characters_and_reads_its_items(person: Call, committed: Album) -> None:
    reader = person("hr_op")
    reader.page.goto("/")
    reader.page.get_by_role("banner").get_by_label("搜索目录").fill("小微")
    reader.page.keyboard.press("Enter")
    reader.arrives("数据目录")
    reader.look("2-search")
    reader.link(TITLE)
    reader.reads("统一社会信用代码")
    reader.look("2-resource", committed=committed("2-catalog"))


def test_3a_a_clerk_asks_for_items_in_two_steps_and_sees_who_has_the_ball(person: Call, story: Story, committed: Album) -> None:
    clerk = person("edu_op")
    clerk.page.goto(story.resource)
    clerk.link("申请使用")
    ask(clerk, items=("统一社会信用代码 uscc", "名称 name", "登记状态 registration_state"), mode="检索查询")
    clerk.look("3-form")
    clerk.button("提交给本部门负责人")
    clerk.reads("已提交，等待本部门负责人审核。")
    clerk.reads("现由：市教育局")
    clerk.reads("办理时限")
    clerk.look("3-submitted", committed=committed("3-request"))


def test_3b_a_refusal_without_a_reason_is_not_taken(person: Call) -> None:
    head = person("edu_head")
    open_request(head, TITLE)
    with head.expecting(422):
        head.button("不同意")
        head.reads("理由")
    expect(head.page.get_by_role("main").locator(".invalid-feedback, .errorlist").first).to_be_visible()
    head.look("3-refusal-without-a-reason")
    head.button("同意，提交审核")
    head.reads("已同意，申请已转出本部门审核。")


def test_3c_data_of_a_department_passes_its_operator_its_head_and_the_data_centre(person: Call, story: Story) -> None:
    operator = person("market_op")
    open_request(operator, TITLE)
    operator.fill("意见", "用途与职责相符，建议同意。")
    operator.look("3-check")
    operator.button("审核完毕，转本部门负责人")
    operator.reads("审核意见已转本部门负责人。")

    head = person("market_head")
    open_request(head, TITLE)
    head.reads("用途与职责相符，建议同意。")
    head.button("同意提供，转数据中心")
    head.reads("已同意提供，转数据中心审核授权。")

    reviewer = person("reviewer")
    open_request(reviewer, TITLE)
    reviewer.arrives(TITLE)
    reviewer.look("3-approve")
    reviewer.button("同意并立即授权")
    reviewer.reads("已授权，使用方可以开始调用。")
    story.grant = grant_page(reviewer, TITLE)


def test_3d_data_of_a_base_database_goes_from_the_own_head_to_the_data_centre_alone(person: Call, story: Story) -> None:
    clerk = person("edu_op")
    clerk.page.goto("/")
    clerk.fill("找数据：输入名称、部门或关键词", "人口")
    clerk.button("搜索", within=clerk.page.get_by_role("main"))
    clerk.link(POPULATION)
    clerk.link("申请使用")
    ask(clerk, items=("姓名 name", "性别 sex"), mode="比对验证")
    clerk.button("提交给本部门负责人")
    waiting = clerk.page.locator(".flow-waiting")
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text("数据中心")

    head = person("edu_head")
    open_request(head, POPULATION)
    head.button("同意，提交审核")
    reviewer = person("reviewer")
    open_request(reviewer, PURPOSE)
    reviewer.button("同意并立即授权")
    reviewer.reads("已授权，使用方可以开始调用。")
    story.population_grant = grant_page(reviewer, POPULATION, PURPOSE)


def test_3e_the_clerk_was_told_inside_the_application(person: Call) -> None:
    clerk = person("edu_op")
    clerk.page.goto("/")
    clerk.page.get_by_role("link", name="站内消息").click()
    clerk.reads(f"申请已同意并授权：{TITLE}")
    clerk.look("3-notifications")


def test_4_a_grant_shows_its_call_example_and_a_secret_is_shown_once(
    person: Call, story: Story, stack: RunningStack, committed: Album
) -> None:
    clerk = person("edu_op")
    clerk.menu("授权")
    clerk.arrives("授权")
    clerk.look("4-grants")
    clerk.page.goto(story.grant)
    clerk.reads("怎么调用")
    expect(clerk.page.locator("#example-shell")).to_contain_text("curl")
    clerk.look("4-grant", committed=committed("4-grant"))
    clerk.link("管理凭证")
    clerk.arrives(SCHOOL_SYSTEM)
    clerk.look("4-system")
    clerk.field("签名算法").select_option("HMAC-SM3")
    clerk.button("创建凭证")
    clerk.reads("密钥只展示这一次")
    key = clerk.page.locator("#credential-key").inner_text().strip()
    secret = clerk.page.locator("#credential-secret").inner_text().strip()
    story.caller = Caller(stack.url, key, secret)
    clerk.page.reload()
    clerk.reads(key)
    expect(clerk.page.locator("body")).not_to_contain_text(secret)


def test_5a_the_example_of_the_grant_page_runs_and_answers_exactly_the_granted_columns(
    person: Call, story: Story, stack: RunningStack
) -> None:
    assert story.caller is not None
    clerk = person("edu_op")
    clerk.page.goto(story.grant)
    program = clerk.page.locator("#example-python").inner_text()
    assert story.caller.key in program
    enterprise = next(g for s in stack.record["systems"] for g in s["grants"] if g["mode"] == "BULK")["sample_key"]["uscc"]
    program = program.replace("<创建凭证时展示的密钥>", story.caller.secret).replace("<要查询的号码>", enterprise)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "found"
    assert list(answer["data"]) == ["uscc", "name", "registration_state"]
    assert answer["data"]["uscc"] == enterprise


def test_5b_verification_answers_yes_and_no_and_a_column_not_granted_is_refused(story: Story, stack: RunningStack) -> None:
    assert story.caller is not None
    path = call_path(story.population_grant, "verify")
    sample = next(g for s in stack.record["systems"] for g in s["grants"] if g["mode"] == "VERIFY")["sample_key"]
    sex = str(2 - int(sample["citizen_id"][16]) % 2)
    status, answer = story.caller.call(path, {"key": sample, "attributes": {"name": "无此人", "sex": sex}})
    assert (status, answer["result"]) == (200, {"name": "no", "sex": "yes"})
    status, refusal = story.caller.call(path, {"key": sample, "attributes": {"address": "任意地址"}})
    assert (status, refusal["code"]) == (403, "grant.field_not_granted")


def test_5c_revoking_in_the_browser_stops_the_calls_within_five_seconds(
    person: Call, story: Story, stack: RunningStack, committed: Album
) -> None:
    assert story.caller is not None
    enterprise = next(g for s in stack.record["systems"] for g in s["grants"] if g["mode"] == "BULK")["sample_key"]
    path = call_path(story.grant, "query")
    assert story.caller.call(path, {"key": enterprise})[0] == 200
    reviewer = person("reviewer")
    reviewer.page.goto(story.grant)
    reviewer.fill("理由", "政策到期，不再需要。")
    reviewer.look("5-revoke")
    reviewer.button("撤销")
    reviewer.reads("已撤销")
    revoked = time.monotonic()
    status, refusal = story.caller.call(path, {"key": enterprise})
    while status == 200 and time.monotonic() < revoked + 5:
        time.sleep(0.2)
        status, refusal = story.caller.call(path, {"key": enterprise})
    assert (status, refusal["code"]) == (403, "grant.revoked")

    clerk = person("edu_op")
    clerk.menu("调用记录")
    clerk.arrives("调用记录")
    clerk.reads(TITLE)
    clerk.look("5-calls", committed=committed("5-calls"))


def test_6_the_district_reads_batches_and_receipts_and_has_its_rows(person: Call, stack: RunningStack, committed: Album) -> None:
    district = person("xuanwu_op")
    district.menu("数据回流")
    district.arrives("数据回流")
    district.look("6-subscriptions")
    district.link(BACKFLOW)
    until = time.monotonic() + 90
    while moved_in(stack, "district") != moved_in(stack, "platform") and time.monotonic() < until:
        time.sleep(1)
    assert moved_in(stack, "district") == moved_in(stack, "platform") > 0
    district.page.reload()
    district.reads("批次与回执")
    expect(district.page.locator("[data-state=ACKNOWLEDGED]").first).to_be_visible()
    expect(district.page.locator("[data-state=PREPARED]")).to_have_count(0)
    district.look("6-batches", committed=committed("6-backflow"))


def test_7a_the_auditor_sees_who_asked_approved_and_called_and_can_change_nothing(
    person: Call, story: Story, committed: Album
) -> None:
    auditor = person("auditor")
    auditor.page.goto("/")
    auditor.look("7-home-of-the-auditor")
    can_change_nothing(auditor)
    auditor.menu("调用记录")
    auditor.arrives("调用记录")
    auditor.link(re.compile(r"\d\d-\d\d \d\d:"), within=auditor.row(TITLE, "已应答"))
    for text in ("调用追溯", SCHOOL_SYSTEM, PURPOSE, "uscc", "陈晨", "孙伟", "吴倩", "冯涛", "钱进"):
        auditor.reads(text)
    auditor.look("7-call")
    can_change_nothing(auditor)
    for page in (story.grant, story.resource):
        auditor.page.goto(page)
        auditor.arrives(TITLE)
        can_change_nothing(auditor)
    auditor.menu("审计记录")
    auditor.arrives("审计记录")
    auditor.field("对象名称或标识").fill(TITLE)
    auditor.button("筛选")
    for text in ("resource.published", "grant.issued", "grant.revoked"):
        auditor.reads(text)
    can_change_nothing(auditor)
    auditor.look("7-audit", committed=committed("7-audit"))


def test_7b_reading_and_exporting_the_trail_is_in_the_trail(person: Call) -> None:
    auditor = person("auditor")
    with auditor.page.expect_download() as coming:
        auditor.link("导出 CSV")
    text = coming.value.path().read_text("utf-8-sig")
    assert TITLE in text
    auditor.menu("审计记录")
    auditor.reads("audit.exported")
    auditor.reads("audit.read")


def test_7c_the_provider_sees_the_calls_on_its_data_and_another_department_does_not(person: Call, story: Story) -> None:
    provider, other = person("market_op"), person("hr_op")
    provider.menu("调用记录")
    provider.link(re.compile(r"\d\d-\d\d \d\d:"), within=provider.row(TITLE))
    provider.arrives("调用追溯")
    call = provider.page.url.removeprefix(provider.site)
    with other.expecting(404):
        for page in (call, story.grant):
            answer = other.page.goto(page)
            assert answer is not None
            assert answer.status == 404
            other.look("7-not-yours")
    other.menu("调用记录")
    other.arrives("调用记录")
    expect(other.page.locator("body")).not_to_contain_text(TITLE)
