"""Waiting for what a rollout feed sees, in the feed's own way."""

import asyncio
import threading
from collections.abc import Callable

from tests.sources.following import DEADLINE, Following
from tests.support.clocks import ManualClock
from tui.domain.sessions import SessionState
from tui.sources.rollouts import POLL, RolloutFeed


async def ticking(clock: ManualClock, seen: Following, condition: Callable[[], bool]) -> None:
    """Let the polling clock tick until something is seen."""
    waiting = asyncio.create_task(seen.until(condition))
    while not waiting.done():
        await clock.until_sleeping(1)
        clock.advance(POLL)
        await asyncio.wait({waiting}, timeout=0.01)
    await waiting


async def see(feed: RolloutFeed, clock: ManualClock, seen: Following, condition: Callable[[], bool]) -> None:
    """Wait in the feed's own way: for the kernel's events, or for the polling clock."""
    if feed._watch is None:
        await ticking(clock, seen, condition)
    else:
        await seen.until(condition)


async def watching(feed: RolloutFeed) -> None:
    """Wait until the kernel's watches stand, where they are wanted."""
    async with asyncio.timeout(DEADLINE):
        while feed._watch is not None and not feed._watching:
            await asyncio.to_thread(threading.Event().wait, 0.01)


def state(seen: Following, thread: str) -> SessionState | None:
    session = seen.sessions.get(thread)
    return None if session is None else session.state
