"""`make bench`: the stores of the measurements, and the package `bench` run on them.

What is measured, and how, is the business of `bench/`.
"""

import os
import subprocess
from argparse import Namespace

from ops import application, debian, setup
from ops.places import ROOT, shared
from ops.stack import Stack

MEMORY = "1GB"


def run(_options: Namespace) -> int:
    """Run the measurements, all or the one named by ONLY, and stop the stores."""
    stack = Stack(shared("bench"), shared_buffers=MEMORY)
    setup.prepare(stack.places, *debian.BENCH)
    was_running = stack.is_running()
    only = os.environ.get("ONLY", "")
    try:
        stack.up_stores()
        application.compile_messages()
        done = subprocess.run(
            [str(stack.places.python), "-m", "bench", *([only] if only else [])],
            cwd=ROOT,
            env={**stack.environment("migrator"), "ONLY": only},
            check=False,
        )
        return done.returncode
    finally:
        if not was_running:
            stack.down()
