"""Finding and ending the processes of one stack by the kernel's own account of them.

A process belongs to a stack when its environment carries the stack's mark or, for PostgreSQL and
Redis, which overwrite their environment with a title, when it is one of those servers and works in
the stack's data folder. Nothing is ever ended by its name alone.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "EXCHANGE_PROCESS"
SERVERS = ("postgres", "redis")


@dataclass(frozen=True)
class Signs:
    """How to know a process: the start of its mark (if any), and the folders its servers work in."""

    mark: str
    folders: tuple[str, ...] = ()


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def ancestors() -> set[int]:
    """Return this process and all above it, which are never ended from here."""
    line, pid = set(), os.getpid()
    while pid > 0 and pid not in line:
        line.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
    return line


def belongs(pid: int, signs: Signs) -> bool:
    """Say whether a process shows the signs of a stack."""
    proc = Path(f"/proc/{pid}")
    try:
        variables = (proc / "environ").read_bytes().split(b"\0")
        start = f"{MARK}={signs.mark}".encode()
        if signs.mark and any(variable.startswith(start) for variable in variables):
            return True
        folder = os.readlink(proc / "cwd").removesuffix(" (deleted)")
        server = os.path.basename(os.readlink(proc / "exe"))
    except OSError:
        return False
    return server.startswith(SERVERS) and folder in signs.folders


def find(signs: Signs) -> list[int]:
    """Return the running processes of a stack (or of one of its parts)."""
    spared = ancestors()
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid in pids if pid not in spared and belongs(pid, signs) and is_alive(pid)]


def wait_gone(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait for processes to end; return those still there when the time is over."""
    left, until = list(pids), time.monotonic() + seconds
    while left and time.monotonic() < until:
        left = [pid for pid in left if is_alive(pid)]
        time.sleep(0.02 if left else 0)
    return left


def end(signs: Signs, *, gently: signal.Signals, seconds: float) -> int:
    """End every process of a stack, first gently, then by force; return how many there were."""
    found = find(signs)
    for step, patience in ((gently, seconds), (signal.SIGKILL, 10.0)):
        left = find(signs)
        for pid in left:
            try:
                os.kill(pid, step)
            except ProcessLookupError:
                continue
        wait_gone(left, patience)
    return len(found)


def end_group(leader: subprocess.Popen[bytes], *, seconds: float = 20.0) -> None:
    """End a server started in a session of its own, with its workers.

    A granian worker that is told to stop while it still starts never hears of it, and its parent waits for ever: then by force.
    """
    leader.terminate()
    try:
        leader.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(leader.pid, signal.SIGKILL)
        leader.wait(seconds)
