"""The whole companion in this process, beside the real Codex CLI."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.support.stub_process import StubProcess
from tests.support.waiting import deadline
from tui.assembly import SourceOptions, open_companion
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.sessions import SessionState
from tui.paths import resetbank_paths
from tui.settings import Settings


class Attended:
    """A running companion, and waiting for what it publishes."""

    def __init__(self, companion: Companion) -> None:
        self.companion = companion
        self._news = asyncio.Event()
        companion.listen(lambda _: self._news.set())

    @property
    def state(self) -> State:
        return self.companion.state

    async def until(self, holds: Callable[[State], bool]) -> State:
        async with deadline():
            while not holds(self.state):
                await self._news.wait()
                self._news.clear()
        return self.state


@asynccontextmanager
async def attended(stub: StubProcess, source: str) -> AsyncIterator[Attended]:
    """The companion as the screen has it, with a source and its sessions, until the block ends."""
    base_url = stub.url if source == "http" else None
    options = SourceOptions(source, stub.codex_home, base_url)
    companion = open_companion(options, Settings(), resetbank_paths(), front_end="the test", watches=True, asks=True)
    running = Attended(companion)
    task = asyncio.create_task(companion.run())
    try:
        await running.until(lambda state: state.snapshot is not None)
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await companion.aclose()


def stopped(state: State, thread: str) -> bool:
    session = state.sessions.get(thread)
    return session is not None and session.state is SessionState.STOPPED_AT_LIMIT
