"""Driving one spend from consent to its end: journal, send, learn the answer, verify, close (design.md section 4).

The rule that everything here serves: one consent, one key, one credit. A step is on the disk before the next begins,
and whatever ends the process in between, the next one goes on from the journal with the same key.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from tui.clock import Clock
from tui.companion import receipts
from tui.companion.concurrency import in_thread
from tui.companion.connection import Connection
from tui.companion.locks import AccountLocks
from tui.domain.snapshot import Snapshot
from tui.domain.spend import (
    Consent,
    Outcome,
    Proposal,
    Spend,
    Stage,
    answer,
    close,
    infer_from_bank,
    journal,
    let_go,
    lose_answer,
    mismatches,
    reject,
    send,
    verify,
)
from tui.errors import ConsumeRejected, OutcomeUnknown, SourceError, SpendHeld
from tui.store.ledger import Ledger

SENDS_A_DRIVE: Final = 3
"""How often one drive sends the request, always the same, before it leaves the spend open."""

PAUSES: Final = (0.5, 1.5)
"""Seconds between two sends, or two readings, of one drive."""


class Spender:
    """Spends resets of whatever account the connection is signed in to."""

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        locks: AccountLocks,
        clock: Clock,
        *,
        holder: str,
        new_key: Callable[[], str],
        on_step: Callable[[Spend], None],
        on_reading: Callable[[Snapshot], None],
    ) -> None:
        """Tie the parts together.

        Args:
            connection: Where to send and to read.
            ledger: Where every step is written down first.
            locks: Who may drive.
            clock: The time.
            holder: What others are told while this process drives ("the screen, process 4711").
            new_key: Makes a UUIDv4.
            on_step: Told of every step once it is on the disk.
            on_reading: Told of every reading that was taken on the way.
        """
        self._connection = connection
        self._ledger = ledger
        self._locks = locks
        self._clock = clock
        self._holder = holder
        self._new_key = new_key
        self._on_step = on_step
        self._on_reading = on_reading

    async def spend(self, proposal: Proposal, consent: Consent) -> Spend:
        """Spend one reset on one consent.

        Returns:
            The spend, closed; or still open, if its outcome could not be learnt.

        Raises:
            SpendHeld: Another spend of this account is open, or one ended while the question stood.
            StoreError: It could not be written down; nothing was sent.
        """
        account = proposal.account.key
        with self._locks.try_hold(account) as free:
            if not free:
                raise await in_thread(self._ledger.held_error, account)
            await self._refuse_if_the_world_moved(proposal)
            spend = journal(proposal, consent, self._new_key(), self._clock.now())
            await in_thread(self._ledger.begin, spend, self._holder, receipts.consented(spend))
            self._on_step(spend)
            return await self._drive(spend)

    async def finish(self, account: str) -> Spend | None:
        """Go on with the account's open spend, with its own key.

        Returns:
            The spend, closed or still open; None if there was none.

        Raises:
            SpendHeld: Another process drives it right now.
            StoreError: The journal cannot be used.
        """
        with self._locks.try_hold(account) as free:
            if not free:
                raise await in_thread(self._ledger.held_error, account)
            spend = await in_thread(self._ledger.open_spend, account)
            if spend is None:
                return None
            if spend.stage is Stage.SENT:  # its driver died between the send and the answer
                lost = lose_answer(spend, "resetbank ended before the answer came")
                spend = await self._step(lost)
            now = self._clock.now()
            if spend.stage is Stage.JOURNALED and not spend.is_fresh(now):
                return await self._step(let_go(spend, now, "the consent is too old, and nothing was ever sent"))
            if spend.stage in (Stage.JOURNALED, Stage.UNKNOWN) and spend.is_moot(now):
                return await self._step(let_go(spend, now, "its reset has lapsed by now"))
            return await self._drive(spend)

    async def _refuse_if_the_world_moved(self, proposal: Proposal) -> None:
        account = proposal.account.key
        if await in_thread(self._ledger.open_spend, account) is not None:
            raise SpendHeld("a spend of this account is still open", "finish that one first")
        last = await in_thread(self._ledger.last_closed, account)
        if last is not None and last.closed_at is not None and last.closed_at > proposal.proposed_at:
            hint = "look at the limits again before you spend another"
            raise SpendHeld(f"a reset was spent at {last.closed_at:%H:%M:%S} UTC while this question stood", hint)

    async def _drive(self, spend: Spend) -> Spend:
        """Take every step that is left; the account's lock is held."""
        if spend.stage in (Stage.JOURNALED, Stage.UNKNOWN):
            spend = await self._send_until_answered(spend)
        if spend.stage is Stage.UNKNOWN:
            spend = await self._settle_by_the_bank(spend)
        if spend.stage is Stage.ANSWERED and spend.outcome is not Outcome.REFUSED:
            spend = await self._verify(spend)
        if spend.stage in (Stage.ANSWERED, Stage.VERIFIED):
            spend = await self._step(close(spend, self._clock.now()))
        return spend

    async def _send_until_answered(self, spend: Spend) -> Spend:
        for attempt in range(SENDS_A_DRIVE):
            if attempt:
                await self._clock.sleep(PAUSES[attempt - 1])
            spend = await self._send_once(spend)
            if spend.stage is not Stage.UNKNOWN:
                break
        return spend

    async def _send_once(self, spend: Spend) -> Spend:
        try:
            source = await self._connection.source()
        except SourceError as error:
            # Nothing goes out: a spend that never did is over, an earlier send stays as doubtful as it was.
            if spend.stage is Stage.JOURNALED:
                return await self._step(let_go(spend, self._clock.now(), f"nothing was sent: {error}"))
            return spend
        spend = await self._step(send(spend))
        try:
            reply = await source.consume(spend.request)
        except ConsumeRejected as error:
            return await self._step(reject(spend, str(error)))
        except OutcomeUnknown as error:
            return await self._step(lose_answer(spend, str(error)))
        return await self._step(answer(spend, reply))

    async def _settle_by_the_bank(self, spend: Spend) -> Spend:
        snapshot = await self._read_again()
        if snapshot is None or snapshot.account.key != spend.account.key:
            return spend
        settled = infer_from_bank(spend, snapshot.bank)
        return spend if settled is spend else await self._step(settled)

    async def _verify(self, spend: Spend) -> Spend:
        verified = await self._verified_once(spend)
        if verified is not None and mismatches(verified):
            # The service may lag behind its own answer: look once more before a mismatch is said.
            await self._clock.sleep(PAUSES[-1])
            verified = await self._verified_once(spend) or verified
        if verified is None:
            return spend
        return await self._step(verified)

    async def _verified_once(self, spend: Spend) -> Spend | None:
        snapshot = await self._read_again()
        if snapshot is None or snapshot.account.key != spend.account.key:
            return None
        return verify(spend, snapshot)

    async def _read_again(self) -> Snapshot | None:
        for pause in (*PAUSES, None):
            try:
                snapshot = await self._connection.read(with_credits=True)
            except SourceError:
                if pause is None:
                    return None
                await self._clock.sleep(pause)
            else:
                self._on_reading(snapshot)
                return snapshot
        return None

    async def _step(self, spend: Spend) -> Spend:
        """Write a step down, then tell of it."""
        events = receipts.of_step(spend, self._clock.now(), self._connection.source_name)
        await in_thread(self._ledger.advance, spend, events, self._holder)
        self._on_step(spend)
        return spend


def may_finish_unasked(spend: Spend, now: datetime, last_try: datetime | None, wait_seconds: float = 30.0) -> bool:
    """Whether an open spend is taken up again without a person's doing: its moment has not passed, and not in a rush.

    Args:
        spend: The open spend.
        now: The present moment.
        last_try: When this process last tried, if it has.
        wait_seconds: The least time between two tries.
    """
    if not spend.is_fresh(now):
        return spend.is_moot(now) or spend.stage in (Stage.JOURNALED, Stage.ANSWERED, Stage.VERIFIED)
    return last_try is None or (now - last_try).total_seconds() >= wait_seconds
