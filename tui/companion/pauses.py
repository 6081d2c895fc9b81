"""Writes down from when until when the limit kept sessions from work."""

import asyncio
from contextlib import suppress

from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import in_thread
from tui.domain.pauses import Pause, end_of, is_same, pauses
from tui.errors import StoreError


class PauseKeeper:
    """Follows the sessions of the account in use."""

    def __init__(self, store: StateStore, records: Records, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._wake = asyncio.Event()
        self._account: str | None = None
        self._open: dict[str, Pause] = {}
        """Those of the account that are not over as far as is known, by thread."""
        self._seen: set[str] = set()
        """The threads among them that this process saw stand still."""

    async def follow(self) -> None:
        """Write down what changes, until cancelled."""
        if self._records.pauses is None:
            return
        before = self._store.state

        def on_state(state: State) -> None:
            nonlocal before
            if state.sessions is not before.sessions or state.snapshot is not before.snapshot:
                self._wake.set()
            before = state

        with self._store.listening(on_state):
            while True:
                self._wake.clear()
                with suppress(StoreError):  # said by State.store_failure, and written at the next change
                    await self.note()
                await self._wake.wait()

    async def note(self) -> None:
        """Compare the sessions with what is written down."""
        state, table, now = self._store.state, self._records.pauses, self._clock.now()
        snapshot = state.snapshot
        if snapshot is None or table is None:
            return
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
