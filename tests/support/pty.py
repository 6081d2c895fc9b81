"""A program on a real pseudo-terminal: driven as by a hand, its screen drawn by an emulator, its costs measured."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pyte

from tests.support.forked import Forked
from tests.support.waiting import DEADLINE, Patience

_ALONE = 1.2
"""Seconds without another key in which a letter counts; longer with each press, for a machine that is busy."""
_FRAME, _FRAME_END = b"\x1b[?2026h", b"\x1b[?2026l"
_ASKS_FOR_FRAMES, _KNOWS_FRAMES = b"\x1b[?2026$p", "\x1b[?2026;2$y"
_TICKS = os.sysconf("SC_CLK_TCK")
_Process = subprocess.Popen[bytes]


@dataclass
class RawTerminal:
    """A running program and every byte that it wrote to its terminal."""

    process: subprocess.Popen[bytes]
    master: int
    started: float
    raw: bytearray = field(default_factory=bytearray)
    gone: bool = False
    """Whether the program has let its terminal go."""

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def read(self, seconds: float) -> bytes:
        """Take what comes within so many seconds; empty where nothing came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # the other end has gone
            self.gone = True
            return b""
        self.raw += data
        return data

    def drain(self, seconds: float) -> None:
        """Keep reading for so long, as a terminal does."""
        end = perf_counter() + seconds
        while (left := end - perf_counter()) > 0 and not self.gone:
            self.read(left)

    def hang_up(self) -> None:
        """Take the terminal away, without a signal: it is no process's controlling terminal."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self.master)
        os.close(nothing)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self.started

    def time_of(self, marker: bytes, deadline: float = DEADLINE) -> float:
        """Seconds from the start until these bytes were written."""
        while marker not in self.raw:
            if self.gone or self.elapsed() > deadline:
                raise AssertionError(f"{marker!r} never came; last: {bytes(self.raw[-400:])!r}")
            self.read(0.05)
        return self.elapsed()

    def wait_for_end(self, deadline: float = DEADLINE) -> int:
        """Read until the program has let its terminal go, and wait for its end; its exit code."""
        patience = Patience(deadline)
        while not self.gone and self.process.poll() is None:
            if patience.is_over:
                raise AssertionError("did not end")
            self.read(0.05)
        while self.read(0):  # what it wrote last
            pass
        return self.process.wait(deadline)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_kib(self) -> int:
        """Memory in use now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@dataclass
class Terminal(RawTerminal):
    """The same with the screen that the bytes paint: whole frames, where the program marks them."""

    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(80, 24))

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)
        self._unpainted = b""
        self._text: str | None = None
        self._seen: set[str] = set()

    def read(self, seconds: float) -> bytes:
        data = super().read(seconds)
        if _ASKS_FOR_FRAMES in data:
            self.type(_KNOWS_FRAMES)
        self._unpainted += data
        if data or self.gone:
            whole = len(self._unpainted) if self.gone else _whole_frames(self._unpainted)
            self._stream.feed(self._unpainted[:whole])
            self._unpainted = self._unpainted[whole:]
            self._text = None
        return data

    @property
    def text(self) -> str:
        """What the screen shows now, trailing blanks cut."""
        if self._text is None:
            lines = [line.rstrip() for line in self.screen.display]
            self._seen.update(lines)
            self._text = "\n".join(lines).rstrip()
        return self._text

    def has_shown(self, wanted: str) -> bool:
        """Whether a line of the screen has shown the text, now or before, while something was waited for."""
        return any(wanted in line for line in self._seen)

    def wait_to_have_shown(self, wanted: str) -> None:
        """Read until a line has shown the text; it may have gone again, by scrolling or under a menu."""
        self.wait_for(lambda _: self.has_shown(wanted))

    def wait_for(self, wanted: str | Callable[[str], bool], deadline: float = DEADLINE) -> str:
        """Read until the screen shows the text, or the condition holds for it; returns the screen."""
        if self.shows(wanted, deadline):
            return self.text
        raise AssertionError(f"never shown: {wanted!r}\nexit code {self.process.poll()}\n{self.text}")

    def shows(self, wanted: str | Callable[[str], bool], seconds: float) -> bool:
        """Whether the screen shows the text, or the condition holds for it, within so many seconds."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        patience = Patience(seconds)
        while not holds(self.text):
            if patience.is_over or (not self.read(0.05) and self.gone):
                return False
        return True

    def press_until(self, key: str, wanted: str | Callable[[str], bool]) -> str:
        """Press a key again and again, each time alone as a letter that consents must be, until it is shown."""
        end, alone = perf_counter() + DEADLINE, _ALONE
        while perf_counter() < end:
            self.type(key)
            if self.shows(wanted, alone):
                return self.text
            alone *= 1.5
        raise AssertionError(f"never shown: {wanted!r}\n{self.text}")


def _whole_frames(data: bytes) -> int:
    """How many bytes may be painted: no half of a frame, as the terminals of people hold it back too."""
    begins = data.rfind(_FRAME)
    if begins >= 0 and _FRAME_END not in data[begins:]:
        return begins
    cut = data.rfind(b"\x1b")
    return cut if cut >= 0 and _FRAME.startswith(data[cut:]) and data[cut:] != _FRAME else len(data)


def _start(
    start: type[_Process], command: Sequence[str], environment: dict[str, str], columns: int, rows: int
) -> tuple[int, _Process]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = start(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment)
    os.close(slave)
    return master, process


@contextmanager
def raw_terminal(
    *command: str, environment: dict[str, str], columns: int = 80, rows: int = 24
) -> Iterator[RawTerminal]:
    """Run a command on a terminal that only keeps the bytes, for measuring."""
    started = perf_counter()
    master, process = _start(subprocess.Popen, command, environment, columns, rows)
    try:
        yield RawTerminal(process, master, started)
    finally:
        _end(process, master)


@contextmanager
def terminal(*command: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """Run a command on a terminal of its own until the block ends."""
    defaults = {"TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none", "TZ": "UTC"}
    started = perf_counter()
    master, process = _start(Forked, command, os.environ | defaults | environment, columns, rows)
    try:
        yield Terminal(process, master, started, screen=pyte.Screen(columns, rows))
    finally:
        _end(process, master)


def _end(process: _Process, master: int) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait(DEADLINE)
    os.close(master)


@contextmanager
def resetbank_terminal(*words: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """The resetbank command on a terminal."""
    with terminal(sys.executable, "-m", "tui", *words, columns=columns, rows=rows, **environment) as running:
        yield running
