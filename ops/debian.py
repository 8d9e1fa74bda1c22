"""What the machine must have, and how Debian is asked for what is missing.

Run as a program (`debian.py NAME...`) it installs packages as root. It creates and starts no
system cluster and no service: the server's package is told not to make a cluster before it
arrives, and for the time of the installation a policy forbids services to start. Both are put back
as they were.
"""

import contextlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ops import cluster, memory
from ops.places import Trouble, say

POLICY = Path("/usr/sbin/policy-rc.d")
CLUSTER_RULE = Path("/etc/postgresql-common/createcluster.d/exchange-platform.conf")
POSTGRES_VERSIONS = range(15, 21)


@dataclass(frozen=True)
class Need:
    """One thing the machine must have: the package that brings it and how to see that it is there."""

    package: str
    is_met: Callable[[], bool]


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _file(pattern: str) -> Callable[[], bool]:
    return lambda: any(Path("/").glob(pattern))


BASE = (
    Need("postgresql-*-postgis-3", lambda: bool(cluster.installed_versions())),
    Need("redis-tools", lambda: memory.installed_program() is not None),
    Need("libgdal32", _file("usr/lib/*/libgdal.so*")),
    Need("gettext", _program("msgfmt")),
    Need("openssl", _program("openssl")),
    Need("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None),
    Need("nodejs", _program("node")),
    Need("npm", _program("npm")),
    Need("fonts-noto-cjk", _file("usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")),
)
TEST = (
    Need("chromium", _program("chromium")),
    Need("poppler-utils", _program("pdfsig")),
)
BENCH = (Need("wrk", _program("wrk")),)


def missing(needs: tuple[Need, ...]) -> list[str]:
    """Return the packages whose contents this machine lacks."""
    return [need.package for need in needs if not need.is_met()]


def require(needs: tuple[Need, ...]) -> None:
    """Install what is missing, as root or through sudo; otherwise say exactly what to do."""
    packages = missing(needs)
    if not packages:
        return
    command = [sys.executable, str(Path(__file__).resolve()), *packages]
    by_hand = f"This machine lacks: {' '.join(packages)}. Run once as root:\n  {shlex.join(command)}"
    if shutil.which("apt-get") is None:
        raise Trouble(f"This machine lacks {' '.join(packages)}, and it has no apt-get to install them with.")
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Trouble(f"You are not root and there is no sudo.\n{by_hand}")
        silent = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if silent.returncode != 0 and not sys.stdin.isatty():
            raise Trouble(f"You are not root and sudo asks for a password.\n{by_hand}")
        command = ["sudo", *command]
    say(f"Installing {', '.join(packages)} (a few minutes) ...")
    if subprocess.run(command, check=False).returncode != 0:
        raise Trouble(f"The installation failed.\n{by_hand}")
    left = missing(needs)
    if left:
        raise Trouble(f"Installed, but still not found: {' '.join(left)}.")


@contextlib.contextmanager
def no_services() -> Iterator[None]:
    """Forbid services to start while packages are installed."""
    kept = POLICY.with_name("policy-rc.d.exchange-platform")
    if POLICY.exists() and not kept.exists():
        POLICY.rename(kept)
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if kept.exists():
            kept.rename(POLICY)


@contextlib.contextmanager
def no_cluster() -> Iterator[None]:
    """Forbid the server's package to make a cluster of its own."""
    CLUSTER_RULE.parent.mkdir(parents=True, exist_ok=True)
    CLUSTER_RULE.write_text("create_main_cluster = false\n")
    try:
        yield
    finally:
        CLUSTER_RULE.unlink(missing_ok=True)


def apt(*arguments: str) -> None:
    """Run apt-get without questions, waiting for another one to finish."""
    subprocess.run(
        ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )


def has_candidate(package: str) -> bool:
    """Say whether apt could install a package."""
    told = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return told.returncode == 0 and bool(told.stdout.strip())


def postgres_package() -> str:
    """Return the first PostgreSQL with PostGIS this Debian offers."""
    for version in POSTGRES_VERSIONS:
        if has_candidate(f"postgresql-{version}-postgis-3"):
            return f"postgresql-{version}-postgis-3"
    raise Trouble(f"apt offers no PostgreSQL {POSTGRES_VERSIONS.start} or newer with PostGIS.")


def install(packages: list[str]) -> None:
    """Install packages as root, leaving no cluster and no service behind."""
    with no_services():
        apt("update")
        wanted = [package for package in packages if "*" not in package]
        if len(wanted) < len(packages):
            extension = postgres_package()
            server = extension.removesuffix("-postgis-3")
            apt("install", "--no-install-recommends", "postgresql-common")
            with no_cluster():
                apt("install", "--no-install-recommends", server, extension)
        wanted = [p if p != "libgdal32" or has_candidate(p) else "libgdal-dev" for p in wanted]
        if wanted:
            apt("install", "--no-install-recommends", *wanted)


if __name__ == "__main__":
    try:
        install(sys.argv[1:])
    except subprocess.CalledProcessError as failure:
        sys.exit((failure.stdout or b"").decode(errors="replace"))
    except Trouble as trouble:
        sys.exit(str(trouble))
