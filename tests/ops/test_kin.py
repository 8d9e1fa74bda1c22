"""Knowing and ending the processes of a stack."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import kin


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, kin.MARK: f"{tmp_path}:web:"}, cwd=tmp_path)
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
