"""A department changes the layout of its license type: the preview follows what is typed, and the pages are in order."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import Person

Call = Callable[[str], Person]
DRIVING = "11100000000013338W003"


def test_the_pages_of_the_catalogue_are_in_order_at_both_widths(person: Call) -> None:
    somebody = person("police_op")
    addresses = (
        "/license-types/", f"/license-types/{DRIVING}/", f"/license-types/{DRIVING}/compare/", "/license-types/uses/",
        "/license-types/new/",
    )  # fmt: skip
    for number, address in enumerate(addresses):
        somebody.page.goto(address)
        somebody.look(f"license-types-{number}")


def test_the_preview_follows_what_an_operator_types(person: Call) -> None:
    somebody = person("police_op")
    somebody.page.goto(f"/license-types/{DRIVING}/")
    somebody.button("编制新版本")
    expect(somebody.page.get_by_text("没有可以发布的变化")).to_be_visible()
    somebody.look("license-types-editor")
    somebody.link("增加元素")
    somebody.page.get_by_label("元素", exact=True).select_option("text")
    for label, value in (("左边距(毫米)", "8"), ("上边距(毫米)", "139"), ("宽(毫米)", "60"), ("高(毫米)", "5")):
        somebody.fill(label, value)
    somebody.fill("文字", "试行版式")
    preview = somebody.page.locator("#preview")
    expect(preview.get_by_text("试行版式")).to_be_visible()
    somebody.fill("宽(毫米)", "0")
    expect(preview.get_by_text("宽和高都要大于 0")).to_be_visible()
    somebody.fill("宽(毫米)", "60")
    expect(preview.get_by_text("试行版式")).to_be_visible()
    somebody.look("license-types-element")
    somebody.button("保存")
    expect(somebody.page.get_by_text("已保存")).to_be_visible()
    somebody.button("送审")
    expect(somebody.page.get_by_text("现由本部门负责人发布")).to_be_visible()
