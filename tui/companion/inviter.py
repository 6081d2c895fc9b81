"""Inviting friends: the offer, each invite on its way to its reward, and sending one with consent.

Sending is like spending. One consent sends one request; it is written down before, and whatever ends the process in
between, the next one looks into the service's list instead of sending again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tui.clock import Clock
from tui.companion import invite_receipts as receipts
from tui.companion.addresses import parse_address
from tui.companion.concurrency import first_of
from tui.companion.invite_book import Bookkeeper, Hands, with_record
from tui.domain.invite_tracking import SETTLING, fold_tracking
from tui.domain.invites import (
    InviteRecord,
    Resend,
    ResendStage,
    SendStage,
    accepted,
    address_refusal,
    begun,
    noted,
    offer_refusal,
    refused,
    resend_ended,
    same_address,
    unanswered,
)
from tui.domain.ledger import Event
from tui.domain.referral import InviteRequest, Offer, Standing, usable_link
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected, InviteUnknown, RateLimited, SourceError, StoreError, UsageError
from tui.sources.base import Referrals
from tui.store.invites import Invites

LOOK_EVERY: Final = timedelta(minutes=30)
"""Between two looks at the list of invites while one is pending and nobody looks at the panel."""


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
        self._new_key = new_key
        self._book = Bookkeeper(hands, clock, invites)
        self._line = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._tried_at: datetime | None = None
        self._told_to_wait = timedelta(0)
        self._earned: frozenset[str] | None = None

    async def follow(self) -> None:
        """Look now and then while something is pending, and when a reset has arrived; until cancelled."""
        while True:
            self._stirred.clear()
            with contextlib.suppress(StoreError):  # said by State.store_failure
                await self.load()
                if self._is_due():
                    await self.look()
            due = self._next_look()
            if due is None:
                await self._stirred.wait()
            else:
                left = due - self._clock.now()
                pause = left if left > timedelta(0) else SETTLING  # the database could not be used
                await first_of(self._stirred.wait(), self._clock.sleep(pause.total_seconds()))

    def take(self, snapshot: Snapshot) -> None:
        """A reading came; a reset that a friend is named for may be an invite's reward."""
        self._turn_to(snapshot.account)
        if snapshot.bank.credits is not None:
            earned = frozenset(credit.id for credit in snapshot.bank.credits if credit.is_earned)
            if self._earned is not None and earned - self._earned:
                self._tried_at = None
            self._earned = earned
        if not self._book.has_loaded(snapshot.account) or self._tried_at is None:
            self._stirred.set()

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
            self._tried_at, self._told_to_wait, self._earned = None, timedelta(0), None

    async def look(self) -> None:
        """Read the offer and the list of invites; what cannot be read is said, and what was known stays.

        Raises:
            StoreError: The database cannot be used.
        """
        async with self._line:
            await self._look()
        self._stirred.set()  # what was found may be worth following

    async def _look(self) -> None:
        account = self._account()
        if account is None:
            reason = "whose invites they are is not known yet"
            book = replace(self._hands.state.invites, standing=Standing.UNREACHABLE, reason=reason)
            self._hands.publish(invites=book)
            return
        await self.load()
        self._tried_at, self._told_to_wait = self._clock.now(), timedelta(0)
        self._book.publish(account, reading=True)
        try:
            told = await self._service.offer(account.id)
        except SourceError as error:
            self._heed(error)
            self._book.publish(account, standing=Standing.UNREACHABLE, reason=str(error))
            return
        finally:
            self._book.publish(account, reading=False)
        self._book.publish_offer(account, told)
        if told.offer is None:
            return
        now = self._clock.now()  # what is sent while the list is read may be missing from it
        try:
            tracking = await self._service.tracking(account.id)
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

    def check(self, text: str) -> str:
        """Check an address for its form and against the invites that are known.

        Returns:
            The address in its normal form.

        Raises:
            UsageError: Why no invite can go there.
        """
        address = parse_address(text)
        self._refuse(address, self._account(), self._hands.state.invites.records)
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
            account, address = self._require_account(), parse_address(address)
            await self._book.load(account)
            await self._require_offer(offer, account)
            record = begun(address, account.key, consent, self._new_key(), self._clock.now())

            def begin(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
                self._refuse(address, account, records)  # once more: another process may have been faster
                return (*records, record), (receipts.consented(record, record.written_at),)

            await self._book.write(account, begin)
            try:
                outcome = await self._sent(InviteRequest(address, offer.program, account.id))
                record = await self._book.end(account, record, outcome, receipts.of_stage)
                with contextlib.suppress(StoreError):
                    await self._look()
            finally:
                self._stirred.set()  # whatever is open now is looked for soon
        return self._book.find(record.key) or record

    async def _sent(self, request: InviteRequest) -> Callable[[InviteRecord], InviteRecord]:
        try:
            answer = await self._service.invite(request)
        except InviteRejected as error:
            return partial(refused, reason=str(error))
        except InviteUnknown as error:
            return partial(unanswered, reason=str(error))
        return partial(accepted, answer=answer)

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
            await self._book.load(account)
            record = self._book.find(key)

            def begin(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
                nonlocal record
                record = next((known for known in records if known.key == key), None)
                if record is None or record.referral_id is None:
                    raise UsageError("the service does not list that invite", "read the list again")
                if (why := record.resend_refusal(now)) is not None:
                    raise UsageError(f"its e-mail cannot be sent again: {why}")
                record = replace(record, resend=Resend(ResendStage.SENDING, now))
                return with_record(records, record), (receipts.of_resend(record, now),)

            await self._book.write(account, begin)
            assert record is not None
            assert record.referral_id is not None
            try:
                ended = await self._resent(record.referral_id, account, now)
                outcome = partial(resend_ended, resend=ended)
                record = await self._book.end(account, record, outcome, receipts.of_resend)
                with contextlib.suppress(StoreError):
                    await self._look()
            finally:
                self._stirred.set()
        return self._book.find(key) or record

    async def _resent(self, referral_id: str, account: Account, now: datetime) -> Resend:
        try:
            await self._service.resend(referral_id, account.id)
        except InviteRejected as error:
            return Resend(ResendStage.REFUSED, now, str(error))
        except InviteUnknown as error:
            return Resend(ResendStage.UNKNOWN, now, str(error))
        return Resend(ResendStage.SENT, now)

    async def note(self, address: str, link: str | None) -> InviteRecord:
        """Write down an invite that was made elsewhere; nothing is sent.

        Raises:
            UsageError: That address is invited already, or the link cannot be handed on.
            StoreError: It could not be written down.
            SourceError: Whose invite it is is not known.
        """
        if link is not None and usable_link(link) is None:
            raise UsageError("that is no link to hand on", "paste the whole link, beginning with https://")
        account, now, address = self._require_account(), self._clock.now(), parse_address(address)
        record = noted(address, account.key, link, self._new_key(), now)

        def add(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            self._refuse(address, account, records)
            if any(known.stage is SendStage.NOTED and same_address(known.address, address) for known in records):
                raise UsageError("an invite to that address is noted already")
            return (*records, record), (receipts.of_stage(record, now),)

        await self._book.write(account, add)
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
                raise UsageError("the service has that invite, or may have it; it cannot be forgotten here")
            return [r for r in records if r.key != key], [receipts.forgotten(record, now) for record in gone]

        await self._book.write(account, drop)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._service.aclose()

    def _is_due(self) -> bool:
        due = self._next_look()
        return due is not None and self._clock.now() >= due

    def _next_look(self) -> datetime | None:
        """When it is time to look without anybody asking: only where something pending is known."""
        records, now = self._hands.state.invites.records, self._clock.now()
        if not any(record.is_followed(now) for record in records):
            return None
        if self._tried_at is None or now < self._tried_at:
            return now
        doubtful = any(record.is_in_fresh_doubt(now) for record in records)
        return self._tried_at + max(SETTLING if doubtful else LOOK_EVERY, self._told_to_wait)

    def _heed(self, error: SourceError) -> None:
        if isinstance(error, RateLimited) and error.retry_after is not None:
            self._told_to_wait = timedelta(seconds=error.retry_after)

    def _account(self) -> Account | None:
        snapshot = self._hands.state.snapshot
        return snapshot.account if snapshot else None

    def _require_account(self) -> Account:
        account = self._account()
        if account is None:
            raise SourceError("whose invite it is is not known yet", "wait for a reading of the limits")
        self._turn_to(account)
        return account

    async def _require_offer(self, offer: Offer, account: Account) -> None:
        """Read the offer once more, just before sending: consent was given to that one."""
        try:
            told = await self._service.offer(account.id)
        except SourceError as error:
            raise InviteRejected(f"nothing was sent: {error.message}", error.hint) from error
        self._book.publish_offer(account, told)
        if not self._book.is_of(account):
            raise InviteRejected("nothing was sent: another account is in use now", "look at it again")
        if (why := offer_refusal(told, offer)) is not None:
            raise InviteRejected(f"nothing was sent: {why}")

    def _refuse(self, address: str, account: Account | None, records: Iterable[InviteRecord]) -> None:
        why = address_refusal(address, account.email if account else None, records)
        if why is not None:
            raise UsageError(why, "nothing was sent")
