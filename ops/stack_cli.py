"""`ops/run stack`: a whole stack, or its stores alone, in any folder; the tests' fixtures use it.

See `ops/README.md` for what each command prints.
"""

import json
from argparse import ArgumentParser, Namespace

from ops import demo, setup
from ops.places import ROOT, Places, Trouble, run_dir, say
from ops.processes import APPLICATION, STORES
from ops.stack import Stack
from ops.supervision import describe


def add(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--dir", required=True, help="the stack's folder")
    parser.add_argument("--port", type=int, help="the port of web; a free one when not given")
    parser.add_argument("--scale", default="small")
    parser.add_argument("--settings", default="settings.demo")
    parser.add_argument("--name", choices=(*STORES, *APPLICATION), help="one process")
    parser.add_argument("--role", default="migrator", help="the database role of `env`")


def the_stack(options: Namespace) -> Stack:
    """Return the stack the options name."""
    places = Places(run=run_dir(), stack=(ROOT / options.dir).resolve())
    return Stack(places, module=options.settings, wanted_port=options.port)


def up(stack: Stack, options: Namespace) -> None:
    """Bring up the whole stack with the demo loaded."""
    setup.prepare(stack.places)
    demo.bring_up(stack, options.scale)
    say(stack.url)


def stores(stack: Stack, _options: Namespace) -> None:
    """Bring up PostgreSQL and Redis alone."""
    setup.prepare(stack.places)
    stack.up_stores()
    say(json.dumps(dict(stack.ports)))


def down(stack: Stack, _options: Namespace) -> None:
    """End the stack."""
    say("Stopped." if stack.down() else "Nothing was running.")


def pids(stack: Stack, _options: Namespace) -> None:
    """Print state, pid and children of every process."""
    if not stack.is_running():
        raise Trouble("This stack does not run.")
    say(describe(stack.supervisor()))


def stop_one(stack: Stack, options: Namespace) -> None:
    """Stop one process until `start` is called; supervisor does not bring it back."""
    stack.supervisor().stop([options.name])


def start_one(stack: Stack, options: Namespace) -> None:
    """Start one process again."""
    stack.supervisor().start([options.name])


def env(stack: Stack, options: Namespace) -> None:
    """Print the variables of a program run in this stack as JSON (secrets included)."""
    say(json.dumps(stack.environment(options.role), indent=1))


ACTIONS = {
    "up": up,
    "stores": stores,
    "down": down,
    "pids": pids,
    "start": start_one,
    "stop": stop_one,
    "env": env,
}


def run(options: Namespace) -> int:
    """Run one action."""
    ACTIONS[options.action](the_stack(options), options)
    return 0
