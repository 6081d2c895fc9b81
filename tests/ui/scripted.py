"""A companion whose answers a test decides; every value in it is made by the domain's own functions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tests.ui.states import EVENTS, KEY
from tui.clock import Clock
from tui.companion.addresses import parse_address
from tui.companion.state import State
from tui.domain.credits import Credit
from tui.domain.invites import (
    InviteProposal,
    InviteRecord,
    Resend,
    ResendStage,
    accepted,
    address_refusal,
    begun,
    newest_first,
    noted,
)
from tui.domain.ledger import Event
from tui.domain.limit_stops import binding_window, stops
from tui.domain.question import Choice, Question
from tui.domain.queue import arm, confirmed
from tui.domain.referral import InviteAnswer, Offer
from tui.domain.resumes import LimitStop, Whom
from tui.domain.resuming import claimed, due, not_sent, sent
from tui.domain.snapshot import Snapshot
from tui.domain.spend import (
    Consent,
    ConsentKind,
    ConsumeAnswer,
    ConsumeCode,
    Outcome,
    Proposal,
    Spend,
    answer,
    choose_credit,
    close,
    journal,
    send,
)
from tui.domain.spend import propose as state_consequences
from tui.domain.spend_check import verify
from tui.domain.waiting import wait
from tui.errors import NoCredit, ResetbankError, UsageError


class ScriptedAttendant:
    """Answers with the domain's own functions; remembers what it was asked to do."""

    def __init__(self, companion: "ScriptedCompanion") -> None:
        self._companion = companion
        self.answers: list[tuple[Choice | None, Whom]] = []
        self.failure: ResetbankError | None = None
        self.takes_messages = True
        self.closed: Question | None = None
        """What `reopen` opens again."""

    def _change(self, **changes: Any) -> None:
        self._companion.publish(replace(self._companion.state, **changes))

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def answer(self, question: Question, choice: Choice | None, whom: Whom = True) -> None:
        self._fail()
        if choice is Choice.QUEUE:
            await self.queue(whom)
        self.answers.append((choice, whom))
        snapshot, now = self._companion.state.snapshot, self._companion.clock.now()
        assert snapshot is not None
        waiting = wait(question, snapshot, now) if choice is Choice.WAIT else self._companion.state.waiting
        self._change(question=None, waiting=waiting)

    async def queue(self, whom: Whom = True, number: int = 1, until: datetime | None = None) -> None:
        self._fail()
        snapshot, now = self._companion.state.snapshot, self._companion.clock.now()
        window = binding_window(snapshot) if snapshot else None
        if snapshot is None or window is None:
            raise UsageError("nothing is known of the limits yet")
        credit = choose_credit(snapshot.bank, now)
        if isinstance(credit, str):
            raise NoCredit(credit)
        self._change(queued=arm(snapshot, window, credit, whom, now, number=number, until=until))

    async def cancel_queue(self) -> None:
        self._fail()
        self._change(queued=None)

    def reopen(self) -> Question | None:
        self._change(question=self.closed)
        return self.closed

    async def confirm_queue(self) -> None:
        self._fail()
        queued = self._companion.state.queued
        assert queued is not None
        self._change(queued=confirmed(queued, self._companion.clock.now()))

    def limit_stops(self) -> tuple[LimitStop, ...]:
        state = self._companion.state
        return stops(state.sessions, state.snapshot, self._companion.clock.now()) if state.snapshot else ()

    async def resume(self, stopped: tuple[LimitStop, ...], whom: Whom = True) -> int:
        self._fail()
        state, now = self._companion.state, self._companion.clock.now()
        told = due(stopped, None, state.sessions, whom, state.resumes)
        for stop in told:
            log = claimed(self._companion.state.resumes, stop, now)
            self._change(resumes=log)
            log = sent(log, stop) if self.takes_messages else not_sent(log, stop, "no Codex daemon takes messages here")
            self._change(resumes=log)
        return len(told)


