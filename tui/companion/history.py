"""Keeps every reading, and says what is to be expected of the account in use.

What is called blocking raises `StoreError` where the database cannot be used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.clock import Clock, LocalZone
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.foresight import LEAD, Foresight
from tui.domain.limit_stops import at_work
from tui.domain.outlook import Outlook, look_ahead
from tui.domain.reading import reading_of
from tui.domain.snapshot import Account, Snapshot
from tui.domain.took import Turn, turns
from tui.errors import StoreError

if TYPE_CHECKING:
    from tui.domain.pictures import Pictures
    from tui.domain.reading import Costs, PastPeriod, PastReadings
    from tui.store.readings import Readings

SETTLING_SECONDS: Final = 2.0
"""The past is loaded so long after the first reading, so that the first screen does not wait for it."""

EVALUATE_SECONDS: Final = 60.0
"""Between two looks ahead where only time has passed."""

LOADED: Final = 84 * 86400.0
"""So much of the past is loaded."""

THIN_SECONDS: Final = 86400.0


class HistoryService(Follower):
    """Follows the readings of the account in use."""

    def __init__(
        self,
        store: StateStore,
        records: Records,
        clock: Clock,
        past: "PastReadings | None" = None,
        periods: "Callable[[], Awaitable[tuple[PastPeriod, ...] | None]] | None" = None,
        lead: float = LEAD,
    ) -> None:
        """Load nothing yet; `past` reads rollouts, `periods` asks the service for what it remembers.

        A warning looks `lead` seconds ahead.
        """
        super().__init__(store, records, clock)
        self._readings = records.tables.readings if records.tables else None
        self._past = past
        self._periods = periods
        self._account: str | None = None
        self._lead = lead
        self._foresight = Foresight(lead=lead)
        self._seen: Snapshot | None = None
        self._thinned_at: float | None = None
        self._filling: asyncio.Task[None] | None = None
        self.has_looked_back = False
        """Whether the past of the account in use was taken in, as far as it can be had."""

    async def follow(self) -> None:
        """Keep readings and look ahead, until cancelled."""
        try:
            await super().follow()
        finally:
            await self._stop_filling()

    def _is_news(self, before: State, state: State) -> bool:
        return state.snapshot is not self._seen or state.costs is not before.costs

    async def _look(self) -> float:
        await self.evaluate()
        return EVALUATE_SECONDS

    async def evaluate(self) -> None:
        """Take in the newest reading and look ahead."""
        snapshot = self._store.state.snapshot
        if snapshot is None:
            return
        if snapshot.account.key != self._account:
            self._store.update(outlook=None)  # what was expected of another account
            await self._clock.sleep(SETTLING_SECONDS)
            await self._begin(snapshot)
        if self._filling is not None and self._filling.done():
            filling, self._filling = self._filling, None
            await filling  # what nobody foresaw is said as any task's
        if snapshot is not self._seen:
            self._seen = snapshot
            await self._take(snapshot)
        now = max(self._clock.now().timestamp(), snapshot.provenance.observed_at.timestamp())
        outlook = await in_thread(look_ahead, self._foresight, now, *self._at_hand(snapshot))
        self._store.update(outlook=outlook)
        await self._thin(now)

    def _at_hand(self, snapshot: Snapshot) -> "tuple[tuple[Turn, ...], Costs | None]":
        """The sessions that work, or were stopped, and what the service said that they took."""
        costs = self._store.state.costs
        own = costs if costs is not None and costs.account == snapshot.account.key else None
        return turns(self._store.state.sessions, snapshot, self._clock.now()), own

    async def look_once(self) -> Outlook:
        """The outlook for a command that ends, from what was kept and what was just read."""
        snapshot, now = self._store.state.snapshot, self._clock.now()
        assert snapshot is not None
        parts = self._readings, snapshot, minutes_east(now), now.timestamp()
        return await in_thread(outlook_once, *parts, *self._at_hand(snapshot))

    async def pictures(self) -> "Pictures":
        """The readings of the last four weeks, summed up for drawing."""
        from tui.domain.pictures import draw

        return await in_thread(draw, self._foresight.record, self._clock.now().timestamp())

    async def _begin(self, snapshot: Snapshot) -> None:
        """Load the past of an account, and look beside that for more of it on the disk."""
        self._account = snapshot.account.key
        await self._stop_filling()
        await self._recall(snapshot)
        if self._readings is not None and (self._past is not None or self._periods is not None):
            self._filling = asyncio.create_task(self._look_back(snapshot))

    async def _look_back(self, snapshot: Snapshot) -> None:
        """Take in the past: what lies on the disk first, then what only the service remembers."""
        self.has_looked_back = False
        if self._past is not None:
            await self._fill(snapshot, self._past)
        if self._periods is not None:
            with suppress(StoreError):  # said by State.store_failure, and asked for again at the next start
                await self._ask_back(snapshot.account.key, self._periods)
        self.has_looked_back = True

    async def _ask_back(self, account: str, ask: "Callable[[], Awaitable[tuple[PastPeriod, ...] | None]]") -> None:
        """Ask the service for past windows, once for each account."""
        readings, name = self._readings, f"past windows of {account}"
        if readings is None or await in_thread(readings.is_imported, name, 1, 1.0):
            return
        if (periods := await ask()) is not None and self._account == account:
            await in_thread(readings.add_periods, account, periods)
            await in_thread(readings.note_import, name, 1, 1.0)

    async def _recall(self, snapshot: Snapshot) -> None:
        readings, offset = self._readings, minutes_east(snapshot.provenance.observed_at)
        self._foresight = Foresight(offset, self._lead)
        if readings is not None:
            since = self._clock.now().timestamp() - LOADED
            with suppress(StoreError):  # said by State.store_failure; the outlook begins with what is read from now on
                self._foresight = await in_thread(recall, readings, snapshot.account.key, offset, since, self._lead)

    async def _fill(self, snapshot: Snapshot, past: "PastReadings") -> None:
        """Read what lies on the disk, showing how far that is; stopped after any file, the next start goes on there."""
        readings, loop, stopped = self._readings, asyncio.get_running_loop(), False
        if readings is None:
            return

        def show(done: float) -> bool:
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                loop.call_soon_threadsafe(lambda: None if stopped else self._store.update(past_read=round(done, 2)))
            return not stopped

        work = asyncio.ensure_future(in_thread(fill, readings, snapshot.account, past, show))
        try:
            if await asyncio.shield(work):
                await self._recall(snapshot)
        except asyncio.CancelledError:
            stopped = True
            await asyncio.wait([work])
            raise
        except StoreError:  # said by State.store_failure, and gone on with at the next start
            pass
        finally:
            stopped = True
            self._store.update(past_read=None)
            self._wake.set()

    async def _stop_filling(self) -> None:
        filling, self._filling = self._filling, None
        if filling is not None:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)

    async def _take(self, snapshot: Snapshot) -> None:
        state, now = self._store.state, self._clock.now()
        running = len(at_work(state.sessions, now)) if state.watches_sessions else None
        with suppress(StoreError):  # said by State.store_failure
            await in_thread(learn, self._foresight, self._readings, snapshot, running)

    async def _thin(self, now: float) -> None:
        readings = self._readings
        if readings is None or (self._thinned_at is not None and now - self._thinned_at < THIN_SECONDS):
            return
        self._thinned_at = now
        try:
            await in_thread(readings.thin, now)
        except StoreError:
            self._thinned_at = None


def minutes_east(at: datetime) -> int:
    """How far local time is ahead of Greenwich at a moment."""
    offset = LocalZone().utcoffset(at.astimezone())
    return 0 if offset is None else round(offset.total_seconds() / 60)


def recall(readings: "Readings", account: str, offset: int, since: float, lead: float = LEAD) -> Foresight:
    """What the kept readings of an account since a moment teach, so many minutes east of Greenwich. Blocking."""
    foresight = Foresight(offset, lead)
    foresight.recall(readings.load(account, since))
    return foresight


def learn(foresight: Foresight, readings: "Readings | None", snapshot: Snapshot, running: int | None = None) -> None:
    """Take in a reading with the sessions at work, and then keep it where there is a database. Blocking."""
    if snapshot.main_limit is not None:
        foresight.add(reading_of(snapshot, snapshot.main_limit, running))
    if readings is not None:
        for limit in snapshot.limits:
            reading = reading_of(snapshot, limit, running)
            readings.save(snapshot.account.key, snapshot.provenance.source, reading, limit.limit_id)


def outlook_once(
    readings: "Readings | None",
    snapshot: Snapshot,
    offset: int,
    now: float,
    under_way: tuple[Turn, ...] = (),
    costs: "Costs | None" = None,
) -> Outlook:
    """The outlook for a command that ends; the reading is kept too, where that can be done. Blocking."""
    account = snapshot.account.key
    foresight = Foresight(offset) if readings is None else recall(readings, account, offset, now - LOADED)
    learn(foresight, readings, snapshot)
    return look_ahead(foresight, max(now, snapshot.provenance.observed_at.timestamp()), under_way, costs)


def fill(
    readings: "Readings", account: Account, past: "PastReadings", goes_on: Callable[[float], bool] = lambda done: True
) -> int:
    """Put what lies on the disk into the history, and say how many rows were new. Blocking.

    `goes_on` gets the share that is read after each file; its False ends it, and the next call goes on there.
    """
    new = 0

    def name(path: str) -> str:
        return f"{path} for {account.key}"  # a file that is left out for one account is another's own

    for file in past(account, lambda path, size, modified: readings.is_imported(name(path), size, modified)):
        new += readings.add_past(account.key, "rollout", file.readings) if file.readings else 0
        readings.note_import(name(file.path), file.size, file.modified)
        if not goes_on(file.done):
            break
    return new
