"""Waiting for a condition, with a deadline."""

import asyncio
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

DEADLINE = 90.0
"""Seconds that any wait may take: only a failure ever takes so long, and a busy machine must not be one."""
_BETWEEN = 0.02
_UNREST = 0.25
"""Seconds after which a thread counts as stuck, as some tests want it to be."""


def wait_until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Ask until it holds; for conditions that no message announces."""
    pause = threading.Event()
    for _ in range(int(deadline / _BETWEEN)):
        if condition():
            return
        pause.wait(_BETWEEN)
    raise AssertionError(f"not within {deadline:g} s: {condition}")


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop and its threads work until it holds; for conditions that no message announces."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.to_thread(lambda: None)


async def rest() -> None:
    """Return when the loop has nothing to do and no thread works for it: then only time brings anything new.

    A test that owns the clock lets it go on from there. However busy the machine is, the clock runs ahead of nobody.
    """
    ends = perf_counter() + _UNREST
    await asyncio.to_thread(lambda: None)
    while not _rests() and perf_counter() < ends:
        await asyncio.to_thread(lambda: None)


def _rests() -> bool:
    loop: Any = asyncio.get_running_loop()
    return not loop._ready and not any(thread.name == "resetbank" for thread in threading.enumerate())
