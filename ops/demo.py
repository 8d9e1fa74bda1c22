"""`make demo` and `make stop`: the whole platform on this machine, with the demo city loaded.

Run twice, the second time only finds that everything is there. What stands in `demo.json` is
written by the management command `load_demo`.
"""

import json
import os
from argparse import Namespace
from pathlib import Path

from ops import application, ports, setup
from ops.places import Trouble, say, shared
from ops.processes import APPLICATION
from ops.stack import Stack

DEFAULT_PORT = 8000
MEMORY = "1GB"


def wanted_port(recorded: dict[str, int]) -> int:
    """Return the port asked for, else the one used before, else 8000."""
    text = os.environ.get("PORT") or str(recorded.get("web", DEFAULT_PORT))
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Trouble(f"PORT must be a number between 1 and 65535, not {text!r}.")
    return int(text)


def up(_options: Namespace) -> int:
    """Bring the demo up and print where it is and who may log in."""
    places = shared()
    scale = os.environ.get("DEMO_SCALE") or "small"
    port = wanted_port(ports.load(places.stack))
    stack = Stack(places, shared_buffers=MEMORY, wanted_port=port)
    stack.check_port()
    setup.prepare(places)
    bring_up(stack, scale)
    if scale == "city":
        say(f"The whole city comes in now; watch it here or at {stack.url}/aggregation/ .")
        stack.run("manage.py", "take_in_city", CITY_SHARE=os.environ.get("CITY_SHARE", ""))
    print_accounts(stack, places.stack / "demo.json")
    return 0


def bring_up(stack: Stack, scale: str) -> None:
    """Start the stores, prepare the platform, start it, and wait until it is healthy."""
    if stack.up_stores():
        say("PostgreSQL and Redis are up.")
    if not application.is_prepared(stack, scale):
        stack.supervisor().stop(APPLICATION)
        application.prepare(stack, scale)
    started = stack.up_application()
    say("The platform is up." if started else "The platform was up already.")


def print_accounts(stack: Stack, record: Path) -> None:
    """Print the address and the demo's accounts."""
    say(f"\n  {stack.url}\n")
    accounts = json.loads(record.read_text())["accounts"] if record.exists() else []
    for account in accounts:
        roles = ", ".join(account["roles"]) if isinstance(account["roles"], list) else account["roles"]
        say(f"  {account['username']:<16} {account['password']:<20} {account['department'] or '-'}  {roles}")
    say(f"\n  Accounts and systems: {record}   End: make stop")


def down(_options: Namespace) -> int:
    """End what `up` started."""
    stopped = Stack(shared()).down()
    say("Stopped." if stopped else "Nothing was running.")
    return 0
