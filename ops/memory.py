"""The two private Redis servers: the broker of Celery, and the calls' nonces and quotas.

Debian's redis-tools ships the server's program under the name redis-check-rdb, and it acts as the
server when it is started as `redis-server`. A link in the stack's own folder does that, so no
service package is needed; a server already installed is used as it is.
"""

import shutil
import socket
from pathlib import Path

from ops.cluster import Home, give

SERVERS = {"broker": "redis-broker", "calls": "redis-calls"}


def installed_program() -> str | None:
    """Return the program that can act as a Redis server."""
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


def settings(folder: Path, port: int, password: str) -> str:
    """Render the configuration: loopback, password, nothing on disk, nothing evicted."""
    return f"""\
# Written by ops/memory.py at every start.
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
save ""
appendonly no
maxmemory 512mb
maxmemory-policy noeviction
loglevel notice
logfile ""
always-show-logo no
set-proc-title yes
"""


def prepare(home: Home, ports: dict[str, int], passwords: dict[str, str]) -> None:
    """Write the folders, configurations and the link of both servers."""
    link = home.path / "redis-server"
    program = installed_program()
    if program and (not link.is_symlink() or str(link.readlink()) != program):
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    for name, server in SERVERS.items():
        folder = home.folder(server)
        folder.mkdir(mode=0o700, exist_ok=True)
        give(folder, home.user)
        path = folder / "redis.conf"
        path.touch(mode=0o600)
        path.write_text(settings(folder, ports[name], passwords[name]))
        give(path, home.user)


def answers(port: int, password: str) -> bool:
    """Say whether a Redis server lets us in and is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            heard = b""
            while heard.count(b"\r\n") < 2:
                part = link.recv(256)
                if not part:
                    return False
                heard += part
    except OSError:
        return False
    return heard.endswith(b"+PONG\r\n")
