"""The house is small and plain: lengths, docstrings, no print, no addresses in the code. Exemptions carry their reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.files import BESIDE, ROOMS, faults, modules, name_of, tree

LONGEST_MODULE = 400
LONGEST_FUNCTION = 50

LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
ADDRESSES: dict[str, str] = {
    "exchange/features/documents.py": "URIs of the OGC, which name conformance classes and relations",
    "exchange/features/reference_systems.py": "URIs of the OGC, which name reference systems",
    "portal/license_files/views.py": "the namespace of SVG, which is written as an address",
    "settings/env.py": "loopback is the default place of the demo",
    "licenses/sealing/ofd.py": "the namespace of GB/T 33190, which is written as an address",
    "licenses/sealing/pdf.py": "namespaces of XMP, which are written as addresses",
    "openapi/dcat_context.py": "names of vocabularies, which are written as addresses",
}
PRINTS = ("bench", "ops", "examples")  # programs for a terminal

ALL = list(modules(*ROOMS, *BESIDE))
ADDRESS = re.compile(r"https?://[\w.-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b")


def test_modules_are_short_and_say_what_they_are() -> None:
    def wrong(path: Path) -> list[str]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        long = [f"{lines} lines"] if lines > LONGEST_MODULE and name_of(path) not in LONG_MODULES else []
        return long + (["no docstring"] if lines and not ast.get_docstring(tree(path)) else [])

    assert faults(ALL, wrong) == {}


def test_functions_are_short() -> None:
    def long(path: Path) -> list[str]:
        return [
            f"{node.name}: {node.end_lineno - node.lineno + 1}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno is not None
            and node.end_lineno - node.lineno >= LONGEST_FUNCTION
            and f"{name_of(path)}:{node.name}" not in LONG_FUNCTIONS
        ]

    assert faults(ALL, long) == {}


def test_nothing_is_printed() -> None:
    def printed(path: Path) -> list[int]:
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("print", "breakpoint")]

    assert faults([path for path in ALL if name_of(path).split("/")[0] not in PRINTS], printed) == {}


def test_no_address_stands_in_the_code() -> None:
    def addresses(path: Path) -> list[str]:
        parsed = tree(path)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(parsed)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
        }
        return [
            node.value
            for node in ast.walk(parsed)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and ADDRESS.search(node.value)
        ]

    assert faults([path for path in modules(*ROOMS) if name_of(path) not in ADDRESSES], addresses) == {}


@pytest.mark.parametrize("name", ["services", "utils", "helpers", "managers", "common"])
def test_no_module_is_named_for_a_layer(name: str) -> None:
    assert [name_of(path) for path in ALL if path.stem == name or name in path.parent.parts] == []


def test_exemptions_are_still_needed() -> None:
    names = {name_of(path) for path in ALL}
    for exempt in (*LONG_MODULES, *ADDRESSES, *(key.split(":")[0] for key in LONG_FUNCTIONS)):
        assert exempt in names
