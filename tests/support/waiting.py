"""Waiting for a condition, with a deadline."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

DEADLINE = 90.0
"""Seconds that any wait may take: only a failure ever takes so long, and a busy machine must not be one."""
_BETWEEN = 0.02
_QUICK_LOOKS = 50
"""Looks until what is waited for counts as another process's work, which needs the processor."""
_UNREST = 5.0
"""Seconds after which a thread counts as stuck, as some tests want it to be."""


class Patience:
    """A deadline that a machine which stands still as a whole does not use up: a look counts a second at most."""

    def __init__(self, seconds: float = DEADLINE) -> None:
        self._left = seconds
        self._at = perf_counter()

    @property
    def is_over(self) -> bool:
        """Whether the time is up; to be asked once a look."""
        now = perf_counter()
        self._left -= min(now - self._at, 1.0)
        self._at = now
        return self._left < 0


@asynccontextmanager
async def deadline() -> AsyncIterator[None]:
    """End the block with `TimeoutError` when a `Patience` is over."""
    patience, loop = Patience(), asyncio.get_running_loop()
    following: asyncio.Handle

    def look() -> None:
        nonlocal following
        if patience.is_over:
            limit.reschedule(loop.time())
        else:
            following = loop.call_later(_BETWEEN * 10, look)

    async with asyncio.timeout(None) as limit:
        following = loop.call_soon(look)
        try:
            yield
        finally:
            following.cancel()


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
    patience = Patience()
    looks = 0
    while not condition():
        if patience.is_over:
            raise AssertionError(f"not within {DEADLINE:g} s: {condition}")
        looks += 1
        await asyncio.to_thread(_wait_for_work, patient=looks > _QUICK_LOOKS)


async def rest() -> None:
    """Return when the loop has nothing to do and no thread works for it: then only time brings anything new.

    A test that owns the clock lets it go on from there. However busy the machine is, the clock runs ahead of nobody.
    """
    ends = perf_counter() + _UNREST
    await asyncio.to_thread(lambda: None)
    while not _rests() and perf_counter() < ends:
        await asyncio.to_thread(_wait_for_work)


def _rests() -> bool:
    loop: Any = asyncio.get_running_loop()
    return not _at_work() and not loop._ready  # in this order: a thread that ends leaves something to be done


def _at_work() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "resetbank"]


def _wait_for_work(*, patient: bool = False) -> None:
    """Leave the processor to a thread of ours until it ends, as it may wait for the disk; or, patient, to others."""
    if at_work := [thread for thread in _at_work() if thread.is_alive()]:  # not one that is only being started
        at_work[0].join(_BETWEEN)
    elif patient:
        threading.Event().wait(_BETWEEN / 4)
