"""Forked runs are what started ones are: the tests of the commands rest on it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forked import Forked
from tests.support.waiting import DEADLINE

TELLS = """
import atexit, os, sys, time
atexit.register(print, "goodbye")
print(__name__, sys.argv[1:], os.getcwd(), os.environ.get("WORD"), time.tzname, os.getsid(0) == os.getpid())
print(sys.stdin.read(), sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, sys.warnoptions)
print(sys.stderr.errors, [name for name in os.environ if name.startswith("RESET")], file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of ours, found in the folder that `python -m` looks into."""
    (tmp_path / "tells.py").write_text(TELLS)
    monkeypatch.chdir(tmp_path)
    return "tells"


def run(start: type[subprocess.Popen[str]], module: str, *words: str, **more: object) -> tuple[int, str, str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-W", "error", "-m", module, *words]
    with start(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **more) as process:  # type: ignore[call-overload]
        out, err = process.communicate("given", DEADLINE)
        return process.returncode, out, err


@pytest.mark.parametrize("code", ["0", "7"])
@pytest.mark.parametrize("new_session", [False, True])
def test_a_copy_is_given_what_a_start_is_given(module: str, code: str, new_session: bool) -> None:
    more = {"env": os.environ | {"WORD": "said", "TZ": "Asia/Tokyo"}, "start_new_session": new_session}
    forked = run(Forked[str], module, code, "a b", **more)
    assert forked == run(subprocess.Popen[str], module, code, "a b", **more)
    assert forked[0] == int(code)
    assert "goodbye" in forked[1]


def test_a_signal_that_ends_it_is_told() -> None:
    with Forked([sys.executable, "-m", "tui", "stub"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.poll() is None
        process.kill()
        assert process.wait(DEADLINE) == -signal.SIGKILL
        assert process.poll() == -signal.SIGKILL


def test_what_python_reads_at_its_start_gets_a_start() -> None:
    command = [sys.executable, "-m", "tui", "--version"]
    for environment, started in (({}, False), ({"PYTHONUTF8": "1"}, True), ({"LC_ALL": "C"}, True)):
        with Forked(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment) as process:
            assert process.stdout is not None
            assert process.stdout.read().startswith("resetbank")
            assert (process._end_told is None) == started
