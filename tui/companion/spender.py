"""Driving one spend from consent to its end: journal, send, learn the answer, verify, close.

The rule that everything here serves: one consent, one key, one credit. A step is on the disk before the next begins,
and whatever ends the process in between, the next one goes on from the journal with the same key.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from tui.clock import Clock
from tui.companion import ledger_lines
from tui.companion.connection import Connection
from tui.companion.poller import Poller
from tui.companion.records import Records
from tui.companion.resumer import Resumer
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.credits import Credit
from tui.domain.findings import mismatches
from tui.domain.queue import Queued
from tui.domain.resumes import ResumePlan, Whom
from tui.domain.snapshot import Snapshot
from tui.domain.spend import (
    Consent,
    Outcome,
    Proposal,
    Spend,
    Stage,
    answer,
    choose_credit,
    close,
    infer_from_bank,
    journal,
    let_go,
    lose_answer,
    propose,
    reject,
    send,
    verify,
)
from tui.errors import ConsumeRejected, NoCredit, OutcomeUnknown, ResetbankError, SourceError, SpendHeld

SENDS_A_DRIVE: Final = 3
"""How often one drive sends the request, always the same, before it leaves the spend open."""

PAUSES: Final = (0.5, 1.5)
"""Seconds between two sends, or two readings, of one drive."""

RETRY_SECONDS: Final = 30.0
"""The least time between two tries to finish an open spend without a person's doing."""


