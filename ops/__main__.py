"""The command line of the workshop; the Makefile's targets are calls of it.

Every command prints plain lines; what the person has to know ends it with a message and status 1.
"""

import argparse
import signal
import sys
from types import FrameType

from ops import bench, demo, locks, stack_cli, suite
from ops.places import Trouble


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="ops/run", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="command")

    def command(name: str, run: object, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary)
        sub.set_defaults(run=run)
        return sub

    command("demo", demo.up, "bring the demo up (PORT, RUN_DIR, DEMO_SCALE)")
    command("stop", demo.down, "end what `demo` started")
    command("fmt", suite.fmt, "format the code")
    command("check", suite.check, "format, lint, types, contracts, deployment check, drift")
    command("schema", suite.schema, "write the OpenAPI description")
    command("bench", bench.run, "print the figures (ONLY=name for one)")
    command("load", bench.load, "calls under kill -9 (MINUTES, RATE, SEED)")
    command("lock", locks.renew, "make the lock files anew")
    for name, run, summary in (
        ("test", suite.test, "set everything up, run pytest, stop what was started"),
        ("pytest", suite.pytest, "run pytest on the test stores and leave them running"),
        ("manage", suite.manage, "run a management command on the test stores"),
    ):
        command(name, run, summary).add_argument("arguments", nargs="*")
    stack_cli.add(command("stack", stack_cli.run, "a whole stack, or its stores alone, in a folder"))
    return top


def on_termination(_signal: int, _frame: FrameType | None) -> None:
    """Turn a request to end into an exception, so that everything started is stopped."""
    raise KeyboardInterrupt


def main() -> int:
    """Run one command and return its status."""
    signal.signal(signal.SIGTERM, on_termination)
    options = parser().parse_args()
    try:
        return int(options.run(options) or 0)
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
