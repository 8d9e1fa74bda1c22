"""Knowing and ending the processes of a stack."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import kin


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, kin.MARK: f"{tmp_path}:web:"}, cwd=tmp_path)
    while not Path(f"/proc/{process.pid}/environ").read_bytes():  # the kernel is still making it
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_known_by_its_mark(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert kin.find(kin.Signs(f"{tmp_path}:")) == [sleeper.pid]
    assert kin.find(kin.Signs(f"{tmp_path}:web:")) == [sleeper.pid]


def test_another_stack_s_process_is_not_ours(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert sleeper.pid not in kin.find(kin.Signs(f"{tmp_path}:worker:"))
    assert sleeper.pid not in kin.find(kin.Signs(f"{tmp_path / 'other'}:"))
    assert sleeper.pid not in kin.find(kin.Signs(""))


def test_a_program_that_merely_works_in_the_data_folder_is_not_ours(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert sleeper.pid not in kin.find(kin.Signs("", (str(tmp_path),)))


def test_ending_waits_until_the_process_is_gone(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert kin.end(kin.Signs(f"{tmp_path}:"), gently=signal.SIGTERM, seconds=5) == 1
    assert not kin.is_alive(sleeper.pid)
    assert kin.end(kin.Signs(f"{tmp_path}:"), gently=signal.SIGTERM, seconds=5) == 0


def test_a_stubborn_process_is_ended_by_force(tmp_path: Path) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    process = subprocess.Popen(["sh", "-c", script], env={**os.environ, kin.MARK: f"{tmp_path}:web:"}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    kin.end(kin.Signs(f"{tmp_path}:"), gently=signal.SIGTERM, seconds=0.2)
    assert process.wait(5) == -signal.SIGKILL
    process.stdout.close()


def test_a_server_whose_worker_does_not_hear_is_ended_with_it_by_force(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    deaf = "import os, signal, subprocess, sys, time; signal.signal(15, signal.SIG_IGN); "
    worker = f"{deaf} open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"{deaf} subprocess.call([sys.executable, '-c', {worker!r}])"
    server = subprocess.Popen([sys.executable, "-c", parent], start_new_session=True)
    until = time.monotonic() + 20
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    pid = int(told.read_text())
    kin.end_group(server, seconds=0.5)
    assert server.poll() is not None
    assert not kin.wait_gone([pid], 5)
