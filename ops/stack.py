"""One stack: bringing its stores and its application up and down, and running a program in it.

`make demo`, `make test`, `make bench` and the tests' own fixtures all go through this class. The command
line of the same is `ops/run stack ...` (see `ops/README.md`).
"""

import contextlib
import fcntl
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops import bootstrap, cluster, keyring, memory, ports
from ops.places import ROOT, Places, Trouble, write_private
from ops.processes import APPLICATION, Setting, application, basics, demo_databases, environment, order
from ops.supervision import Supervisor, end_everything, render

HEALTH = "/openapi/v1/health"
TEST_MEMORY = "256MB"


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one of several simultaneous set-ups of the same folder work at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass
class Stack:
    """A stack in its folder, with the settings module and memory it is to have."""

    places: Places
    module: str = "settings.demo"
    shared_buffers: str = TEST_MEMORY
    wanted_port: int | None = None
    _ports: dict[str, int] = field(default_factory=dict)

    @property
    def ports(self) -> dict[str, int]:
        return self._ports or ports.load(self.places.stack)

    @property
    def setting(self) -> Setting:
        return Setting(self.module, self.ports)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    def supervisor(self) -> Supervisor:
        """Return the door to this stack's supervisord, which may not be running."""
        password = (self.places.secrets / "supervisor").read_text()
        return Supervisor(self.places, self.ports["supervisor"], password)

    def is_running(self) -> bool:
        """Say whether this stack's supervisord runs."""
        known = bool(self.ports) and (self.places.secrets / "supervisor").exists()
        return known and self.supervisor().is_running()

    def check_port(self) -> None:
        """Refuse a busy or different port before anything is started."""
        wanted = self.wanted_port
        if self.is_running():
            if wanted and wanted != self.ports["web"]:
                raise Trouble(f"This stack already runs on port {self.ports['web']}; stop it first (make stop) to move it.")
        elif wanted and self.places.stack.exists():
            home = cluster.load_home(self.places)
            if home:
                end_everything(self.places, cluster.signs(self.places, home))
        if wanted and not self.is_running() and not ports.is_free(wanted):
            raise Trouble(f"Port {wanted} is in use by another program. Choose another: make demo PORT=8001")

    def up_stores(self) -> bool:
        """Bring PostgreSQL and both Redis up with their databases; say whether anything was started."""
        self.check_port()
        with lock(self.places.run / "lock" / f"{self.places.stack.name}.lock"):
            self.places.prepare()
            keyring.prepare(self.places.secrets)
            started = not self.is_running()
            if started:
                self._start_supervisor()
            self._wait_for_stores()
            self._bootstrap()
        return started

    def _start_supervisor(self) -> None:
        home = cluster.prepare_home(self.places)
        end_everything(self.places, cluster.signs(self.places, home))
        known = dict(ports.load(self.places.stack))
        if self.wanted_port:
            known["web"] = self.wanted_port
        self._ports = ports.choose(self.places.stack, known)
        ports.save(self.places.stack, self._ports)
        words = keyring.passwords(self.places.secrets)
        cluster.initialize(home, words["postgres"])
        cluster.configure(home, self._ports["postgres"], self.shared_buffers)
        memory.prepare(home, self._ports, keyring.redis_passwords(self.places.secrets))
        self.write_orders()
        supervisor = self.supervisor()
        write_private(supervisor.configuration, render(self.places, self._ports["supervisor"], supervisor.password))
        supervisor.begin()

    def write_orders(self) -> bool:
        """Write what `launch.py` starts; say whether it changed."""
        home = cluster.prepare_home(self.places)
        postgres = [str(cluster.programs(home) / "postgres"), "-D", str(home.data)]
        stores = {"postgres": (postgres, home.data)}
        for server in memory.SERVERS.values():
            folder = home.folder(server)
            stores[server] = ([str(home.path / "redis-server"), str(folder / "redis.conf")], folder)
        orders = {
            name: order(self.places, name, argv, basics(), cwd=cwd, user=home.user, is_store=True)
            for name, (argv, cwd) in stores.items()
        }
        orders.update(application(self.places, self.setting))
        return write_private(self.places.stack / "processes.json", json.dumps(orders, indent=1))

    def _wait_for_stores(self) -> None:
        home = cluster.prepare_home(self.places)
        ready = str(cluster.programs(home) / "pg_isready")
        question = [ready, "-q", "-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "postgres", "-d", "postgres"]
        words = keyring.redis_passwords(self.places.secrets)
        until = time.monotonic() + 120
        while not (
            subprocess.run(question, check=False).returncode == 0
            and all(memory.answers(self.ports[name], words[name]) for name in memory.SERVERS)
        ):
            if time.monotonic() > until:
                raise Trouble(f"The stores did not come up; see the logs in {self.places.log}")
            time.sleep(0.1)

    def _bootstrap(self) -> None:
        done = self.places.stack / "ready.json"
        words = keyring.passwords(self.places.secrets)
        if not done.exists():
            home = cluster.prepare_home(self.places)
            psql = cluster.programs(home) / "psql"
            bootstrap.apply(psql, "127.0.0.1", self.ports["postgres"], words)
            done.write_text(json.dumps({"template": "template_platform"}) + "\n")

    def environment(self, role: str = "migrator", **more: str) -> dict[str, str]:
        """Return the variables of a program run in this stack."""
        return {**environment(self.places, self.setting, role), **demo_databases(self.places, self.setting), **more}

    def run(self, *arguments: str, role: str = "migrator", quiet: bool = False, **more: str) -> None:
        """Run a Python program of the clone in this stack's environment and insist on its success."""
        done = subprocess.run(
            [str(self.places.python), *arguments],
            env=self.environment(role, **more),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Trouble(f"This step failed: {' '.join(arguments)}\n{done.stdout or ''}".rstrip())

    def up_application(self) -> list[str]:
        """Start web, worker and beat where they do not run; wait until healthy."""
        self.write_orders()
        started = self.supervisor().start(APPLICATION)
        self.wait_healthy()
        return started

    def wait_healthy(self, seconds: float = 120) -> None:
        """Wait until every process runs and the platform says that it and its parts are well."""
        until = time.monotonic() + seconds
        while True:
            state, told = self.health()
            waiting = [name for name, now in self.supervisor().states().items() if now["state"] != "RUNNING"]
            if state == 200 and not waiting:
                return
            told = f"not running: {', '.join(waiting)}" if state == 200 else told
            if time.monotonic() > until:
                raise Trouble(f"The platform does not get healthy: {told}\nSee the logs in {self.places.log}")
            time.sleep(0.2)

    def health(self) -> tuple[int, Any]:
        """Return the status and text of the health page, 0 when nothing answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url + HEALTH, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode(errors="replace")
        except OSError as trouble:
            return 0, str(trouble)

    def down(self) -> bool:
        """End everything this stack started and wait for it; say whether there was anything."""
        if not self.places.stack.exists():
            return False
        running = self.is_running()
        if running:
            self.supervisor().finish()
        home = cluster.load_home(self.places)
        if home is None:
            return running
        return bool(end_everything(self.places, cluster.signs(self.places, home))) or running
