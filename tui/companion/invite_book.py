"""One account's book of invites: what is written down of it, and what the State shows of it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import invite_receipts as receipts
from tui.companion.records import Records
from tui.companion.state import StateStore
from tui.concurrency import in_thread
from tui.domain.invite_rewards import with_rewards
from tui.domain.invites import InviteBook, InviteRecord, newest_first
from tui.domain.ledger import Event
from tui.domain.referral import OfferAnswer
from tui.domain.snapshot import Account
from tui.errors import StoreError
from tui.store.invites import Step


class Bookkeeper:
    """Keeps the book of the account in use; what comes late for another account is written, and not shown.

    Args:
        store: Where invites are shown.
        records: Where they are written down.
        clock: The time.
    """

    def __init__(self, store: StateStore, records: Records, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._invites = records.invites
        self._write_lock = asyncio.Lock()  # what is shown is never older than what is written
        self._loaded: str | None = None

    def is_of(self, account: Account) -> bool:
        """Whether it is that account's book that is shown."""
        return self._store.state.invites.account == account.key

    def has_loaded(self, account: Account) -> bool:
        """Whether what is written down of the account's invites is shown."""
        return self._loaded == account.key

    def turn_to(self, account: Account) -> bool:
        """Open the account's book; nothing of another account's stays in sight.

        Returns:
            Whether it was another's before.
        """
        if self.is_of(account):
            return False
        self._loaded = None
        self._store.update(invites=InviteBook(account=account.key))
        return True

    async def load(self, account: Account, *, afresh: bool = False) -> None:
        """Show what is written down, and match what the bank holds by now.

        Args:
            account: Whose.
            afresh: Whether it is read again, since another process may have written since.

        Raises:
            StoreError: The database cannot be used.
        """
        if self._invites is not None and (afresh or not self.has_loaded(account)):
            async with self._write_lock:
                records = await in_thread(self._invites.records, account.key)
                self.publish(account, records=records, is_loaded=True)
        if self.is_of(account):
            self._loaded = account.key
            records = self._store.state.invites.records
            if self.matched(records)[0] != records:
                await self.learn(account, self.matched)

    async def learn(self, account: Account, step: Step) -> None:
        """Take in what was told; without a database for as long as this process lives.

        Raises:
            StoreError: The database cannot be used.
        """
        if self._invites is not None:
            await self.write(account, step)
        elif self.is_of(account):
            records, _ = step(self._store.state.invites.records)
            self.publish(account, records=newest_first(records), is_loaded=True)

    async def write(self, account: Account, step: Step) -> None:
        """Change what is written down by a step, and show it.

        Raises:
            StoreError: It could not be written down.
        """
        if self._invites is None:
            failure = self._store.state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is sent: {failure}")
        async with self._write_lock:
            try:
                records = await in_thread(self._invites.change, account.key, step)
            except asyncio.CancelledError:
                self._loaded = None  # it may be written, and is not shown
                raise
            self.publish(account, records=records)
        await self._records.show()

    async def end(
        self,
        account: Account,
        record: InviteRecord,
        outcome: Callable[[InviteRecord], InviteRecord],
        receipt: Callable[[InviteRecord, datetime], Event],
    ) -> InviteRecord:
        """Write an outcome down; where that fails it is shown all the same, and the list settles it another time."""
        ended, now = outcome(record), self._clock.now()

        def step(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            nonlocal ended
            known = record_of(records, record.key)
            ended = outcome(known or record)
            return with_record(records, ended), () if ended == known else (receipt(ended, now),)

        try:
            await self.write(account, step)
        except StoreError as error:
            shown = with_record(self._store.state.invites.records, ended)
            self.publish(account, records=newest_first(shown))
            self._store.update(store_failure=str(error))
        return ended

    def matched(self, records: tuple[InviteRecord, ...]) -> tuple[tuple[InviteRecord, ...], tuple[Event, ...]]:
        """The records with the resets that came for them, and the ledger's lines about those; a step."""
        snapshot = self._store.state.snapshot
        matched = with_rewards(records, snapshot.bank.credits if snapshot else None)
        return matched, receipts.rewarded(records, matched, self._clock.now())

    def find(self, key: str) -> InviteRecord | None:
        """A record as it is shown."""
        return record_of(self._store.state.invites.records, key)

    def publish_offer(self, account: Account, told: OfferAnswer) -> None:
        """Show what the service offers now."""
        now, unknowns = self._clock.now(), told.unknowns
        self.publish(
            account, standing=told.standing, offer=told.offer, reason=told.reason, read_at=now, unknowns=unknowns
        )

    def publish(self, account: Account, **changes: Any) -> None:
        """Put changes into an account's book, if that is still the one in sight."""
        if self.is_of(account):
            self._store.update(invites=replace(self._store.state.invites, **changes))


def record_of(records: Iterable[InviteRecord], key: str) -> InviteRecord | None:
    """The record of that key."""
    return next((record for record in records if record.key == key), None)


def with_record(records: Iterable[InviteRecord], changed: InviteRecord) -> list[InviteRecord]:
    """The records with one of them changed, or added."""
    return [*(record for record in records if record.key != changed.key), changed]
