"""Pages under the strict content security policy: no inline scripts, nothing from elsewhere, every name they use exists."""

from __future__ import annotations

import re
from pathlib import Path

from django.template.loader import get_template
from django.urls import get_resolver

from tests.house.files import ROOT, faults, templates

SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)
HANDLER = re.compile(r"<[^>%{]*\son[a-z]+\s*=", re.IGNORECASE)
IN_ATTRIBUTE = re.compile(r"""javascript:|hx-on|hx-\w+=["']js:""", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", re.IGNORECASE)
ICON = re.compile(r"""\{%\s*icon\s+["']([\w-]+)["']""")
ICON_NAME = re.compile(r"""icon_name=["']([\w-]+)["']""")
LINK = re.compile(r"""\{%\s*url\s+["']([\w:-]+)["']""")

TEMPLATES = templates()
STATIC = sorted(path for path in (ROOT / "portal" / "static").rglob("*") if path.suffix in (".js", ".css", ".svg"))
ICONS = set((ROOT / "ops" / "icons.txt").read_text().split())


def names_of_routes() -> set[str]:
    resolver = get_resolver()
    names = {name for name in resolver.reverse_dict if isinstance(name, str)}
    for namespace, (_, inner) in resolver.namespace_dict.items():
        names |= {f"{namespace}:{name}" for name in inner.reverse_dict if isinstance(name, str)}
    return names


def test_templates_have_no_inline_script_or_handler() -> None:
    def wrong(path: Path) -> list[str]:
        text = path.read_text(encoding="utf-8")
        scripts = [given for given in SCRIPT.findall(text) if "src=" not in given and "application/json" not in given]
        return scripts + HANDLER.findall(text) + IN_ATTRIBUTE.findall(text)

    assert faults(TEMPLATES, wrong) == {}


def test_nothing_is_loaded_from_elsewhere() -> None:
    def elsewhere(path: Path) -> list[str]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        return ELSEWHERE.findall(text) + (re.findall("https?://", text) if path.suffix != ".html" else [])

    assert faults([*TEMPLATES, *STATIC], elsewhere) == {}


def test_templates_compile_and_their_icons_and_links_exist() -> None:
    routes = names_of_routes()

    def unknown(path: Path) -> set[str]:
        get_template(path.relative_to(ROOT / "portal" / "templates").as_posix())
        text = path.read_text(encoding="utf-8")
        return (set(ICON.findall(text)) | set(ICON_NAME.findall(text))) - ICONS | set(LINK.findall(text)) - routes

    assert faults(TEMPLATES, unknown) == {}


def test_every_form_that_changes_something_carries_the_csrf_token() -> None:
    def without(path: Path) -> list[str]:
        forms = re.findall(r"<form\b.*?</form>", path.read_text(encoding="utf-8"), re.DOTALL)
        heads = [form.split(">", 1)[0] for form in forms if "{% csrf_token %}" not in form]
        return [head for head in heads if re.search(r"""method=["']post["']""", head, re.IGNORECASE)]

    assert faults(TEMPLATES, without) == {}
