"""The rollout feed: every thread of Codex on this machine, seen through the files that it writes.

Passive: it reads. What can be live is read at once, the rest of the last days afterwards, and then only what is added.
Files are polled: a third of the cost of the kernel's events, and no watch that a network share or a limit can break.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Final

from tui.clock import Clock
from tui.concurrency import in_loose_thread
from tui.domain.sessions import IDLE_KEPT, STOPPED_KEPT, SessionUpdate
from tui.sources.codex_home import CodexHome
from tui.sources.rollout_files import RolloutFiles

POLL: Final = 0.12
"""Seconds between two looks at the files of sessions at work, and so what a new line waits at most."""
REST: Final = 1.0
"""Seconds between two looks at all known files and for new ones; at work or not."""
ALL_DAYS_EVERY: Final = 30
"""One of so many looks takes in all days: an old thread may have been taken up again."""
_RECENT_DAYS: Final = 3
_MOST_DAYS_AHEAD: Final = 100
_FILES_A_PIECE: Final = 16


class RolloutFeed:
    """What the rollouts of one CODEX_HOME say, which may come and go; a `tui.sources.base.SessionFeed`."""

    def __init__(self, home: CodexHome, clock: Clock, poll: float = POLL, rest: float = REST) -> None:
        self._clock = clock
        self._poll, self._rest = poll, rest
        self._files = RolloutFiles(home.path / "sessions", clock, home.pays_plan)
        self._caught_up = asyncio.Event()
        self._stop = threading.Event()

    async def caught_up(self) -> None:
        """Return once what can be live was yielded; see `SessionFeed.caught_up`."""
        await self._caught_up.wait()

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        """Every change as it is found; never ends by itself. To be called once."""
        steps, over = self._follow(), list[SessionUpdate]()
        try:
            while not self._stop.is_set():
                found = await in_loose_thread(next, steps, over)
                if found is None:
                    self._caught_up.set()
                    continue
                for update in found:
                    yield update
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """End the following; waits for nothing. Fine to call twice."""
        self._stop.set()

    def _follow(self) -> Iterator[list[SessionUpdate] | None]:
        """Blocking: what was found, piece by piece; None once what can be live was read."""
        yield from self._read(self._unread(self._recent_days(), IDLE_KEPT))
        yield None
        backlog = list(self._files.days())
        days = list(self._recent_days())
        looks, rested = 0, 0.0
        while not self._stop.is_set():
            is_rested = rested >= self._rest
            yield from self._read(self._files.stale(hot=not is_rested))
            if is_rested:
                looks, rested = looks + 1, 0.0
                days = list(self._recent_days())
                if looks % ALL_DAYS_EVERY == 0:
                    backlog = list(self._files.days())
            yield from self._read(self._unread(days, IDLE_KEPT, anew=False))
            if backlog:
                yield from self._read(self._unread([backlog.pop(0)], STOPPED_KEPT))
            else:
                pause = self._poll if self._files.any_hot else self._rest
                self._stop.wait(pause)
                rested += pause

    def _recent_days(self) -> Iterator[str]:
        """The folders of the last days, and those dated ahead of this machine's clock, which hide none of them."""
        tomorrow = f"{self._clock.now() + timedelta(days=2):%Y/%m/%d}"
        yield from (day for day in islice(self._files.days(), _MOST_DAYS_AHEAD) if self._files.date_of(day) > tomorrow)
        yield from islice((day for day in self._files.days() if self._files.date_of(day) <= tomorrow), _RECENT_DAYS)

    def _unread(self, days: Iterable[str], keep: timedelta, *, anew: bool = True) -> list[str]:
        oldest = (self._clock.now() - keep).timestamp()
        found = [found for day in days for found in self._files.listing(day, anew=anew)]
        fresh = [file for file in found if file.modified_at >= oldest and not self._files.is_read(file)]
        return [file.path for file in sorted(fresh, key=lambda file: file.modified_at, reverse=True)]

    def _read(self, paths: list[str]) -> Iterator[list[SessionUpdate]]:
        """Read files, a bounded piece at a time."""
        waiting = list(dict.fromkeys(paths))
        while waiting and not self._stop.is_set():
            updates: list[SessionUpdate] = []
            for path in waiting[:_FILES_A_PIECE]:
                added = self._files.read(path)
                updates += added.updates
                if added.more:
                    break
                waiting.remove(path)
            if updates:
                yield updates
