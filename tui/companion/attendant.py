"""Asking at the right moment, and what follows from the answers (design.md section 5).

The rules are the domain's; this is who applies them: to every reading, every sighting, and now and then the clock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.carrier import Carrier
from tui.companion.state import State
from tui.domain.account_state import AccountState, Findings, after_reading
from tui.domain.ask_memory import answered, asked, released
from tui.domain.forecast import SampleLog
from tui.domain.interruption import Situation, decide, still_stands
from tui.domain.ledger import Event, EventKind
from tui.domain.limit_stops import LimitStop, at_work, binding_window, stops
from tui.domain.question import AskRules, Cause, Choice, NoQuestion, NoQuestionReason, Question
from tui.domain.queue import CarryOn, after_restart, arm, confirmed, fire, should_fire
from tui.domain.resuming import due, seen
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Consent, Outcome, Proposal, Spend, choose_credit
from tui.domain.waiting import wait
from tui.domain.windows import WindowState
from tui.errors import NoCredit, ResetbankError, UsageError

ATTEND_SECONDS: Final = 15.0
"""Between two looks at what only the clock changes: a "later" that is over, a limit that comes near."""

SETTLING: Final = timedelta(seconds=2)
"""A session that a limit stops is first in error and then known to be stopped; for so long nothing is concluded."""


class Hands(Protocol):
    """What the attendant needs of the companion."""

    @property
    def state(self) -> State:
        """The newest State."""
        ...

    def publish(self, **changes: Any) -> None:
        """Put changes into the State and tell of it."""
        ...

    async def change_desk(self, step: Callable[[AccountState], AccountState]) -> AccountState:
        """Change the desk of the account in use, on the disk."""
        ...

    async def record(self, event: Event) -> None:
        """Put a line into the ledger."""
        ...

    async def propose(self, credit_id: str | None = None) -> Proposal:
        """State what spending would mean, from a fresh reading."""
        ...

    async def spend(self, proposal: Proposal, consent: Consent, carry_on: CarryOn = False) -> Spend:
        """Spend one reset on one consent, and carry on whom the person chose."""
        ...


class Attendant:
    """Watches over sessions and limits for one person."""

    def __init__(
        self, hands: Hands, clock: Clock, rules: AskRules, carrier: Carrier, *, instance: str, asks: bool
    ) -> None:
        """Begin with nothing in hand.

        Args:
            hands: The companion.
            clock: The time.
            rules: When the person wants to be asked.
            carrier: What carries threads on.
            instance: This process; only what it armed itself may it fire without asking again.
            asks: Whether anybody is there to be asked; a command that only watches asks nothing.
        """
        self._hands = hands
        self._clock = clock
        self._rules = rules
        self._carrier = carrier
        self._instance = instance
        self._asks = asks
        self._log = SampleLog()
        self._firing = False
        self._since: dict[str, datetime] = {}

    async def take_reading(self, snapshot: Snapshot) -> None:
        """Let a reading settle what it settles."""
        working = bool(at_work(self._hands.state.sessions, self._clock.now()))
        self._log = self._log.take(snapshot, active=working or not self._hands.state.watches_sessions)
        findings = Findings()

        def step(desk: AccountState) -> AccountState:
            nonlocal findings
            desk, findings = after_reading(desk, snapshot, self._clock.now())
            return desk

        await self.change(step)
        if findings.announcement is not None:
            self._hands.publish(announcement=findings.announcement)
        if findings.died is not None:
            queued, why = findings.died
            text = f"the queued reset was taken out: {why.replace('_', ' ')}"
            await self._note(EventKind.UNQUEUED, text, queued.credit_id)

    async def consider(self) -> None:
        """Look at how things stand now: ask, fire what is queued, and mark what was carried on."""
        await self._mark_carried()
        state, now = self._hands.state, self._clock.now()
        forecasts = self._log.forecasts(now)
        situation = Situation(
            snapshot=state.snapshot,
            sessions=state.sessions,
            forecasts=forecasts,
            stale=state.is_stale(now),
            spend_locked=state.spending or state.open_spend is not None or state.store_failure is not None,
            queued=state.queued is not None and state.queued.is_armed,
        )
        self._hands.publish(forecasts=forecasts)
        await self._fire_if_hit(state, now)
        question = state.question
        if question is not None and not (question.cause is Cause.ABOUT_TO_STOP and self.stops()):
            is_gone = self._has_lasted("gone", not still_stands(question, situation, now), now)
            if is_gone or await self._is_settled(question):
                self._since.clear()
                self._hands.publish(question=None)
            return
        # Nothing is asked yet, or what was about to stop has stopped by now: then the question is another one.
        verdict = decide(situation, self._rules, (await self._desk()).memory, now)
        if isinstance(verdict, Question) and not self._asks:
            verdict = NoQuestion(NoQuestionReason.DISABLED, verdict.cause, verdict.window, verdict.threads)
        if isinstance(verdict, Question):
            # At a limit that is hit a turn in flight is about to end by itself, one way or the other.
            hit = verdict.cause is Cause.ABOUT_TO_STOP and verdict.empty_at == now
            if self._has_lasted("hit", hit, now) or not hit:
                await self.change(lambda desk: replace(desk, memory=asked(desk.memory, verdict, now)))
                self._hands.publish(question=verdict, silence=None)
        elif state.question is None:
            self._has_lasted("hit", False, now)
            self._hands.publish(silence=verdict)

    @property
    def next_look(self) -> float:
        """Seconds until the clock alone may change something."""
        return SETTLING.total_seconds() if self._since else ATTEND_SECONDS

    def _has_lasted(self, name: str, holds: bool, now: datetime) -> bool:
        """Whether something has held long enough to be believed: sessions change their state twice within moments."""
        if not holds:
            self._since.pop(name, None)
            return False
        return now - self._since.setdefault(name, now) >= SETTLING

    async def answer(self, question: Question, choice: Choice | None, carry_on: CarryOn = True) -> None:
        """Take the answer to a question; a spend itself comes by `Companion.spend`, with its own consent.

        Args:
            question: The question.
            choice: The answer; None closes it without one, and it is not asked again.
            carry_on: Whom a queued spend shall carry on.

        Raises:
            NoCredit: There is nothing left to queue.
        """
        now = self._clock.now()
        if choice is Choice.QUEUE:
            await self.queue(carry_on)
        if choice is not None:
            await self.change(lambda desk: replace(desk, memory=answered(desk.memory, question, choice, now)))
        snapshot = self._hands.state.snapshot
        if choice is Choice.WAIT and snapshot is not None:
            await self.change(lambda desk: replace(desk, waiting=wait(question, snapshot, now)))
        if self._hands.state.question == question:
            self._hands.publish(question=None)

    async def queue(self, carry_on: CarryOn = True) -> None:
        """Arm the soonest to lapse for the limit.

        Raises:
            NoCredit: There is nothing to arm.
            UsageError: Nothing is known of the limits, or the limit is hit already.
        """
        state, now = self._hands.state, self._clock.now()
        window = binding_window(state.snapshot) if state.snapshot else None
        if state.snapshot is None or window is None:
            raise UsageError("nothing is known of the limits yet", "wait for a reading")
        if state.snapshot.state(now) is WindowState.REACHED:
            raise UsageError("the limit is hit already", "spend one now, or wait")
        credit = choose_credit(state.snapshot.bank, now)
        if isinstance(credit, str):
            raise NoCredit(credit)
        queued = arm(state.snapshot, window, credit, carry_on, now)
        await self.change(lambda desk: replace(desk, queued=queued, queue_owner=self._instance))
        await self._note(EventKind.QUEUED, "a reset was queued for the limit", queued.credit_id)

    async def unqueue(self) -> None:
        """Take the queued reset out again."""
        queued = self._hands.state.queued
        if queued is None:
            return

        def step(desk: AccountState) -> AccountState:
            memory = released(desk.memory, queued.window.key)
            return replace(desk, queued=None, queue_owner=None, memory=memory)

        await self.change(step)
        await self._note(EventKind.UNQUEUED, "the queued reset was taken out by hand", queued.credit_id)

    async def confirm_queue(self) -> None:
        """Say yes again to a reset that another process, or this one before a restart, had armed."""
        now = self._clock.now()

        def step(desk: AccountState) -> AccountState:
            if desk.queued is None or desk.queued.fired_at is not None:
                return desk
            return replace(desk, queued=confirmed(desk.queued, now), queue_owner=self._instance)

        await self.change(step)

    async def after_spend(self, spend: Spend, carry_on: CarryOn, stopped: tuple[LimitStop, ...]) -> None:
        """Carry on whom the person chose, once a spend is verified and the limit is really gone.

        Args:
            spend: The spend at its end.
            carry_on: Whom the person chose.
            stopped: Who had stopped when they chose.
        """
        snapshot = self._hands.state.snapshot
        if spend.outcome is not Outcome.RESET or spend.is_open:
            await self.nothing_was_spent()
            return
        if carry_on is False:
            return
        if snapshot is None or snapshot.state(self._clock.now()) is WindowState.REACHED:
            return  # spent, and still stopped: a message would only fail
        await self.carry(stopped, carry_on, since=spend.consent.given_at)

    async def nothing_was_spent(self) -> None:
        """A spend that answered a question came to nothing: its window may be asked about again."""

        def step(desk: AccountState) -> AccountState:
            memory = desk.memory
            for entry in memory.windows:
                if entry.settled in (Choice.SPEND_AND_CONTINUE, Choice.SPEND_ONLY):
                    memory = released(memory, entry.mark.key)
            return replace(desk, memory=memory)

        await self.change(step)

    async def carry(
        self,
        stopped: tuple[LimitStop, ...],
        carry_on: CarryOn = True,
        since: datetime | None = None,
        message: str | None = None,
    ) -> int:
        """Tell interrupted threads to go on, each once.

        Args:
            stopped: Who had stopped when the person decided.
            carry_on: Whom the person chose.
            since: When they decided; whoever stopped after that counts too. None counts everybody who is stopped now.
            message: Another message than the usual one.

        Returns:
            How many were told, or shown as a command, by this call.
        """
        log = (await self._desk()).carries
        told = 0
        for stop in due(stopped, since, self._hands.state.sessions, carry_on, log):
            if await self._carrier.carry(stop, message):
                told += 1
                await self._note(EventKind.CARRIED_ON, f"thread {stop.thread_id} was told to go on")
        return told

    def stops(self) -> tuple[LimitStop, ...]:
        """Who is stopped by the limit now."""
        state = self._hands.state
        if state.snapshot is None:
            return ()
        return stops(self._hands.state.sessions, state.snapshot, self._clock.now())

    async def _fire_if_hit(self, state: State, now: datetime) -> None:
        snapshot, queued = state.snapshot, state.queued
        if self._firing or state.spending or state.open_spend is not None or snapshot is None or queued is None:
            return
        if state.is_stale(now) or not should_fire(
            queued, snapshot, self._hands.state.sessions, now, self._rules.least_waiting
        ):
            return
        self._firing = True
        try:
            await self._fire(now)
        finally:
            self._firing = False

    async def _fire(self, now: datetime) -> None:
        """Spend the queued reset, once, whoever else looks at the same desk."""
        fired: tuple[str | None, CarryOn, Consent] | None = None

        def claim(desk: AccountState) -> AccountState:
            nonlocal fired
            queued = desk.queued
            if queued is None or not queued.is_armed or desk.queue_owner != self._instance:
                return desk
            _, consent = fire(queued, now)
            fired = (queued.credit_id, queued.carry_on, consent)
            return replace(desk, queued=None, queue_owner=None)

        await self.change(claim)
        if fired is None:
            return
        credit_id, carry_on, consent = fired
        try:
            proposal = await self._hands.propose(credit_id)
            await self._hands.spend(proposal, replace(consent, given_at=self._clock.now()), carry_on)
        except ResetbankError as error:
            await self._note(EventKind.UNQUEUED, f"the queued reset was not spent: {error}", credit_id)

    async def _mark_carried(self) -> None:
        state = self._hands.state
        if state.carries.carries:
            now = self._clock.now()
            await self.change(lambda desk: replace(desk, carries=seen(desk.carries, self._hands.state.sessions, now)))

    async def _is_settled(self, question: Question) -> bool:
        """Whether another process took the answer."""
        entry = (await self._desk()).memory.find(question.key)
        return entry is not None and entry.settled is not None

    async def _desk(self) -> AccountState:
        return await self.change(lambda desk: desk)

    async def change(self, step: Callable[[AccountState], AccountState]) -> AccountState:
        """Change the desk of the account in use and show what lies on it.

        Raises:
            StoreError: The database cannot be used.
        """
        desk = await self._hands.change_desk(step)
        queued = desk.queued
        if queued is not None and desk.queue_owner != self._instance:
            queued = after_restart(queued)
        self._hands.publish(queued=queued, waiting=desk.waiting, carries=desk.carries)
        return desk

    async def _note(self, kind: EventKind, text: str, credit_id: str | None = None) -> None:
        state = self._hands.state
        account = state.account_key or "unknown"
        await self._hands.record(Event(self._clock.now(), kind, account, text, state.link.source, credit_id))
