"""The private PostgreSQL cluster of a stack: where it lies, its configuration, its first contents.

PostgreSQL refuses to run as root, and its unprivileged user may be unable to reach the stack's
folder. Then the data goes to a place it can reach; which one is recorded in `stores.json` of the stack.
TCP on the loopback with passwords is the only way in: socket paths stop at 107 bytes.
"""

import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from ops import kin
from ops.places import Places, Trouble

INSTALLATIONS = Path("/usr/lib/postgresql")
EXTENSIONS = Path("/usr/share/postgresql")
OLDEST = 15
ACCESS_RULES = """\
# Written by ops/cluster.py: passwords over the loopback, nothing else.
host all all 127.0.0.1/32 scram-sha-256
"""

# Personal data never reaches the log: no statements, no parameters, no details of errors, and no
# errors of clients at all, since their text may quote a value.
QUIET = {
    "log_statement": "none",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Home:
    """Where the stores of a stack keep their data and as whom they run ("" is the caller)."""

    path: Path
    user: str

    @property
    def data(self) -> Path:
        return self.path / "postgres"

    def folder(self, server: str) -> Path:
        return self.path / server


def installed_versions() -> list[int]:
    """Return the usable PostgreSQL versions of this machine (with PostGIS), newest first."""
    found = []
    for path in INSTALLATIONS.glob("*"):
        control = EXTENSIONS / path.name / "extension"
        wanted = (control / f"{name}.control" for name in ("postgis", "btree_gist", "pgcrypto"))
        known = path.name.isdigit() and int(path.name) >= OLDEST and (path / "bin" / "postgres").exists()
        if known and all(file.exists() for file in wanted):
            found.append(int(path.name))
    return sorted(found, reverse=True)


def programs(home: Home) -> Path:
    """Return the folder of the PostgreSQL programs fit for a cluster's data."""
    version = home.data / "PG_VERSION"
    wanted = int(version.read_text()) if version.exists() else installed_versions()[0]
    if wanted not in installed_versions():
        raise Trouble(f"The data in {home.data} needs PostgreSQL {wanted}, which is not installed.")
    return INSTALLATIONS / str(wanted) / "bin"


def service_user() -> str:
    """Return the account the stores run as: the caller, unless that is root."""
    if os.geteuid() != 0:
        return ""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Trouble("No unprivileged account (postgres, nobody) was found to run PostgreSQL as.")


def can_reach(user: str, folder: Path) -> bool:
    """Say whether an account can enter a folder."""
    if not user:
        return True
    probe = subprocess.run(["/usr/bin/test", "-x", str(folder)], user=user, check=False, cwd="/")
    return probe.returncode == 0


def signs(places: Places, home: Home) -> kin.Signs:
    """Return how to know the processes of a stack."""
    folders = tuple(str(home.folder(n)) for n in ("postgres", "redis-broker", "redis-calls"))
    return kin.Signs(f"{places.stack}:", folders)


def load_home(places: Places) -> Home | None:
    """Return the recorded home of a stack's stores, if one was made."""
    record = places.stack / "stores.json"
    if not record.exists():
        return None
    known = json.loads(record.read_text())
    for path in (Path(known["path"]), places.stack / "stores"):  # the second: the clone was moved
        stamp = path / "made-for"
        if stamp.exists() and stamp.read_text() == known["id"]:
            return Home(path, known["user"])
    return None


def prepare_home(places: Places) -> Home:
    """Return the home of a stack's stores, making one that their account can reach."""
    known = load_home(places)
    if known:
        return known
    user = service_user()
    path = places.stack / "stores"
    if not can_reach(user, places.stack):
        digest = hashlib.sha256(str(places.stack).encode()).hexdigest()[:12]
        path = Path("/var/tmp") / f"exchange-platform-{digest}"  # noqa: S108 - survives a restart
    home = Home(path, user)
    if path.exists():
        owners = {os.geteuid(), pwd.getpwnam(user).pw_uid if user else os.geteuid()}
        if path.is_symlink() or path.stat().st_uid not in owners:
            raise Trouble(f"{path} belongs to somebody else; remove it or choose another RUN_DIR.")
        kin.end(signs(places, home), gently=signal.SIGQUIT, seconds=5)
        shutil.rmtree(path)
    path.mkdir(mode=0o700, parents=True)
    identity = uuid.uuid4().hex
    (path / "made-for").write_text(identity)
    give(path, user)
    for stamp in ("ready.json", "code.sha256"):
        (places.stack / stamp).unlink(missing_ok=True)
    record = {"path": str(path), "user": user, "id": identity}
    (places.stack / "stores.json").write_text(json.dumps(record, indent=1) + "\n")
    return home


def give(path: Path, user: str) -> None:
    """Hand a file or folder to the stores' account."""
    if user:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)


def settings(port: int, shared_buffers: str) -> str:
    """Render postgresql.conf for a shared machine of two cores and 24 GiB."""
    lines = {
        "listen_addresses": "'127.0.0.1'",
        "port": str(port),
        "unix_socket_directories": "''",
        "max_connections": "200",
        "password_encryption": "scram-sha-256",
        "shared_buffers": shared_buffers,
        "effective_cache_size": "4GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "commit_delay": "200",  # microseconds: with five transactions under way, more of them share a flush
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "'Asia/Shanghai'",
        "log_timezone": "'Asia/Shanghai'",
        "lc_messages": "'C'",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "'%m [%p] '",
        "log_checkpoints": "off",
        **QUIET,
    }
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return "# Written by ops/cluster.py at every start.\n" + text


def initialize(home: Home, password: str) -> None:
    """Make the cluster's data folder in one step: it is complete or it is not there."""
    if home.data.exists():
        return
    draft, secret = home.path / "postgres.new", home.path / "password"
    shutil.rmtree(draft, ignore_errors=True)
    secret.unlink(missing_ok=True)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    give(secret, home.user)
    command = [programs(home) / "initdb", "-D", draft, "-U", "postgres", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    made = subprocess.run(
        [str(part) for part in command],
        user=home.user or None,
        cwd=home.path,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    secret.unlink(missing_ok=True)
    if made.returncode != 0:
        raise Trouble(f"initdb failed:\n{made.stdout}{made.stderr}")
    (draft / "postgresql.conf").rename(draft / "initdb.conf")
    draft.rename(home.data)


def shared_memory(home: Home) -> str:
    """Return the kind of shared memory initdb found to work on this machine."""
    found = home.data / "initdb.conf"
    told = re.search(r"^dynamic_shared_memory_type = (\w+)", found.read_text(), re.MULTILINE) if found.exists() else None
    return told[1] if told else "posix"


def configure(home: Home, port: int, shared_buffers: str) -> None:
    """Write the cluster's configuration and clear a lock left by a crash."""
    memory = f"dynamic_shared_memory_type = {shared_memory(home)}\n"
    for name, text in (
        ("postgresql.conf", settings(port, shared_buffers) + memory),
        ("pg_hba.conf", ACCESS_RULES),
    ):
        (home.data / name).write_text(text)
        give(home.data / name, home.user)
    if not kin.find(kin.Signs("", (str(home.data),))):
        (home.data / "postmaster.pid").unlink(missing_ok=True)
