"""Knowing the offer and every invite: what is written down here, and what the service tells of it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import invite_receipts as receipts
from tui.companion.concurrency import first_of
from tui.companion.invite_book import Bookkeeper
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.invite_tracking import SETTLING, fold_tracking
from tui.domain.invites import InviteRecord
from tui.domain.ledger import Event
from tui.domain.referral import OfferStatus
from tui.domain.snapshot import Account, Snapshot
from tui.errors import RateLimited, SourceError, StoreError
from tui.sources.base import Referrals

LOOK_EVERY: Final = timedelta(minutes=30)
"""Between two looks at the list of invites while one is pending and nobody looks at the panel."""


class InviteReader:
    """Reads the offer and the list of invites, and keeps what was learnt."""

    def __init__(
        self,
        store: StateStore,
        records: Records,
        service: Referrals,
        clock: Clock,
        *,
        new_key: Callable[[], str],
    ) -> None:
        """Begin with nothing read.

        Args:
            store: The account in use, and where invites are shown.
            records: Where invites are written down; without a database none can be sent.
            service: The referral programme, or what stands in for it where nobody may be asked.
            clock: The time.
            new_key: Makes a UUIDv4.
        """
        self._store = store
        self._clock = clock
        self._service = service
        self._new_key = new_key
        self._book = Bookkeeper(store, records, clock)
        self._source_lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tried_at: datetime | None = None
        self._left_alone: tuple[datetime, datetime] | None = None
        self._earned: frozenset[str] | None = None
        self._last_account = records.last_account
        self._looks = 0
        self._looked_for: str | None = None
        self._seen: Snapshot | None = None
        store.listen(self._on_state)
        self._on_state(store.state)

    async def follow(self) -> None:
        """Look now and then while something is pending, and when a reset has arrived; until cancelled."""
        while True:
            self._wake.clear()
            with contextlib.suppress(StoreError):  # said by State.store_failure
                await self.load()
            if self._is_due():
                await self._look_once()
            due = self._next_look()
            if due is None:
                await self._wake.wait()
            else:
                left = due - self._clock.now()
                pause = left if left > timedelta(0) else SETTLING  # the database could not be used
                await first_of(self._wake.wait(), self._clock.sleep(pause.total_seconds()))

    def _on_state(self, state: State) -> None:
        if state.snapshot is not None and state.snapshot is not self._seen:
            self._seen = state.snapshot
            self.apply(state.snapshot)

    def apply(self, snapshot: Snapshot) -> None:
        """A reading came; a reset that a friend is named for may be an invite's reward."""
        self._turn_to(snapshot.account)
        if snapshot.bank.credits is not None:
            earned = frozenset(credit.id for credit in snapshot.bank.credits if credit.is_earned)
            if self._earned is not None and earned - self._earned:
                self._tried_at = None
            self._earned = earned
        if not self._book.has_loaded(snapshot.account) or self._tried_at is None:
            self._wake.set()

    async def load(self) -> None:
        """Show what is written down of the account's invites, and match what the bank holds by now.

        Raises:
            StoreError: The database cannot be used.
        """
        account = self._account()
        if account is not None:
            self._turn_to(account)
            await self._book.load(account)

    def _turn_to(self, account: Account) -> None:
        if self._book.turn_to(account):
            self._tried_at, self._left_alone, self._earned = None, None, None

    async def look(self) -> None:
        """Read the offer and the list of invites; what cannot be read is said, and what was known stays.

        Whoever looks while somebody is looking gets what that one sees, and nobody looks while told to wait.
        """
        await self._look_once()
        self._wake.set()  # what was found may be worth following

    async def _look_once(self) -> None:
        looks = self._looks
        async with self._source_lock:
            if looks != self._looks and self._looked_for == self._store.state.account_key:
                return
            try:
                await self._look(afresh=True)
            except StoreError as error:
                self._store.update(store_failure=str(error))

    async def _look(self, *, afresh: bool = False) -> None:
        account = self._account()
        self._looked_for = self._store.state.account_key
        try:
            if account is None:
                await self._recall()
            else:
                await self._read(account, afresh)
        finally:
            self._looks += 1

    async def _read(self, account: Account, afresh: bool) -> None:
        self._turn_to(account)
        now = self._clock.now()
        is_left_alone = self._left_alone is not None and self._left_alone[0] <= now < self._left_alone[1]
        if not is_left_alone:
            self._tried_at, self._left_alone = now, None  # first: what fails below is not tried again at once
        await self._book.load(account, afresh=afresh)
        if is_left_alone:
            return
        self._book.publish(account, reading=True)
        try:
            await self._ask(account)
        finally:
            self._book.publish(account, reading=False)

    async def _ask(self, account: Account) -> None:
        try:
            told = await self._service.offer(account)
        except SourceError as error:
            self._heed(error)
            self._book.publish(account, standing=OfferStatus.UNREACHABLE, reason=str(error))
            return
        self._book.publish_offer(account, told)
        if told.offer is None:
            return
        now = self._clock.now()  # what is sent while the list is read may be missing from it
        try:
            tracking = await self._service.tracking(account)
        except SourceError as error:
            self._heed(error)
            unread = f"the list of invites could not be read: {error.message}"
            self._book.publish(account, unknowns=(*told.unknowns, unread))
            return

        def fold(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            folded, changes = fold_tracking(records, tracking, account.key, now, self._new_key)
            matched, events = self._book.matched(folded)
            return matched, (*receipts.of_changes(changes, now), *events)

        await self._book.learn(account, fold)
        self._book.publish(account, listed_at=now, unknowns=(*told.unknowns, *tracking.unknowns))

    async def _recall(self) -> None:
        """Nothing can be read: show what is written down of the account that was read last."""
        remembered = await in_thread(self._last_account)
        if (account := self._account()) is not None:  # a reading has come meanwhile
            await self._read(account, afresh=True)
            return
        is_failing = self._store.state.link.failure is not None
        reason = "the limits cannot be read" if is_failing else "the limits have not been read yet"
        reason += ", so nothing is asked about invites"
        if remembered is not None:
            self._turn_to(remembered)
            await self._book.load(remembered, afresh=True)
            reason += f"; these are the invites of {remembered.email or remembered.key}, as last known"
        if self._account() is None:
            book = self._store.state.invites
            self._store.update(invites=replace(book, standing=OfferStatus.UNREACHABLE, reason=reason))

    def _is_due(self) -> bool:
        due = self._next_look()
        return due is not None and self._clock.now() >= due

    def _next_look(self) -> datetime | None:
        """When it is time to look without anybody asking: only where something pending is known."""
        records, now = self._store.state.invites.records, self._clock.now()
        if self._account() is None or not any(record.is_followed(now) for record in records):
            return None
        if self._tried_at is None or now < self._tried_at:
            return now
        doubtful = any(record.is_in_fresh_doubt(now) for record in records)
        due = self._tried_at + (SETTLING if doubtful else LOOK_EVERY)
        return max(due, self._left_alone[1]) if self._left_alone else due

    def _heed(self, error: SourceError) -> None:
        if isinstance(error, RateLimited) and error.retry_after is not None:
            now = self._clock.now()
            self._left_alone = now, now + timedelta(seconds=error.retry_after)

    def _account(self) -> Account | None:
        snapshot = self._store.state.snapshot
        return snapshot.account if snapshot else None

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._service.aclose()
