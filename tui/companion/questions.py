"""Deciding when to ask, and what follows from the answers.

The rules are the domain's; this applies them to every reading, every change of a session, and now and then the clock.
Whether a question is settled is derived from what is in hand: a queued reset, a wait, a spend, "not again".
"""

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.follower import Follower
from tui.companion.merge import ROLLOUT
from tui.companion.records import Records
from tui.companion.resumer import Resumer
from tui.companion.state import State, StateStore
from tui.domain.account_state import AccountState, after_reading
from tui.domain.ask_memory import AskMemory, answered, asked
from tui.domain.held_sessions import held
from tui.domain.interruption import Situation, decide, is_settled, still_stands
from tui.domain.ledger import Event, EventKind
from tui.domain.limit_stops import binding_window
from tui.domain.question import AskRules, Cause, Choice, NoQuestion, NoQuestionReason, Question
from tui.domain.queue import Queued, QueueEndReason, arm, confirmed
from tui.domain.resumes import Whom
from tui.domain.snapshot import Snapshot
from tui.domain.spend import IllegalStep, choose_credit
from tui.domain.waiting import wait
from tui.errors import NoCredit, StoreError, UsageError

EVALUATE_SECONDS: Final = 15.0
"""Between two evaluations of what only the clock changes: a "later" that is over, a limit that comes near."""

SETTLING_SECONDS: Final = 2.0
"""A session that a limit stops is first in error and then known to be stopped; for so long nothing is concluded."""


