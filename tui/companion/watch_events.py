"""What happens, one event at a time, for whoever follows without a screen (`resetbank watch`)."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.clock import Clock
from tui.companion.records import Records
from tui.companion.state import State, StateStore
from tui.domain.held_sessions import held
from tui.domain.hooks import GateMode
from tui.domain.lapses import Lapse, lapses
from tui.domain.ledger import SHOWS_LESS, Event, EventKind
from tui.domain.limit_stops import binding_window, stops
from tui.domain.question import Cause
from tui.domain.resets import mark
from tui.domain.resumes import LimitStop
from tui.domain.sessions import Session, SessionState, active
from tui.domain.snapshot import Snapshot
from tui.domain.spend import Outcome, Spend
from tui.domain.windows import Window, WindowState


class WatchEventKind(StrEnum):
    """What happened."""

    NEAR = "near"
    """The limit is nearly used up, or expected to be soon while a session is at work."""
    INTERRUPTED = "interrupted"
    """A session stopped at the limit; or the limit is reached and no session is known."""
    HELD = "held"
    """A request of a session waits at the limit."""
    RESUMED = "resumed"
    """A session that had stopped at the limit, or was held there, works again."""
    RESET_OBSERVED = "reset_observed"
    SPENT = "spent"
    CREDIT_CHANGED = "credit_changed"
    LAPSING = "lapsing"
    """A reset lapses within 7 days, 3 days, 24 hours or 1 hour; once for each."""


_OF_CREDITS: Final = SHOWS_LESS | frozenset(
    {EventKind.CREDIT_GRANTED, EventKind.CREDIT_EXPIRED, EventKind.EXPIRY_CHANGED, EventKind.GRANT_MISSING}
)


_OF_THE_LEDGER: Final = frozenset({WatchEventKind.SPENT, WatchEventKind.CREDIT_CHANGED})

_GOES_ON: Final = (SessionState.RUNNING, SessionState.IDLE, SessionState.WAITING_APPROVAL)


class WatchEvent(msgspec.Struct, frozen=True):
    """One event; what does not apply is None."""

    kind: WatchEventKind
    at: datetime
    session: Session | None = None
    window: Window | None = None
    resets_available: int | None = None
    lapse: Lapse | None = None
    account_name: str = ""
    """What the account is called in the settings; empty where it has no name."""
    is_ours: bool = True
    """False for a spend that nobody consented to here."""

    def identity(self, account: str | None) -> tuple[str, float, float]:
        """What makes it the same event in every process: a name, its moment, and seconds of tolerance.

        A window is the same one by its end, a reset by its last moment, a session's stop or a ledger line by its own.
        """
        if self.lapse is not None:
            return f"{self.kind} {account} {self.lapse.key}", self.lapse.expires_at.timestamp(), 120.0
        about = self.session.thread_id if self.session else str(self.window.minutes if self.window else "")
        about = about if self.is_ours else "elsewhere"
        ends = self.window.resets_at if self.window is not None and self.session is None else None
        tolerance = 1.0 if self.kind in _OF_THE_LEDGER else 120.0
        return f"{self.kind} {account} {about}", (ends or self.at).timestamp(), tolerance


class WatchEvents:
    """Calls back with every event: of the State as it changes, of the ledger as it is written, whoever writes it."""

    def __init__(
        self,
        store: StateStore,
        records: Records,
        clock: Clock,
        on_event: Callable[[WatchEvent], None],
        after: "WatchEvents | None" = None,
    ) -> None:
        """Listen from now on; what holds already is an event once.

        What followed the same account until now, `after`, has called back with its events: they are none again.
        """
        self._store = store
        self._clock = clock
        self._on_event = on_event
        self._was_near = self._was_reached = self._was_hit_unseen = False
        self._stops: dict[str, LimitStop] = {}
        self._held: frozenset[str] = frozenset()
        self._lapses: frozenset[str] = frozenset()
        self._snapshot: Snapshot | None = None
        if after is not None:
            self._was_near, self._was_reached, self._snapshot = after._was_near, after._was_reached, after._snapshot
            self._was_hit_unseen, self._lapses = after._was_hit_unseen, after._lapses
        store.listen(self._on_state)
        records.listen(self._on_line)
        self._on_state(store.state)

    def _emit(self, event: WatchEvent) -> None:
        state = self._store.state
        available = state.snapshot.bank.available if state.snapshot else None
        self._on_event(replace(event, resets_available=available, account_name=state.account_name))

    def _on_state(self, state: State) -> None:
        if state.snapshot is None:
            return  # before the first reading nobody can tell what a stop means
        now, window = self._clock.now(), binding_window(state.snapshot)
        found = {stop.thread_id: stop for stop in stops(state.sessions, state.snapshot, now)}
        is_reached = state.snapshot.is_reached(now)
        holds = held(state.sessions)
        is_near = _is_near(state, now)
        is_hit_unseen = is_reached and not (found or self._held or holds or active(state.sessions))
        if is_near and not (self._was_near or self._was_reached or is_reached):
            self._emit(WatchEvent(WatchEventKind.NEAR, now, window=window))
        for thread_id, stop in found.items():
            known = self._stops.get(thread_id)
            if known is None or known.stopped_at < stop.stopped_at:
                session = state.sessions[thread_id]
                self._emit(WatchEvent(WatchEventKind.INTERRUPTED, stop.stopped_at, session, window))
        for session in holds:
            if session.thread_id not in self._held:
                self._emit(WatchEvent(WatchEventKind.HELD, session.since, session, window))
        if is_hit_unseen and not self._was_hit_unseen:
            self._emit(WatchEvent(WatchEventKind.INTERRUPTED, now, window=window))
        self._was_near, self._was_reached, self._was_hit_unseen = is_near, is_reached, is_hit_unseen
        self._stops |= found
        for thread_id in tuple(self._stops):
            current = state.sessions.get(thread_id)
            if current is not None and current.state is SessionState.RUNNING:
                del self._stops[thread_id]
                self._emit(WatchEvent(WatchEventKind.RESUMED, current.since, current))
        self._emit_let_go(state)
        self._emit_lapses(state.snapshot, now)
        before, self._snapshot = self._snapshot, state.snapshot
        if before is not None and before is not state.snapshot:
            self._emit_resets(before, state.snapshot, now)

    def _emit_let_go(self, state: State) -> None:
        """Held sessions that went on, once they are heard of again; one that its person interrupted did not."""
        self._held |= {session.thread_id for session in held(state.sessions)}
        over = self._held - {one.thread_id for one in state.sessions.values() if one.state is SessionState.HELD}
        self._held -= over
        for thread_id in sorted(over):
            session = state.sessions.get(thread_id)
            if session is not None and session.state in _GOES_ON and state.gate is not GateMode.CLOSED:
                self._emit(WatchEvent(WatchEventKind.RESUMED, session.since, session))

    def _emit_lapses(self, snapshot: Snapshot, now: datetime) -> None:
        found = {f"{snapshot.account.key} {lapse.key}": lapse for lapse in lapses(snapshot.bank, now)}
        for key in sorted(found.keys() - self._lapses):
            self._emit(WatchEvent(WatchEventKind.LAPSING, now, lapse=found[key]))
        self._lapses |= found.keys()

    def _emit_resets(self, before: Snapshot, after: Snapshot, now: datetime) -> None:
        at = before.provenance.observed_at
        for window in before.main_windows:
            remembered = mark(window, at)
            if not window.is_idle(at) and remembered.has_reset(after):
                self._emit(WatchEvent(WatchEventKind.RESET_OBSERVED, now, window=remembered.find(after)))

    def _on_line(self, line: Event, spend: Spend | None) -> None:
        if line.kind in _OF_CREDITS:
            self._emit(WatchEvent(WatchEventKind.CREDIT_CHANGED, line.at))
        elif line.kind is EventKind.SPENT_ELSEWHERE:
            self._emit(WatchEvent(WatchEventKind.SPENT, line.at, is_ours=False))
        elif line.kind is EventKind.SPEND_CLOSED and spend is not None and spend.outcome is Outcome.RESET:
            self._emit(WatchEvent(WatchEventKind.SPENT, line.at))


def _is_near(state: State, now: datetime) -> bool:
    if state.snapshot is None:
        return False
    asked = state.question or state.no_question
    expected = asked is not None and asked.cause is Cause.ABOUT_TO_STOP
    return expected or state.snapshot.state(now, state.near_percent) is WindowState.NEAR
