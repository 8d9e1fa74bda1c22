"""Both languages are whole: every Chinese text is marked, every marked text has its English, nothing is fuzzy."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.files import ROOMS, ROOT, faults, modules, name_of, templates, tree

CHINESE = re.compile("[\u4e00-\u9fff]")
PUNCTUATION = re.compile("[（），。：；、]")
DESCRIBING = ("summary", "description", "help_text")
DATA_TEXTS = {
    "(系统|平台|数据库|软件|app|小程序|网站)$": "what a title may not end in",
    **dict.fromkeys(("数据库", "电子表格", "电子文件", "图形图像", "流媒体", "自描述格式"), "source formats, kept as data"),
    **dict.fromkeys(
        ("编号", "来源文件", "归集时间", "行号", "规则", "说明"), "columns of the file of rejected rows, which comes back"
    ),
    **dict.fromkeys(("认证失败", "不存在"), "words of a server that speaks Chinese, by which its errors are known"),
}
MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "gettext_noop"}
MARKED = re.compile(
    r"\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\}|\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL
)
PLAIN_TEMPLATES = {
    "portal/templates/500.html": "shown when nothing works any more, in both languages at once",
    "portal/templates/portal/partials/language.html": "a language is named in its own words",
}
PLAIN_MODULES: dict[str, str] = {
    "catalog/words.py": "words of the domain for the Chinese search, not text for people",
    "core/calendar.py": "official names of holidays, kept as data",
    "core/audit.py": "the platform's own name in the trail, kept as data",
    "openapi/schema.py": "the description of the REST interface is Chinese in every language",
    "openapi/v1/calls.py": "the description of the REST interface is Chinese in every language",
    "openapi/v1/call_jobs.py": "the description of the REST interface is Chinese in every language",
    "openapi/grant_document.py": "the description of a grant's interface is Chinese in every language",
    "openapi/grant_schemas.py": "the description of a grant's interface is Chinese in every language",
    "licenses/status/checker.py": "a program for a terminal that runs without the platform, in Chinese as its users are",
    "exchange/aggregation/column_hints.py": "words in the names of columns at sources, not text for people",
    "licenses/delivering.py": "the title of a source, kept as data",
    "licenses/issuing/sheets.py": "columns of files that departments fill in, kept as data",
    "openapi/v1/presenting.py": "the description of the REST interface is Chinese in every language",
    "licenses/types/arranging.py": "words printed on licenses, Chinese in every language of the pages",
    "licenses/types/load_words.py": "words of files and of the base database, kept as data",
    "licenses/sealing/printed.py": "words printed on sealed files, Chinese in every language of the pages",
    "licenses/types/printed.py": "words printed on licenses, Chinese in every language of the pages",
    "exchange/requests/sla_policies.py": "articles of the law as they are cited, kept as data",
}

PLAIN_SEPARATORS = {
    "licenses/sealing/page.py": "words printed on licenses, Chinese in every language of the pages",
    "licenses/types/layout.py": "marks no printed line begins or ends with",
    "portal/grants/limits.py": "what a field of a form holds, read back with commas of either kind",
}


def test_templates_have_no_unmarked_text() -> None:
    def left(path: Path) -> list[str]:
        lines = MARKED.sub("", path.read_text(encoding="utf-8")).splitlines()
        return [line.strip() for line in lines if CHINESE.search(line)]

    assert faults([path for path in templates() if name_of(path) not in PLAIN_TEMPLATES], left) == {}


def unmarked(node: ast.AST, inside: bool = False) -> list[str]:
    """Return the Chinese texts below a node that stand in no gettext call; docstrings and API descriptions do not count."""
    if isinstance(node, ast.Call):
        function = node.func
        called = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
        inside = inside or called in MARKERS or called.startswith(("gettext", "extend_schema", "OpenApi"))
    if isinstance(node, ast.keyword) and node.arg in DESCRIBING:
        return []
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [] if inside or node.value in DATA_TEXTS or not CHINESE.search(node.value) else [f"{node.lineno}: {node.value[:30]}"]
    if isinstance(node, ast.Dict):
        told = [isinstance(key, ast.Constant) and key.value in ("summary", "description") for key in node.keys]
        return [text for value, is_told in zip(node.values, told, strict=True) if not is_told for text in unmarked(value, inside)]
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        found += unmarked(child, inside)
    return found


def spoken_modules() -> list[Path]:
    """Return the modules whose texts people read; names of rooms (apps.py) are for developers."""
    rooms = modules("portal", "openapi", "exchange", "licenses", "catalog", "core")
    return [path for path in rooms if path.name != "apps.py" and name_of(path) not in PLAIN_MODULES]


def test_modules_have_no_unmarked_text() -> None:
    assert faults(spoken_modules(), lambda path: unmarked(tree(path))) == {}


def separators(node: ast.AST) -> list[str]:
    """Return the Chinese punctuation below a node that is put between words whatever the language of the page."""
    if isinstance(node, ast.keyword) and node.arg in DESCRIBING:
        return []
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        parts = [node.func.value]
    texts = [(part.lineno, str(part.value)) for part in parts if isinstance(part, ast.Constant)]
    own = [f"{line}: {text[:30]}" for line, text in texts if PUNCTUATION.search(text)]
    return own + [text for child in ast.iter_child_nodes(node) for text in separators(child)]


def test_words_are_set_apart_in_the_language_of_the_page() -> None:
    paths = [path for path in spoken_modules() if name_of(path) not in PLAIN_SEPARATORS]
    assert faults(paths, lambda path: separators(tree(path))) == {}


def test_english_catalogue_is_complete(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("migrations", "static", "__pycache__"))
    shutil.copytree(ROOT / "locale", tmp_path / "locale", ignore=shutil.ignore_patterns("*.mo"))
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "en", "--no-location", "-v", "0"],
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    catalogue = tmp_path / "locale" / "en" / "LC_MESSAGES" / "django.po"
    for flag in ("--untranslated", "--only-fuzzy"):
        found = subprocess.run(
            ["msgattrib", flag, "--no-obsolete", "--no-wrap", str(catalogue)], check=True, capture_output=True, text=True
        )
        missing = [line for line in found.stdout.splitlines() if line.startswith("msgid ") and line != 'msgid ""']
        assert missing == [], f"{len(missing)} messages {flag}"
