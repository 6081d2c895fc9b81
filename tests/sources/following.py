"""A feed being followed: its sightings gathered and folded, to be waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from tests.support.waiting import deadline
from tui.domain.sessions import Session, SessionState, SessionUpdate, merge_update
from tui.sources.base import SessionFeed


class Following:
    def __init__(self) -> None:
        self.updates: list[SessionUpdate] = []
        self.sessions: Mapping[str, Session] = {}
        self.ended: BaseException | None = None
        self._news = asyncio.Condition()

    async def follow(self, feed: SessionFeed) -> None:
        try:
            async for update in feed.updates():
                await self.add(update)
        except Exception as error:
            self.ended = error
            async with self._news:
                self._news.notify_all()

    async def add(self, update: SessionUpdate) -> None:
        async with self._news:
            self.updates.append(update)
            self.sessions = merge_update(self.sessions, update)
            self._news.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with deadline(), self._news:
                await self._news.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"never seen; sessions: {self.sessions}, ended by {self.ended!r}") from None

    async def until_state(self, state: SessionState, thread: str | None = None) -> Session:
        """Wait until a thread, or the only one, is in that state."""

        def found() -> list[Session]:
            return [s for s in self.sessions.values() if s.state is state and thread in (None, s.thread_id)]

        await self.until(lambda: bool(found()))
        return found()[0]


def state(seen: Following, thread: str) -> SessionState | None:
    session = seen.sessions.get(thread)
    return None if session is None else session.state


@asynccontextmanager
async def following(*feeds: SessionFeed) -> AsyncIterator[Following]:
    """Follow feeds until the block ends."""
    seen = Following()
    tasks = [asyncio.create_task(seen.follow(feed)) for feed in feeds]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for feed in feeds:
            await feed.aclose()