class QuestionService(Follower):
    """Asks one person at the right moment; an answer that could not be written down raises `StoreError`."""

    def __init__(
        self, store: StateStore, records: Records, resumer: Resumer, clock: Clock, rules: AskRules, *, asks: bool
    ) -> None:
        """Ask nothing yet; where nobody is there to be asked, nothing that belongs to a person is changed."""
        super().__init__(store, records, clock)
        self._resumer = resumer
        self._rules = rules
        self._asks = asks
        self._since: dict[str, float] = {}
        self._reason_at_opening: NoQuestionReason | None = None
        self._memory = AskMemory()
        self._situation = Situation(None, {})

    def _is_news(self, before: State, state: State) -> bool:
        def about(one: State) -> tuple[object, ...]:
            return one.snapshot, one.outlook, one.link.failure, one.spending, one.open_spend

        return before.sessions is not state.sessions or about(before) != about(state)

    async def _look(self) -> float:
        with contextlib.suppress(StoreError):  # said by State.store_failure
            await self.evaluate()
        return SETTLING_SECONDS if self._since else EVALUATE_SECONDS

    async def evaluate(self) -> None:
        """Look at how things stand now, and ask, or take back a question that is no longer true."""
        state, now = self._store.state, self._clock.now()
        account = await self._apply_reading(state.snapshot, now)
        self._memory = account.memory
        self._situation = situation = await self._situation_of(account, now)
        question = self._store.state.question
        has_stopped = bool(self._resumer.limit_stops() or held(self._store.state.sessions))
        if question is not None and not (question.cause is Cause.ABOUT_TO_STOP and has_stopped):
            if question.cause in (Cause.LAPSING, Cause.EVENING) and self._asks:
                pressing = decide(situation, self._rules, account.memory, now)
                if isinstance(pressing, Question) and pressing.cause is not Cause.EVENING:
                    await self._ask(pressing, now)
                    return
            is_gone = self._has_lasted("gone", not still_stands(question, situation, now))
            reason = is_settled(question, situation, account.memory, now)
            if is_gone or reason not in (None, self._reason_at_opening):
                self._since.clear()
                self._store.update(question=None)
            return
        # Nothing is asked yet, or what was about to stop has stopped by now: then the question is another one.
        verdict = decide(situation, self._rules, account.memory, now)
        if isinstance(verdict, Question) and not self._asks:
            verdict = NoQuestion(NoQuestionReason.DISABLED, verdict.cause, verdict.window)
        if isinstance(verdict, Question):
            # At a limit that is reached a turn in flight is about to end by itself, one way or the other.
            hit = verdict.cause is Cause.ABOUT_TO_STOP and verdict.empty_at == now
            if self._has_lasted("hit", hit) or not hit:
                await self._ask(verdict, now)
        elif question is None:
            self._has_lasted("hit", False)
            self._store.update(no_question=verdict)

    async def _ask(self, question: Question, now: datetime) -> None:
        await self._records.change(lambda account: replace(account, memory=asked(account.memory, question, now)))
        self._reason_at_opening = NoQuestionReason.ALREADY_ASKED
        self._store.update(question=question, no_question=None)

    async def _apply_reading(self, snapshot: Snapshot | None, now: datetime) -> AccountState:
        """Let a new reading change what is in hand, where that belongs to this process's person."""
        if snapshot is None or snapshot.provenance.source == ROLLOUT or not self._asks:
            return await self._records.in_hand()
        ended: tuple[Queued, QueueEndReason] | None = None
        is_over = False

        def step(before: AccountState) -> AccountState:
            nonlocal ended, is_over
            after, reason = after_reading(before, snapshot, now)
            ended = (before.queued, reason) if before.queued is not None and reason is not None else None
            is_over = before.waiting is not None and after.waiting is None
            return after

        def lines() -> Iterable[Event]:
            if is_over:
                yield self._event(EventKind.WAIT_OVER, "room was seen: what waited goes on")
            if ended is not None:
                queued, reason = ended
                text = f"the queued reset was taken out: {reason.replace('_', ' ')}"
                yield self._event(EventKind.UNQUEUED, text, queued.credit_id)

        account = await self._records.change(step, lines)
        if ended is not None or is_over:
            await self._records.show()
        return account

    async def _situation_of(self, account: AccountState, now: datetime) -> Situation:
        spent_at = await self._records.spent_at()
        state = self._store.state  # last: what is decided is of the State in which it is published
        queued = state.queued
        return Situation(
            snapshot=state.snapshot,
            sessions=state.sessions,
            outlook=state.outlook,
            stale=state.is_stale(now),
            spend_locked=state.spending or state.open_spend is not None or state.store_failure is not None,
            queued=queued is not None and not queued.needs_fresh_yes,
            waiting_for=account.waiting.window.key if account.waiting is not None else None,
            spent_at=spent_at,
        )

    def _has_lasted(self, name: str, holds: bool) -> bool:
        """Whether something has held long enough to be believed: sessions change their state twice within moments."""
        if not holds:
            self._since.pop(name, None)
            return False
        now = self._clock.monotonic()
        return now - self._since.setdefault(name, now) >= SETTLING_SECONDS

    def reopen(self) -> Question | None:
        """Open the closed question again while it is true, whatever was answered; None if there is none."""
        state, now = self._store.state, self._clock.now()
        situation = Situation(state.snapshot, state.sessions, state.outlook, stale=state.is_stale(now))
        rules, memory = replace(self._rules, enabled=True), AskMemory(open_at=self._memory.open_at)
        question = decide(situation, rules, memory, now)
        if isinstance(question, NoQuestion):
            return None
        self._reason_at_opening = is_settled(question, self._situation, self._memory, now)
        self._store.update(question=question, no_question=None)
        return question

    async def answer(self, question: Question, choice: Choice | None, whom: Whom = True) -> None:
        """Take the answer to a question; a spend itself comes by `Spender.spend`, with its own consent.

        No choice closes it without an answer, and it is not asked again. `whom` is told to go on after a queued spend.

        Raises:
            NoCredit: There is nothing left to queue.
            UsageError: Another account is in use than the one that was asked about.
        """
        now, snapshot = self._clock.now(), self._store.state.snapshot
        if choice is not None and snapshot is not None and question.account.differs_from(snapshot.account):
            raise UsageError("another account is in use by now, so nothing was answered", "look at what it shows")
        if choice is Choice.QUEUE:
            await self.queue(whom)
        elif choice is not None:

            def step(account: AccountState) -> AccountState:
                waiting = wait(question, snapshot, now) if choice is Choice.WAIT and snapshot else account.waiting
                return replace(account, waiting=waiting, memory=answered(account.memory, question, choice, now))

            text = "work waits for the natural reset, and then goes on by itself"
            line = self._event(EventKind.WAITING, text)
            await self._records.change(step, lambda: [line] if choice is Choice.WAIT else [])
        if self._store.state.question == question:
            self._store.update(question=None)
        self._wake.set()

    async def queue(
        self, whom: Whom = True, number: int = 1, until: datetime | None = None, before_lapse: float | None = None
    ) -> None:
        """Queue the soonest reset to expire for the limit, or several until some time; `domain.queue.arm` says how.

        Raises:
            NoCredit: There is nothing to queue.
            UsageError: Nothing is known of the limits, the limit is reached already, or no queue can be like that.
        """
        state, now = self._store.state, self._clock.now()
        window = binding_window(state.snapshot) if state.snapshot else None
        if state.snapshot is None or window is None:
            raise UsageError("nothing is known of the limits yet", "wait for a reading")
        if state.snapshot.is_reached(now):
            raise UsageError("the limit is reached already", "spend one now, or wait")
        credit = choose_credit(state.snapshot.bank, now)
        if isinstance(credit, str):
            raise NoCredit(credit)
        usable = state.snapshot.bank.usable(now)
        if usable is not None and number > usable:
            raise UsageError(f"{number} resets cannot be queued, the bank has {usable}", "queue fewer")
        self._records.require()
        try:
            queued = arm(
                state.snapshot, window, credit, whom, now, number=number, until=until, before_lapse=before_lapse
            )
        except IllegalStep as error:
            raise UsageError(str(error), "name another number or time") from error
        await self._records.show_life()
        owner = self._records.process
        text = "a reset was queued for the limit"
        if until is not None:
            text = f"up to {number} resets were queued for the limit, until {until:%Y-%m-%d %H:%M} UTC"
        if before_lapse is not None:
            text += f", or for shortly before it lapses if {before_lapse:g} % is used by then"
        line = self._event(EventKind.QUEUED, text, queued.credit_id)
        await self._records.change(lambda account: replace(account, queued=queued, queue_owner=owner), lambda: [line])
        await self._records.show()

    async def cancel_queue(self) -> None:
        """Take the queued reset out again."""
        queued = self._store.state.queued
        if queued is not None:
            line = self._event(EventKind.UNQUEUED, "the queued reset was taken out by hand", queued.credit_id)
            await self._records.change(lambda account: replace(account, queued=None, queue_owner=None), lambda: [line])
            await self._records.show()

    async def confirm_queue(self, queued: Queued) -> None:
        """Say yes again to what another process, or this one before a restart, had queued.

        Raises:
            UsageError: It is no longer what the person was shown.
        """
        now, owner = self._clock.now(), self._records.process
        await self._records.show_life()
        is_there = False

        def step(account: AccountState) -> AccountState:
            nonlocal is_there
            is_there = queued.is_same(account.queued)
            if account.queued is None or not is_there:
                return account
            return replace(account, queued=confirmed(account.queued, now), queue_owner=owner)

        await self._records.change(step)
        if not is_there:
            raise UsageError("what was queued is another by now, or gone; nothing was confirmed", "look again")

    async def cancel_wait(self) -> None:
        """Wait no longer: what is held is asked about again, and nothing goes on by itself."""
        line = self._event(EventKind.WAIT_OVER, "the wait for the natural reset was taken back by hand")
        await self._records.change(lambda account: replace(account, waiting=None), lambda: [line])
        self._wake.set()

    async def dismiss_notice(self) -> None:
        """The notice that a wait is over was seen: no screen shows it any more, nor the next one."""
        seen = self._store.state.announcement

        def step(account: AccountState) -> AccountState:
            return replace(account, announcement=None) if account.announcement == seen else account

        await self._records.change(step)
