"""The page of promises names tests that exist."""

from __future__ import annotations

import ast
import re

from tests.house.files import ROOT

PAGE = ROOT / "docs" / "properties.md"
NAMED = re.compile(r"`(?:([a-z_]+/test_[a-z_]+\.py))?::(test_[a-z0-9_]+)`")


def named() -> list[tuple[str, str]]:
    """Return file and test of every reference; one without a file is in the file named before it."""
    found, file = [], ""
    for match in NAMED.finditer(PAGE.read_text(encoding="utf-8")):
        file = match[1] or file
        found.append((file, match[2]))
    return found


def test_every_test_that_a_promise_names_exists() -> None:
    references = named()
    assert len(references) > 50
    for file in {file for file, _ in references}:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {name for named_file, name in references if named_file == file} <= tests, file
