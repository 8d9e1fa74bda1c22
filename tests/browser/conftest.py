"""Fixtures of the browser tests: one stack, one browser, and the people, each signed in once.

All of them end with this folder's tests: Playwright's loop must not outlive them, or Django refuses the later tests' queries.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.person import Person
from tests.browser.stack import ROOT, RUN_DIR, RunningStack, running_stack

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="package")
def stack() -> Iterator[RunningStack]:
    """The whole platform with the demo's data."""
    with running_stack() as running:
        yield running


@pytest.fixture(scope="package")
def browser(stack: RunningStack) -> Iterator[Browser]:
    """Chromium, for which only the stack's address exists: everything else goes to a proxy that is not there."""
    nowhere = ["--proxy-server=http://127.0.0.1:9", f"--proxy-bypass-list=<-loopback>;{urlsplit(stack.url).netloc}"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *nowhere])
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def pictures() -> Path:
    """Where the pictures of this run are kept."""
    folder = RUN_DIR / "browser" / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="package")
def committed() -> Callable[[str], Path | None]:
    """With PICTURES=1 a story's picture is written into the documentation too."""
    folder = ROOT / "docs" / "pictures"
    return lambda name: folder / f"{name}.png" if os.environ.get("PICTURES") else None


@pytest.fixture(scope="package")
def crowd(browser: Browser, stack: RunningStack, pictures: Path) -> Iterator[dict[str, Person]]:
    """Everybody who has signed in so far."""
    present: dict[str, Person] = {}
    yield present
    for person in present.values():
        person.leave()


@pytest.fixture
def person(browser: Browser, stack: RunningStack, pictures: Path, crowd: dict[str, Person]) -> Iterator[Callable[[str], Person]]:
    """Call it with a user name: the person, signed in. What went wrong on anybody's pages fails the test."""

    def call(username: str) -> Person:
        if username not in crowd:
            crowd[username] = Person(browser, stack.url, username, stack.password(username), pictures)
            crowd[username].sign_in()
        return crowd[username]

    yield call
    troubles = [f"{name}: {trouble}" for name, somebody in crowd.items() for trouble in somebody.troubles]
    for somebody in crowd.values():
        somebody.troubles.clear()
    assert not troubles, "\n".join(troubles)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what everybody had before their eyes when a test failed."""
    report = yield
    if report.failed and call.when == "call":
        seen: dict[str, Any] = getattr(item, "funcargs", {})
        for name, somebody in seen.get("crowd", {}).items():
            somebody.page.screenshot(path=seen["pictures"] / f"failed-{item.name}-{name}.png")
    return report
