"""A companion whose answers a test decides; every value in it is made by the domain's own functions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.ui.states import EVENTS, KEY
from tui.clock import Clock
from tui.companion.state import State
from tui.domain.credits import Credit
from tui.domain.ledger import Event
from tui.domain.snapshot import Snapshot
from tui.domain.spend import (
    Consent,
    ConsumeAnswer,
    ConsumeCode,
    Proposal,
    Spend,
    answer,
    choose_credit,
    close,
    journal,
    send,
    verify,
)
from tui.domain.spend import propose as state_consequences
from tui.errors import NoCredit, ResetbankError


@dataclass
class ScriptedCompanion:
    state: State
    clock: Clock
    after: Snapshot | None = None
    """What the re-reading after a spend shows."""
    failure: Exception | None = None
    """What the next call raises."""
    ends: Callable[[Spend], Spend] | None = None
    """How a sent spend ends instead of well."""
    held: asyncio.Event | None = None
    """What a spend waits for after it was sent."""
    proposals: list[str | None] = field(default_factory=list)
    spends: list[tuple[Proposal, Consent]] = field(default_factory=list)
    finished: int = 0
    refreshed: int = 0
    closed: bool = False
    ledger: tuple[Event, ...] = EVENTS
    listeners: list[Callable[[State], None]] = field(default_factory=list)

    def listen(self, on_state: Callable[[State], None]) -> Callable[[], None]:
        self.listeners.append(on_state)
        return lambda: self.listeners.remove(on_state)

    def publish(self, state: State) -> None:
        self.state = state
        for listener in tuple(self.listeners):
            listener(state)

    async def run(self) -> None:
        if self.failure is not None:
            raise self.failure

    def refresh(self) -> None:
        self.refreshed += 1

    async def propose(self, credit_id: str | None = None) -> Proposal:
        self.proposals.append(credit_id)
        if self.failure is not None:
            raise self.failure
        assert self.state.snapshot is not None
        now = self.clock.now()
        picked = choose_credit(self.state.snapshot.bank, now, credit_id)
        if isinstance(picked, str):
            raise NoCredit(picked)
        assert picked is None or isinstance(picked, Credit)
        return state_consequences(self.state.snapshot, now, picked)

    async def spend(self, proposal: Proposal, consent: Consent) -> Spend:
        self.spends.append((proposal, consent))
        if self.failure is not None:
            raise self.failure
        return await self._drive(journal(proposal, consent, KEY, self.clock.now()))

    async def finish(self) -> Spend | None:
        self.finished += 1
        if self.failure is not None:
            raise self.failure
        return await self._drive(self.state.open_spend) if self.state.open_spend else None

    async def _drive(self, spend: Spend) -> Spend:
        spend = send(spend)
        self.publish(replace(self.state, open_spend=spend, spending=True))
        if self.held is not None:
            await self.held.wait()
        if self.ends is not None:
            spend = self.ends(spend)
        else:
            assert self.after is not None
            spend = close(verify(answer(spend, ConsumeAnswer(ConsumeCode.RESET, 2)), self.after), self.clock.now())
        self.publish(replace(self.state, open_spend=spend if spend.is_open else None, spending=False))
        return spend

    async def events(self, limit: int | None = None) -> tuple[Event, ...]:
        if isinstance(self.failure, ResetbankError):
            raise self.failure
        return self.ledger

    async def aclose(self) -> None:
        self.closed = True
