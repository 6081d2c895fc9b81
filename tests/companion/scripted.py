"""A source whose every answer the test decides, for what no real service does on demand: order and moment."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from tests.domain.worlds import FIVE_HOURS, WEEK, credit, snapshot, window
from tests.support.clocks import ManualClock
from tests.support.referrals import NO_REFERRALS
from tui.companion.companion import Companion
from tui.companion.connection import SourceChain
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.domain.sessions import SessionUpdate
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeRequest
from tui.errors import SourceDown, StoreError
from tui.sources.base import Referrals, Source, SourceName
from tui.store.database import Database

READING = snapshot(window(FIVE_HOURS, 95.0), window(WEEK, 40.0), rows=(credit("c1", 2), credit("c2", 20)))
AT_LIMIT = snapshot(window(FIVE_HOURS, 100.0), window(WEEK, 40.0), rows=READING.bank.credits, allowed=False)
CLEARED = snapshot(window(FIVE_HOURS, 0.0), window(WEEK, 0.0), rows=(credit("c2", 20),))


@asynccontextmanager
async def running(
    companion: Companion, clock: ManualClock, only: frozenset[str] | None = None, sleepers: int = 3
) -> AsyncIterator[None]:
    """Run the long tasks, all or only those named, from when so many sleep; close the companion afterwards."""
    task = asyncio.create_task(companion.run(only))
    await clock.until_sleeping(sleepers)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await companion.aclose()


class ScriptedSource:
    """Implements `tui.sources.base.Source`; an answer that is an exception is raised."""

    name: SourceName = "http"

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.reading: Snapshot | Exception = READING
        self.answers: deque[ConsumeAnswer | Exception | Callable[[], ConsumeAnswer]] = deque()
        self.reads: list[bool] = []
        """Whether each reading asked for rows."""
        self.requests: list[ConsumeRequest] = []
        self.hint = asyncio.Event()
        self.closed = 0
        self.reads_left: int | None = None
        """After so many readings it is down; None: it stays up."""

    async def read(self, *, with_credits: bool) -> Snapshot:
        self.reads.append(with_credits)
        if isinstance(self.reading, Exception):
            raise self.reading
        if self.reads_left is not None:
            self.reads_left -= 1
            if self.reads_left < 0:
                raise SourceDown("the service answered 503")
        now = self.clock.now()
        bank = self.reading.bank
        shown, read_at = (bank.credits, now) if with_credits else (None, None)
        bank = replace(bank, credits=shown, credits_observed_at=read_at)
        return replace(self.reading, provenance=replace(self.reading.provenance, observed_at=now), bank=bank)

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        self.requests.append(request)
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    async def changed(self) -> None:
        await self.hint.wait()
        self.hint.clear()

    async def aclose(self) -> None:
        self.closed += 1


class ScriptedChain(SourceChain):
    """Hands the source out, or fails."""

    def __init__(self, source: ScriptedSource) -> None:
        self.source = source
        self.failure: Exception | None = None
        self.better: ScriptedSource | None = None
        """A preferred source that has become usable."""
        self.opened = 0

    async def open(self) -> Source:
        self.opened += 1
        if self.failure is not None:
            raise self.failure
        return self.source

    async def upgrade(self, current: str) -> Source | None:
        better, self.better = self.better, None
        return better


class World:
    """A companion with a scripted source and a real database."""

    def __init__(
        self,
        clock: ManualClock,
        folder: Path | None,
        *,
        tables: Tables | StoreError | None = None,
        daemon: bool = False,
        process: str = "this process",
        asks: bool = True,
        looks_ahead: bool = False,
        referrals: Referrals = NO_REFERRALS,
        names: Sequence[str] = ("",),
    ) -> None:
        self.clock = clock
        self.daemon = ScriptedDaemon(clock)
        self.source = self.daemon if daemon else ScriptedSource(clock)
        self.feed = ScriptedFeed()
        self.chain = ScriptedChain(self.source)
        path = folder / "resetbank.db" if folder else None
        locks = AccountLocks(folder / "locks" if folder else None)
        self.tables = tables if isinstance(tables, Tables) else Tables(Database(path), locks)
        self.ledger = self.tables.events
        self.spends = self.tables.spends
        self.keys = iter(f"key-{number}" for number in range(1, 100))
        self.companion = Companion(
            chain=self.chain,
            tables=tables or self.tables,
            referrals=lambda: referrals,
            clock=clock,
            holder="the test",
            new_key=lambda: next(self.keys),
            random_share=lambda: 0.5,
            rollouts=lambda: self.feed,
            asks=asks,
            looks_ahead=looks_ahead,
            process=process,
            names=names,
        )


class ScriptedFeed:
    """A feed of sessions that tells what the test puts in; implements `tui.sources.base.SessionFeed`."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[SessionUpdate] = asyncio.Queue()

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        while True:
            yield await self.told.get()

    async def caught_up(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


class ScriptedDaemon(ScriptedSource):
    """A source that also sees sessions and hands messages on; implements `SessionFeed` and `CarriesOn` too."""

    name: SourceName = "daemon"

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.told: asyncio.Queue[SessionUpdate | None] = asyncio.Queue()
        """None ends the feed, as a daemon's death does."""
        self.messages: list[tuple[str, str]] = []
        self.refuses: Exception | None = None

    async def updates(self) -> AsyncIterator[SessionUpdate]:
        while (update := await self.told.get()) is not None:
            yield update
        raise SourceDown("the daemon has gone")

    async def caught_up(self) -> None:
        return None

    async def carry_on(self, thread_id: str, message: str, message_id: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.messages.append((thread_id, message))
