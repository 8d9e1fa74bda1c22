"""supervisord: its configuration, starting and ending it, and asking it about its processes.

It keeps the stores and the application alive: whatever dies is started again, as often as needed.
Secrets and environments are not in its configuration but in `processes.json` (see `launch.py`).
"""

import json
import os
import pwd
import shlex
import signal
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ops import kin
from ops.places import ROOT, Places, Trouble
from ops.processes import APPLICATION, STORES, basics

STOP = {"postgres": ("INT", 60), "redis-broker": ("TERM", 15), "redis-calls": ("TERM", 15)}
USER = "operator"


def render(places: Places, port: int, password: str) -> str:
    """Render supervisord's configuration for a stack."""

    def safe(value: object) -> str:
        return str(value).replace("%", "%%")

    account = f"user={pwd.getpwuid(0).pw_name}\n" if os.geteuid() == 0 else ""
    parts = [
        f"""\
[supervisord]
{account}logfile={safe(places.log / "supervisord.log")}
pidfile={safe(places.stack / "supervisord.pid")}
childlogdir={safe(places.log)}
directory={safe(ROOT)}
umask=077
logfile_maxbytes=5MB
logfile_backups=1

[inet_http_server]
port=127.0.0.1:{port}
username={USER}
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    ]
    for name in (*STORES, *APPLICATION):
        stop, patience = STOP.get(name, ("TERM", 30))
        command = shlex.join([str(places.python), "-I", str(ROOT / "ops" / "launch.py"), str(places.stack), name])
        parts.append(
            f"""\
[program:{name}]
command={safe(command)}
autostart={"true" if name in STORES else "false"}
autorestart=true
startretries=1000000
startsecs=1
stopsignal={stop}
stopwaitsecs={patience}
killasgroup=true
redirect_stderr=true
stdout_logfile={safe(places.log / f"{name}.log")}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""
        )
    return "\n".join(parts)


class Supervisor:
    """The running supervisord of one stack, spoken to over the loopback."""

    def __init__(self, places: Places, port: int, password: str) -> None:
        self.places = places
        self.port = port
        self.password = password
        url = f"http://{USER}:{password}@127.0.0.1:{port}/RPC2"
        self._server: Any = xmlrpc.client.ServerProxy(url)

    @property
    def configuration(self) -> Path:
        return self.places.stack / "supervisord.conf"

    def is_running(self) -> bool:
        """Say whether this stack's supervisord answers."""
        try:
            return bool(self._server.supervisor.getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def begin(self) -> None:
        """Start supervisord in the background and wait until it answers."""
        mark = f"{self.places.stack}:supervisord:"
        subprocess.run(
            [str(self.places.python), "-m", "supervisor.supervisord", "-c", str(self.configuration)],
            env={**basics(), kin.MARK: mark},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        until = time.monotonic() + 20
        while not self.is_running():
            if time.monotonic() > until:
                raise Trouble(f"supervisord does not answer; see {self.places.log / 'supervisord.log'}")
            time.sleep(0.1)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return name -> state and pid of every process."""
        told = self._server.supervisor.getAllProcessInfo()
        return {info["name"]: {"state": info["statename"], "pid": info["pid"]} for info in told}

    def start(self, names: Iterable[str]) -> list[str]:
        """Start those of the processes that do not run; return which were started."""
        states = self.states()
        waiting = [n for n in names if states[n]["state"] in ("STOPPED", "EXITED", "FATAL")]
        for name in waiting:
            self._server.supervisor.startProcess(name, False)
        return waiting

    def stop(self, names: Iterable[str]) -> None:
        """Stop processes and wait for them."""
        for name in names:
            if self.states()[name]["state"] not in ("STOPPED", "EXITED", "FATAL"):
                self._server.supervisor.stopProcess(name, True)

    def finish(self) -> None:
        """End supervisord and everything under it, and wait until all are gone."""
        pids = [self._server.supervisor.getPID()]
        pids += [state["pid"] for state in self.states().values() if state["pid"]]
        self.stop(APPLICATION)
        self.stop(reversed(STORES))
        self._server.supervisor.shutdown()
        kin.wait_gone(pids, 20)


def end_everything(places: Places, signs: kin.Signs) -> int:
    """End what is left of a stack whose supervisord is gone: the application, then its stores."""
    ended = kin.end(kin.Signs(f"{places.stack}:supervisord:"), gently=signal.SIGTERM, seconds=60)
    for name in APPLICATION:
        ended += kin.end(kin.Signs(f"{places.stack}:{name}:"), gently=signal.SIGTERM, seconds=10)
    return ended + kin.end(signs, gently=signal.SIGINT, seconds=20)


def describe(supervisor: Supervisor) -> str:
    """Return the processes with their pids and children as JSON, for tests that kill them."""
    told = {name: {**state, "children": children(state["pid"])} for name, state in supervisor.states().items()}
    return json.dumps(told, indent=1)


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    try:
        lists = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for path in lists for child in path.read_text().split()]
    except OSError:
        return []
