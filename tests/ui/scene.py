"""The real companion over a scripted source and a database in memory, brought to whatever State a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from msgspec.structs import replace

from tests.companion.inviting import ScriptedReferrals
from tests.companion.scripted import ScriptedDaemon
from tests.support.clocks import ManualClock
from tests.ui.states import KEY
from tui.companion import ledger_lines
from tui.companion.companion import Companion
from tui.companion.connection import SourceChain
from tui.companion.locks import AccountLocks
from tui.companion.records import Tables
from tui.companion.spend_driver import PAUSES
from tui.companion.state import State
from tui.domain.account_state import AccountState
from tui.domain.invites import InviteRecord, InviteState
from tui.domain.ledger import Event
from tui.domain.referral import OfferAnswer, OfferStatus
from tui.domain.snapshot import Snapshot
from tui.domain.spend import ConsumeAnswer, ConsumeCode, ConsumeRequest, Spend
from tui.errors import SourceDown
from tui.sources.base import Source
from tui.store.database import Database

RESET = ConsumeAnswer(ConsumeCode.RESET)
PROCESS = "this process"


class HastyClock(ManualClock):
    """The test's time; the pauses between two tries of a spend are over at once."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds > PAUSES[-1]:
            await self._clock.sleep(seconds)


class SceneSource(ScriptedDaemon):
    """Reads what stands there; after a spend it reads something else."""

    def __init__(self, clock: ManualClock, after: Snapshot | Exception | None) -> None:
        super().__init__(clock)
        self.reading = SourceDown("nothing was read yet")
        self.after = after
        """What is read once a spend has arrived; None: no change."""
        self.held: asyncio.Event | None = None
        """What the answer to a spend waits for."""

    async def read(self, *, with_credits: bool) -> Snapshot:
        self.reads.append(with_credits)
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    async def consume(self, request: ConsumeRequest) -> ConsumeAnswer:
        if not self.answers:
            self.answers.append(RESET)
        if self.held is not None:
            self.requests.append(request)
            await self.held.wait()
            self.requests.pop()
        try:
            return await super().consume(request)
        finally:
            self.reading = self.stamped(self.after) if self.after is not None else self.reading

    def stamped(self, reading: Snapshot | Exception) -> Snapshot | Exception:
        """A reading as of now."""
        if isinstance(reading, Exception):
            return reading
        return replace(reading, provenance=replace(reading.provenance, observed_at=self.clock.now()))


class SceneChain(SourceChain):
    """Hands the source out, and has nothing to say about others."""

    def __init__(self, source: SceneSource) -> None:
        self._source = source

    async def open(self) -> Source:
        return self._source


class Scene:
    """A companion whose long tasks stand still: only what the screen asks of it happens."""

    def __init__(
        self,
        state: State,
        clock: ManualClock,
        after: Snapshot | Exception | None = None,
        ledger: tuple[Event, ...] | None = None,
    ) -> None:
        self.clock = clock
        self.source = SceneSource(clock, after)
        self.service = ScriptedReferrals(clock)
        self.tables = Tables(Database(None), AccountLocks(None))
        self.tables.events.record(state.recent if ledger is None else ledger)
        self.keys = (KEY if number == 0 else f"{KEY[:-2]}{number:02d}" for number in count())
        self.new_key: Callable[[], str] = lambda: next(self.keys)
        self.companion = Companion(
            chain=SceneChain(self.source),
            tables=self.tables,
            referrals=lambda: self.service,
            clock=HastyClock(clock),
            holder="the test",
            new_key=lambda: self.new_key(),
            random_share=lambda: 0.5,
            near_percent=state.near_percent,
            demo=state.demo,
            asks=True,
            process=PROCESS,
            names=(state.account_name,),
        )
        self.publish(state)

    @property
    def state(self) -> State:
        return self.companion.state

    def publish(self, state: State) -> None:
        """Bring the companion to this State: what it shows, what is written down, and what would be read now."""
        snapshot, account = state.snapshot, state.account_key
        if snapshot is not None and snapshot != self.state.snapshot:
            self.source.reading, self.source.name = snapshot, snapshot.provenance.source  # type: ignore[assignment]
        if account is not None:
            self.tables.accounts.change(account, lambda before: _in_hand(before, state))
        spend = state.open_spend
        if spend is not None and self.tables.spends.find(spend.key) is None:
            self.tables.spends.begin(spend, "the test", ledger_lines.consented(spend))
        if state.invites != self.state.invites:
            state = replace(state, invites=self._programme(state))
        names = set(State.__struct_fields__) - {"demo", "near_percent", "account_name", "codex_home"}
        changes: dict[str, Any] = {name: getattr(state, name) for name in names}
        self.companion.store.update(**changes)

    def _programme(self, state: State) -> InviteState:
        """Bring the referral programme, and what is written down of it, to what is to be shown."""
        shown = state.invites
        if shown.status is OfferStatus.UNREACHABLE:
            self.service.offered = SourceDown(shown.reason or "no connection")
        elif shown.status is not OfferStatus.UNREAD:
            self.service.offered = OfferAnswer(shown.status, shown.offer, shown.reason, shown.unknowns)
        listed = [record.tracked for record in reversed(shown.records) if record.tracked is not None]
        self.service.rows = {tracked.id: tracked for tracked in listed}
        account = shown.account or state.account_key
        if account is not None:
            self.tables.invites.change(account, lambda _: (shown.records, ()))
        return replace(shown, account=account)

    async def connected(self) -> Companion:
        """The companion, its source open where something was read."""
        if self.state.snapshot is not None:
            await self.companion.connection.source()
        return self.companion

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Let it read on its schedule and on request, and nothing else by itself."""
        task = asyncio.create_task(self.companion.run(frozenset({"limits"})))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def stir(self) -> None:
        """Publish a State that differs in nothing to be seen."""
        link = self.state.link
        since = (link.failing_since or self.clock.now()) + timedelta(seconds=1)  # shown where it fails, alone
        self.companion.store.update(link=replace(link, failing_since=since))

    def break_disk(self, *, broken: bool = True) -> None:
        """Let the database refuse to be written to."""
        with self.tables.database.reading() as connection:
            connection.execute(f"PRAGMA query_only = {int(broken)}")

    @property
    def spends(self) -> list[ConsumeRequest]:
        """Every spend that arrived at the service."""
        return self.source.requests

    @property
    def spent(self) -> tuple[Spend, ...]:
        """Every spend that was written down."""
        return self.tables.spends.every()

    @property
    def invites(self) -> tuple[InviteRecord, ...]:
        """Every invite that is written down for the account."""
        return self.tables.invites.records("acc1")

    @property
    def in_hand(self) -> AccountState:
        """What is written down for the account."""
        return self.tables.accounts.read("acc1")

    @property
    def is_closed(self) -> bool:
        """Whether the companion let its database go."""
        try:
            self.tables.events.events(1)
        except Exception:
            return True
        return False


def _in_hand(before: AccountState, state: State) -> AccountState:
    queued = state.queued
    return replace(
        before,
        queued=queued,
        queue_owner=PROCESS if queued is not None else None,
        waiting=state.waiting,
        announcement=state.announcement,
        resumes=state.resumes,
    )
