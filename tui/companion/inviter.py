"""Inviting friends: the offer, each invite on its way to its reward, and sending one with consent.

Sending is like spending. One consent sends one request; it is written down before, and whatever ends the process in
between, the next one looks into the service's list instead of sending again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import invite_lines as lines
from tui.companion.addresses import parse_address
from tui.companion.invite_store import InviteStore, Line, Outcome
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import first_of, in_thread
from tui.domain.invite_tracking import SETTLING, merge_list
from tui.domain.invites import (
    InviteProposal,
    InviteRecord,
    Resend,
    ResendStage,
    SendStage,
    accepted,
    offer_refusal,
    refused,
    resend_ended,
    unanswered,
)
from tui.domain.ledger import Event
from tui.domain.referral import InviteRequest, Offer, OfferStatus, usable_link
from tui.domain.snapshot import Account, Snapshot
from tui.domain.spend import ConsentKind
from tui.errors import InviteRejected, InviteUnknown, RateLimited, SourceError, StoreError, UsageError
from tui.sources.base import Referrals

REFRESH_EVERY: Final = timedelta(minutes=30)
"""Between two readings of the list of invites while one is pending and nobody looks at the panel."""


class Inviter:
    """Takes part in the referral programme for one person.

    What changes something raises `SourceError` where it is not known whose invite it is, and `StoreError` where it
    could not be written down; nothing was sent then.
    """

    def __init__(
        self, store: StateStore, records: Records, service: Referrals, clock: Clock, *, new_key: Callable[[], str]
    ) -> None:
        """Begin with nothing read; without a database none can be sent."""
        self._store = store
        self._clock = clock
        self._service = service
        self._new_key = new_key
        self._invites = InviteStore(store, records, clock)
        self._source_lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tried_at: float | None = None  # by the monotonic clock, as all pauses
        self._paused_until = 0.0
        self._earned: frozenset[str] | None = None
        self._last_account = records.last_account
        self._readings = 0
        self._read_for: str | None = None
        self._seen: Snapshot | None = None
        store.listen(self._on_state)
        self._on_state(store.state)

    # Knowing the offer and every invite

    async def follow(self) -> None:
        """Read now and then while something is pending, and when a reset has arrived; until cancelled."""
        while True:
            self._wake.clear()
            with contextlib.suppress(StoreError):  # said by State.store_failure
                await self.load()
            pause = self._pause()
            if pause is not None and pause <= 0:
                await self._read_once()
                pause = self._pause()
            if pause is None:
                await self._wake.wait()
            else:
                seconds = pause if pause > 0 else SETTLING.total_seconds()  # the database could not be used
                await first_of(self._wake.wait(), self._clock.sleep(seconds))

    def _on_state(self, state: State) -> None:
        """Where a reading came: a reset that a friend is named for may be an invite's reward."""
        snapshot = state.snapshot
        if snapshot is None or snapshot is self._seen:
            return
        self._seen = snapshot
        self._turn_to(snapshot.account)
        if snapshot.bank.credits is not None:
            earned = frozenset(credit.id for credit in snapshot.bank.credits if credit.is_earned)
            if self._earned is not None and earned - self._earned:
                self._tried_at = None
            self._earned = earned
        if not self._invites.has_loaded(snapshot.account) or self._tried_at is None:
            self._wake.set()

    async def load(self) -> None:
        """Show what is written down of the account's invites, and match what the bank holds by now."""
        account = self._account()
        if account is not None:
            self._turn_to(account)
            await self._invites.load(account)

    async def refresh(self) -> None:
        """Read the offer and the list of invites; what cannot be read is said, and what was known stays.

        Whoever asks while a reading is under way gets its result, and nobody reads while the service asks to wait.
        """
        await self._read_once()
        self._wake.set()  # what was found may be worth following

    async def _read_once(self) -> None:
        readings = self._readings
        async with self._source_lock:
            if readings != self._readings and self._read_for == self._store.state.account_key:
                return
            try:
                await self._read(afresh=True)
            except StoreError as error:
                self._store.update(store_failure=str(error))

    async def _read(self, *, afresh: bool = False) -> None:
        account = self._account()
        self._read_for = self._store.state.account_key
        try:
            await (self._recall() if account is None else self._read_of(account, afresh))
        finally:
            self._readings += 1

    async def _read_of(self, account: Account, afresh: bool) -> None:
        self._turn_to(account)
        now = self._clock.monotonic()
        is_paused = now < self._paused_until
        if not is_paused:
            self._tried_at = now  # first: what fails below is not tried again at once
        await self._invites.load(account, afresh=afresh)
        if is_paused:
            return
        self._invites.show(account, partial(replace, reading=True))
        try:
            await self._ask(account)
        finally:
            self._invites.show(account, partial(replace, reading=False))

    async def _ask(self, account: Account) -> None:
        try:
            answer = await self._service.offer(account)
        except SourceError as error:
            self._obey(error)
            self._invites.show(account, partial(replace, status=OfferStatus.UNREACHABLE, reason=str(error)))
            return
        self._invites.show_offer(account, answer)
        if answer.offer is None:
            return
        now = self._clock.now()  # what is sent while the list is read may be missing from it
        try:
            tracking = await self._service.tracking(account)
        except SourceError as error:
            self._obey(error)
            unread = f"the list of invites could not be read: {error.message}"
            self._invites.show(account, partial(replace, unknowns=(*answer.unknowns, unread)))
            return

        def merge(records: tuple[InviteRecord, ...]) -> tuple[Iterable[InviteRecord], Iterable[Event]]:
            merged, changes = merge_list(records, tracking, account.key, now, self._new_key)
            matched, events = self._invites.matched(merged)
            return matched, (*lines.of_changes(changes, now), *events)

        await self._invites.learn(account, merge)
        unknowns = (*answer.unknowns, *tracking.unknowns)
        self._invites.show(account, partial(replace, listed_at=now, unknowns=unknowns))

    async def _recall(self) -> None:
        """Nothing can be read: show what is written down of the account that was read last."""
        remembered = await in_thread(self._last_account)
        if (account := self._account()) is not None:  # a reading has come meanwhile
            await self._read_of(account, afresh=True)
            return
        is_failing = self._store.state.link.failure is not None
        reason = "the limits cannot be read" if is_failing else "the limits have not been read yet"
        reason += ", so nothing is asked about invites"
        if remembered is not None:
            self._turn_to(remembered)
            await self._invites.load(remembered, afresh=True)
            reason += f"; these are the invites of {remembered.email or remembered.key}, as last known"
        if self._account() is None:
            self._store.update(invites=replace(self._invites.state, status=OfferStatus.UNREACHABLE, reason=reason))

    def _pause(self) -> float | None:
        """Seconds to the next reading that nobody asked for; None while nothing pending is known."""
        records, now = self._invites.state.records, self._clock.now()
        if self._account() is None or not any(record.is_followed(now) for record in records):
            return None
        if self._tried_at is None:
            return 0.0
        doubtful = any(record.is_in_fresh_doubt(now) for record in records)
        due = self._tried_at + (SETTLING if doubtful else REFRESH_EVERY).total_seconds()
        return max(due, self._paused_until) - self._clock.monotonic()

    def _obey(self, error: SourceError) -> None:
        """Ask nothing while the service wants to be left alone."""
        if isinstance(error, RateLimited) and error.retry_after is not None:
            self._paused_until = self._clock.monotonic() + error.retry_after

    def _turn_to(self, account: Account) -> None:
        if self._invites.turn_to(account):
            self._tried_at, self._paused_until, self._earned = None, 0.0, None

    # Sending, with consent

    def check(self, text: str) -> str:
        """Check an address for its form and against the invites that are known; the address in its normal form.

        Raises:
            UsageError: Why no invite can go there.
        """
        address = parse_address(text)
        self._invites.refuse(address, self._account())
        return address

    def propose(self, text: str) -> InviteProposal:
        """State what inviting somebody would mean, from what was read last.

        Raises:
            InviteRejected: Nothing is offered, or no invites are left.
            UsageError: Why no invite can go there.
        """
        account, state = self._require(self._account()), self._invites.state
        if state.status is not OfferStatus.OFFERED or state.offer is None:
            raise InviteRejected(f"nothing was sent: {state.reason or 'nothing is offered'}")
        if state.offer.sends_left == 0:
            raise InviteRejected("nothing was sent: no invites are left")
        return InviteProposal(account, self.check(text), state.offer)

    async def invite(self, proposal: InviteProposal, consent: ConsentKind) -> InviteRecord:
        """Send one invite on one consent; the invite as it stands then: sent, refused, or its outcome unknown or lost.

        Raises:
            InviteRejected: The offer or the account is no longer what it was; nothing was written down or sent.
            UsageError: No invite can go to that address.
        """
        async with self._source_lock:
            account, address = self._require(self._account()), parse_address(proposal.address)
            if account.key != proposal.account.key:
                raise InviteRejected("nothing was sent: another account is in use now", "look at it again")
            await self._invites.load(account)
            await self._require_offer(proposal.offer, account)
            now, key = self._clock.now(), self._new_key()
            record = InviteRecord(key, account.key, address, SendStage.SENDING, now, consent=consent)
            await self._invites.begin(account, record, address)
            request = InviteRequest(address, proposal.offer.program, account.id)
            return await self._end(account, record, self._sent(request), lines.of_stage)

    async def _end(
        self, account: Account, record: InviteRecord, outcome: Awaitable[Outcome], line: Line
    ) -> InviteRecord:
        """Write down what comes of a request, and look into the service's list."""
        try:
            record = await self._invites.end(account, record, await outcome, line)
            with contextlib.suppress(StoreError):
                await self._read()
        finally:
            self._wake.set()  # whatever is open now is looked for soon
        return self._invites.find(record.key) or record

    async def _sent(self, request: InviteRequest) -> Outcome:
        try:
            answer = await self._service.invite(request)
        except InviteRejected as error:
            return partial(refused, reason=str(error))
        except InviteUnknown as error:
            return partial(unanswered, reason=str(error))
        return partial(accepted, answer=answer)

    async def _require_offer(self, offer: Offer, account: Account) -> None:
        """Read the offer once more, just before sending: consent was given to that one."""
        try:
            answer = await self._service.offer(account)
        except SourceError as error:
            raise InviteRejected(f"nothing was sent: {error.message}", error.hint) from error
        self._invites.show_offer(account, answer)
        if not self._invites.is_of(account):
            raise InviteRejected("nothing was sent: another account is in use now", "look at it again")
        if (why := offer_refusal(answer, offer)) is not None:
            raise InviteRejected(f"nothing was sent: {why}")

    async def resend(self, key: str) -> InviteRecord:
        """Have an invite's e-mail sent once more, on one consent; the invite, whose `resend` says what became of it.

        Raises:
            InviteRejected: Nothing could be asked of the service; nothing was written down or sent.
            UsageError: It cannot be sent again now.
        """
        async with self._source_lock:
            account, now = self._require(self._account()), self._clock.now()
            if self._invites.state.read_at is None:
                await self._read()
            if (state := self._invites.state).read_at is None:
                raise InviteRejected(f"nothing was sent: {state.reason or 'nothing can be asked'}")
            await self._invites.load(account)
            record, referral_id = await self._invites.begin_resend(account, key, now)
            return await self._end(account, record, self._resent(referral_id, account, now), lines.of_resend)

    async def _resent(self, referral_id: str, account: Account, now: datetime) -> Outcome:
        ended = Resend(ResendStage.SENT, now)
        try:
            await self._service.resend(referral_id, account)
        except InviteRejected as error:
            ended = Resend(ResendStage.REFUSED, now, str(error))
        except InviteUnknown as error:
            ended = Resend(ResendStage.UNKNOWN, now, str(error))
        return partial(resend_ended, resend=ended)

    async def note(self, address: str, link: str | None) -> InviteRecord:
        """Write down an invite that was made elsewhere; nothing is sent.

        Raises:
            UsageError: That address is invited already, or the link cannot be handed on.
        """
        if link is not None and usable_link(link) is None:
            raise UsageError("that is no link to hand on", "paste the whole link, beginning with https://")
        account, address = await self._owner(), parse_address(address)
        now, key = self._clock.now(), self._new_key()
        record = InviteRecord(key, account.key, address, SendStage.NOTED, now, link=link)
        await self._invites.note(account, record, address)
        return record

    async def forget(self, key: str) -> None:
        """Delete an invite that only this machine knows of, with its address.

        Raises:
            UsageError: The service lists it, or its outcome is not known yet.
        """
        await self._invites.forget(await self._owner(), key, self._clock.now())

    async def _owner(self) -> Account:
        """Whose invites are in sight: nothing is sent, so the account that was read last will do."""
        remembered = None if self._account() else await in_thread(self._last_account)
        return self._require(self._account() or remembered)  # a reading may have come meanwhile

    def _require(self, account: Account | None) -> Account:
        if account is None:
            raise SourceError("whose invite it is is not known yet", "wait for a reading of the limits")
        self._turn_to(account)
        return account

    def _account(self) -> Account | None:
        snapshot = self._store.state.snapshot
        return snapshot.account if snapshot else None

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._service.aclose()
