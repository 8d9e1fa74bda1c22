"""Pages under the strict content security policy: no inline scripts, nothing from elsewhere, every name they use exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.urls import get_resolver

from tests.house.files import ROOT, name_of, templates

SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)
HANDLER = re.compile(r"<[^>%{]*\son[a-z]+\s*=", re.IGNORECASE)
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


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_has_no_inline_script_or_handler(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bad = [attributes for attributes in SCRIPT.findall(text) if "src=" not in attributes and "application/json" not in attributes]
    assert bad == []
    assert HANDLER.findall(text) == []
    assert "javascript:" not in text.lower()
    assert "hx-on" not in text
    assert not re.search(r"hx-\w+=[\"']js:", text)


@pytest.mark.parametrize("path", [*TEMPLATES, *STATIC], ids=name_of)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert ELSEWHERE.findall(text) == []
    if path.suffix != ".html":
        assert "http://" not in text
        assert "https://" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_compiles_and_its_icons_and_links_exist(path: Path) -> None:
    get_template(path.relative_to(ROOT / "portal" / "templates").as_posix())
    text = path.read_text(encoding="utf-8")
    assert set(ICON.findall(text)) | set(ICON_NAME.findall(text)) <= ICONS
    assert set(LINK.findall(text)) - names_of_routes() == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_form_that_changes_something_carries_the_csrf_token(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
        if re.search(r"""method=["']post["']""", form.split(">", 1)[0], re.IGNORECASE):
            assert "{% csrf_token %}" in form
