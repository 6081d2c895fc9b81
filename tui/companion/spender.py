"""Driving one spend from consent to its end: journal, send, learn the answer, verify, close.

The rule that everything here serves: one consent, one key, one credit. A step is on the disk before the next begins,
and whatever ends the process in between, the next one goes on from the journal with the same key.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion import ledger_lines
from tui.companion.connection import Connection
from tui.companion.follower import Follower
from tui.companion.poller import Poller
from tui.companion.records import Records
from tui.companion.resumer import Resumer
from tui.companion.spend_driver import NotWrittenError, SpendDriver
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.credits import Credit
from tui.domain.limit_stops import SETTLED
from tui.domain.queue import Queued
from tui.domain.resumes import ResumePlan, Whom
from tui.domain.spend import (
    Consent,
    Proposal,
    Spend,
    Stage,
    choose_credit,
    journal,
    propose,
)
from tui.errors import (
    ConsumeRejected,
    NoCredit,
    OutcomeUnknown,
    ResetbankError,
    SourceDown,
    SpendHeld,
    StoreError,
    StoreUnclear,
)

HISTORY_SECONDS: Final = 1.5
"""The service's history, which settles only an unknown outcome, is waited for so long before a spend."""

RETRY_SECONDS: Final = 30.0
"""The least time between two tries to finish an open spend unasked; doubled with each try, to 8 minutes."""


