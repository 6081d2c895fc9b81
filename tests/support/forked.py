"""Runs of Python modules that cost a tenth of the usual time to start: each is forked from a process that has imported
the program already.

What comes of it is a process like any other, with its own arguments, environment, folder, descriptors and end.
"""

import atexit
import inspect
import json
import os
import select
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, AnyStr

_ROOT = Path(__file__).parents[2]
_READ_AT_START = {"commands": ("PYTHON", "LC_", "LANG"), "screen": ("PYTHON", "LC_", "LANG", "TEXTUAL_", "ESCDELAY")}
"""How variables begin that Python and the libraries read once, before a run can differ."""
_NOT_AT_START = ("PYTHON_KEYRING_BACKEND", "PYTHONWARNINGS")
"""All copies take every warning for an error."""


class _Template:
    """The process that is copied; it ends with this one, whose end of the socket then closes."""

    def __init__(self, kind: str) -> None:
        self._prefixes = _READ_AT_START[kind]
        environment = os.environ | ({"TEXTUAL_ANIMATIONS": "none"} if kind == "screen" else {})
        self._read = self._at_start(environment)
        self._requests, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-W", "error", "-m", "tests.support.template", str(theirs.fileno()), kind]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], cwd=_ROOT, env=environment
            )
        atexit.register(self._end)

    def _at_start(self, environment: dict[str, str]) -> dict[str, str]:
        return {
            name: value
            for name, value in environment.items()
            if name.startswith(self._prefixes) and name not in _NOT_AT_START
        }

    def allows(self, environment: dict[str, str]) -> bool:
        """Whether a copy in this environment is what a process started in it would be."""
        return self._at_start(environment) == self._read

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> tuple[int, socket.socket]:
        """The number of a new copy, and the socket on which its end is told."""
        ours, theirs = socket.socketpair()
        with theirs:
            ours.sendall(json.dumps(request).encode() + b"\n")
            socket.send_fds(self._requests, [b"!"], [*descriptors, theirs.fileno()])
        return _number(ours), ours

    def _end(self) -> None:
        self._requests.close()
        self._process.wait()


_templates: dict[str, _Template] = {}


class Forked(subprocess.Popen[AnyStr]):
    """A `subprocess.Popen` that forks `python -m MODULE ...` where that comes to the same, and starts it otherwise.

    Started anew are what has other options than the usual ones, or an environment that Python reads at its start.
    """

    _end_told: socket.socket | None = None

    def _execute_child(self, *given: Any) -> None:
        start: Any = super()._execute_child  # type: ignore[misc]
        asked = inspect.signature(start).bind(*given).arguments
        words = [os.fspath(word) for word in asked["args"]]
        if words[1:3] == ["-W", "error"]:
            del words[1:3]
        environment = dict(os.environ if asked["env"] is None else asked["env"])
        unusual = ("executable", "preexec_fn", "pass_fds", "shell", "gid", "gids", "uid")
        if words[:2] != [sys.executable, "-m"] or any(asked[name] not in (None, (), False) for name in unusual):
            start(*given)
            return
        kind = "screen" if asked["p2cread"] >= 0 and os.isatty(asked["p2cread"]) else "commands"
        template = _templates.get(kind) or _templates.setdefault(kind, _Template(kind))
        if not template.allows(environment):
            start(*given)
            return
        request = {
            "module": words[2],
            "words": words[3:],
            "environment": environment,
            "folder": os.fspath(asked["cwd"] or Path.cwd()),
            "new_session": asked["start_new_session"],
        }
        pipes = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        self.pid, self._end_told = template.fork(
            request, [number if pipe < 0 else pipe for number, pipe in enumerate(pipes)]
        )
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in ends))  # type: ignore[attr-defined]

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        poll: Any = super()._internal_poll  # type: ignore[misc]
        code: int | None = poll(_deadstate) if self._end_told is None else poll(_deadstate, self._ended)
        return code

    def _try_wait(self, flags: int) -> tuple[int, int]:
        wait: Any = super()._try_wait  # type: ignore[misc]
        ended: tuple[int, int] = wait(flags) if self._end_told is None else self._ended(self.pid, flags)
        return ended

    def _ended(self, pid: int, flags: int) -> tuple[int, int]:
        """What `os.waitpid` gives for a child of one's own; this is the template's."""
        assert self._end_told is not None
        if flags & os.WNOHANG and not select.select([self._end_told], [], [], 0)[0]:
            return 0, 0
        status = _number(self._end_told)
        self._end_told.close()
        return pid, status


def _number(line: socket.socket) -> int:
    data = line.recv(4, socket.MSG_WAITALL)
    assert len(data) == 4, "the template has died"
    number: int = struct.unpack("i", data)[0]
    return number
