"""The companion: polls, folds what it learns into one frozen State, spends, and tells whoever listens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.attendant import Attendant
from tui.companion.books import Books
from tui.companion.carrier import Carrier
from tui.companion.concurrency import first_of, in_thread
from tui.companion.connection import Connection, SourceChain
from tui.companion.inviter import Inviter
from tui.companion.merge import count_moved, has_moved_percent, merge, wants_credits
from tui.companion.publisher import Publisher
from tui.companion.schedule import back_off, jittered, poll_interval
from tui.companion.spender import Spender, may_finish_unasked
from tui.companion.state import State
from tui.companion.watch import SessionWatch, with_limits
from tui.domain.account_state import AccountState
from tui.domain.credits import Credit
from tui.domain.ledger import Event
from tui.domain.question import AskRules
from tui.domain.queue import CarryOn
from tui.domain.sessions import SessionState, SessionUpdate
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Consent, Proposal, Spend, choose_credit, propose
from tui.domain.windows import NEAR_PERCENT
from tui.errors import NoCredit, RateLimited, ResetbankError, SourceError, SpendHeld, StoreError
from tui.sources.base import Referrals, SessionFeed

RECENT: Final = 8
"""How many of the newest ledger lines the State carries."""

_STOPPED: Final = (SessionState.STOPPED_AT_LIMIT, SessionState.STOPPED_BY_ERROR)

_LEAST_GAP: Final = timedelta(seconds=1)
"""Between two readings that a source's own hint asked for: thousands of hints a second make one reading."""


