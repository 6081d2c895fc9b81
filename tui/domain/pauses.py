"""From when until when the limit kept sessions from work: which of them stopped, which were held."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from tui.domain.held_sessions import held
from tui.domain.limit_stops import binding_window, is_open, stops
from tui.domain.sessions import Session, SessionState
from tui.domain.snapshot import Snapshot


class PauseKind(StrEnum):
    """How a session was kept from work."""

    STOPPED = "session_stopped"
    HELD = "session_held"


_STATES = {PauseKind.STOPPED: SessionState.STOPPED_AT_LIMIT, PauseKind.HELD: SessionState.HELD}
_SAME = timedelta(minutes=2)


class Pause(msgspec.Struct, frozen=True):
    """One session that stood still because of the limit."""

    thread_id: str
    kind: PauseKind
    since: datetime
    until: datetime | None = None
    """When there was room again, or the session went on before; None: not yet, or nobody saw it."""
    resets_at: datetime | None = None
    """When the window that stopped it was to reset, as it was known at the beginning."""


def pauses(sessions: Mapping[str, Session], snapshot: Snapshot, now: datetime) -> tuple[Pause, ...]:
    """The sessions that stand still now."""
    window = binding_window(snapshot)
    resets_at = window.resets_at if window else None
    stopped = (
        Pause(stop.thread_id, PauseKind.STOPPED, stop.stopped_at, None, resets_at)
        for stop in stops(sessions, snapshot, now)
    )
    return (
        *stopped,
        *(Pause(one.thread_id, PauseKind.HELD, one.since, None, resets_at) for one in held(sessions)),
    )


def end_of(
    pause: Pause, session: Session | None, snapshot: Snapshot, now: datetime, *, was_seen: bool
) -> datetime | None:
    """When a pause that is not among the present ones ended; None where that is not known.

    `was_seen` tells whether this process saw the session stand still; otherwise the pause was read from the database.
    """
    end = None
    if session is not None and session.released_at is not None and pause.kind is PauseKind.HELD:
        end = session.released_at
    elif session is not None and session.state is not _STATES[pause.kind] and session.since > pause.since:
        end = session.since
    elif session is not None and session.state is SessionState.STOPPED_AT_LIMIT and is_open(snapshot):
        end = snapshot.provenance.observed_at
    elif was_seen and (session is None or session.state is not _STATES[pause.kind]):
        end = now
    if end is None:
        return None
    if pause.kind is PauseKind.STOPPED and pause.resets_at is not None and pause.resets_at > pause.since:
        end = min(end, pause.resets_at)  # the limit's part of it: nobody may have looked before the morning
    return max(pause.since, min(end, now))


def is_same(known: Pause | None, seen: Pause) -> bool:
    """Whether a session stands still for the same reason still; two feeds may date it a little apart."""
    return known is not None and known.kind is seen.kind and abs(seen.since - known.since) <= _SAME


def time_lost(found: Iterable[Pause], now: datetime) -> timedelta:
    """How long at least one session stood still."""
    total, reached = timedelta(0), None
    for pause in sorted(found, key=lambda pause: pause.since):
        begin = pause.since if reached is None else max(pause.since, reached)
        until = _until(pause, now)
        if until > begin:
            total, reached = total + (until - begin), until
    return total


def lost_before(found: Iterable[Pause], at: datetime, now: datetime) -> timedelta:
    """How long sessions had stood still in one go before a moment at which they still did."""
    begins = [pause.since for pause in found if pause.since < at <= _until(pause, now)]
    return at - min(begins) if begins else timedelta(0)


def _until(pause: Pause, now: datetime) -> datetime:
    """One whose end nobody saw counts up to its window's reset; a request is held no longer than somebody looks."""
    if pause.until is None and pause.kind is PauseKind.STOPPED and pause.resets_at is not None:
        return min(now, pause.resets_at)
    return pause.until or pause.since
