"""Asks the service now and then what the live sessions took of the windows."""

from typing import Final

from tui.clock import Clock
from tui.companion.connection import Connection
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import StateStore
from tui.domain.reading import Costs
from tui.domain.sessions import live, of_account

ASK_SECONDS: Final = 300.0
"""Between two questions, as long as anything is heard of the sessions."""

SILENT_SECONDS: Final = 3600.0
"""Where the service does not tell, it is asked again after so long."""

_MOST_THREADS: Final = 20
"""So many sessions are asked about at once."""


class CostKeeper(Follower):
    """Follows the live sessions of the account in use."""

    def __init__(self, store: StateStore, connection: Connection, records: Records, clock: Clock) -> None:
        super().__init__(store, records, clock)
        self._connection = connection
        self._free_at = clock.monotonic()
        self._account: str | None = None
        self._heard: frozenset[tuple[str, object]] = frozenset()
        """What was known of each thread when it was last asked for."""

    async def _look(self) -> float | None:
        account = self._store.state.account_key
        if account != self._account:
            self._account, self._heard, self._free_at = account, frozenset(), self._clock.monotonic()
        wait = self._free_at - self._clock.monotonic()
        if wait > 0:
            return wait
        await self.ask()
        return None if self._free_at <= self._clock.monotonic() else self._free_at - self._clock.monotonic()

    async def ask(self) -> None:
        """Ask once, where there is news of any session since it was last asked."""
        state, now = self._store.state, self._clock.now()
        snapshot = state.snapshot
        if snapshot is None:
            return
        found = [session for session in live(state.sessions, now) if of_account(session, snapshot)][:_MOST_THREADS]
        heard = frozenset((session.thread_id, session.seen_at) for session in found)
        if heard <= self._heard:
            return
        costs = await self._connection.session_costs(tuple(session.thread_id for session in found))
        self._heard = heard
        self._free_at = self._clock.monotonic() + (SILENT_SECONDS if costs is None else ASK_SECONDS)
        if costs is not None and self._store.state.account_key == snapshot.account.key:
            self._store.update(costs=Costs(self._clock.now().timestamp(), snapshot.account.key, costs))
