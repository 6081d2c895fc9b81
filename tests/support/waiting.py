"""Waiting for a condition, with a deadline."""

import asyncio
import threading
from collections.abc import Callable

DEADLINE = 90.0
"""Seconds that any wait may take: only a failure ever takes so long, and a busy machine must not be one."""
_BETWEEN = 0.02


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
