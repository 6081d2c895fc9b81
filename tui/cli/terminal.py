"""Asking a person on a real terminal."""

import asyncio
import contextlib
import os
import sys
import threading
from typing import TextIO

from tui.concurrency import in_loose_thread
from tui.errors import NotConfirmed

CONSENT_SECONDS = 60.0
"""Silence for this long is a no."""


class TypedLines:
    """Every line that is typed from now on: the one reader of a program that asks more than once."""

    def __init__(self) -> None:
        """Begin to read; on a running loop."""
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, daemon=True, name="resetbank-lines").start()

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(OSError, RuntimeError):  # the terminal is gone, or the loop has closed
            while data := os.read(0, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._loop.call_soon_threadsafe(self._lines.put_nowait, line.decode(errors="replace").rstrip("\r"))
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)

    async def read(self, seconds: float | None = None) -> str | None:
        """The next line; None at the end of input, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                line = await self._lines.get()
        except TimeoutError:
            return None
        if line is None:
            self._lines.put_nowait(None)  # it stays the end
        return line

    def discard(self) -> None:
        """Throw away what was typed by now."""
        discard_typed_ahead()
        while not self._lines.empty() and (line := self._lines.get_nowait()) is None:
            self._lines.put_nowait(line)
            return


async def ask_for_code(what: str, screen: TextIO, typed: TypedLines | None = None) -> str | None:
    """Ask for three random letters, which consent to what was just printed ("spend this reset").

    None where they were typed; else why that is no consent.
    """
    import secrets

    letters = list("ABCDEFGHJKMNPQRSTUVWXYZ")  # without I, L and O, which look like digits
    code = "".join(secrets.SystemRandom().sample(letters, 3))
    typed.discard() if typed is not None else discard_typed_ahead()
    print(f"Type {code} to {what}: ", end="", file=screen, flush=True)
    line = await (typed.read(CONSENT_SECONDS) if typed is not None else read_line(CONSENT_SECONDS))
    if line is None:
        print(file=screen)
        return "no answer came"
    return None if line.strip() == code else "that was not the code"


def discard_typed_ahead() -> None:
    """Throw away what was typed before the question stood on the screen: it cannot be an answer to it."""
    with contextlib.suppress(ImportError):  # Windows has no termios
        import termios

        with contextlib.suppress(termios.error):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)


async def read_line(seconds: float) -> str | None:
    """The next line from the terminal, without its end; None after so many seconds, or at the end of input."""
    try:
        async with asyncio.timeout(seconds):
            line = await in_loose_thread(sys.stdin.readline)
    except TimeoutError:
        return None
    return line.rstrip("\r\n") if line else None


def require_terminal(why: str, done: str, screen: TextIO, hint: str = "run it in a terminal") -> None:
    """Refuse what takes consent ("an invite is only sent with consent") where nobody can be asked.

    Raises:
        NotConfirmed: There is no terminal.
    """
    if not (sys.stdin.isatty() and screen.isatty()):
        raise NotConfirmed(f"{why}, and there is no terminal to ask on; nothing was {done}", hint)


async def require_code(what: str, done: str, screen: TextIO) -> None:
    """Ask for the code that consents to what was just printed ("spend this reset"), else it is not `done` ("spent").

    Raises:
        NotConfirmed: It was not typed.
    """
    why = await ask_for_code(what, screen)
    if why is not None:
        raise NotConfirmed(f"{why}; nothing was {done}", "run it again if you meant to")
