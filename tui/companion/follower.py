"""What every part that follows the State does alike: it looks, and looks again when something concerns it."""

import asyncio

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.concurrency import first_of
from tui.domain.ledger import Event, EventKind


class Follower:
    """Looks again when the State has news for it, when it is woken, and when its pause is over."""

    def __init__(self, store: StateStore, records: Records, clock: Clock) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._wake = asyncio.Event()
        self._before = store.state

    async def follow(self) -> None:
        """Look now and whenever there is reason to, until cancelled."""
        with self._store.listening(self._on_state):
            while True:
                self._wake.clear()  # first: a change during a look makes it look again
                pause = await self._look()
                await first_of(self._wake.wait(), *([] if pause is None else [self._clock.sleep(pause)]))

    def _on_state(self, state: State) -> None:
        before, self._before = self._before, state
        if self._is_news(before, state):
            self._wake.set()

    def _is_news(self, before: State, state: State) -> bool:
        """Whether a new State is a reason to look."""
        return state.sessions is not before.sessions or state.snapshot is not before.snapshot

    def _event(self, kind: EventKind, text: str, credit_id: str | None = None) -> Event:
        """A line for the ledger, of now and of the account in use."""
        state = self._store.state
        return Event(self._clock.now(), kind, state.filed_under, text, state.link.source, credit_id)

    async def _look(self) -> float | None:
        """Do what is to be done now; for how many seconds to wait then, None for as long as there is no news."""
        raise NotImplementedError
