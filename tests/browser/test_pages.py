"""Every main page as its people see it: in order at both widths, in both languages, and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.inspection import NARROW, invisible_focus, troubles_of
from tests.browser.person import Person
from tests.browser.stack import RunningStack

Call = Callable[[str], Person]

PAGES = {
    "edu_op": (
        "/", "/account/", "/account/password/", "/notifications/", "/catalog/", "/catalog/mine/", "/catalog/inbox/",
        "/catalog/new/", "/requests/", "/requests/?tab=approved", "/requests/inbox/", "/grants/", "/systems/", "/calls/", "/audit/",
        "/basket/", "/bundles/", "/requests/delegations/", "/monitoring/", "/traces/", "/usage/", "/disposals/", "/break-glass/",
        "/national/", "/national/requesters/new/",
    ),
    "police_head": ("/", "/requests/inbox/", "/aggregation/", "/backflow/"),
    "police_op": (
        "/sources/", "/sources/tables/new/", "/sources/interfaces/new/", "/sources/accounts/new/", "/subject-accesses/",
        "/licenses/desk/", "/licenses/", "/licenses/drafts/new/", "/licenses/batches/", "/presenting/", "/missing-licenses/new/",
    ),
    "reviewer": (
        "/", "/catalog/inbox/", "/requests/?tab=all", "/backflow/", "/backflow/new/",
        "/requests/deadlines/", "/requests/supervision/", "/monitoring/?period=hour", "/national/services/new/", "/alerts/",
        "/liabilities/", "/license-types/", "/license-statistics/", "/license-statistics/use/", "/matters/cases/", "/recognition/",
        "/missing-licenses/statistics/",
    ),
    "sysadmin": ("/", "/users/", "/users/new/", "/departments/", "/departments/new/"),
    "secadmin": ("/", "/users/", "/calls/attempts/", "/holds/"),
    "auditor": (
        "/users/", "/departments/", "/grants/", "/requests/", "/calls/", "/audit/", "/traces/", "/monitoring/", "/alerts/",
        "/holds/", "/liabilities/",
    ),
}  # fmt: skip
TRANSLATED = (
    "/", "/catalog/", "/requests/", "/requests/inbox/", "/grants/", "/systems/", "/calls/", "/audit/", "/aggregation/",
    "/backflow/", "/monitoring/", "/traces/", "/basket/", "/sources/", "/national/", "/requests/deadlines/",
    "/requests/supervision/",
)  # fmt: skip
WALKED_BY_KEYBOARD = ("/", "/catalog/", "/catalog/new/", "/requests/", "/audit/", "/basket/", "/monitoring/", "/requests/inbox/")
OWN_WORDS = ".nav-link-title, th, label, .card-title, .subheader, main .btn"  # not the data: titles, names, departments
CHINESE = """(own) => [document.title, ...[...document.querySelectorAll(own)]
  .filter((e) => e.checkVisibility()).map((e) => e.innerText)].filter((text) => /[\\u4e00-\\u9fff]/.test(text))"""


@pytest.mark.parametrize("username", PAGES)
def test_pages_are_in_order_at_both_widths(person: Call, username: str) -> None:
    somebody = person(username)
    for address in PAGES[username]:
        answer = somebody.page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        somebody.look(f"page-{username}-{address.strip('/').replace('/', '-').replace('?', '-') or 'home'}")


def test_on_a_phone_the_menu_opens_and_the_filters_of_the_catalogue_wait_folded(person: Call) -> None:
    somebody = person("edu_op")
    somebody.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    somebody.page.goto("/")
    somebody.button("打开菜单")
    somebody.menu("授权")
    somebody.arrives("授权")
    somebody.button("打开菜单")
    somebody.menu("数据目录")
    somebody.arrives("数据目录")
    expect(somebody.page.get_by_text("共享属性", exact=True)).to_be_hidden()
    somebody.page.get_by_role("main").get_by_text("筛选", exact=True).click()
    expect(somebody.page.get_by_text("共享属性", exact=True)).to_be_visible()
    somebody.troubles += troubles_of(somebody.page)


def test_the_focus_can_be_seen_at_every_stop_of_the_tab_key(person: Call) -> None:
    somebody = person("edu_op")
    for address in WALKED_BY_KEYBOARD:
        somebody.page.goto(address)
        assert not invisible_focus(somebody.page, 30)


def test_a_clerk_signs_in_and_out_by_keyboard_alone(browser: Browser, stack: RunningStack, pictures: Path) -> None:
    somebody = Person(browser, stack.url, "hr_head", stack.password("hr_head"), pictures)
    page = somebody.page
    page.goto("/requests/inbox/")
    expect(page).to_have_url(f"{stack.url}/login/?next=/requests/inbox/")
    page.get_by_label("用户名").focus()
    page.keyboard.type("hr_head")
    page.keyboard.press("Tab")
    page.keyboard.type("not-the-password")
    with somebody.expecting(401, 403, 422):
        page.keyboard.press("Enter")
        expect(page.get_by_text("用户名或密码").first).to_be_visible()
        somebody.look("page-login-refused")
    page.get_by_label("密码").focus()
    page.keyboard.type(stack.password("hr_head"))
    page.keyboard.press("Enter")
    somebody.arrives("待我审批")
    page.get_by_role("link", name="账户").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="退出登录").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stack.url}/login/")
    somebody.leave()
    assert not somebody.troubles


def test_the_main_pages_speak_english_after_the_switch(browser: Browser, stack: RunningStack, pictures: Path) -> None:
    somebody = Person(browser, stack.url, "reviewer", stack.password("reviewer"), pictures)
    somebody.sign_in()
    somebody.button("English")
    expect(somebody.page.locator("html")).to_have_attribute("lang", "en")
    left = {}
    for address in TRANSLATED:
        somebody.page.goto(address)
        left[address] = set(somebody.page.evaluate(CHINESE, OWN_WORDS))
        somebody.look(f"english-{address.strip('/').replace('/', '-') or 'home'}")
    somebody.button("中文")
    expect(somebody.page.locator("html")).to_have_attribute("lang", "zh-hans")
    somebody.leave()
    assert not somebody.troubles
    assert not any(left.values()), left


# Pages of one thing: who looks, where the way begins, and the links or rows that lead there.
PLACES = (
    ("hr_op", "/grants/", "企业法人登记信息", ("第 2 版",)),
    ("reviewer", "/grants/", "企业法人登记信息", ("收窄授权",)),
    ("reviewer", "/grants/", "企业法人登记信息", ("终止服务并备案",)),
    ("edu_op", "/grants/", "批量复制", ("批量作业",)),
    ("hr_op", "/requests/?tab=open", "待补正", ()),
    ("reviewer", "/requests/?tab=all", "教师资格认定信息", ("登记上级回执",)),
    ("police_op", "/sources/", "户籍登记表", ()),
)


@pytest.mark.parametrize(("username", "start", "row", "links"), PLACES)
def test_pages_of_one_thing_are_in_order(person: Call, username: str, start: str, row: str, links: tuple[str, ...]) -> None:
    somebody = person(username)
    somebody.page.goto(start)
    somebody.row(row).get_by_role("link").first.click()
    for number, link in enumerate(("", *links)):
        if link:
            somebody.link(link)
        name = "-".join((username, start.strip("/").partition("/")[0], *links[:number]))
        somebody.look(f"thing-{name}")
