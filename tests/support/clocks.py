"""A clock that a test owns: time stands still until the test moves it."""

import asyncio
import heapq
import math
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from tests.support.waiting import DEADLINE

START: Final = datetime(2026, 11, 23, 14, 7, 31, tzinfo=UTC)
"""The moment of the screens in the design."""


class ManualClock:
    """Implements `tui.clock.Clock`; to be used from one event loop's thread."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), wake))
        for wanted, watcher in self._watchers:
            if self.sleepers >= wanted and not watcher.done():
                watcher.set_result(None)
        await wake

    @property
    def sleepers(self) -> int:
        """How many wait for time to pass; a cancelled sleep counts no more."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    @property
    def next_wake(self) -> float | None:
        """Seconds until the first sleeper is due; None while nobody sleeps."""
        due = [at for at, _, wake in self._sleepers if not wake.done()]
        return min(due) - self._monotonic if due else None

    async def until_sleeping(self, sleepers: int = 1, deadline: float = DEADLINE) -> None:
        """Wait until so many sleep, so that an `advance` cannot come too early."""
        if self.sleepers >= sleepers:
            return
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((sleepers, watcher))
        try:
            for _ in range(math.ceil(deadline)):  # a machine that stands still as a whole costs one look
                if (await asyncio.wait([watcher], timeout=min(1.0, deadline)))[0]:
                    return
            raise TimeoutError(f"not so many sleepers within {deadline:g} s: {sleepers}")
        finally:
            self._watchers.remove((sleepers, watcher))

    def advance(self, seconds: float) -> None:
        """Let time pass and wake everyone who is due, earliest first."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            _, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock alone, as a user or a time server does; nobody wakes."""
        self._now = now
