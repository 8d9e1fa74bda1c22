"""`make test`, `make check` and their kin: the test stores, and the tools run on them.

The test stack lies in `test/` of the run directory: a cluster and Redis of its own, nothing shared
with a running demo but the virtual environment and the fetched packages.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator

from ops import application, debian, setup
from ops.places import ROOT, say, shared
from ops.stack import Stack

TOOLS = (
    ("format", "-m", "ruff", "format", "--check", "."),
    ("lint", "-m", "ruff", "check", "."),
    ("types", "-m", "mypy"),
    ("imports", "-c", "from importlinter.cli import lint_imports_command as run; run()"),
    ("migrations", "manage.py", "makemigrations", "--check", "--dry-run"),
    ("house and drift", "-m", "pytest", "-q", "tests/house"),
)

# Two cores: what waits for browsers, kills and clocks runs beside what computes.
HALVES = (
    ("browser", "kills", "races", "ops", "hotpath", "journeys", "sources", "features", "core"),
    ("basedb", "catalog", "demo", "exchange", "house", "licenses", "openapi", "portal"),
)


def test_stack() -> Stack:
    """Return the stack the tests run on."""
    return Stack(shared("test"), module="settings.test")


@contextlib.contextmanager
def stores(*needs: debian.Need) -> Iterator[Stack]:
    """Bring the test stores up for a while; leave them be if they were up before."""
    stack = test_stack()
    setup.prepare(stack.places, *needs)
    was_running = stack.is_running()
    try:
        stack.up_stores()
        application.compile_messages()
        yield stack
    finally:
        if not was_running:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stack.down()


def variables(stack: Stack) -> dict[str, str]:
    """Return the environment of the tools: the stack's, with the caller's own beneath it."""
    own = stack.environment("migrator")
    suffix = os.environ.get("TESTDB")
    return {**os.environ, **own, **({"PYTEST_DB_SUFFIX": suffix} if suffix else {})}


def tool(stack: Stack, *arguments: str, **more: str) -> int:
    """Run a Python tool on the test stores and return its status."""
    program = [str(stack.places.python), *arguments]
    return subprocess.run(program, cwd=ROOT, env={**variables(stack), **more}, check=False).returncode


def test(options: Namespace) -> int:
    """Run the whole suite, or the part named in ARGS, and stop what was started."""
    arguments = options.arguments or shlex.split(os.environ.get("ARGS", ""))
    with stores(*debian.TEST) as stack:
        return tool(stack, "-m", "pytest", *arguments) if arguments else _whole_suite(stack)


def _whole_suite(stack: Stack) -> int:
    """Run both halves at once, each on a database of its own; what the second says is shown when the first is done."""
    first, second = ([f"tests/{folder}" for folder in half] for half in HALVES)
    command = [str(stack.places.python), "-m", "pytest", *second]
    with tempfile.TemporaryFile() as said:
        beside = subprocess.Popen(
            command, cwd=ROOT, env={**variables(stack), "PYTEST_DB_SUFFIX": "beside"}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            status = tool(stack, "-m", "pytest", *first)
            status = beside.wait() or status
        finally:
            beside.terminate()
            beside.wait()
        said.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(said, sys.stdout.buffer)
        sys.stdout.flush()
    return status


def pytest(options: Namespace) -> int:
    """Run pytest on the test stores and leave them running."""
    stack = _lasting_stores()
    return tool(stack, "-m", "pytest", *options.arguments)


def manage(options: Namespace) -> int:
    """Run a management command on the test stores."""
    return tool(_lasting_stores(), "manage.py", *options.arguments)


def _lasting_stores() -> Stack:
    stack = test_stack()
    setup.prepare(stack.places)
    if stack.up_stores():
        say("The test stores are up; end them with: ops/run stack down --dir " + str(stack.places.stack))
    application.compile_messages()
    return stack


def check(_options: Namespace) -> int:
    """Run every check, and name those that failed at the end."""
    with stores() as stack:
        failed = []
        for name, *arguments in TOOLS:
            say(f"== {name}")
            if tool(stack, *arguments):
                failed.append(name)
        say("== deployment")
        deployment = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
        if tool(stack, *deployment, DJANGO_SETTINGS_MODULE="settings.prod"):
            failed.append("deployment")
    say(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    return 1 if failed else 0


def fmt(_options: Namespace) -> int:
    """Format the code and fix what the linter can."""
    stack = test_stack()
    setup.prepare(stack.places)
    python = str(stack.places.python)
    steps = (["-m", "ruff", "check", "--fix", "."], ["-m", "ruff", "format", "."])
    return max(subprocess.run([python, *step], cwd=ROOT, check=False).returncode for step in steps)


def schema(_options: Namespace) -> int:
    """Write the OpenAPI description that the drift check compares with."""
    with stores() as stack:
        target = ROOT / "docs" / "openapi.yaml"
        return tool(stack, "manage.py", "spectacular", "--validate", "--file", str(target))
