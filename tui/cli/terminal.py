"""Asking a person on a real terminal."""

import asyncio
import contextlib
import sys
import threading
from typing import TextIO

CONSENT_SECONDS = 60.0
"""Silence for this long is a no."""


async def ask_for_code(what: str, screen: TextIO) -> str | None:
    """Ask for three random letters, which consent to what was just printed.

    Args:
        what: What typing them does ("spend this reset").
        screen: Where the question is printed.

    Returns:
        None where they were typed; else why that is no consent.
    """
    import secrets

    letters = list("ABCDEFGHJKMNPQRSTUVWXYZ")  # without I, L and O, which look like digits
    code = "".join(secrets.SystemRandom().sample(letters, 3))
    discard_typed_ahead()
    print(f"Type {code} to {what}: ", end="", file=screen, flush=True)
    typed = await read_line(CONSENT_SECONDS)
    if typed is None:
        print(file=screen)
        return "no answer came"
    return None if typed.strip() == code else "that was not the code"


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
