"""What can be known here about systems that are not Linux: nothing that Unix alone has is needed to start."""

import os
import subprocess
import sys

import pytest

from tests.support.waiting import DEADLINE

_WITHOUT_UNIX = """
import os, sys
for name in ("fcntl", "grp", "jeepney", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None  # importing it fails
for name in ("fork", "killpg", "mkfifo", "posix_spawn", "setsid"):
    delattr(os, name)
"""
_EVERY_MODULE = """
import importlib, pkgutil, tui
for found in pkgutil.walk_packages(tui.__path__, "tui."):
    if found.name not in ("tui.__main__", "tui.sources.secret_service"):  # loaded on Linux alone
        importlib.import_module(found.name)
        print(found.name)
"""
_COMMAND = """
from tui.cli import main
sys.exit(main(sys.argv[1:]))
"""


def without_unix(script: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_UNIX + script, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
    )
    return done.returncode, done.stdout, done.stderr


def test_every_module_can_be_imported() -> None:
    code, names, errors = without_unix(_EVERY_MODULE)
    assert errors == ""
    assert code == 0
    assert len(names.split()) > 200


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--demo",), "3 resets"),
        (("status", "--source", "stub"), "3 resets"),
        (("line", "--format", "plain", "--refresh", "60"), "?"),
        (("advice", "--source", "stub"), "reset"),
        (("ledger",), ""),
        (("config", "get", "theme"), "auto"),
    ],
)
def test_commands_that_read_work(words: tuple[str, ...], shown: str) -> None:
    code, out, errors = without_unix(_COMMAND, *words)
    assert errors == ""
    assert shown in out
    assert code in (0, 10)
