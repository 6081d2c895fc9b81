"""Whether the limit of ordinary use is really hit, which window it is, and whom it stopped.

The service's word outranks the percentages; a session that was stopped outranks a reading from before.
Only the main limit counts: a banked reset is not stated to clear the limits of single models.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from tui.domain.resumes import LimitStop
from tui.domain.sessions import Session, active, interrupted, live, of_account
from tui.domain.snapshot import Snapshot
from tui.domain.windows import NEAR_PERCENT, RESET_GRACE, Window

READING_LAG: Final = timedelta(seconds=30)
"""For so long after a session was stopped, a reading may still show the time before."""

_ALL_BUT_FULL: Final = 99.0
"""What the meter may show at a limit that is reached."""

SETTLED: Final = timedelta(minutes=2)
"""A session that was stopped so long before use was last seen to be allowed was not stopped by what holds now."""


def allowed(snapshot: Snapshot) -> bool | None:
    """The service's own word on ordinary use; None where it said nothing.

    A refusal anywhere counts, unless paid credits carry on.
    """
    if snapshot.is_refused:
        return snapshot.paid_credits_carry_on(snapshot.provenance.observed_at)
    words = (snapshot.ordinary_usage_allowed, snapshot.main_limit.allowed if snapshot.main_limit else None)
    return True if True in words else None


def binding_window(snapshot: Snapshot) -> Window | None:
    """The window of the main limit that stops work: of the full ones the last to reset, or else the fullest.

    From the reading alone: a window that is over by the clock still binds until it is seen to have reset.
    """
    full = [window for window in snapshot.main_windows if window.is_full]
    if full:
        return max(full, key=lambda window: (window.resets_at or snapshot.provenance.observed_at, window.minutes or 0))
    return max(snapshot.main_windows, key=lambda one: (one.used_percent or 0.0, one.minutes or 0), default=None)


def is_open(snapshot: Snapshot) -> bool:
    """Whether the reading clearly shows that ordinary use goes on."""
    word = allowed(snapshot)
    if word is not None:
        return word
    window = binding_window(snapshot)
    return window is not None and window.used_percent is not None and window.used_percent < _ALL_BUT_FULL


def confirms(snapshot: Snapshot, stop: LimitStop) -> bool:
    """Whether a reading agrees that the main limit stopped this session and still would."""
    word = allowed(snapshot)
    if word is False:
        return True
    window = binding_window(snapshot)
    share = window.used_percent if window else None
    if snapshot.provenance.observed_at <= stop.stopped_at + READING_LAG:
        return share is None or share >= NEAR_PERCENT
    return word is None and (share is None or share >= _ALL_BUT_FULL)


def stops(
    sessions: Mapping[str, Session], snapshot: Snapshot, now: datetime, open_at: datetime | None = None
) -> tuple[LimitStop, ...]:
    """The sessions that the limit stops now, the first to stop first; not those that an earlier window stopped.

    `open_at` is when use was last clearly seen to be allowed, if that is known.
    """
    window = binding_window(snapshot)
    begin = window.begins_at - RESET_GRACE if window and window.begins_at else None
    shown = {session.thread_id for session in live(sessions, now)}
    found = []
    for session in interrupted(sessions):
        stop = LimitStop(session.thread_id, session.since)
        outdated = (begin is not None and session.since < begin) or (
            open_at is not None and session.since < open_at - SETTLED
        )
        own = of_account(session, snapshot) and not _is_over(session, snapshot)
        if session.thread_id in shown and not outdated and own and confirms(snapshot, stop):
            found.append(stop)
    return tuple(found)


def _is_over(session: Session, snapshot: Snapshot) -> bool:
    """Whether the window that stopped a session, by its own file, had ended when the limits were read."""
    windows = session.limit.windows if session.limit else ()
    ends = [window.resets_at for window in windows if (window.used_percent or 0.0) >= _ALL_BUT_FULL]
    return bool(ends) and all(end is not None and end <= snapshot.provenance.observed_at for end in ends)


def at_work(sessions: Mapping[str, Session], now: datetime, snapshot: Snapshot | None = None) -> tuple[str, ...]:
    """The threads in the middle of a turn, the longest running first; one that waits for an approval is.

    A reading leaves out the threads that speak of another account.
    """
    shown = {session.thread_id for session in live(sessions, now)}
    return tuple(
        session.thread_id
        for session in active(sessions)
        if session.thread_id in shown and (snapshot is None or of_account(session, snapshot))
    )
