"""Inviting friends: the offer, each invite on its way to its reward, and sending one with consent.

Sending is like spending. One consent sends one request; it is written down before, and whatever ends the process in
between, the next one looks into the service's list instead of sending again.
"""

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from tui.companion import invite_receipts as receipts
from tui.companion.addresses import parse_address
from tui.companion.invite_book import record_of, with_record
from tui.companion.invite_reader import InviteReader
from tui.concurrency import in_thread
from tui.domain.invites import (
    InviteProposal,
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
from tui.domain.referral import InviteRequest, Offer, OfferStatus, usable_link
from tui.domain.snapshot import Account
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected, InviteUnknown, SourceError, StoreError, UsageError


class Inviter(InviteReader):
    """Takes part in the referral programme for one person."""

    def check(self, text: str) -> str:
        """Check an address for its form and against the invites that are known.

        Returns:
            The address in its normal form.

        Raises:
            UsageError: Why no invite can go there.
        """
        address = parse_address(text)
        self._refuse(address, self._account(), self._store.state.invites.records)
        return address

    def propose(self, text: str) -> InviteProposal:
        """State what inviting somebody would mean, from what was read last.

        Args:
            text: The address as it was typed.

        Raises:
            InviteRejected: Nothing is offered, or no invites are left.
            UsageError: Why no invite can go there.
            SourceError: Whose invite it would be is not known.
        """
        account, book = self._require_account(), self._store.state.invites
        if book.standing is not OfferStatus.OFFERED or book.offer is None:
            raise InviteRejected(f"nothing was sent: {book.reason or 'nothing is offered'}")
        if book.offer.sends_left == 0:
            raise InviteRejected("nothing was sent: no invites are left")
        return InviteProposal(account, self.check(text), book.offer)

    async def invite(self, proposal: InviteProposal, consent: ConsentKind) -> InviteRecord:
        """Send one invite on one consent.

        Args:
            proposal: What consent was given to.
            consent: How it was given.

        Returns:
            The invite as it stands then: sent, refused, or its outcome unknown or lost.

        Raises:
            InviteRejected: The offer or the account is no longer what it was; nothing was written down or sent.
            UsageError: No invite can go to that address.
            StoreError: It could not be written down; nothing was sent.
            SourceError: Whose invite it would be is not known.
        """
        async with self._source_lock:
            account, address, offer = self._require_account(), parse_address(proposal.address), proposal.offer
            if account.key != proposal.account.key:
                raise InviteRejected("nothing was sent: another account is in use now", "look at it again")
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
                self._wake.set()  # whatever is open now is looked for soon
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
            InviteRejected: Nothing could be asked of the service; nothing was written down or sent.
            UsageError: It cannot be sent again now.
            StoreError: It could not be written down; nothing was sent.
            SourceError: Whose invite it is is not known.
        """
        async with self._source_lock:
            account, now = self._require_account(), self._clock.now()
            if self._store.state.invites.read_at is None:
                await self._look()  # the offer tells which contract the service speaks
            if (book := self._store.state.invites).read_at is None:
                raise InviteRejected(f"nothing was sent: {book.reason or 'nothing can be asked'}")
            await self._book.load(account)
            record = self._book.find(key)

            def begin(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
                nonlocal record
                record = record_of(records, key)
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
                self._wake.set()
        return self._book.find(key) or record

    async def _resent(self, referral_id: str, account: Account, now: datetime) -> Resend:
        try:
            await self._service.resend(referral_id, account)
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
        account, now, address = await self._owner(), self._clock.now(), parse_address(address)
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
        account, now = await self._owner(), self._clock.now()

        def drop(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            gone = record_of(records, key)
            if gone is None:
                raise UsageError("that invite is not known here any more")
            if not gone.can_be_forgotten(now):
                raise UsageError("the service has that invite, or may have it; it cannot be forgotten here")
            return [record for record in records if record is not gone], (receipts.forgotten(gone, now),)

        await self._book.write(account, drop)

    async def _owner(self) -> Account:
        """Whose invites are in sight: nothing is sent, so the account that was read last will do."""
        remembered = None if self._account() else await in_thread(self._last_account)
        return self._require(self._account() or remembered)  # a reading may have come meanwhile

    def _require_account(self) -> Account:
        return self._require(self._account())

    def _require(self, account: Account | None) -> Account:
        if account is None:
            raise SourceError("whose invite it is is not known yet", "wait for a reading of the limits")
        self._turn_to(account)
        return account

    async def _require_offer(self, offer: Offer, account: Account) -> None:
        """Read the offer once more, just before sending: consent was given to that one."""
        try:
            told = await self._service.offer(account)
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
