"""A demo at work: its companion over the embedded service, while a test lets time pass."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.clocks import ManualClock
from tests.support.waiting import deadline
from tui.assembly import SourceOptions, open_companion
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.paths import resetbank_paths
from tui.settings import Settings


@asynccontextmanager
async def running_demo(scenario: str, clock: ManualClock, folder: Path) -> AsyncIterator[Companion]:
    """The demo of a scenario, which watches its sessions and asks, until the block ends."""
    options = SourceOptions("stub", folder, None, scenario)
    paths = resetbank_paths(folder)
    demo = open_companion(options, Settings(), paths, front_end="a test", clock=clock, watches=True, asks=True)
    running = asyncio.create_task(demo.run())
    try:
        yield demo
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await demo.aclose()


async def until(demo: Companion, holds: Callable[[State], bool]) -> State:
    """Let time pass until it holds."""
    clock = demo.clock
    assert isinstance(clock, ManualClock)
    async with deadline():
        while not holds(demo.state):
            clock.advance(0.25)
            await asyncio.to_thread(lambda: None)
    return demo.state
