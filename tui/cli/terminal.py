"""Asking a person on a real terminal."""

import asyncio
import contextlib
import sys
import threading


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
