"""What is known of one account's invites: what is written down, what the State shows of it, and every change to it."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import invite_lines as lines
from tui.companion.records import Records
from tui.companion.state import StateStore
from tui.concurrency import in_thread
from tui.domain.invite_rewards import with_rewards
from tui.domain.invites import (
    InviteRecord,
    InviteState,
    Resend,
    ResendStage,
    SendStage,
    address_refusal,
    newest_first,
    same_address,
)
from tui.domain.ledger import Event
from tui.domain.referral import OfferAnswer
from tui.domain.snapshot import Account
from tui.errors import StoreError, UsageError
from tui.store.invites import Step

Known = tuple[InviteRecord, ...]
Changed = tuple[Iterable[InviteRecord], Iterable[Event]]
Outcome = Callable[[InviteRecord], InviteRecord]
"""What an answer makes of the record as it is by then."""
Line = Callable[[InviteRecord, datetime], Event]


class InviteStore:
    """Keeps the invites of the account in use; what comes late for another account is written, and not shown.

    What writes or reads the database raises `StoreError` where that cannot be used, and `UsageError` where it refuses:
    another process may have been faster.
    """

    def __init__(self, store: StateStore, records: Records, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._invites = records.tables.invites if records.tables else None
        self._write_lock = asyncio.Lock()  # what is shown is never older than what is written
        self._loaded: str | None = None

    @property
    def state(self) -> InviteState:
        """What is shown."""
        return self._store.state.invites

    def is_of(self, account: Account) -> bool:
        """Whether that account's invites are shown."""
        return self.state.account == account.key

    def has_loaded(self, account: Account) -> bool:
        """Whether what is written down of the account's invites is shown."""
        return self._loaded == account.key

    def turn_to(self, account: Account) -> bool:
        """Show the account's invites and nothing of another's; whether another's were shown before."""
        if self.is_of(account):
            return False
        self._loaded = None
        self._store.update(invites=InviteState(account=account.key))
        return True

    def show(self, account: Account, change: Callable[[InviteState], InviteState]) -> None:
        """Change what is shown of an account's invites, if they are still the ones in sight."""
        if self.is_of(account):
            self._store.update(invites=change(self.state))

    def show_offer(self, account: Account, answer: OfferAnswer) -> None:
        """Show what the service offers now."""
        now, unknowns = self._clock.now(), answer.unknowns
        known = {"status": answer.status, "offer": answer.offer, "reason": answer.reason}
        self.show(account, partial(replace, read_at=now, unknowns=unknowns, **known))

    def find(self, key: str) -> InviteRecord | None:
        """A record as it is shown."""
        return _find(self.state.records, key)

    def refuse(self, address: str, account: Account | None, records: Iterable[InviteRecord] | None = None) -> None:
        """Refuse an address, checked for its form, that no invite can go to by the records given, or shown."""
        known = self.state.records if records is None else records
        why = address_refusal(address, account.email if account else None, known)
        if why is not None:
            raise UsageError(why, "nothing was sent")

    async def load(self, account: Account, *, afresh: bool = False) -> None:
        """Show what is written down, afresh where others may have written since; match what the bank holds by now."""
        if self._invites is not None and (afresh or not self.has_loaded(account)):
            async with self._write_lock:
                records = await in_thread(self._invites.records, account.key)
                self.show(account, partial(replace, records=records, is_loaded=True))
        if self.is_of(account):
            self._loaded = account.key
            if self.matched(self.state.records)[0] != self.state.records:
                await self.learn(account, self.matched)

    def matched(self, records: Known) -> tuple[Known, tuple[Event, ...]]:
        """The records with the resets that came for them, and the ledger's lines about those; a step."""
        snapshot = self._store.state.snapshot
        matched = with_rewards(records, snapshot.bank.credits if snapshot else None)
        return matched, lines.rewarded(records, matched, self._clock.now())

    async def learn(self, account: Account, step: Step) -> None:
        """Take in what the service said; without a database for as long as this process lives."""
        if self._invites is not None:
            await self.write(account, step)
        elif self.is_of(account):
            records, _ = step(self.state.records)
            self.show(account, partial(replace, records=newest_first(records), is_loaded=True))

    async def write(self, account: Account, step: Step) -> None:
        """Change what is written down by a step, and show it."""
        if self._invites is None:
            failure = self._store.state.store_failure or "the database cannot be used"
            raise StoreError(f"nothing can be written down, so nothing is sent: {failure}")
        async with self._write_lock:
            try:
                records = await in_thread(self._invites.change, account.key, step)
            except asyncio.CancelledError:
                self._loaded = None  # it may be written, and is not shown
                raise
            self.show(account, partial(replace, records=records))
        await self._records.show()

    async def begin(self, account: Account, record: InviteRecord, address: str) -> None:
        """Write an invite down before it is sent."""

        def begin(records: Known) -> Changed:
            self.refuse(address, account, records)
            return (*records, record), (lines.consented(record, record.written_at),)

        await self.write(account, begin)

    async def begin_resend(self, account: Account, key: str, now: datetime) -> tuple[InviteRecord, str]:
        """Write down that an invite's e-mail is about to be sent again; the invite, and its id at the service."""
        begun: list[tuple[InviteRecord, str]] = []

        def begin(records: Known) -> Changed:
            record = _find(records, key)
            if record is None or record.referral_id is None:
                raise UsageError("the service does not list that invite", "read the list again")
            if (why := record.resend_refusal(now)) is not None:
                raise UsageError(f"its e-mail cannot be sent again: {why}")
            resending = replace(record, resend=Resend(ResendStage.SENDING, now))
            begun[:] = [(resending, record.referral_id)]
            return _with(records, resending), (lines.of_resend(resending, now),)

        await self.write(account, begin)
        return begun[0]

    async def end(self, account: Account, record: InviteRecord, outcome: Outcome, line: Line) -> InviteRecord:
        """Write an outcome down; where that fails it is shown all the same, and the list settles it another time."""
        ended, now = outcome(record), self._clock.now()

        def step(records: Known) -> Changed:
            nonlocal ended
            known = _find(records, record.key)
            ended = outcome(known or record)
            return _with(records, ended), () if ended == known else (line(ended, now),)

        try:
            await self.write(account, step)
        except StoreError as error:
            self.show(account, lambda state: replace(state, records=newest_first(_with(state.records, ended))))
            self._store.update(store_failure=str(error))
        return ended

    async def note(self, account: Account, record: InviteRecord, address: str) -> None:
        """Write down an invite that was made elsewhere."""

        def add(records: Known) -> Changed:
            self.refuse(address, account, records)
            if any(known.stage is SendStage.NOTED and same_address(known.address, address) for known in records):
                raise UsageError("an invite to that address is noted already", "`resetbank invites` shows it")
            return (*records, record), (lines.of_stage(record, record.written_at),)

        await self.write(account, add)

    async def forget(self, account: Account, key: str, now: datetime) -> None:
        """Delete an invite that only this machine knows of, with its address."""

        def drop(records: Known) -> Changed:
            gone = _find(records, key)
            if gone is None:
                raise UsageError("that invite is not known here any more")
            if not gone.can_be_forgotten(now):
                raise UsageError("the service has that invite, or may have it; it cannot be forgotten here")
            return [record for record in records if record is not gone], (lines.forgotten(gone, now),)

        await self.write(account, drop)


def _find(records: Iterable[InviteRecord], key: str) -> InviteRecord | None:
    return next((record for record in records if record.key == key), None)


def _with(records: Iterable[InviteRecord], changed: InviteRecord) -> list[InviteRecord]:
    """The records with one of them changed, or added."""
    return [*(record for record in records if record.key != changed.key), changed]