class ScriptedInviter:
    """Sends nothing and says what a test wants; remembers what it was asked to do."""

    def __init__(self, companion: "ScriptedCompanion") -> None:
        self._companion = companion
        self.looks = 0
        self.sent: list[tuple[str, ConsentKind, Offer]] = []
        self.resent: list[str] = []
        self.failure: Exception | None = None
        """What the next send, note or deletion raises."""
        self.ends: Callable[[InviteRecord], InviteRecord] = lambda record: accepted(record, InviteAnswer("ref9", None))
        """What becomes of an invite that is sent."""
        self.ends_again: Resend | None = None
        """What becomes of an e-mail that is sent again; None sends it."""
        self.held: asyncio.Event | None = None

    @property
    def _records(self) -> tuple[InviteRecord, ...]:
        return self._companion.state.invites.records

    def _publish(self, *records: InviteRecord) -> None:
        book = replace(self._companion.state.invites, records=newest_first(records))
        self._companion.publish(replace(self._companion.state, invites=book))

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def refresh(self) -> None:
        self.looks += 1

    def check(self, text: str) -> str:
        address = parse_address(text)
        why = address_refusal(address, "me@example.com", self._records)
        if why is not None:
            raise UsageError(why, "nothing was sent")
        return address

    def propose(self, text: str) -> InviteProposal:
        snapshot, offer = self._companion.state.snapshot, self._companion.state.invites.offer
        assert snapshot is not None
        assert offer is not None
        return InviteProposal(snapshot.account, self.check(text), offer)

    async def invite(self, proposal: InviteProposal, consent: ConsentKind) -> InviteRecord:
        address = proposal.address
        self.sent.append((address, consent, proposal.offer))
        if self.held is not None:
            await self.held.wait()
        self._fail()
        record = self.ends(begun(address, "acc1", consent, f"new{len(self.sent)}", self._companion.clock.now()))
        self._publish(*self._records, record)
        return record

    async def resend(self, key: str) -> InviteRecord:
        self.resent.append(key)
        self._fail()
        record = next(record for record in self._records if record.key == key)
        resend = self.ends_again or Resend(ResendStage.SENT, self._companion.clock.now())
        record = replace(record, resend=resend)
        self._publish(*(record if known.key == key else known for known in self._records))
        return record

    async def note(self, address: str, link: str | None) -> InviteRecord:
        self._fail()
        record = noted(address, "acc1", link, "noted1", self._companion.clock.now())
        self._publish(*self._records, record)
        return record

    async def forget(self, key: str) -> None:
        self._fail()
        self._publish(*(record for record in self._records if record.key != key))


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
    carried_on: list[Whom] = field(default_factory=list)
    """Whom each spend was to carry on."""
    acknowledged: int = 0
    finished: int = 0
    refreshed: int = 0
    closed: bool = False
    ledger: tuple[Event, ...] = EVENTS
    listeners: list[Callable[[State], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.questions = self.resumer = self.attendant = ScriptedAttendant(self)
        self.spender = self
        self.inviter = ScriptedInviter(self)

    def dismiss_notice(self) -> None:
        self.acknowledged += 1
        self.publish(replace(self.state, announcement=None))

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
        selection = choose_credit(self.state.snapshot.bank, now, credit_id)
        if isinstance(selection, str):
            raise NoCredit(selection)
        assert selection is None or isinstance(selection, Credit)
        return state_consequences(self.state.snapshot, now, selection)

    async def spend(self, proposal: Proposal, consent: Consent, whom: Whom = False) -> Spend:
        self.spends.append((proposal, consent))
        self.carried_on.append(whom)
        if self.failure is not None:
            raise self.failure
        stopped = self.resumer.limit_stops()
        spend = await self._drive(journal(proposal, consent, KEY, self.clock.now()))
        if whom is not False and spend.outcome is Outcome.RESET:
            await self.resumer.resume(stopped, whom)
        return spend

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
