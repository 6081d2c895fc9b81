"""Writes down from when until when the limit kept sessions from work."""

from contextlib import suppress

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.follower import Follower
from tui.companion.records import Records
from tui.companion.state import StateStore
from tui.concurrency import in_thread
from tui.domain.pauses import Pause, end_of, is_same, pauses
from tui.errors import StoreError


class PauseKeeper(Follower):
    """Follows the sessions of the account in use."""

    def __init__(self, store: StateStore, records: Records, clock: Clock) -> None:
        super().__init__(store, records, clock)
        self._account: str | None = None
        self._open: dict[str, Pause] = {}
        """Those of the account that are not over as far as is known, by thread."""
        self._seen: set[str] = set()
        """The threads among them that this process saw stand still."""

    async def _look(self) -> None:
        with suppress(StoreError):  # said by State.store_failure, and written at the next change
            await self.note()

    async def note(self) -> None:
        """Compare the sessions with what is written down."""
        state, tables, now = self._store.state, self._records.tables, self._clock.now()
        snapshot = state.snapshot
        if snapshot is None or tables is None:
            return
        table = tables.pauses
        account = snapshot.account.key
        if account != self._account:
            known = await in_thread(table.open, account)
            self._open, self._seen, self._account = {pause.thread_id: pause for pause in known}, set(), account
        present = {pause.thread_id: pause for pause in pauses(state.sessions, snapshot, now)}
        begun = {thread: pause for thread, pause in present.items() if not is_same(self._open.get(thread), pause)}
        over = []
        for thread, pause in self._open.items():
            if thread in begun or thread not in present:
                session = state.sessions.get(thread)
                end = end_of(pause, session, snapshot, now, was_seen=thread in self._seen)
                over += [] if end is None else [replace(pause, until=end)]
        if begun or over:
            await in_thread(table.save, account, (*over, *begun.values()))
        for pause in over:
            self._open.pop(pause.thread_id)
        self._open |= begun
        self._seen = (self._seen | present.keys()) & self._open.keys()
