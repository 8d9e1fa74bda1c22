"""A person at a browser: signs in, walks by links, buttons and labels, and notices everything that goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from re import Pattern
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, ViewportSize, expect

from tests.browser.inspection import NARROW, WIDE, troubles_of

COMMITTED = (1100, 680)
MOST_BYTES = 120_000
SETTLED = "() => { scrollTo(0, 0); return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); }"


class Person:
    """One signed-in account in a browser context of its own."""

    def __init__(self, browser: Browser, site: str, username: str, password: str, pictures: Path) -> None:
        self.site, self.username, self.password, self.pictures = site, username, password, pictures
        self.troubles: list[str] = []
        self._expected: set[int] = set()
        self._context = browser.new_context(
            base_url=site,
            viewport=_size(WIDE),
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        self._context.set_default_timeout(10_000)
        self._context.on("request", self._on_request)
        self._context.on("response", self._on_response)
        self._context.on("requestfailed", self._on_failure)
        self._context.on("console", self._on_console)
        self._context.on("weberror", lambda error: self.troubles.append(f"script error: {error.error}"))
        self.page: Page = self._context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.site).netloc and not request.url.startswith(("data:", "blob:")):
            self.troubles.append(f"asked a foreign address: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.troubles.append(f"{response.status} {response.request.method} {response.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a download, or a poll the next page made superfluous
            self.troubles.append(f"{request.failure} {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"console {message.type} on {self.page.url}: {message.text}")

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Within, these refusals are what the test is after."""
        self._expected |= set(statuses)
        yield
        self._expected -= set(statuses)

    def sign_in(self) -> None:
        """Sign in on the login page."""
        self.page.goto("/login/")
        self.page.get_by_label("用户名").fill(self.username)
        self.page.get_by_label("密码").fill(self.password)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page).to_have_url(f"{self.site}/")

    def menu(self, label: str) -> None:
        """Go to a page by the main menu, unfolding its group first."""
        menu = self.page.get_by_role("navigation", name="主菜单")
        folded = menu.locator("details:not([open])").filter(has_text=label)
        for group in folded.all():
            group.locator("summary").click()
        menu.get_by_role("link", name=label, exact=True).click()

    def link(self, label: str | Pattern[str], *, within: Locator | None = None) -> None:
        """Follow the first link of that name."""
        (within or self.page.get_by_role("main")).get_by_role("link", name=label).first.click()

    def button(self, label: str, *, within: Locator | None = None) -> None:
        """Press the button of that name."""
        (within or self.page).get_by_role("button", name=label).first.click()

    def fill(self, label: str, text: str) -> None:
        """Fill the field of that label."""
        self.field(label).fill(text)

    def field(self, label: str) -> Locator:
        """Return the field of that label on the page itself."""
        return self.page.get_by_role("main").get_by_label(label, exact=True)

    def reads(self, text: str) -> None:
        """Insist that the page says this where it can be seen."""
        expect(self.page.get_by_text(text).filter(visible=True).first, f"{self.page.url} says {text!r}").to_be_visible()

    def arrives(self, heading: str) -> None:
        """Insist on having come to the page of that heading."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    def row(self, *texts: str) -> Locator:
        """Return the first table row that holds all these texts."""
        rows = self.page.get_by_role("row")
        for text in texts:
            rows = rows.filter(has_text=text)
        return rows.first

    def look(self, name: str, *, committed: Path | None = None) -> None:
        """Inspect the page at both widths and keep pictures of it; `committed` keeps the upper part for the documentation."""
        for size in (NARROW, WIDE):
            self.page.set_viewport_size(_size(size))
            self.page.evaluate(SETTLED)
            self.troubles += [f"{size[0]} px: {text}" for text in troubles_of(self.page)]
            self.page.screenshot(path=self.pictures / f"{name}-{size[0]}.png", full_page=True)
        if committed is not None:
            self.page.set_viewport_size(_size(COMMITTED))
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=committed)
            assert committed.stat().st_size < MOST_BYTES, f"{committed.name} is too big for the repository"
            self.page.set_viewport_size(_size(WIDE))

    def leave(self) -> None:
        """Close the browser's windows."""
        self._context.close()


def _size(size: tuple[int, int]) -> ViewportSize:
    return {"width": size[0], "height": size[1]}
