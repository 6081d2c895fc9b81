"""One account's book of invites: what is written down of it, and what the State shows of it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import invite_receipts as receipts
from tui.companion.concurrency import in_thread
from tui.companion.state import State
from tui.domain.invite_rewards import with_rewards
from tui.domain.invites import InviteBook, InviteRecord, newest_first
from tui.domain.ledger import Event
from tui.domain.referral import OfferAnswer
from tui.domain.snapshot import Account
from tui.errors import StoreError
from tui.store.invites import Invites, Step


class Hands(Protocol):
    """What is needed of the companion."""

    @property
    def state(self) -> State:
        """The newest State."""
        ...

    def publish(self, **changes: Any) -> None:
        """Put changes into the State and tell of it."""
        ...

    async def remember(self) -> None:
        """Show the newest lines of the ledger."""
        ...


class Bookkeeper:
    """Keeps the book of the account in use; what comes late for another account is written, and not shown.

    Args:
        hands: The companion.
        clock: The time.
        invites: Where invites are written down; None where that cannot be done.
    """

    def __init__(self, hands: Hands, clock: Clock, invites: Invites | None) -> None:
        self._hands = hands
        self._clock = clock
        self._invites = invites
        self._pen = asyncio.Lock()  # what is shown is never older than what is written
        self._loaded: str | None = None

    def is_of(self, account: Account) -> bool:
        """Whether it is that account's book that is shown."""
        return self._hands.state.invites.account == account.key

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
        self._hands.publish(invites=InviteBook(account=account.key))
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
            async with self._pen:
                records = await in_thread(self._invites.records, account.key)
                self.publish(account, records=records, is_loaded=True)
        if self.is_of(account):
            self._loaded = account.key
            records = self._hands.state.invites.records
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
            records, _ = step(self._hands.state.invites.records)
            self.publish(account, records=newest_first(records), is_loaded=True)

    async def write(self, account: Account, step: Step) -> None:
        """Change what is written down by a step, and show it.

        Raises:
            StoreError: It could not be written down.
        """
        if self._invites is None:
            failure = self._hands.state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is sent: {failure}")
        async with self._pen:
            try:
                records = await in_thread(self._invites.change, account.key, step)
            except asyncio.CancelledError:
                self._loaded = None  # it may be written, and is not shown
                raise
            self.publish(account, records=records)
        await self._hands.remember()

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
            shown = with_record(self._hands.state.invites.records, ended)
            self.publish(account, records=newest_first(shown))
            self._hands.publish(store_failure=str(error))
        return ended

    def matched(self, records: tuple[InviteRecord, ...]) -> tuple[tuple[InviteRecord, ...], tuple[Event, ...]]:
        """The records with the resets that came for them, and the ledger's lines about those; a step."""
        snapshot = self._hands.state.snapshot
        matched = with_rewards(records, snapshot.bank.credits if snapshot else None)
        return matched, receipts.rewarded(records, matched, self._clock.now())

    def find(self, key: str) -> InviteRecord | None:
        """A record as it is shown."""
        return record_of(self._hands.state.invites.records, key)

    def publish_offer(self, account: Account, told: OfferAnswer) -> None:
        """Show what the service offers now."""
        now, unknowns = self._clock.now(), told.unknowns
        self.publish(
            account, standing=told.standing, offer=told.offer, reason=told.reason, read_at=now, unknowns=unknowns
        )

    def publish(self, account: Account, **changes: Any) -> None:
        """Put changes into an account's book, if that is still the one in sight."""
        if self.is_of(account):
            self._hands.publish(invites=replace(self._hands.state.invites, **changes))


def record_of(records: Iterable[InviteRecord], key: str) -> InviteRecord | None:
    """The record of that key."""
    return next((record for record in records if record.key == key), None)


def with_record(records: Iterable[InviteRecord], changed: InviteRecord) -> list[InviteRecord]:
    """The records with one of them changed, or added."""
    return [*(record for record in records if record.key != changed.key), changed]
