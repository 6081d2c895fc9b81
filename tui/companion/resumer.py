"""Telling stopped threads to go on: claimed before the message goes out, sent once, done when seen at work again."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.connection import Connection
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.account_state import AccountState
from tui.domain.ledger import Event, EventKind
from tui.domain.limit_stops import stops
from tui.domain.resumes import LimitStop, Whom
from tui.domain.resuming import claimed, due, ended, seen
from tui.domain.sessions import interrupted
from tui.domain.spend import Outcome, Spend
from tui.domain.waiting import Announcement
from tui.errors import ResetbankError

_NOTICED_WITHIN: Final = timedelta(minutes=1)
"""A stop from before a spend's end that is noticed no later than that is part of it, where everybody goes on."""


class Resumer(Follower):
    """Sends messages to threads through the daemon; where there is none, the person gets the command instead."""

    def __init__(
        self, store: StateStore, connection: Connection, records: Records, clock: Clock, *, message: str
    ) -> None:
        super().__init__(store, records, clock)
        self._connection = connection
        self._message = message
        self._went_on: Announcement | None = None

    def _is_news(self, before: State, state: State) -> bool:
        return super()._is_news(before, state) or state.announcement is not before.announcement

    async def _look(self) -> None:
        """Mark who works again, and do what a spend or a wait left to do."""
        await self._mark_done()
        if self._store.state.link.source is not None:  # before that nobody knows who takes messages
            await self._finish_plans()
            await self._end_wait()

    def limit_stops(self) -> tuple[LimitStop, ...]:
        """Who is stopped by the limit now."""
        state = self._store.state
        return stops(state.sessions, state.snapshot, self._clock.now()) if state.snapshot else ()

    async def resume(
        self,
        stopped: tuple[LimitStop, ...],
        whom: Whom = True,
        message: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Tell stopped threads to go on, each once, as `domain.resuming.due` says; how many were told or are shown."""
        log = (await self._records.in_hand()).resumes
        resumed = 0
        for stop in due(stopped, since, self._store.state.sessions, whom, log, until):
            resumed += await self._resume_one(stop, message or self._message)
        return resumed

    async def after_spend(self, spend: Spend) -> None:
        """Tell those to go on whom the person chose with a spend, once it is over and the limit is gone.

        Where that is not known yet, `follow` does it later; so does another process.
        """
        plan, state = spend.resume, self._store.state
        if plan is None or spend.closed_at is None or spend.outcome is not Outcome.RESET:
            return
        now, snapshot = self._clock.now(), state.snapshot
        if spend.resumed_at is not None and (plan.whom is not True or now - spend.resumed_at > _NOTICED_WITHIN):
            return
        if snapshot is None or not state.watches_sessions or not spend.is_fresh(now):
            return
        if snapshot.account.key != spend.account.key or snapshot.provenance.observed_at < spend.journaled_at:
            return
        if snapshot.is_reached(now):
            return  # spent, and still stopped: a message would only fail
        # Who was told already is not told again; where everybody goes on, a stop that is noticed late counts too.
        until = spend.closed_at if spend.resumed_at is not None else None
        await self.resume(plan.stops, plan.whom, since=plan.since or spend.consent.given_at, until=until)
        if spend.resumed_at is None:
            tables = self._records.require()
            await in_thread(tables.spends.advance, replace(spend, resumed_at=now))

    async def _end_wait(self) -> None:
        """Tell those to go on who stood still while the person waited for the natural reset, each once."""
        state, over = self._store.state, self._store.state.announcement
        if over is None or over == self._went_on or state.snapshot is None or not state.watches_sessions:
            return
        if state.snapshot.is_reached(self._clock.now()):
            return
        self._went_on = over
        later = (session for session in interrupted(state.sessions) if over.since <= session.since <= over.observed_at)
        threads = {stop.thread_id for stop in over.stops} | {session.thread_id for session in later}
        await self.resume(over.stops, tuple(threads))

    async def _resume_one(self, stop: LimitStop, message: str) -> bool:
        mine = False

        def claim(state: AccountState) -> AccountState:
            nonlocal mine
            mine = state.resumes.of(stop) is None
            return replace(state, resumes=claimed(state.resumes, stop, self._clock.now())) if mine else state

        await self._records.change(claim)
        if not mine:
            return False
        reason = await self._send(stop.thread_id, message)

        await self._records.change(
            lambda state: replace(state, resumes=ended(state.resumes, stop, reason)),
            lambda: [self._line(stop, reason)],
        )
        await self._records.show()
        return True

    async def _send(self, thread_id: str, message: str) -> str | None:
        """Send the message; why that was not possible, or None."""
        messenger = self._connection.messenger()
        if messenger is None:
            return "no Codex daemon takes messages here"
        try:
            await messenger.carry_on(thread_id, message, str(uuid.uuid4()))
        except ResetbankError as error:
            return str(error)
        return None

    def _line(self, stop: LimitStop, reason: str | None) -> Event:
        text = f"thread {stop.thread_id} was told to go on"
        if reason is not None:
            text = f"the command to resume thread {stop.thread_id} was shown: {reason}"
        return self._event(EventKind.RESUMED, text)

    async def _mark_done(self) -> None:
        if self._store.state.resumes.entries:
            now, sessions = self._clock.now(), self._store.state.sessions
            await self._records.change(lambda state: replace(state, resumes=seen(state.resumes, sessions, now)))

    async def _finish_plans(self) -> None:
        account, failure = self._store.state.account_key, self._store.state.store_failure
        if account is None or failure is not None or self._store.state.spending:
            return
        last = await in_thread(self._records.require().spends.last_closed, account)
        if last is not None:
            await self.after_spend(last)
