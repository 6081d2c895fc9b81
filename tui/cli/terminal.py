"""Asking a person on a real terminal."""

import asyncio
import contextlib
import os
import sys
import threading
from typing import TextIO

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
    """Ask for three random letters, which consent to what was just printed.

    Args:
        what: What typing them does ("spend this reset").
        screen: Where the question is printed.
        typed: What reads the terminal, where something does already.

    Returns:
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
    """Read one line from the terminal.

    Args:
        seconds: How long to wait for it.

    Returns:
        The line without its end; None after that long, or at the end of input.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        line = sys.stdin.readline()
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if answer.done() else answer.set_result(line))

    # A daemon: a read that nobody answers must not hold the program up.
    threading.Thread(target=read, daemon=True, name="resetbank-consent").start()
    try:
        async with asyncio.timeout(seconds):
            line = await answer
    except TimeoutError:
        return None
    return line.rstrip("\r\n") if line else None
