"""What people of the story do more than once: asking for data, opening a request, finding a grant, waiting for the timetable."""

from __future__ import annotations

import re
import time

from tests.browser.person import Person
from tests.browser.stack import RunningStack

MOVED = "(门牌已更新)"
SCHOOL_SYSTEM = "义务教育入学报名系统"
PURPOSE = "民办园收费减免资格核验"


def ask(clerk: Person, *, items: tuple[str, ...], mode: str) -> None:
    """Fill in a request for data."""
    for item in items:
        clerk.page.get_by_role("checkbox", name=item, exact=True).check()
    clerk.page.get_by_role("radio", name=mode).check()
    clerk.field("使用方系统").select_option(label=SCHOOL_SYSTEM)
    clerk.fill("使用目的", PURPOSE)
    clerk.fill("使用依据", "《江苏省学前教育条例》第四十一条")
    clerk.fill("使用场景", "受理收费减免申请时核对申请单位。")


def wait_for_the_timetable(clerk: Person) -> None:
    """Wait until the run that beat starts with the stack is over, so that the next one is the clerk's."""
    start = clerk.page.get_by_role("button", name="立即归集")
    until = time.monotonic() + 60
    while clerk.page.locator("tr [data-state=SUCCEEDED]").count() < 2 or not start.is_visible():
        assert time.monotonic() < until, "the timetable's run does not end"
        time.sleep(0.5)
        clerk.page.reload()


def moved_in(stack: RunningStack, database: str) -> int:
    """Count the people of the district whose changed address a database knows."""
    table, region = ("own_residents", "true") if database == "district" else ("basedb_person", "region_code LIKE '320102%%'")
    return int(stack.ask(database, f"SELECT count(*) FROM {table} WHERE {region} AND address LIKE %s", f"%{MOVED}")[0][0])


def can_change_nothing(auditor: Person) -> None:
    """Insist that the page offers no form that sends anything but leaving, the language and the own messages."""
    addresses = auditor.page.locator("form[method=post]").evaluate_all("forms => forms.map(f => new URL(f.action).pathname)")
    offered = set(addresses) - {"/logout/", "/i18n/setlang/", "/notifications/read/"}
    assert not offered, f"{auditor.page.url} offers an auditor {offered}"


def open_request(person: Person, text: str) -> None:
    """Open a request out of the inbox."""
    person.menu("待我审批")
    person.link("办理", within=person.row(text))


def call_path(grant_page: str, mode: str) -> str:
    """Return where a grant is called."""
    return f"/openapi/v1/calls/{grant_page.strip('/').rpartition('/')[2]}/{mode}"


def grant_page(person: Person, *texts: str) -> str:
    """Go to the newest grant that says all this; return its address on the site."""
    person.menu("授权")
    person.link(re.compile("."), within=person.row(*texts))
    person.reads("授权内容")
    return person.page.url.removeprefix(person.site)
