"""A busy day at the data centre: thirty requests wait; filtering, claiming and deciding many at once, with the keyboard alone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.person import Person
from tests.browser.stack import ROOT, RunningStack

Call = Callable[[str], Person]
Album = Callable[[str], Path | None]

WAITING = 30


def test_a_reviewer_with_thirty_waiting_requests_finds_what_is_most_urgent(
    person: Call, stack: RunningStack, committed: Album
) -> None:
    fill_desk(stack)
    reviewer = person("reviewer")
    reviewer.menu("待我审批")
    reviewer.arrives("待我审批")
    waiting_here = int(reviewer.page.get_by_role("link", name=re.compile(r"^待办 \d+")).inner_text().split()[-1])
    assert waiting_here >= WAITING
    dues = re.findall(r"\d{4}-\d\d-\d\d 24:00", reviewer.page.locator("tbody").inner_text())
    assert dues == sorted(dues), "the most urgent come first"
    reviewer.look("reviewer-inbox", committed=committed("8-inbox"))
    reviewer.link("下一页")
    rest = reviewer.page.locator("tbody tr").count()
    assert rest == waiting_here - len(dues)
    reviewer.menu("待我审批")
    reviewer.field("时限").select_option("overdue")
    reviewer.button("筛选")
    shown = reviewer.page.locator("tbody tr")
    expect(shown.filter(has_text="已逾期")).to_have_count(shown.count())
    assert 0 < shown.count() < waiting_here


def test_a_claim_is_seen_and_a_request_is_decided_with_the_keyboard_alone(person: Call) -> None:
    reviewer = person("reviewer")
    page = reviewer.page
    page.goto("/requests/inbox/")
    first = page.locator("tbody tr").first
    number = first.locator(".small").first.inner_text().split(" ")[0]
    press(first.get_by_role("button", name="认领"))
    expect(page.locator("tbody tr").first).to_contain_text("钱进")
    press(page.locator("tbody tr").first.get_by_role("link", name=f"办理申请 {number}"))
    reviewer.reads("轮到您办理")
    reviewer.look("reviewer-decision")
    page.get_by_label("意见", exact=True).focus()
    page.keyboard.type("用途与职责相符。")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="同意并立即授权")).to_be_focused()
    page.keyboard.press("Enter")
    reviewer.reads("已授权，使用方可以开始调用。")
    expect(page.get_by_role("main")).not_to_contain_text(number)


def test_many_requests_are_decided_at_once_and_each_says_how_it_ended(person: Call) -> None:
    reviewer = person("reviewer")
    page = reviewer.page
    page.goto("/requests/inbox/?q=教师资格")
    press(page.get_by_role("button", name="全选本页"))
    press(page.get_by_role("button", name="批量办理所选"))
    press(page.get_by_role("button", name=re.compile("确认办理")))
    reviewer.arrives("批量办理结果")
    reviewer.reads("上级")  # the ministry has not agreed: this one is not granted, and the page says why

    while (rows := waiting(page, reviewer)) > 1:
        press(page.get_by_role("button", name="全选本页"))
        expect(page.locator("input[name=row]:checked")).to_have_count(rows)
        press(page.get_by_role("button", name="批量办理所选"))
        reviewer.arrives("批量办理")
        reviewer.look("reviewer-bulk")
        press(page.get_by_role("button", name=re.compile("确认办理")))
        reviewer.arrives("批量办理结果")
        expect(page.get_by_role("row").filter(has_text="已办理")).not_to_have_count(0)
        reviewer.look("reviewer-bulk-result")


def fill_desk(stack: RunningStack) -> None:
    """Let so many requests wait at the desk."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "fill_desk", "--waiting", str(WAITING)],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def waiting(page: Page, reviewer: Person) -> int:
    """Return how many requests the first page of the inbox shows."""
    page.goto("/requests/inbox/")
    reviewer.arrives("待我审批")
    return page.locator("input[name=row]").count()


def press(control: Locator) -> None:
    """Use a link or a button as somebody without a mouse does."""
    control.focus()
    control.page.keyboard.press("Enter")
