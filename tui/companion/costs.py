"""Asks the service what the live sessions took of the windows, where somebody is about to read it."""

from datetime import datetime
from math import inf
from typing import Final

from tui.clock import Clock
from tui.companion.connection import Connection
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.domain.reading import Costs
from tui.domain.sessions import SessionState, live, of_account

ASK_SECONDS: Final = 300.0
"""Between two questions to the service, as long as a question to the person stands."""

LEAST_SECONDS: Final = 10.0
"""It is asked no more often than this, whoever wants to know ..."""

SILENT_SECONDS: Final = 3600.0
"""... and where it does not tell, only after so long."""

_MOST_THREADS: Final = 20
"""So many sessions are asked about at once."""


class CostKeeper(Follower):
    """Asks about the live sessions of the account in use when a question comes up; whoever shows them asks too."""

    def __init__(self, store: StateStore, connection: Connection, records: Records, clock: Clock) -> None:
        super().__init__(store, records, clock)
        self._connection = connection
        self._free_at = -inf
        self._heard: frozenset[tuple[str, str, datetime, SessionState]] = frozenset()
        """What was known of each thread of an account when it was last asked for."""

    def _is_news(self, before: State, state: State) -> bool:
        """Whether another question came up."""
        asked, now_asked = before.question, state.question
        return now_asked is not None and (asked is None or asked.cause is not now_asked.cause)

    async def _look(self) -> float | None:
        if self._store.state.question is None:
            return None
        wait = self._free_at - self._clock.monotonic()
        if wait > 0:
            return wait
        await self.ask()
        return ASK_SECONDS

    async def ask(self) -> None:
        """Ask once, unless that was just done, or there is no news of any session since."""
        state, now = self._store.state, self._clock.now()
        snapshot = state.snapshot
        if snapshot is None or self._clock.monotonic() < self._free_at:
            return
        account = snapshot.account.key
        found = [session for session in live(state.sessions, now) if of_account(session, snapshot)][:_MOST_THREADS]
        heard = frozenset((account, session.thread_id, session.seen_at, session.state) for session in found)
        if heard <= self._heard:
            return
        costs = await self._connection.session_costs(tuple(session.thread_id for session in found))
        self._heard = heard
        self._free_at = self._clock.monotonic() + (SILENT_SECONDS if costs is None else LEAST_SECONDS)
        if costs is not None and self._store.state.account_key == account:
            self._store.update(costs=Costs(self._clock.now().timestamp(), account, costs))
