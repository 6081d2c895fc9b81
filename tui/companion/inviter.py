"""Inviting friends: the offer, each invite on its way to its reward, and sending one with consent.

Sending is like spending. One consent sends one request; it is written down before, and whatever ends the process in
between, the next one looks into the service's list instead of sending again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from tui.clock import Clock
from tui.companion import invite_receipts as receipts
from tui.companion.addresses import parse_address
from tui.companion.concurrency import first_of, in_thread
from tui.companion.state import State
from tui.domain.credits import Credit
from tui.domain.invite_rewards import is_earned, with_rewards
from tui.domain.invite_tracking import SETTLING, fold_tracking
from tui.domain.invites import (
    InviteBook,
    InviteRecord,
    Resend,
    ResendStage,
    SendStage,
    accepted,
    address_refusal,
    begun,
    noted,
    refused,
    unanswered,
)
from tui.domain.ledger import Event
from tui.domain.referral import InviteRequest, Offer, Standing, usable_link
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected, InviteUnknown, SourceError, StoreError, UsageError
from tui.sources.base import Referrals
from tui.store.invites import Invites, Step

LOOK_EVERY: Final = timedelta(minutes=30)
"""Between two looks at the list of invites while one is pending and nobody looks at the panel."""


class Hands(Protocol):
    """What the inviter needs of the companion."""

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


class Inviter:
    """Takes part in the referral programme for one person."""

    def __init__(
        self,
        hands: Hands,
        clock: Clock,
        service: Referrals,
        invites: Invites | None,
        *,
        new_key: Callable[[], str],
    ) -> None:
        """Begin with nothing read.

        Args:
            hands: The companion.
            clock: The time.
            service: The referral programme, or what stands in for it where nobody may be asked.
            invites: Where invites are written down; None where that cannot be done: then none can be sent.
            new_key: Makes a UUIDv4.
        """
        self._hands = hands
        self._clock = clock
        self._service = service
        self._invites = invites
        self._new_key = new_key
        self._line = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._loaded: str | None = None
        self._tried_at: datetime | None = None
        self._earned: frozenset[str] | None = None

    async def follow(self) -> None:
        """Look now and then while something is pending, and when a reset has arrived; until cancelled."""
        while True:
            self._stirred.clear()
            with contextlib.suppress(StoreError):  # said by State.store_failure
                await self.load()
                if self._is_due():
                    await self.look()
            await first_of(self._stirred.wait(), self._clock.sleep(self._pause.total_seconds()))

    def take(self, snapshot: Snapshot) -> None:
        """A reading came; a reset that a friend is named for may be an invite's reward."""
        if snapshot.bank.credits is not None:
            earned = frozenset(credit.id for credit in snapshot.bank.credits if is_earned(credit))
            if self._earned is not None and earned - self._earned:
                self._tried_at = None
            self._earned = earned
        if self._loaded != snapshot.account.key or self._tried_at is None:
            self._stirred.set()

    async def load(self) -> None:
        """Show what is written down of the account's invites, and match what the bank holds by now.

        Raises:
            StoreError: The database cannot be used.
        """
        account = self._account()
        if account is None or self._invites is None:
            return
        if self._loaded != account.key:
            records = await in_thread(self._invites.records, account.key)
            self._hands.publish(invites=InviteBook(records=records))  # nothing of another account's stays
            self._loaded = account.key
        records = self._hands.state.invites.records
        if with_rewards(records, self._credits()) != records:
            await self._write(account, self._matched)

    async def look(self) -> None:
        """Read the offer and the list of invites; what cannot be read is said, and what was known stays.

        Raises:
            StoreError: The database cannot be used.
        """
        async with self._line:
            await self._look()

    async def _look(self) -> None:
        account = self._account()
        self._tried_at = self._clock.now()
        if account is None:
            self._publish(standing=Standing.UNREACHABLE, reason="whose invites they are is not known yet")
            return
        await self.load()
        self._publish(reading=True)
        try:
            told = await self._service.offer(account.id)
        except SourceError as error:
            self._publish(standing=Standing.UNREACHABLE, reason=str(error))
            return
        finally:
            self._publish(reading=False)
        now = self._clock.now()
        self._publish(standing=told.standing, offer=told.offer, reason=told.reason, read_at=now, unknowns=told.unknowns)
        if told.offer is None:
            return
        try:
            tracking = await self._service.tracking(account.id)
        except SourceError as error:
            unread = f"the list of invites could not be read: {error.message}"
            self._publish(unknowns=(*told.unknowns, unread))
            return
        now = self._clock.now()

        def fold(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            folded, changes = fold_tracking(records, tracking, account.key, now, self._new_key)
            matched, events = self._matched(folded)
            return matched, (*receipts.of_changes(changes, now), *events)

        if self._invites is not None:
            await self._write(account, fold)
        else:
            records, _ = fold(self._hands.state.invites.records)
            self._publish(records=tuple(records))
        self._publish(listed_at=now, unknowns=(*told.unknowns, *tracking.unknowns))

    def check(self, text: str) -> str:
        """Check an address for its form and against the invites that are known.

        Returns:
            The address in its normal form.

        Raises:
            UsageError: Why no invite can go there.
        """
        address = parse_address(text)
        self._refuse(address, self._hands.state.invites.records)
        return address

    async def invite(self, address: str, consent: ConsentKind, offer: Offer) -> InviteRecord:
        """Send one invite on one consent.

        Args:
            address: Where to; as `check` wrote it.
            consent: How it was consented to.
            offer: The offer that consent was given to.

        Returns:
            The invite as it stands then: sent, refused, or its outcome unknown or lost.

        Raises:
            InviteRejected: The offer is no longer what it was; nothing was written down or sent.
            UsageError: No invite can go to that address.
            StoreError: It could not be written down; nothing was sent.
            SourceError: Whose invite it would be is not known.
        """
        async with self._line:
            account = self._require_account()
            await self._require_offer(offer, account)
            record = begun(address, account.key, consent, self._new_key(), self._clock.now())

            def begin(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
                self._refuse(address, records)  # once more: another process may have been faster
                return (*records, record), (receipts.consented(record, record.written_at),)

            await self._write(account, begin)
            try:
                answer = await self._service.invite(InviteRequest(address, offer.program, account.id))
            except InviteRejected as error:
                record = refused(record, str(error))
            except InviteUnknown as error:
                record = unanswered(record, str(error))
            else:
                record = accepted(record, answer)
            await self._replace(account, record, receipts.of_stage)
            with contextlib.suppress(StoreError):
                await self._look()
        return self._find(record.key) or record

    async def resend(self, key: str) -> InviteRecord:
        """Have an invite's e-mail sent once more, on one consent.

        Args:
            key: The invite's.

        Returns:
            The invite; its `resend` tells what became of it.

        Raises:
            UsageError: It cannot be sent again now.
            StoreError: It could not be written down; nothing was sent.
            SourceError: Whose invite it is is not known.
        """
        async with self._line:
            account, now = self._require_account(), self._clock.now()
            record = self._find(key)

            def begin(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
                nonlocal record
                record = next((known for known in records if known.key == key), None)
                if record is None or record.referral_id is None:
                    raise UsageError("the service does not list that invite", "read the list again")
                if (why := record.resend_refusal(now)) is not None:
                    raise UsageError(f"its e-mail cannot be sent again: {why}")
                record = replace(record, resend=Resend(ResendStage.SENDING, now))
                return _with(records, record), (receipts.of_resend(record, now),)

            await self._write(account, begin)
            assert record is not None
            assert record.referral_id is not None
            try:
                await self._service.resend(record.referral_id, account.id)
            except InviteRejected as error:
                resend = Resend(ResendStage.REFUSED, now, str(error))
            except InviteUnknown as error:
                resend = Resend(ResendStage.UNKNOWN, now, str(error))
            else:
                resend = Resend(ResendStage.SENT, now)
            record = replace(record, resend=resend)
            await self._replace(account, record, receipts.of_resend)
            with contextlib.suppress(StoreError):
                await self._look()
        return self._find(key) or record

    async def note(self, address: str, link: str | None) -> InviteRecord:
        """Write down an invite that was made elsewhere; nothing is sent.

        Raises:
            UsageError: That address is invited already, or the link cannot be handed on.
            StoreError: It could not be written down.
            SourceError: Whose invite it is is not known.
        """
        if link is not None and usable_link(link) is None:
            raise UsageError("that is no link to hand on", "paste the whole link, beginning with https://")
        account, now = self._require_account(), self._clock.now()
        record = noted(address, account.key, link, self._new_key(), now)

        def add(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            self._refuse(address, records)
            if any(known.stage is SendStage.NOTED and known.address == address for known in records):
                raise UsageError("an invite to that address is noted already")
            return (*records, record), (receipts.of_stage(record, now),)

        await self._write(account, add)
        return record

    async def forget(self, key: str) -> None:
        """Delete an invite that only this machine knows of, with its address.

        Raises:
            UsageError: The service lists it, or its outcome is not known yet.
            StoreError: The database cannot be used.
            SourceError: Whose invite it is is not known.
        """
        account, now = self._require_account(), self._clock.now()

        def drop(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            gone = [record for record in records if record.key == key]
            if not all(record.can_be_forgotten for record in gone):
                raise UsageError("the service lists that invite; it cannot be forgotten here")
            return [r for r in records if r.key != key], [receipts.forgotten(record, now) for record in gone]

        await self._write(account, drop)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._service.aclose()

    def _is_due(self) -> bool:
        """Whether it is time to look without anybody asking: only where something pending is known."""
        book, now = self._hands.state.invites, self._clock.now()
        if not any(record.is_pending and (record.referral_id or record.is_open) for record in book.records):
            return False
        return self._tried_at is None or now - self._tried_at >= self._pause

    @property
    def _pause(self) -> timedelta:
        """Between two looks: short while whether something was sent is open, since a list can tell."""
        is_open = any(record.is_open for record in self._hands.state.invites.records)
        return SETTLING if is_open else LOOK_EVERY

    def _account(self) -> Account | None:
        snapshot = self._hands.state.snapshot
        return snapshot.account if snapshot else None

    def _require_account(self) -> Account:
        account = self._account()
        if account is None:
            raise SourceError("whose invite it is is not known yet", "wait for a reading of the limits")
        return account

    async def _require_offer(self, offer: Offer, account: Account) -> None:
        """Read the offer once more, just before sending: consent was given to that one."""
        try:
            told = await self._service.offer(account.id)
        except SourceError as error:
            raise InviteRejected(f"nothing was sent: {error.message}", error.hint) from error
        self._publish(standing=told.standing, offer=told.offer, reason=told.reason, read_at=self._clock.now())
        if told.standing is not Standing.OFFERED or told.offer is None:
            raise InviteRejected(f"nothing was sent: {told.reason or 'invites are not offered now'}")
        if told.offer.sends_left == 0:
            raise InviteRejected("nothing was sent: no invites are left")
        if told.offer.terms != offer.terms:
            raise InviteRejected("nothing was sent: the offer has changed", "look at it again")

    def _refuse(self, address: str, records: Iterable[InviteRecord]) -> None:
        account = self._account()
        why = address_refusal(address, account.email if account else None, records)
        if why is not None:
            raise UsageError(why, "nothing was sent")

    def _credits(self) -> tuple[Credit, ...] | None:
        snapshot = self._hands.state.snapshot
        return snapshot.bank.credits if snapshot else None

    def _matched(self, records: tuple[InviteRecord, ...]) -> tuple[tuple[InviteRecord, ...], tuple[Event, ...]]:
        matched = with_rewards(records, self._credits())
        return matched, receipts.rewarded(records, matched, self._clock.now())

    def _find(self, key: str) -> InviteRecord | None:
        return next((record for record in self._hands.state.invites.records if record.key == key), None)

    async def _replace(
        self, account: Account, record: InviteRecord, receipt: Callable[[InviteRecord, datetime], Event]
    ) -> None:
        event = receipt(record, self._clock.now())
        await self._write(account, lambda records: (_with(records, record), (event,)))

    async def _write(self, account: Account, step: Step) -> None:
        if self._invites is None:
            failure = self._hands.state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is sent: {failure}")
        self._publish(records=await in_thread(self._invites.change, account.key, step))
        self._loaded = account.key
        await self._hands.remember()

    def _publish(self, **changes: Any) -> None:
        self._hands.publish(invites=replace(self._hands.state.invites, **changes))


def _with(records: Iterable[InviteRecord], changed: InviteRecord) -> list[InviteRecord]:
    return [changed if record.key == changed.key else record for record in records]
