"""A program on a real pseudo-terminal, driven as by a hand, its screen drawn by a terminal emulator."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyte

DEADLINE = 30.0


@dataclass
class Terminal:
    """A running program and the screen that it paints."""

    process: subprocess.Popen[bytes]
    master: int
    screen: pyte.Screen
    raw: bytearray = field(default_factory=bytearray)
    """Every byte that came."""

    def __post_init__(self) -> None:
        self._gone = False
        self._stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        """What the screen shows now, trailing blanks cut."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def wait_for(self, wanted: str | Callable[[str], bool], deadline: float = DEADLINE) -> str:
        """Read until the screen shows the text, or the condition holds for it; returns the screen."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        for _ in range(int(deadline / 0.05)):
            if holds(self.text):
                return self.text
            if not self._read(0.05) and self._gone:
                break
        raise AssertionError(f"never shown: {wanted!r}\nexit code {self.process.poll()}\n{self.text}")

    def wait_for_end(self, deadline: float = DEADLINE) -> int:
        """Read until the program has let its terminal go, and wait for its end; its exit code."""
        for _ in range(int(deadline / 0.05)):
            self._read(0.05)
            if self._gone or self.process.poll() is not None:
                return self.process.wait(deadline)
        raise AssertionError(f"did not end\n{self.text}")

    def press_until(self, key: str, wanted: str | Callable[[str], bool], presses: int = 50) -> str:
        """Press a key again and again, as a hand does with a dialog that is deaf at first, until it is shown."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        for _ in range(presses):
            self.type(key)
            while self._read(0.15):
                pass
            if holds(self.text):
                return self.text
        raise AssertionError(f"never shown: {wanted!r}\n{self.text}")

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # the other end has gone
            self._gone = True
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def terminal(*command: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """Run a command on a terminal of its own until the block ends."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none", "TZ": "UTC"} | environment,
    )
    os.close(slave)
    try:
        yield Terminal(process, master, pyte.Screen(columns, rows))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)
        os.close(master)


@contextmanager
def resetbank_terminal(*words: str, columns: int = 80, rows: int = 24, **environment: str) -> Iterator[Terminal]:
    """The resetbank command on a terminal."""
    with terminal(sys.executable, "-m", "tui", *words, columns=columns, rows=rows, **environment) as running:
        yield running
