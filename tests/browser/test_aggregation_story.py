"""The first chapter of the story: a clerk takes in a department's rows and puts right what was rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import RunningStack
from tests.browser.ways import MOVED, wait_for_the_timetable

Call = Callable[[str], Person]
Album = Callable[[str], Path | None]

POPULATION_PLAN = "人口基础信息归集"
DISTRICT = "320102"


def test_1a_a_clerk_starts_a_run_and_watches_it_to_the_end(person: Call, stack: RunningStack, committed: Album) -> None:
    clerk = person("police_op")
    clerk.menu("数据归集")
    clerk.arrives("数据归集")
    clerk.look("1-plans")
    clerk.link(POPULATION_PLAN)
    wait_for_the_timetable(clerk)
    stack.ask("source", "UPDATE resident SET updated_at = clock_timestamp()")
    stack.ask("source", "UPDATE resident SET address = address || %s WHERE household_division LIKE %s", MOVED, f"{DISTRICT}%")
    clerk.look("1-plan")
    clerk.button("立即归集")
    progress = clerk.page.locator("#run-progress")
    expect(progress.locator("[data-state=SUCCEEDED]")).to_be_visible(timeout=60_000)
    shown = {name: progress.locator(f"[data-count={name}]").inner_text() for name in ("accepted", "changed", "rejected")}
    counted = {name: int(text.replace(",", "")) for name, text in shown.items()}
    people = stack.ask("source", "SELECT count(*) FROM resident")[0][0]
    assert counted["accepted"] + counted["rejected"] == people
    assert 0 < counted["changed"] < counted["accepted"]
    assert counted["rejected"] > 0
    clerk.look("1-run", committed=committed("1-aggregation"))


def test_1b_rejected_rows_are_downloaded_corrected_and_replayed(person: Call) -> None:
    clerk = person("police_op")
    clerk.link("查看本次拒收记录")
    clerk.arrives("拒收记录")
    with clerk.page.expect_download() as coming:
        clerk.link("下载 CSV")
    lines = coming.value.path().read_text("utf-8-sig").splitlines()
    assert "编号" in lines[0]
    clerk.field("规则").select_option("ethnicity.code")
    clerk.button("筛选")
    clerk.reads("查看并更正")
    shown = clerk.page.get_by_role("row").filter(has_text="ethnicity.code").count()
    assert 0 < shown < len(lines)
    clerk.look("1-rejects")
    clerk.link("查看并更正")
    clerk.reads("保存更正")
    clerk.look("1-reject")
    with clerk.expecting(422):
        clerk.button("保存更正")
        expect(clerk.page.locator(".errorlist, .invalid-feedback").first).to_be_visible()
    clerk.field("民族").select_option("01")
    clerk.button("保存更正")
    clerk.reads("更正已保存")
    clerk.button("重放 1 条已更正记录")
    progress = clerk.page.locator("#run-progress")
    expect(progress.locator("[data-state=SUCCEEDED]")).to_be_visible(timeout=60_000)
    expect(progress.locator("[data-count=accepted]")).to_have_text("1")
    expect(progress.locator("[data-count=rejected]")).to_have_text("0")