class Companion(Publisher):
    """The program without a screen."""

    def __init__(
        self,
        *,
        chain: SourceChain,
        books: Books | StoreError,
        referrals: Referrals,
        clock: Clock,
        holder: str,
        new_key: Callable[[], str],
        random_share: Callable[[], float],
        near_percent: float = NEAR_PERCENT,
        demo: str | None = None,
        rollouts: SessionFeed | None = None,
        rules: AskRules | None = None,
        message: str = "Continue where you left off.",
        asks: bool = False,
        instance: str | None = None,
    ) -> None:
        """Tie the parts together; nothing is read or sent yet.

        Args:
            chain: What picks a source.
            books: The database; or why it cannot be used: then everything can be seen and nothing spent.
            referrals: The referral programme, or what stands in for it where nobody may be asked.
            clock: The time.
            holder: What other processes are told while this one drives a spend.
            new_key: Makes a UUIDv4 for each consent.
            random_share: Gives numbers from 0 to 1, for jitter.
            near_percent: From which share on a window counts as near.
            demo: The scenario of the embedded stub, if that is the source.
            rollouts: The feed of sessions that is always there; None follows none.
            rules: When to ask.
            message: What an interrupted thread is told.
            asks: Whether anybody is there to be asked.
            instance: A name that no other process ever has; None takes the holder's.
        """
        failure = str(books) if isinstance(books, StoreError) else None
        super().__init__(State(demo=demo, near_percent=near_percent, store_failure=failure))
        self.clock = clock
        self._connection = Connection(chain)
        self._books = books if isinstance(books, Books) else None
        self._random_share = random_share
        self._refresh = asyncio.Event()
        self._line = asyncio.Lock()
        self._credits_wanted = False
        self._failures = 0
        self._last_movement = clock.now()
        self._last_finish: datetime | None = None
        self._stirred = asyncio.Event()
        self._watch = SessionWatch(rollouts, self._sighted, self._daemon_lost)
        carrier = Carrier(clock, message, self._connection.messenger, lambda step: self.attendant.change(step))
        self.attendant = Attendant(self, clock, rules or AskRules(), carrier, instance=instance or holder, asks=asks)
        invites = self._books.invites if self._books else None
        last_account = self._books.history.last_account if self._books else lambda: None
        self.inviter = Inviter(self, clock, referrals, invites, new_key=new_key, last_account=last_account)
        self._spender: Spender | None = None
        if self._books is not None:
            self._spender = Spender(
                self._connection,
                self._books.ledger,
                self._books.locks,
                clock,
                holder=holder,
                new_key=new_key,
                on_step=lambda spend: self.publish(open_spend=spend if spend.is_open else None),
                on_reading=self._take,
            )

    def refresh(self) -> None:
        """Read now instead of at the next turn, the single credits too."""
        self._credits_wanted = True
        self._refresh.set()

    async def run(self) -> None:
        """Poll and attend until cancelled."""
        await self.remember()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            group.create_task(self._attend())
            group.create_task(self.inviter.follow())
            while True:
                await self.poll()
                await self._finish_unasked()
                await self._wait(self._plan())

    async def _attend(self) -> None:
        """Let the attendant look whenever something stirred, and now and then for what only the clock changes."""
        while True:
            self._stirred.clear()  # first: what stirs while the attendant looks is looked at again
            if not self._line.locked():
                async with self._line:
                    if await self._connection.upgrade():
                        self._refresh.set()
            with contextlib.suppress(StoreError):  # said by State.store_failure; without a desk nothing is asked
                await self.attendant.consider()
            await first_of(self._stirred.wait(), self.clock.sleep(self.attendant.next_look))

    async def poll(self) -> None:
        """Read once and publish what came of it; a failure keeps the last numbers and says why."""
        self._refresh.clear()
        known = self._state.snapshot
        with_credits = self._credits_wanted or wants_credits(known, self.clock.now())
        async with self._line:
            try:
                fresh = await self._connection.read(with_credits=with_credits)
                if not with_credits and count_moved(known, fresh):
                    fresh = await self._connection.read(with_credits=True)
            except SourceError as error:
                self._failed(error)
                return
            self._credits_wanted = False
            self._take(fresh)
            await self._record(fresh)

    async def survey(self) -> None:
        """Read once and learn every live session, for commands that end again."""
        await self.poll()
        await self._watch.survey()

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """Read afresh and state what spending one reset would mean.

        Args:
            credit_id: The credit of the user's choice; None takes the soonest to lapse.

        Raises:
            StoreError: Nothing could be written down, so nothing may be spent.
            SpendHeld: A spend is open already.
            NoCredit: There is nothing to spend.
            SourceError: The limits could not be read.
        """
        self._require_spender()
        async with self._line:
            snapshot = await self._connection.read(with_credits=True)
            self._take(snapshot)
            await self._record(snapshot)
        if self._state.open_spend is not None:
            raise SpendHeld("a spend of this account is still open", "finish that one first")
        now = self.clock.now()
        selection = choose_credit(snapshot.bank, now, credit_id)
        if isinstance(selection, str):
            raise NoCredit(selection)
        assert selection is None or isinstance(selection, Credit)
        return propose(snapshot, now, selection)

    async def spend(self, proposal: Proposal, consent: Consent, carry_on: CarryOn = False) -> Spend:
        """Spend one reset on one consent; see `Spender.spend`.

        Args:
            proposal: What consent was given to.
            consent: The consent.
            carry_on: Whom to carry on once it is verified: threads, all that are stopped, or nobody.
        """
        stopped = self.attendant.stops()
        try:
            async with self._driving() as spender:
                spend = await spender.spend(proposal, consent)
        except ResetbankError:
            await self.attendant.nothing_was_spent()
            raise
        await self.attendant.after_spend(spend, carry_on, stopped)
        return spend

    async def finish(self) -> Spend | None:
        """Go on with the open spend of the account in use, with its own key; see `Spender.finish`.

        Raises:
            SourceError: The account could not be learnt.
        """
        async with self._driving() as spender:
            if self._state.snapshot is None:
                self._take(await self._connection.read(with_credits=True))
            assert self._state.snapshot is not None
            self._last_finish = self.clock.now()
            return await spender.finish(self._state.snapshot.account.key)

    async def events(self, limit: int | None = None) -> tuple[Event, ...]:
        """The newest lines of the ledger, oldest first; None gives all.

        Raises:
            StoreError: The database cannot be used.
        """
        return await in_thread(self._books.ledger.events, limit) if self._books else ()

    def acknowledge(self) -> None:
        """The announcement was seen."""
        self.publish(announcement=None)

    async def change_desk(self, step: Callable[[AccountState], AccountState]) -> AccountState:
        """Change the desk of the account in use, on the disk; without an account or a database it is an empty one.

        Raises:
            StoreError: The database cannot be used.
        """
        snapshot = self._state.snapshot
        if self._books is None or snapshot is None:
            return AccountState()
        return await in_thread(self._books.desks.change, snapshot.account.key, step)

    async def record(self, event: Event) -> None:
        """Put a line into the ledger and show it.

        Raises:
            StoreError: The database cannot be used.
        """
        if self._books is not None:
            await in_thread(self._books.ledger.record, [event])
            await self.remember()

    async def aclose(self) -> None:
        """Let the sources and the database go."""
        await self._watch.aclose()
        await self.inviter.aclose()
        await self._connection.aclose()
        if self._books is not None:
            self._books.ledger.close()

    def _require_spender(self) -> Spender:
        if self._spender is None:
            failure = self._state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is spent: {failure}")
        return self._spender

    @contextlib.asynccontextmanager
    async def _driving(self) -> AsyncIterator[Spender]:
        """Nothing else uses the connection while a spend is driven, and the State says so."""
        spender = self._require_spender()
        async with self._line:
            self.publish(spending=True)
            try:
                yield spender
            finally:
                self.publish(spending=False)
                await self.remember()

    def _take(self, fresh: Snapshot) -> None:
        previous = self._state.snapshot
        snapshot = merge(previous, fresh)
        if has_moved_percent(previous, snapshot):
            self._last_movement = snapshot.provenance.observed_at
        self._failures = 0
        link = self._state.link.healthy(self._connection.source_name, self._connection.statuses)
        self._watch.attend(self._connection.session_feed())
        self.publish(snapshot=snapshot, link=link, watches_sessions=self._watch.is_watching)
        self._stirred.set()
        self.inviter.take(snapshot)

    def _sighted(self, update: SessionUpdate) -> None:
        """A feed told something of a session, perhaps also newer numbers."""
        before = self._state.sessions.get(update.thread_id)
        sessions = self._watch.sessions
        moved = with_limits(self._state.snapshot, update)
        self.publish(sessions=sessions, snapshot=moved or self._state.snapshot)
        after = sessions.get(update.thread_id)
        if moved is not None:
            self._last_movement = update.seen_at
        if after is not None and after.state in _STOPPED and (before is None or before.state is not after.state):
            self._refresh.set()  # the service's own word on it, now
        self._stirred.set()

    def _daemon_lost(self) -> None:
        self.publish(sessions=self._watch.sessions)
        self._stirred.set()

    def _failed(self, error: SourceError) -> None:
        self._failures += 1
        retry_after = error.retry_after if isinstance(error, RateLimited) else None
        interval = back_off(self._failures, retry_after)
        link = self._state.link.failing(str(error), self.clock.now(), interval, self._connection.statuses)
        self.publish(link=link)

    async def _record(self, snapshot: Snapshot) -> None:
        """Put what changed by itself into the ledger."""
        if self._books is None:
            return
        try:
            await in_thread(self._books.history.fold, snapshot)
            await self.attendant.take_reading(snapshot)
            await self.remember(snapshot.account.key)
        except StoreError as error:
            self.publish(store_failure=str(error))
        else:
            if self._state.store_failure is not None:
                self.publish(store_failure=None)

    async def remember(self, account: str | None = None) -> None:
        """Show what the database knows: the open spend and the newest lines."""
        if self._books is None:
            return
        if account is None and self._state.snapshot is not None:
            account = self._state.snapshot.account.key
        ledger = self._books.ledger
        try:
            open_spend = await in_thread(ledger.open_spend, account)
            recent = await in_thread(ledger.events, RECENT)
        except StoreError as error:
            self.publish(store_failure=str(error))
            return
        self.publish(open_spend=open_spend, recent=recent)

    async def _finish_unasked(self) -> None:
        """Take up an open spend that a crash or an outage left behind."""
        state = self._state
        if state.link.failure or state.snapshot is None or state.open_spend is None or state.spending:
            return
        if state.open_spend.account.key != state.snapshot.account.key:
            return
        if not may_finish_unasked(state.open_spend, self.clock.now(), self._last_finish):
            return
        with contextlib.suppress(ResetbankError):  # held elsewhere, or down again: it stays open and on screen
            await self.finish()

    def _plan(self) -> timedelta:
        """When to read next."""
        state = self._state
        if state.link.failure is not None or state.snapshot is None:
            return state.link.interval or timedelta(0)
        now = self.clock.now()
        interval = jittered(poll_interval(state.snapshot, self._last_movement, now), self._random_share())
        self.publish(link=replace(state.link, interval=interval, next_poll_at=now + interval))
        return interval

    async def _wait(self, interval: timedelta) -> None:
        """Wait for the next turn, for a refresh, or for the source's hint that something changed."""
        started = self.clock.now()
        hint = asyncio.ensure_future(self._connection.changed())
        await first_of(self.clock.sleep(interval.total_seconds()), self._refresh.wait(), hint)
        if not hint.cancelled() and not self._refresh.is_set():
            await self.clock.sleep((_LEAST_GAP - (self.clock.now() - started)).total_seconds())
