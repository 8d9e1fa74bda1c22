"""The stack that is shot at: brought up once, torn down whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kills.whole_stack import WholeStack


@pytest.fixture(scope="package")
def stack() -> Iterator[WholeStack]:
    """The whole platform with the demo city, in a folder of its own."""
    whole = WholeStack("kills")
    try:
        whole.up()
        yield whole
    finally:
        whole.down()


@pytest.fixture(autouse=True)
def _well(request: pytest.FixtureRequest) -> None:
    """Every test begins with a stack that is well, whatever the one before did to it."""
    if "stack" in request.fixturenames:
        whole: WholeStack = request.getfixturevalue("stack")
        for name, state in whole.states().items():
            if state["state"] != "RUNNING":
                whole.start(name)
        whole.stack.wait_healthy(60)
