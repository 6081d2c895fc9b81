"""Processes that kill themselves, for real, at a point: starting one, and how it dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.forked import Forked
from tests.support.stub_process import StubProcess
from tests.support.waiting import DEADLINE

ROOT = Path(__file__).parents[2]


def start_victim(victim: str, point: str, stub: StubProcess, *more: str) -> subprocess.Popen[str]:
    """Start a module of this package that kills itself at a point."""
    return Forked(
        [sys.executable, "-m", f"tests.safety.{victim}", point, stub.url, str(stub.codex_home), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ.copy(),
    )


def let_it_die(victim: subprocess.Popen[str]) -> None:
    _, errors = victim.communicate(timeout=DEADLINE)
    assert victim.returncode == -signal.SIGKILL, errors


def die_at(point: str) -> None:
    """To be called by the victim itself: end here if this is its point."""
    if point == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
