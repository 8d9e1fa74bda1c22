"""The first thing supervisor runs for each process: clear the ground, then become the process.

When a server was killed with -9 its children may live on and hold its port, its tasks or its shared
memory. They are ended here before the new life begins. The command, environment and user come from
`processes.json` of the stack, so that no secret stands in a command line.
"""

import json
import os
import pwd
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ops import kin


def become(user: str) -> None:
    """Give up root for good."""
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def allow_files(at_most: int = 65_536) -> None:
    """Let the process open as many files as the system lets it: each connection is one, and a login's limit is often 1,024."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = at_most if highest == resource.RLIM_INFINITY else min(at_most, highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))


def main(stack: str, name: str) -> None:
    """End the orphans of the process's former life and replace this program by it."""
    process = json.loads((Path(stack) / "processes.json").read_text())[name]
    folders = (process["cwd"],) if process["is_store"] else ()
    gently = signal.SIGQUIT if process["is_store"] else signal.SIGKILL
    kin.end(kin.Signs(f"{stack}:{name}:", folders), gently=gently, seconds=5)
    allow_files()
    if process["user"]:
        become(process["user"])
    os.chdir(process["cwd"])
    os.execve(process["argv"][0], process["argv"], process["env"])  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