class Spender(Follower):
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
        super().__init__(store, records, clock)
        self._connection = connection
        self._poller = poller
        self._resumer = resumer
        self._holder = holder
        self._new_key = new_key
        self._tried_at: float | None = None
        self._tried_key: str | None = None
        self._tries = 0

    def _is_news(self, before: State, state: State) -> bool:
        return state.open_spend is not None and not state.spending

    async def _look(self) -> None:
        """Take up an open spend that a crash or an outage left behind."""
        state, spend = self._store.state, self._store.state.open_spend
        if spend is None or state.spending or state.snapshot is None:
            return
        if state.link.source is None or state.link.failure is not None:
            return  # nothing was read in this process: it may be another account by now
        if spend.account.key != state.snapshot.account.key or not may_finish_unasked(spend, self._clock.now()):
            return
        if spend.key != self._tried_key:
            self._tried_key, self._tries = spend.key, 0
        pause = RETRY_SECONDS * 2 ** min(self._tries, 4)
        if self._tried_at is not None and self._clock.monotonic() - self._tried_at < pause:
            return
        self._tries += 1
        with contextlib.suppress(ResetbankError):  # held elsewhere, or down again: it stays open and on screen
            await self.finish(unasked=True)

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """Read afresh and state what spending one reset would mean: the one named, or the soonest to expire.

        Raises:
            StoreError: Nothing could be written down, so nothing may be spent.
            SpendHeld: A spend is open already.
            NoCredit: There is nothing to spend.
            SourceError: The limits could not be read, or the list that the named one should stand in.
        """
        spends = self._records.require().spends
        async with self._connection.lock:
            ended = await in_thread(spends.ended_keys)  # before the reading: it may not show what ends from here on
            snapshot = await self._poller.read()
        if self._store.state.open_spend is not None:
            raise SpendHeld("a spend of this account is still open", "finish that one first")
        if credit_id is not None and snapshot.bank.credits is None and snapshot.bank.available != 0:
            raise SourceDown(
                "the list of resets could not be read, so nobody knows whether that one is there", "try again"
            )
        now = self._clock.now()
        credit = choose_credit(snapshot.bank, now, credit_id)
        if isinstance(credit, str):
            raise NoCredit(credit)
        assert credit is None or isinstance(credit, Credit)
        return replace(propose(snapshot, now, credit), ended=ended)

    async def spend(
        self, proposal: Proposal, consent: Consent, whom: Whom = False, queued: Queued | None = None
    ) -> Spend:
        """Spend one reset on one consent, from the queue where it was queued; then tell `whom` to go on.

        The spend is closed then, or still open where its outcome could not be learnt.

        Raises:
            ConsumeRejected: The consent came too late, or it could not be written down; nothing was sent.
            SpendHeld: Another spend of this account is open, or one ended since the proposal's reading began.
            OutcomeUnknown: It may be written down, or something unforeseen went wrong; the message has the key.
            StoreError: There is no database.
        """
        account, tables = proposal.account.key, self._records.require()
        plan = await self._plan(whom, consent)
        async with self._driving():
            with tables.locks.try_hold(account) as free:
                if not free:
                    raise await in_thread(tables.spends.held_error, account)
                await self._refuse_if_outdated(proposal)
                used_before = await self._used_before()
                spend = journal(proposal, consent, self._new_key(), self._clock.now(), plan)
                spend = replace(spend, used_before=used_before)
                spend = await self._begin(spend, queued)
                spend = await self._to_the_end(spend, self._driver().drive)
        await self._resume(spend)
        return spend

    async def finish(self, *, unasked: bool = False) -> Spend | None:
        """Go on with the open spend of the account in use, if there is one, with its own key, until it closes or fails.

        Where no person asked for it, it is sent once more only while its consent is fresh, and if it was sent once at
        most.

        Raises:
            SpendHeld: Another process drives it right now, or another version wrote it.
            SourceError: The account could not be learnt.
            StoreError: The journal cannot be used.
        """
        tables = self._records.require()
        self._tried_at = self._clock.monotonic()
        async with self._driving():
            known = self._store.state.snapshot if self._store.state.link.source is not None else None
            account = (known or await self._poller.read()).account.key
            with tables.locks.try_hold(account) as free:
                if not free:
                    raise await in_thread(tables.spends.held_error, account)
                found = await in_thread(tables.spends.open_spend, account)
                if found is None:
                    return None
                if found.stage is Stage.UNREADABLE and not found.is_moot(self._clock.now()):
                    raise SpendHeld("another version of resetbank wrote the open spend", "finish it with that version")
                spend = await self._to_the_end(found, partial(self._driver().take_up, unasked=unasked))
        await self._resume(spend)
        return spend

    async def _plan(self, whom: Whom, consent: Consent) -> ResumePlan | None:
        """Who is told to go on: those named; or everybody whom this limit stops, from the arming on."""
        if whom is False:
            return None
        since = None
        if whom is True and consent.armed_at is not None:
            open_at = (await self._records.in_hand()).memory.open_at
            since = consent.armed_at if open_at is None else max(consent.armed_at, open_at - SETTLED)
        return ResumePlan(whom, self._resumer.limit_stops(), since)

    async def _used_before(self) -> tuple[str, ...] | None:
        """What the service lists as used before the spend; somebody waits for it, so not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HISTORY_SECONDS):
                history = await self._connection.reset_history()
                return None if history is None else tuple(sorted(history.used))
        return None

    async def _begin(self, spend: Spend, queued: Queued | None) -> Spend:
        spends = self._records.require().spends
        try:
            await in_thread(spends.begin, spend, self._holder, ledger_lines.consented(spend), queued)
        except StoreUnclear as error:
            raise OutcomeUnknown(
                f"nothing was sent, but the spend {spend.key} may be written down: {error.message}",
                "the next start looks, and finishes it with its own key",
            ) from error
        except StoreError as error:
            raise ConsumeRejected(f"nothing was sent: {error.message}", error.hint) from error
        self._show(spend)
        return spend

    async def _to_the_end(self, spend: Spend, work: Callable[[Spend], Awaitable[Spend]]) -> Spend:
        """Take every step; where one cannot be written down, the spend stays open with its outcome unknown."""
        try:
            return await work(spend)
        except NotWrittenError as error:
            spend = error.spend
            if spend.stage is not Stage.UNKNOWN:
                why = f"what came of it could not be written down: {error}"
                spend = replace(spend, stage=Stage.UNKNOWN, doubtful=True, closed_at=None, reason=why)
        except Exception as error:
            raise OutcomeUnknown(
                f"something unexpected went wrong ({type(error).__name__}); the spend {spend.key} is kept",
                "the next start looks, and finishes it with its own key",
            ) from error
        self._show(spend)
        return spend

    def _driver(self) -> SpendDriver:
        journal = self._records.require().spends
        return SpendDriver(self._store, self._connection, self._poller, journal, self._clock, self._holder)

    async def _resume(self, spend: Spend) -> None:
        with contextlib.suppress(StoreError):  # said by State.store_failure, and done later
            await self._resumer.after_spend(spend)

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
        if await in_thread(spends.ended_keys, account) - proposal.ended:
            hint = "look at the limits again before you spend another"
            raise SpendHeld("another spend of this account ended while this question stood", hint)

    def _show(self, spend: Spend) -> None:
        self._store.update(open_spend=spend if spend.is_open else None)


def may_finish_unasked(spend: Spend, now: datetime) -> bool:
    """Whether an open spend is taken up again without a person's doing: its moment has not passed."""
    if spend.is_fresh(now):
        return spend.stage is not Stage.UNREADABLE
    return spend.is_moot(now) or spend.stage in (Stage.JOURNALED, Stage.ANSWERED, Stage.VERIFIED)
