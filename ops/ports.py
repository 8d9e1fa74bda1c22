"""Free TCP ports on the loopback, chosen once and kept in `ports.json` of the stack.

The search starts at a place derived from the stack's folder, so that two clones set up at the same
moment do not meet, and stays below the range the kernel uses for outgoing connections.
"""

import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path

FIRST, LAST = 20_000, 29_999
NAMES = ("web", "postgres", "broker", "calls", "supervisor")


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(folder: Path, known: dict[str, int], free: Callable[[int], bool] = is_free) -> dict[str, int]:
    """Return a port for every name: the known one where it is free, else the next free one."""
    span = LAST - FIRST + 1
    start = int.from_bytes(hashlib.sha256(str(folder).encode()).digest()[:4], "big") % span
    candidates = (FIRST + (start + step) % span for step in range(span))
    chosen = {name: known[name] for name in NAMES if name in known and free(known[name])}
    for name in NAMES:
        if name not in chosen:
            taken = set(chosen.values())
            chosen[name] = next(p for p in candidates if p not in taken and free(p))
    return chosen


def load(folder: Path) -> dict[str, int]:
    """Return the recorded ports, or nothing when none were chosen yet."""
    path = folder / "ports.json"
    if not path.exists():
        return {}
    recorded: dict[str, int] = json.loads(path.read_text())
    return recorded


def save(folder: Path, chosen: dict[str, int]) -> None:
    """Record the ports of a stack."""
    (folder / "ports.json").write_text(json.dumps(chosen, indent=1) + "\n")
