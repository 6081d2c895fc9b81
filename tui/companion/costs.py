"""Asks the service now and then what the live sessions took of the windows."""

from datetime import datetime
from typing import Final

from tui.clock import Clock
from tui.companion.connection import Connection
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import StateStore
from tui.domain.reading import Costs
from tui.domain.sessions import SessionState, live, of_account

ASK_SECONDS: Final = 300.0
"""Between two questions, as long as anything is heard of the sessions ..."""

STOP_SECONDS: Final = 10.0
"""... and where the limit has just stopped one, which is when somebody wants to know."""

SILENT_SECONDS: Final = 3600.0
"""Where the service does not tell, it is asked again after so long."""

_MOST_THREADS: Final = 20
"""So many sessions are asked about at once."""

_STOPPED: Final = (SessionState.HELD, SessionState.STOPPED_AT_LIMIT)


class CostKeeper(Follower):
    """Follows the live sessions of the account in use."""

    def __init__(self, store: StateStore, connection: Connection, records: Records, clock: Clock) -> None:
        super().__init__(store, records, clock)
        self._connection = connection
        self._free_at = self._asked_at = clock.monotonic()
        self._tells = True
        self._stopped: frozenset[str] = frozenset()
        self._account: str | None = None
        self._heard: frozenset[tuple[str, datetime, SessionState]] = frozenset()
        """What was known of each thread when it was last asked for."""

    async def _look(self) -> float | None:
        account = self._store.state.account_key
        if account != self._account:
            self._account, self._heard, self._free_at = account, frozenset(), self._clock.monotonic()
        sessions = self._store.state.sessions.values()
        before, self._stopped = self._stopped, frozenset(one.thread_id for one in sessions if one.state in _STOPPED)
        if self._tells and self._stopped - before:
            self._free_at = min(self._free_at, self._asked_at + STOP_SECONDS)
        if self._free_at <= self._clock.monotonic():
            await self.ask()
        wait = self._free_at - self._clock.monotonic()
        return wait if wait > 0 else None

    async def ask(self) -> None:
        """Ask once, where there is news of any session since it was last asked."""
        state, now = self._store.state, self._clock.now()
        snapshot = state.snapshot
        if snapshot is None:
            return
        found = [session for session in live(state.sessions, now) if of_account(session, snapshot)][:_MOST_THREADS]
        heard = frozenset((session.thread_id, session.seen_at, session.state) for session in found)
        if heard <= self._heard:
            return
        costs = await self._connection.session_costs(tuple(session.thread_id for session in found))
        self._heard, self._tells, self._asked_at = heard, costs is not None, self._clock.monotonic()
        self._free_at = self._asked_at + (ASK_SECONDS if self._tells else SILENT_SECONDS)
        if costs is not None and self._store.state.account_key == snapshot.account.key:
            self._store.update(costs=Costs(self._clock.now().timestamp(), snapshot.account.key, costs))
