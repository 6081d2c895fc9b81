"""A process on a real pseudo-terminal: what it writes, when, and what it costs."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Terminal:
    """A child and the master side of its terminal."""

    pid: int
    master: int
    started: float
    output: bytearray = field(default_factory=bytearray)

    def wait_for(self, marker: bytes, deadline: float = 20.0) -> float:
        """Seconds from the start until these bytes were written."""
        while marker not in self.output:
            left = self.started + deadline - perf_counter()
            if left <= 0 or not self.read(left):
                raise TimeoutError(f"{marker!r} never came; last: {bytes(self.output[-400:])!r}")
        return perf_counter() - self.started

    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self.started

    def read(self, seconds: float) -> bool:
        """Take what comes within so many seconds; false at the end of the output or where nothing came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def drain(self, seconds: float) -> None:
        """Keep reading for so long, as a terminal does."""
        end = perf_counter() + seconds
        while (left := end - perf_counter()) > 0:
            self.read(left)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_kib(self) -> int:
        """Memory in use now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def wait(self, deadline: float = 10.0) -> int:
        """The exit code, once it has ended."""
        end = perf_counter() + deadline
        while perf_counter() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise TimeoutError("it did not end")


@contextmanager
def on_terminal(
    command: Sequence[str], env: Mapping[str, str], *, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """Run a command on a terminal of this size; whatever still runs at the end is killed."""
    started = perf_counter()
    pid, master = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(command[0], list(command), dict(env))
        finally:
            os._exit(127)
    terminal = Terminal(pid, master, started)
    try:
        yield terminal
    finally:
        if terminal.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        os.close(master)
