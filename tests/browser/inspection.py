"""What every page must keep, whoever looks at it: one h1, named controls, nothing wider than the screen, a visible focus."""

from __future__ import annotations

from playwright.sync_api import Page

WIDE, NARROW = (1440, 900), (390, 844)

# Returns what is wrong with the page's structure, in words.
STRUCTURE = """() => {
  const wrong = [];
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getAttribute("aria-hidden") !== "true";
  const name = (e) => [e.getAttribute("aria-label"), e.title, e.innerText, e.value,
    ...[...e.querySelectorAll("img")].map((i) => i.alt), ...[...e.querySelectorAll(".visually-hidden")].map((i) => i.textContent),
    ...(e.getAttribute("aria-labelledby") || "").split(" ").map((i) => (i && document.getElementById(i) || {}).textContent)]
    .some((text) => (text || "").trim());
  const what = (e) => e.outerHTML.replace(/\\s+/g, " ").slice(0, 140);
  if (!document.documentElement.lang) wrong.push("the page names no language");
  if (!document.title.trim()) wrong.push("the page has no title");
  const headings = [...document.querySelectorAll("h1")].filter(shown);
  if (headings.length !== 1 || !headings[0].innerText.trim()) wrong.push(`${headings.length} h1, expected one with text`);
  if (document.querySelectorAll("main").length !== 1) wrong.push("not exactly one main");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => wrong.push(`id used twice: ${id}`));
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const named = [...(field.labels || [])].some((l) => l.textContent.trim()) || field.getAttribute("aria-label") ||
      field.getAttribute("aria-labelledby");
    if (shown(field) && !named) wrong.push(`field without a label: ${what(field)}`);
  }
  for (const control of document.querySelectorAll("a[href], button")) {
    if (shown(control) && !name(control)) wrong.push(`control without a name: ${what(control)}`);
    if (control.matches('a[href="#"]')) wrong.push(`link to nowhere: ${what(control)}`);
  }
  for (const image of document.querySelectorAll("img:not([alt])")) wrong.push(`image without alt: ${what(image)}`);
  for (const e of document.querySelectorAll("[onclick], [onchange], [onsubmit], script:not([src]):not([type='application/json'])"))
    wrong.push(`inline script: ${what(e)}`);
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-controls], [aria-describedby], label[for]"))
    for (const id of [e.getAttribute("aria-labelledby"), e.getAttribute("aria-controls"), e.getAttribute("aria-describedby"),
      e.getAttribute("for")].filter(Boolean).join(" ").split(" ").filter(Boolean))
      if (!document.getElementById(id)) wrong.push(`points to a missing id ${id}: ${what(e)}`);
  let text = document.body.innerText;
  document.querySelectorAll("pre").forEach((e) => { text = text.replace(e.innerText, ""); });
  const left = text.match(/\\{[%{#]|[%#}]\\}|%\\([a-z_]+\\)s/);
  if (left) wrong.push(`raw template text: ${left[0]}`);
  return wrong;
}"""

# Returns what makes the page wider than the screen; what scrolls within its own box is fine.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (e) => e && e !== document.body &&
    (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 1 &&
    !scrolls(e.parentElement) && e.checkVisibility());
  const texts = wide.slice(-3).map((e) => e.outerHTML.replace(/\\s+/g, " ").slice(0, 120));
  return [`${document.documentElement.scrollWidth} px on a screen of ${width}: ${texts.join(" | ")}`];
}"""

# Returns whether the element that has the focus can be told from the others, and what it is.
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const around = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
  const holder = e.closest("label, .form-selectgroup-item, .input-icon");
  return { visible: box.width > 0 && box.bottom > 0 && (around(style) || (holder && around(getComputedStyle(holder)))),
    what: e.outerHTML.replace(/\\s+/g, " ").slice(0, 140) };
}"""


def troubles_of(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands, at its present width."""
    found: list[str] = [*page.evaluate(STRUCTURE), *page.evaluate(OVERFLOW)]
    return [f"{page.url}: {text}" for text in found]


def invisible_focus(page: Page, steps: int) -> list[str]:
    """Walk a page with the Tab key; return the stops one cannot see."""
    lost = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            break
        if not stop["visible"]:
            lost.append(f"{page.url}: focus not visible on {stop['what']}")
    return lost
