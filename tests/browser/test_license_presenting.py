"""A citizen shows a code on the phone, a clerk scans it at the window: two browsers side by side, until the value is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.inspection import NARROW, invisible_focus
from tests.browser.person import Person
from tests.browser.stack import RunningStack

Call = Callable[[str], Person]
MATTER = "不动产转移登记窗口核验"


@pytest.fixture
def phone(browser: Browser, stack: RunningStack, pictures: Path, crowd: dict[str, Person]) -> Iterator[Person]:
    """A holder's phone: nobody signed in, as wide as a phone."""
    made = crowd["phone"] = Person(browser, stack.url, "phone", "", pictures)
    made.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    yield made
    crowd.pop("phone").leave()


def show_code(phone: Person, who: int = 3) -> str:
    """Enter as somebody of the demo and return the text of a new code."""
    phone.page.goto("/demo/identity/")
    phone.arrives("演示身份应用")
    phone.page.locator("button[name=who][value^=person]").nth(who).click()
    phone.arrives("我的证照")
    phone.look("holder-home")
    phone.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    phone.button("出示亮证码")
    phone.arrives("请窗口扫码")
    expect(phone.page.get_by_alt_text("亮证码二维码")).to_be_visible()
    return phone.page.locator(".holder-code").inner_text()


def scan(clerk: Person, code: str) -> None:
    clerk.menu("扫码亮证")
    clerk.arrives("扫码亮证")
    clerk.field("办理事项").select_option(label=MATTER)
    clerk.field("亮证码").fill(code.lower())
    clerk.page.keyboard.press("Enter")  # as a scanner does behind the text


def test_a_citizen_agrees_on_the_phone_and_the_window_reads_once(person: Call, phone: Person) -> None:
    clerk = person("land_op")
    code = show_code(phone)
    phone.look("holder-code")
    scan(clerk, code)
    clerk.arrives("亮证结果")
    clerk.reads("等待持证人在手机上确认")
    clerk.look("presenting-waiting")

    phone.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    phone.arrives("请确认是否出示")  # by itself: the phone asks every two seconds
    phone.reads("市规划和自然资源局")
    phone.reads("《不动产登记暂行条例》第二十四条")
    phone.look("holder-consent")
    assert not invisible_focus(phone.page, 12)
    phone.button("同意出示所选内容")
    phone.reads("已确认，等待窗口读取")

    clerk.button("读取内容")  # appears by itself
    clerk.reads("江苏省南京市演示路")
    clerk.reads("内容不再显示第二次")
    clerk.look("presenting-read")

    phone.arrives("已完成")
    phone.look("holder-done")
    phone.link("查看谁用过我的证照")
    phone.arrives("谁用过我的证照")
    phone.reads(MATTER)
    phone.look("holder-uses")
    phone.page.goto("/holder/")
    phone.page.locator("main a[href^='/holder/licenses/']").first.click()
    phone.look("holder-license")


def test_a_no_and_a_second_scan_are_said_on_both_sides(person: Call, phone: Person) -> None:
    clerk = person("land_op")
    code = show_code(phone, who=4)
    scan(clerk, code)
    clerk.arrives("亮证结果")
    where = clerk.page.url
    with clerk.expecting(422):
        scan(clerk, code)
        clerk.reads("亮证码已被扫描过")
        clerk.look("presenting-refused")
    phone.arrives("请确认是否出示")
    phone.page.reload()
    phone.reads("有人再次扫描这个亮证码")
    phone.button("拒绝")
    phone.reads("没有提供任何信息")
    phone.look("holder-refused")
    clerk.page.goto(where)
    clerk.reads("持证人已拒绝")
    clerk.look("presenting-no")


def test_a_phone_without_scripts_gets_as_far(browser: Browser, stack: RunningStack, person: Call) -> None:
    plain = browser.new_context(base_url=stack.url, java_script_enabled=False, locale="zh-CN")
    try:
        page = plain.new_page()
        page.goto("/demo/identity/")
        page.locator("button[name=who][value^=person]").nth(5).click()
        page.get_by_role("button", name="出示亮证码").click()
        code = page.locator(".holder-code").inner_text()
        clerk = person("land_op")
        scan(clerk, code)
        clerk.arrives("亮证结果")
        expect(page.get_by_role("heading", level=1)).to_contain_text("请确认是否出示", timeout=15_000)
        page.get_by_role("button", name="同意出示所选内容").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("已确认")
    finally:
        plain.close()
