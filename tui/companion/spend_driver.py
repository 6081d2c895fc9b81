"""The steps of one spend, each on the disk before the next: send, learn the answer, look at the bank, close."""

from typing import Final

import msgspec

from tui.clock import Clock
from tui.companion import ledger_lines
from tui.companion.connection import Connection
from tui.companion.poller import Poller
from tui.companion.state import StateStore
from tui.concurrency import in_thread
from tui.domain.findings import mismatches
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Outcome, Spend, Stage, answer, close, let_go, lose_answer, reject, send
from tui.domain.spend_check import infer_from_bank, infer_from_history, is_still_there, is_told, may_send_again, verify
from tui.errors import ConsumeRejected, OutcomeUnknown, SourceError, StoreError, StoreLocked
from tui.store.spends import SpendJournal

MOST_UNASKED: Final = 2
"""How often the request goes out, always the same, without a person asking for it again."""

PAUSES: Final = (0.5, 1.5)
"""Seconds before another look at the bank, or another try to write."""


class NotWrittenError(Exception):
    """A step could not be written down."""

    def __init__(self, spend: Spend, why: str) -> None:
        super().__init__(why)
        self.spend = spend


class SpendDriver(msgspec.Struct, frozen=True):
    """Takes one spend through its steps; its account's lock and the connection's are held by whoever calls.

    A step that could not be written down raises `NotWrittenError`.
    """

    store: StateStore
    connection: Connection
    poller: Poller
    journal: SpendJournal
    clock: Clock
    holder: str

    async def take_up(self, spend: Spend, unasked: bool) -> Spend:
        """Go on with a spend that was found open.

        Unasked it is sent again only while its consent is fresh, and if it was sent once at most.
        """
        now = self.clock.now()
        if spend.stage is Stage.SENT:  # its driver died between the send and the answer
            spend = await self._step(lose_answer(spend, "resetbank ended before the answer came"))
        if spend.stage is Stage.JOURNALED and not spend.is_fresh(now):
            return await self._step(let_go(spend, now, "the consent is too old, and nothing was ever sent"))
        if spend.stage in (Stage.JOURNALED, Stage.UNKNOWN, Stage.UNREADABLE) and spend.is_moot(now):
            return await self._step(let_go(spend, now, "its reset has expired by now"))
        if spend.stage is Stage.JOURNALED:  # time has passed since its reading
            snapshot = await self._read_for(spend)
            if snapshot is None or (still := is_still_there(spend, snapshot.bank)) is None:
                return spend
            if not still:
                return await self._step(
                    let_go(spend, now, "its reset is gone from the bank, and nothing was ever sent")
                )
        if spend.stage is Stage.VERIFIED and spend.outcome is not Outcome.RESET:
            # The process that looked has ended; what was late may have landed since.
            verified = await self._verified_once(spend)
            if verified is None:
                return spend
            spend = await self._step(verified)
        may_resend = not unasked or (spend.is_fresh(now) and spend.sends < MOST_UNASKED)
        return await self.drive(spend, resends=may_resend, asked=not unasked)

    async def drive(self, spend: Spend, *, resends: bool = True, asked: bool = False) -> Spend:
        """Take every step that is left; it `resends` only what surely had no effect, or what a person asked for."""
        if spend.stage is Stage.JOURNALED:
            spend = await self._send_once(spend)
            if spend.stage is Stage.UNKNOWN:
                await self.clock.sleep(PAUSES[0])
        if spend.stage is Stage.UNKNOWN:
            spend, is_there = await self._settle_by_the_bank(spend, asked)
            if resends and is_there and spend.stage is Stage.UNKNOWN:
                spend = await self._send_once(spend)
                if spend.stage is Stage.UNKNOWN:
                    await self.clock.sleep(PAUSES[-1])
                    spend, _ = await self._settle_by_the_bank(spend, asked)
        if spend.stage is Stage.ANSWERED:
            spend = await self._verify(spend)
        if spend.stage is Stage.VERIFIED or (spend.stage is Stage.ANSWERED and spend.outcome is Outcome.RESET):
            spend = await self._step(close(spend, self.clock.now()))
        return spend

    async def _send_once(self, spend: Spend) -> Spend:
        try:
            source = await self.connection.source()
        except SourceError as error:
            # Nothing goes out: a spend that never did is over, an earlier send stays as doubtful as it was.
            if spend.stage is Stage.JOURNALED:
                return await self._step(let_go(spend, self.clock.now(), f"nothing was sent: {error}"))
            return spend
        spend = await self._step(send(spend), instead=spend)
        try:
            reply = await source.consume(spend.request)
        except ConsumeRejected as error:
            return await self._step(reject(spend, str(error)))
        except OutcomeUnknown as error:
            return await self._step(lose_answer(spend, str(error)))
        return await self._step(answer(spend, reply))

    async def _settle_by_the_bank(self, spend: Spend, asked: bool) -> tuple[Spend, bool]:
        """Look at the bank before anything is sent again; the spend, and whether it may be."""
        snapshot = await self._read_for(spend)
        if snapshot is None:
            return spend, False
        settled = infer_from_bank(spend, snapshot.bank, self.clock.now())
        if settled is spend:
            history = await self.connection.reset_history()
            settled = infer_from_history(spend, None if history is None else history.used)
        if settled is not spend:
            return await self._step(settled), False
        return spend, may_send_again(spend, snapshot.bank, self.clock.now(), asked=asked)

    async def _verify(self, spend: Spend) -> Spend:
        verified = await self._verified_once(spend)
        if verified is not None and mismatches(verified):
            # The service may lag behind its own answer: look once more before a mismatch is said.
            await self.clock.sleep(PAUSES[-1])
            verified = await self._verified_once(spend) or verified
        if verified is None:
            return spend
        return await self._step(verified)

    async def _verified_once(self, spend: Spend) -> Spend | None:
        snapshot = await self._read_for(spend)
        if snapshot is None or (spend.outcome is not Outcome.RESET and not is_told(spend, snapshot.bank)):
            return None
        return verify(spend, snapshot)

    async def _read_for(self, spend: Spend) -> Snapshot | None:
        """Read the spend's account again; None where that cannot be done, or another one is in use."""
        for pause in (*PAUSES, None):
            try:
                snapshot = await self.poller.read()
            except SourceError:
                if pause is None:
                    return None
                await self.clock.sleep(pause)
            else:
                return snapshot if snapshot.account.key == spend.account.key else None
        return None

    async def _step(self, spend: Spend, *, instead: Spend | None = None) -> Spend:
        """Write a step down, then show it; a database that is locked for a moment is waited for.

        Where that fails, the spend counts as `instead`, or as after the step.
        """
        events = ledger_lines.of_step(spend, self.clock.now(), self.connection.source_name)
        for pause in (*PAUSES, None):
            try:
                await in_thread(self.journal.advance, spend, events, self.holder)
            except StoreLocked as error:
                if pause is None:
                    raise NotWrittenError(instead or spend, str(error)) from error
                await self.clock.sleep(pause)
            except StoreError as error:
                raise NotWrittenError(instead or spend, str(error)) from error
            else:
                break
        self.store.update(open_spend=spend if spend.is_open else None)
        return spend
