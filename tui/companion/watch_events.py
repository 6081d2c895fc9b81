"""What happened between two States, for whoever follows without a screen (`resetbank watch`, design.md section 7)."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

import msgspec

from tui.companion.ledger_lines import SPENT
from tui.companion.state import State
from tui.domain.ledger import EventKind
from tui.domain.limit_stops import binding_window
from tui.domain.question import Cause
from tui.domain.resets import mark
from tui.domain.sessions import Session, SessionState, active, interrupted
from tui.domain.windows import Window, WindowState


class WatchEventKind(StrEnum):
    """What happened."""

    NEAR = "near"
    """The limit is nearly used up, or expected to be soon while a session is at work."""
    INTERRUPTED = "interrupted"
    """A session stopped at the limit; or the limit is hit and no session is known."""
    RESUMED = "resumed"
    """A session that had stopped at the limit works again."""
    RESET_OBSERVED = "reset_observed"
    SPENT = "spent"
    CREDIT_CHANGED = "credit_changed"


_OF_CREDITS = {
    EventKind.CREDIT_GRANTED,
    EventKind.CREDIT_EXPIRED,
    EventKind.CREDIT_REDEEMED,
    EventKind.CREDIT_VANISHED,
    EventKind.EXPIRY_CHANGED,
    EventKind.COUNT_CHANGED,
}


class WatchEvent(msgspec.Struct, frozen=True):
    """One event; what does not apply is None."""

    kind: WatchEventKind
    at: datetime
    session: Session | None = None
    window: Window | None = None
    resets_available: int | None = None


def watch_events(before: State, after: State, now: datetime, since: datetime) -> tuple[WatchEvent, ...]:
    """Compare two States.

    Args:
        before: The older one; an empty one at the start, so that what holds already is told once.
        after: The newer one.
        now: The present moment.
        since: When the following began; lines of the ledger from before are no news.
    """
    return tuple(_all(before, after, now, since))


def _all(before: State, after: State, now: datetime, since: datetime) -> Iterator[WatchEvent]:
    available = after.snapshot.bank.available if after.snapshot else None
    binding = binding_window(after.snapshot) if after.snapshot else None
    if _is_near(after, now) and not _is_near(before, now) and not _is_reached(before, now):
        yield WatchEvent(WatchEventKind.NEAR, now, None, binding, available)
    for session in interrupted(after.sessions):
        known = before.sessions.get(session.thread_id)
        if (known is None or known.state is not SessionState.STOPPED_AT_LIMIT) and _still_holds(session, after):
            yield WatchEvent(WatchEventKind.INTERRUPTED, session.since, session, binding, available)
    if _is_hit_unseen(after, now) and not _is_hit_unseen(before, now):
        yield WatchEvent(WatchEventKind.INTERRUPTED, now, None, binding, available)
    for session in interrupted(before.sessions):
        current = after.sessions.get(session.thread_id)
        if current is not None and current.state is SessionState.RUNNING:
            yield WatchEvent(WatchEventKind.RESUMED, current.since, current, None, available)
    if before.snapshot is not None and after.snapshot is not None:
        old_limit, at = before.snapshot.main_limit, before.snapshot.provenance.observed_at
        for window in old_limit.windows if old_limit else ():
            remembered = mark(window, at)
            if not window.is_idle(at) and remembered.has_reset(after.snapshot):
                fresh = remembered.find(after.snapshot)
                yield WatchEvent(WatchEventKind.RESET_OBSERVED, now, None, fresh, available)
    for event in after.recent:
        if event in before.recent or event.at < since:
            continue
        if event.kind is EventKind.SPEND_CLOSED and event.text.startswith(SPENT):
            yield WatchEvent(WatchEventKind.SPENT, event.at, None, None, available)
        elif event.kind in _OF_CREDITS:
            yield WatchEvent(WatchEventKind.CREDIT_CHANGED, event.at, None, None, available)


def _is_near(state: State, now: datetime) -> bool:
    if state.snapshot is None:
        return False
    told = state.question or state.no_question
    expected = told is not None and told.cause is Cause.ABOUT_TO_STOP
    return expected or state.snapshot.state(now, state.near_percent) is WindowState.NEAR


def _is_reached(state: State, now: datetime) -> bool:
    return state.snapshot is not None and state.snapshot.state(now) is WindowState.REACHED


def _is_hit_unseen(state: State, now: datetime) -> bool:
    """Whether the limit is hit though no session is known that works or was stopped by it."""
    return _is_reached(state, now) and not interrupted(state.sessions) and not active(state.sessions)


def _still_holds(session: Session, state: State) -> bool:
    """Whether the limit that stopped a session may be the one of now, rather than one of days ago."""
    window = binding_window(state.snapshot) if state.snapshot else None
    if window is None or window.resets_at is None:
        return True
    return session.since >= window.resets_at - window.length
