"""Reading the limits on a schedule, and putting what was read into the State."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.connection import Connection
from tui.companion.merge import count_moved, has_moved_percent, is_outrun, merge, wants_credits
from tui.companion.records import Records
from tui.companion.schedule import back_off, jittered, poll_interval
from tui.companion.state import State, StateStore
from tui.concurrency import first_of
from tui.domain.ledger import SHOWS_LESS
from tui.domain.snapshot import Snapshot
from tui.errors import RateLimited, SourceError

UPGRADE_SECONDS: Final = 15.0
"""Between two looks for a preferred source, such as the daemon of a Codex that was started later."""

HISTORY_SECONDS: Final = 6 * 3600.0
"""Between two looks at the service's own history of resets, unless the bank shows less."""

_JUMP_SECONDS: Final = 30.0
"""The clock was set, or the machine slept, where it went so far ahead or back: waiting does not count that time."""

_LEAST_GAP: Final = 1.0
"""Seconds between two readings that a source's own hint asked for: thousands of hints a second make one reading."""


class Poller:
    """Reads the source in use; a failure keeps the last numbers and says why."""

    def __init__(
        self,
        store: StateStore,
        connection: Connection,
        records: Records,
        clock: Clock,
        *,
        random_share: Callable[[], float],
    ) -> None:
        self._store = store
        self._connection = connection
        self._records = records
        self._clock = clock
        self._random_share = random_share
        self._wake = asyncio.Event()
        self.least_interval = timedelta(0)
        """No good reading is followed by another any sooner; longer for an account that is out of sight."""
        self._credits_wanted = False
        self._failures = 0
        self._moved_at = self._next_at = clock.monotonic()
        self._has_lost = False
        """Whether a reset is gone of which the service's history was not heard yet, whoever spent it."""
        self._asks_history_at: float | None = None
        """When the history is due; None for a command that ends, which asks only where the bank shows less."""
        self._before = store.state
        store.listen(self._on_state)

    def refresh(self) -> None:
        """Read now instead of at the next turn, the single credits too."""
        self._credits_wanted = True
        self._wake.set()

    def wake(self) -> None:
        """Read now instead of at the next turn."""
        self._wake.set()

    async def follow(self) -> None:
        """Poll until cancelled."""
        await self._records.show()
        self._asks_history_at = self._clock.monotonic()
        while True:
            await self.poll()
            await self._wait()

    async def follow_upgrades(self) -> None:
        """Change to a preferred source once it is usable, and read after a sleep of the machine; until cancelled."""
        while True:
            wall, started = self._clock.now(), self._clock.monotonic()
            await self._clock.sleep(UPGRADE_SECONDS)
            passed = (self._clock.now() - wall).total_seconds()
            if abs(passed - (self._clock.monotonic() - started)) > _JUMP_SECONDS:
                self.wake()  # what is shown is older than the wait for the next turn knows
            if not self._connection.lock.locked():
                async with self._connection.lock:
                    if await self._connection.upgrade():
                        self.refresh()

    async def poll(self) -> None:
        """Read once and publish what came of it."""
        self._wake.clear()
        known = self._store.state.snapshot
        with_credits = self._credits_wanted or wants_credits(known, self._clock.now())
        async with self._connection.lock:
            try:
                fresh = await self._read(with_credits=with_credits)
                if not with_credits and count_moved(known, fresh):
                    fresh = await self._read(with_credits=True)
            except SourceError as error:
                self._show_failure(error)
                return
            self._credits_wanted = False
            self._plan(self._show(fresh))
            shows_less = await self._keep(fresh)
        is_due = self._asks_history_at is not None and self._clock.monotonic() >= self._asks_history_at
        if shows_less or is_due or self._has_lost:
            await self._witness()

    async def _witness(self) -> None:
        """Hear the service's own history: the bank tells that a reset is gone, the history tells when."""
        self._has_lost = False
        if self._asks_history_at is not None:
            self._asks_history_at = self._clock.monotonic() + HISTORY_SECONDS
        account = self._store.state.account_key
        history = await self._connection.reset_history()
        snapshot = self._store.state.snapshot
        if history is not None and snapshot is not None and snapshot.account.key == account:
            await self._records.witness(snapshot, history)

    async def read(self) -> Snapshot:
        """Read afresh, single credits included, for whoever holds the connection's lock.

        Raises:
            SourceError: The limits could not be read.
        """
        snapshot = await self._read(with_credits=True)
        self._show(snapshot)
        await self._keep(snapshot)
        return snapshot

    async def _read(self, *, with_credits: bool) -> Snapshot:
        """Ask; once more where a session's own file showed more meanwhile: else the old answer looks like a reset."""
        asked = self._store.state.snapshot
        fresh = await self._connection.read(with_credits=with_credits)
        if is_outrun(asked, self._store.state.snapshot, fresh):
            fresh = await self._connection.read(with_credits=with_credits)
        return fresh

    def _show(self, fresh: Snapshot) -> Snapshot:
        snapshot = merge(self._store.state.snapshot, fresh)
        self._failures = 0
        link = self._store.state.link.healthy(self._connection.source_name)
        self._store.update(snapshot=snapshot, link=link)
        return snapshot

    async def _keep(self, fresh: Snapshot) -> bool:
        """Write a reading down; whether it shows that a reset may have been spent elsewhere."""
        return any(event.kind in SHOWS_LESS for event in await self._records.observe(fresh))

    def _on_state(self, state: State) -> None:
        """Note when the meter moves, and when any process sees a reset gone."""
        before, self._before = self._before, state
        if before.open_spend is not None and state.open_spend is None:
            self._has_lost = True  # a spend of ours is over: the history confirms it
        if state.recent is not before.recent and before.snapshot is not None:
            new = (line for line in state.recent if line not in before.recent)
            self._has_lost = self._has_lost or any(line.kind in SHOWS_LESS for line in new)
        fresh = state.snapshot
        if fresh is not None and fresh is not before.snapshot and has_moved_percent(before.snapshot, fresh):
            self._moved_at = self._clock.monotonic()

    def _show_failure(self, error: SourceError) -> None:
        self._failures += 1
        retry_after = error.retry_after if isinstance(error, RateLimited) else None
        interval = back_off(self._failures, retry_after)
        why = str(error)
        if isinstance(error, RateLimited) and self._asks_history_at is not None:  # else a command ends with it
            why = f"{error.message}; resetbank waits and asks again by itself"
        link = self._store.state.link.failing(why, self._clock.now(), interval)
        self._store.update(link=link)
        self._next_at = self._clock.monotonic() + interval.total_seconds()

    def _plan(self, snapshot: Snapshot) -> None:
        """Say when to read next."""
        now, moment = self._clock.now(), self._clock.monotonic()
        at_rest = timedelta(seconds=moment - self._moved_at)
        pace = max(self.least_interval, poll_interval(snapshot, at_rest, now))
        interval = jittered(pace, self._random_share())
        self._store.update(link=replace(self._store.state.link, interval=interval, next_poll_at=now + interval))
        self._next_at = moment + interval.total_seconds()

    async def _wait(self) -> None:
        """Wait for the next turn, for a refresh, or for the source's hint that something changed."""
        started = self._clock.monotonic()
        hint = asyncio.ensure_future(self._connection.changed())
        await first_of(self._clock.sleep(self._next_at - started), self._wake.wait(), hint)
        if not hint.cancelled() and not self._wake.is_set():
            await self._clock.sleep(_LEAST_GAP - (self._clock.monotonic() - started))
