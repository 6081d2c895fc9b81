"""What a channel is, and how a program is run for one. What fails raises `NoticeFailed` with the reason."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import msgspec

from tui.concurrency import in_loose_thread
from tui.errors import NoticeFailed

SECONDS: Final = 10.0
"""How long a channel may take."""


class Notice(msgspec.Struct, frozen=True):
    """What a notice says; never an address or a token."""

    event: str
    """As `watch --json` calls it."""
    title: str
    text: str
    workspace: str | None
    """Text from outside."""
    at: str
    """RFC 3339, UTC."""


Channel: TypeAlias = Callable[[Notice], Awaitable[None]]
"""Tells a person once. Raises `NoticeFailed` with the reason, which names no address and no token."""


def one_line(text: str, longest: int = 200) -> str:
    """Text without controls and without what turns its direction, cut to a length."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" or c == "\u200d" else " " for c in text)
    return " ".join(kept.split())[:longest]


async def in_time(who: str, work: Callable[[], None]) -> None:
    """Run blocking work of a channel in a thread; an error names `who` it waited for, and leaves it to itself."""
    try:
        async with asyncio.timeout(SECONDS):
            await in_loose_thread(work)
    except TimeoutError as error:
        raise NoticeFailed(f"{who} took longer than {SECONDS:g} s") from error


async def run_program(*words: str, stdin: bytes = b"") -> None:
    """Run a program to its end; one that takes too long is ended."""
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=null, stderr=null)
    except OSError as error:
        raise NoticeFailed(f"{words[0]} cannot be started: {error.strerror}") from error
    try:
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionError):  # it does not want to know
                await process.communicate(stdin)
    except TimeoutError as error:
        raise NoticeFailed(f"{words[0]} took longer than {SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise NoticeFailed(f"{words[0]} failed with exit code {process.returncode}")
