"""The rollout feed: every thread of Codex on this machine, seen through the files that it writes (wire.md 7).

Passive: it reads. What can be live is read at once, the rest of the last days afterwards, and then only what is added.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, Protocol, TypeVar

from tui.clock import Clock
from tui.domain.sessions import IDLE_KEPT, STOPPED_KEPT, SessionUpdate
from tui.sources.codex_home import CodexHome
from tui.sources.file_events import FileEvents
from tui.sources.rollout_files import RolloutFiles, thread_of
from tui.sources.side_thread import SideThread

POLL: Final = 1.0
"""Seconds between two looks where the kernel does not tell of changes, or there is no folder yet."""
CHECK: Final = 30.0
"""Seconds between two looks where it does, since it drops events when they flood."""
ALL_DAYS_EVERY: Final = 30
"""One of so many looks takes in all days: an old thread may have been taken up again unnoticed."""
_RECENT_DAYS: Final = 3
_FILES_A_PIECE: Final = 16

T = TypeVar("T")


class Watcher(Protocol):
    """What tells of changes; `FileEvents` is one."""

    watching: bool
    failed: bool

    def close(self) -> None:
        """End the watching."""
        ...


class RolloutFeed:
    """Sightings from the rollouts of one CODEX_HOME; implements `tui.sources.base.SessionFeed`.

    Args:
        home: The CODEX_HOME; it need not exist, and may come and go.
        clock: For pauses, and for what has no moment of its own.
        watch: Starts watching a folder: called with it, with what takes in changed paths in a thread of the watcher's
            own, and with what wakes the loop afterwards; None polls.
    """

    def __init__(self, home: CodexHome, clock: Clock, watch: Callable[..., Watcher] | None = FileEvents) -> None:
        self._folder = home.path / "sessions"
        self._clock = clock
        self._watch = watch
        self._files = RolloutFiles(self._folder)
        self._thread: SideThread | None = None
        self._watcher: Watcher | None = None
        self._stirred = asyncio.Event()
        self._rest: asyncio.Future[None] | None = None
        self._caught_up = asyncio.Event()
        self._reading = threading.Lock()
        self._found: deque[SessionUpdate] = deque()
        self._folders_changed = False

    async def caught_up(self) -> None:
        """Return once what can be live has been told; see `SessionFeed.caught_up`."""
        await self._caught_up.wait()

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        """Everything that is learnt, as it is learnt; never ends by itself. To be called once."""
        self._thread = SideThread("rollouts")
        try:
            while True:
                folder = await self._run(self._files.identity)
                if folder is not None:
                    async for update in self._one_folder(folder):
                        yield update
                self._caught_up.set()
                await self._pause(POLL)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Let go of threads and watches; waits for none of them. Fine to call twice."""
        self._unwatch()
        self._stop_resting()
        if self._thread is not None:
            self._thread.close()

    def _watch_again(self) -> None:
        """Begin to watch, unless that goes on already."""
        if self._watch is not None and (self._watcher is None or self._watcher.failed):
            self._unwatch()
            self._watcher = self._watch(self._folder, self._take_in, self._stirred.set)

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    async def _one_folder(self, folder: tuple[int, int]) -> AsyncIterator[SessionUpdate]:
        """Follow the folder until it is gone or another one takes its place."""
        async for update in self._look(IDLE_KEPT):
            yield update
        self._caught_up.set()
        self._watch_again()
        backlog = await self._run(self._all_days)
        watching = False
        looks = 0
        while True:
            rested = not backlog and not await self._pause(CHECK if watching else POLL)
            while self._found:
                yield self._found.popleft()
            watched_before, watching = watching, self._watching
            if watching != watched_before:
                self._stop_resting()
            folders_changed, self._folders_changed = self._folders_changed, False
            # When the watching begins or ends, something may have happened that nobody told of.
            if rested or folders_changed or watching != watched_before:
                if await self._run(self._files.identity) != folder:
                    break
                looks += 1
                async for update in self._look(IDLE_KEPT):
                    yield update
                if looks % ALL_DAYS_EVERY == 0:
                    backlog = await self._run(self._all_days)
                    self._watch_again()
            if backlog:
                day = backlog.pop(0)
                async for update in self._read(await self._run(partial(self._unread, [day], STOPPED_KEPT))):
                    yield update
        self._unwatch()
        async for update in self._read(self._files.followed):
            yield update

    def _all_days(self) -> list[str]:
        return list(self._files.days())

    @property
    def _watching(self) -> bool:
        return self._watcher is not None and self._watcher.watching

    def _take_in(self, changed: set[str]) -> None:
        """Read what the kernel told of, in the thread that heard it: one more hop would cost as much as the reading."""
        waiting = sorted(path for path in changed if thread_of(path) is not None)
        while waiting:
            with self._reading:
                updates, waiting = self._read_piece(waiting, self._clock.now())
            self._found.extend(updates)
        if any(_is_folder(path) for path in changed):
            self._folders_changed = True

    async def _run(self, piece: Callable[[], T]) -> T:
        def alone() -> T:
            with self._reading:
                return piece()

        assert self._thread is not None
        return await self._thread.run(alone)

    async def _pause(self, seconds: float) -> bool:
        """Wait; whether something stirred before the time was over."""
        if self._rest is None:
            self._rest = asyncio.ensure_future(self._clock.sleep(seconds))
            self._rest.add_done_callback(lambda _: self._stirred.set())
        await self._stirred.wait()
        self._stirred.clear()
        if not self._rest.done():
            return True  # the rest of the time counts for the next pause
        self._rest = None
        return False

    def _stop_resting(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    async def _look(self, keep: timedelta) -> AsyncIterator[SessionUpdate]:
        """Read what is new in the files that are known, and in those of the last days that may be live."""

        def find() -> list[str]:
            return [*self._files.stale(), *self._unread(islice(self._files.days(), _RECENT_DAYS), keep)]

        async for update in self._read(await self._run(find)):
            yield update

    def _unread(self, days: Iterable[str], keep: timedelta) -> list[str]:
        oldest = (self._clock.now() - keep).timestamp()
        found = [found for day in days for found in self._files.listing(day)]
        fresh = [file for file in found if file.modified_at >= oldest and not self._files.is_read(file)]
        return [file.path for file in sorted(fresh, key=lambda file: file.modified_at, reverse=True)]

    async def _read(self, paths: Iterable[str]) -> AsyncIterator[SessionUpdate]:
        waiting = list(dict.fromkeys(paths))
        while waiting:
            piece = partial(self._read_piece, waiting, self._clock.now())
            updates, waiting = await self._run(piece)
            for update in updates:
                yield update

    def _read_piece(self, paths: list[str], now: datetime) -> tuple[list[SessionUpdate], list[str]]:
        """Read a bounded piece; what is left to read comes back."""
        updates: list[SessionUpdate] = []
        for count, path in enumerate(paths):
            if count == _FILES_A_PIECE:
                return updates, paths[count:]
            added = self._files.read(path, now)
            updates += added.updates
            if added.more:
                return updates, paths[count:]
        return updates, []


def _is_folder(path: str) -> bool:
    name = path.rpartition(os.sep)[2]
    return name.isdigit() or name == "sessions"
