"""An auditor traces a call: to its seal, grant, approvals, catalogue version and source, and from the grant back to its calls."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.inspection import invisible_focus
from tests.browser.person import Person

Call = Callable[[str], Person]
Album = Callable[[str], Path | None]

SEALED_WITHIN_SECONDS = 90
LINKS = ("调用 · 已应答", "封存", "调用当时的授权", "共享申请与审批", "申请时的目录版本", "数据来源")


def test_a_call_is_traced_to_its_source_and_back_on_one_page(person: Call, committed: Album) -> None:
    auditor = person("auditor")
    auditor.menu("调用记录")
    auditor.arrives("调用记录")
    auditor.link(re.compile(r"\d\d-\d\d \d\d:"), within=auditor.row("户籍人口基本信息", "已应答"))
    auditor.arrives("调用追溯")
    auditor.link("完整溯源链")
    auditor.arrives("溯源")
    chain = auditor.page.get_by_role("list", name="溯源链")
    headings = chain.get_by_role("heading").all_inner_texts()
    assert all(any(link in heading for heading in headings) for link in LINKS), headings
    until = time.monotonic() + SEALED_WITHIN_SECONDS
    while auditor.page.get_by_text("尚未封存").count() and time.monotonic() < until:
        auditor.page.wait_for_timeout(2000)
        auditor.page.reload()
    auditor.reads("刚刚核验：与封存时一致")
    auditor.reads("人口基础信息归集")
    auditor.look("tracing", committed=committed("9-tracing"))
    assert not invisible_focus(auditor.page, 30)

    auditor.link("按此授权发生的调用", within=chain)
    auditor.reads("按此授权发生的调用")
    auditor.look("tracing-of-a-grant")
    auditor.link("溯源", within=auditor.page.locator("tbody tr").first)
    expect(auditor.page.get_by_role("list", name="溯源链")).to_be_visible()
    assert auditor.page.locator("main form[method=post]").count() == 0


def test_every_chart_of_the_calls_stands_with_its_numbers_in_a_table(person: Call) -> None:
    auditor = person("auditor")
    auditor.menu("运行监测")
    auditor.arrives("运行监测")
    charts = auditor.page.locator(".card:has([data-chart])")
    assert charts.count() > 4
    for card in charts.all():
        assert card.locator("table").count() > 0, card.locator(".card-title").first.inner_text()
    auditor.look("monitoring")
