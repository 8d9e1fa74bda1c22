"""A basket in the browser: a clerk asks two providers at once, the head agrees to both with one button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import Person

Call = Callable[[str], Person]
Album = Callable[[str], Path | None]


def test_a_basket_is_filled_submitted_and_endorsed_as_one(person: Call, committed: Album) -> None:
    clerk = person("edu_op")
    clerk.menu("资源篮")
    clerk.arrives("资源篮")
    clerk.look("basket")
    clerk.field("使用目的").fill("入学资格联合核验")
    clerk.field("使用依据").fill("《中华人民共和国义务教育法》第十二条")
    clerk.field("使用场景").fill("入学报名时核对户籍和举办单位。")
    for card in clerk.page.locator(".card:has(> .card-body fieldset)").all():
        card.locator("input[type=checkbox][name$=-items]:not([disabled])").first.check()
        card.locator("input[type=radio][name$=-mode]").first.check()
    clerk.button("整篮提交给本部门负责人")
    clerk.arrives("入学资格联合核验")
    clerk.look("bundle")
    address = clerk.page.url

    head = person("edu_head")
    head.page.goto(address)
    head.look("bundle-head", committed=committed("10-bundle"))
    head.button("全部同意")
    expect(head.page.locator("main")).to_contain_text("已同意")
    expect(head.page.locator("[data-state=SUBMITTED]")).to_have_count(0)
    head.link("居民婚姻与居住状况")
    head.look("bundle-part")


def test_remarks_for_reviewers_only_stay_with_the_reviewers(person: Call) -> None:
    for name, sees in (("police_op", True), ("hr_op", False)):
        reader = person(name)
        reader.page.goto("/requests/?tab=open")
        reader.row("居民婚姻与居住状况", "社会保险待遇领取资格核查").get_by_role("link").first.click()
        expect(reader.page.get_by_text("建议一致办理")).to_have_count(1 if sees else 0)
        reader.look(f"remarks-{name}")
