"""`make bench` and `make load`: the stores of the measurements, and the package `bench` run on them.

What is measured, and how, is the business of `bench/`.
"""

import os
import subprocess
from argparse import Namespace

from ops import application, debian, setup
from ops.places import ROOT, shared
from ops.stack import Stack

MEMORY = "1GB"
CHOICES = (
    "ONLY",
    "BENCH_SECONDS",
    "BENCH_ROWS",
    "BENCH_ROUNDS",
    "QUALITY_ROWS",
    "CITY_SHARE",
    "LICENSE_ROWS",
    "KILLS",
    "SEED",
)  # what the person at the keyboard may choose


def run(_options: Namespace) -> int:
    """Run the measurements, all or the one named by ONLY, and stop the stores."""
    stack = Stack(shared("bench"), shared_buffers=MEMORY)
    setup.prepare(stack.places, *debian.BENCH)
    was_running = stack.is_running()
    try:
        stack.up_stores()
        application.compile_messages()
        done = subprocess.run(
            [str(stack.places.python), "-m", "bench"],
            cwd=ROOT,
            env={**stack.environment("migrator"), **{name: os.environ[name] for name in CHOICES if os.environ.get(name)}},
            check=False,
        )
        return done.returncode
    finally:
        if not was_running:
            stack.down()


def load(_options: Namespace) -> int:
    """Run the load run on a stack of its own, which it brings up and ends by itself."""
    setup.prepare(shared("load"))
    return subprocess.run([str(shared("load").python), "-m", "bench.load_run"], cwd=ROOT, check=False).returncode