class Spender:
    """Spends resets of whatever account the connection is signed in to."""

    def __init__(
        self,
        store: StateStore,
        connection: Connection,
        poller: Poller,
        records: Records,
        resumer: Resumer,
        clock: Clock,
        *,
        holder: str,
        new_key: Callable[[], str],
    ) -> None:
        """Tie the parts together.

        Args:
            store: Where every step is shown.
            connection: Where to send.
            poller: What reads afresh.
            records: Where every step is written down first.
            resumer: What tells threads to go on afterwards.
            clock: The time.
            holder: What others are told while this process drives ("the screen, process 4711").
            new_key: Makes a UUIDv4.
        """
        self._store = store
        self._connection = connection
        self._poller = poller
        self._records = records
        self._resumer = resumer
        self._clock = clock
        self._holder = holder
        self._new_key = new_key
        self._wake = asyncio.Event()
        self._tried_at: float | None = None

    async def follow(self) -> None:
        """Take up an open spend that a crash or an outage left behind; until cancelled."""
        unlisten = self._store.listen(self._on_state)
        try:
            while True:
                self._wake.clear()
                await self._finish_unasked()
                await self._wake.wait()
        finally:
            unlisten()

    def _on_state(self, state: State) -> None:
        if state.open_spend is not None and not state.spending:
            self._wake.set()

    async def _finish_unasked(self) -> None:
        state, spend = self._store.state, self._store.state.open_spend
        if spend is None or state.spending or state.snapshot is None or state.link.failure is not None:
            return
        if spend.account.key != state.snapshot.account.key or not may_finish_unasked(spend, self._clock.now()):
            return
        if self._tried_at is not None and self._clock.monotonic() - self._tried_at < RETRY_SECONDS:
            return
        with contextlib.suppress(ResetbankError):  # held elsewhere, or down again: it stays open and on screen
            await self.finish()

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """Read afresh and state what spending one reset would mean.

        Args:
            credit_id: The credit of the person's choice; None takes the soonest to expire.

        Raises:
            StoreError: Nothing could be written down, so nothing may be spent.
            SpendHeld: A spend is open already.
            NoCredit: There is nothing to spend.
            SourceError: The limits could not be read.
        """
        self._records.require()
        async with self._connection.lock:
            snapshot = await self._poller.read()
        if self._store.state.open_spend is not None:
            raise SpendHeld("a spend of this account is still open", "finish that one first")
        now = self._clock.now()
        credit = choose_credit(snapshot.bank, now, credit_id)
        if isinstance(credit, str):
            raise NoCredit(credit)
        assert credit is None or isinstance(credit, Credit)
        return propose(snapshot, now, credit)

    async def spend(
        self, proposal: Proposal, consent: Consent, whom: Whom = False, queued: Queued | None = None
    ) -> Spend:
        """Spend one reset on one consent.

        Args:
            proposal: What consent was given to.
            consent: The consent.
            whom: Who is told to go on afterwards.
            queued: The queued reset whose spend this is.

        Returns:
            The spend, closed; or still open, if its outcome could not be learnt.

        Raises:
            ConsumeRejected: The consent came too late; nothing was sent.
            SpendHeld: Another spend of this account is open, or one ended since the proposal.
            StoreError: It could not be written down; nothing was sent.
        """
        account, tables = proposal.account.key, self._records.require()
        plan = ResumePlan(whom, self._resumer.limit_stops()) if whom is not False else None
        async with self._driving():
            with tables.locks.try_hold(account) as free:
                if not free:
                    raise await in_thread(tables.spends.held_error, account)
                await self._refuse_if_outdated(proposal)
                spend = journal(proposal, consent, self._new_key(), self._clock.now(), plan)
                line = ledger_lines.consented(spend)
                await in_thread(tables.spends.begin, spend, self._holder, line, queued)
                self._show(spend)
                spend = await self._drive(spend)
        await self._resumer.after_spend(spend)
        return spend

    async def finish(self) -> Spend | None:
        """Go on with the open spend of the account in use, with its own key.

        Returns:
            The spend, closed or still open; None if there was none.

        Raises:
            SpendHeld: Another process drives it right now, or another version wrote it.
            SourceError: The account could not be learnt.
            StoreError: The journal cannot be used.
        """
        tables = self._records.require()
        self._tried_at = self._clock.monotonic()
        async with self._driving():
            snapshot = self._store.state.snapshot or await self._poller.read()
            account = snapshot.account.key
            with tables.locks.try_hold(account) as free:
                if not free:
                    raise await in_thread(tables.spends.held_error, account)
                spend = await in_thread(tables.spends.open_spend, account)
                if spend is None:
                    return None
                spend = await self._take_up(spend)
        await self._resumer.after_spend(spend)
        return spend

    async def _take_up(self, spend: Spend) -> Spend:
        now = self._clock.now()
        if spend.stage is Stage.UNREADABLE and not spend.is_moot(now):
            raise SpendHeld("another version of resetbank wrote the open spend", "finish it with that version")
        if spend.stage is Stage.SENT:  # its driver died between the send and the answer
            spend = await self._step(lose_answer(spend, "resetbank ended before the answer came"))
        if spend.stage is Stage.JOURNALED and not spend.is_fresh(now):
            return await self._step(let_go(spend, now, "the consent is too old, and nothing was ever sent"))
        if spend.stage in (Stage.JOURNALED, Stage.UNKNOWN, Stage.UNREADABLE) and spend.is_moot(now):
            return await self._step(let_go(spend, now, "its reset has expired by now"))
        return await self._drive(spend)

    @contextlib.asynccontextmanager
    async def _driving(self) -> AsyncIterator[None]:
        """Nothing else uses the connection while a spend is driven, and the State says so."""
        async with self._connection.lock:
            self._store.update(spending=True)
            try:
                yield
            finally:
                self._store.update(spending=False)
                await self._records.show()

    async def _refuse_if_outdated(self, proposal: Proposal) -> None:
        account, spends = proposal.account.key, self._records.require().spends
        if await in_thread(spends.open_spend, account) is not None:
            raise SpendHeld("a spend of this account is still open", "finish that one first")
        last = await in_thread(spends.last_closed, account)
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
                return await self._poller.read()
            except SourceError:
                if pause is None:
                    return None
                await self._clock.sleep(pause)
        return None

    async def _step(self, spend: Spend) -> Spend:
        """Write a step down, then show it."""
        events = ledger_lines.of_step(spend, self._clock.now(), self._connection.source_name)
        await in_thread(self._records.require().spends.advance, spend, events, self._holder)
        self._show(spend)
        return spend

    def _show(self, spend: Spend) -> None:
        self._store.update(open_spend=spend if spend.is_open else None)


def may_finish_unasked(spend: Spend, now: datetime) -> bool:
    """Whether an open spend is taken up again without a person's doing: its moment has not passed.

    Args:
        spend: The open spend.
        now: The present moment.
    """
    if spend.is_fresh(now):
        return spend.stage is not Stage.UNREADABLE
    return spend.is_moot(now) or spend.stage in (Stage.JOURNALED, Stage.ANSWERED, Stage.VERIFIED)
