"""The suite runs in two halves at once; no folder of tests is left out, none runs twice."""

from __future__ import annotations

from pathlib import Path

from ops.suite import HALVES

TESTS = Path(__file__).parents[1]


def test_every_folder_of_tests_runs_in_one_half() -> None:
    folders = {path.parent.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert sorted(folder for half in HALVES for folder in half) == sorted(folders)
