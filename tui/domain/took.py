"""What each session took of the windows: by the service's own account, or else what one's own readings show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tui.domain.advice import Took
from tui.domain.held_sessions import held
from tui.domain.limit_stops import at_work, stops
from tui.domain.reading import Costs, SessionCost
from tui.domain.sessions import Session
from tui.domain.snapshot import Snapshot
from tui.domain.use import UseRecord

MOST_NAMED: Final = 3
"""More sessions than these are not named: the dearest are."""

COSTS_LAST: Final = 3600.0
"""What the service said counts for so many seconds."""

_FIVE_HOURS: Final = 300
_WEEK: Final = 10080
_NAME: Final = 24
_LEAST_SPAN: Final = 600.0
_LEAST_RISE: Final = 1.0


class Turn(msgspec.Struct, frozen=True):
    """A session in the middle of a turn, or one whose turn the limit stopped."""

    thread_id: str
    name: str
    """What a person knows it by, cut; text from outside."""
    since: float | None
    """When the turn began, in Unix seconds; None where that was not seen."""
    until: float | None = None
    """When the limit stopped it; None while it is at work."""


def turns(sessions: Mapping[str, Session], snapshot: Snapshot, now: datetime) -> tuple[Turn, ...]:
    """The sessions that the limit stops, or would stop: held and stopped ones first, then those at work."""
    found: dict[str, Turn] = {}
    for session in held(sessions):
        found[session.thread_id] = _turn(session, session.since)
    for stop in stops(sessions, snapshot, now):
        session = sessions[stop.thread_id]
        found.setdefault(stop.thread_id, _turn(session, stop.stopped_at))
    for thread in at_work(sessions, now, snapshot):
        found.setdefault(thread, _turn(sessions[thread], None))
    return tuple(found.values())


def _turn(session: Session, until: datetime | None) -> Turn:
    words = (session.rollout_state, session.daemon_state)  # the file knows the moment, the daemon's report its arrival
    began = next((word.turn_at for word in words if word is not None and word.turn_at is not None), None)
    moments = (None if moment is None else moment.timestamp() for moment in (began, until))
    return Turn(session.thread_id, short_name(session), *moments)


def short_name(session: Session) -> str:
    """Its folder's name and its title, each cut; `a session` where neither is known."""
    folder = _cut(session.folder)
    title = f'"{_cut(session.title)}"' if session.title else ""
    return " ".join(part for part in (folder, title) if part) or "a session"


def _cut(text: str) -> str:
    return text if len(text) <= _NAME else text[: _NAME - 1].rstrip() + "…"


def took(record: UseRecord, under_way: Sequence[Turn], costs: Costs | None, now: float) -> tuple[Took, ...]:
    """What these sessions took; empty where nobody knows.

    The service's word comes first, a session each. Without it the own readings are counted from when the first of them
    began its turn, and nobody can tell then which of them took how much.
    """
    if costs is not None and now - costs.at <= COSTS_LAST:
        shares = {cost.thread_id: _shares(cost, record) for cost in costs.of}
        said = [Took(turn.name, shares[turn.thread_id], costs.at) for turn in under_way if shares.get(turn.thread_id)]
        if said:
            return tuple(sorted(said, key=lambda one: -one.shares[0][1])[:MOST_NAMED])
    own = _counted(record, under_way, now)
    return () if own is None else (own,)


def _counted(record: UseRecord, under_way: Sequence[Turn], now: float) -> Took | None:
    """What the readings show since the first of these turns began, or since the window did; None where too little."""
    minutes, last = record.base_minutes, record.last
    if not under_way or minutes is None or last is None or any(turn.since is None for turn in under_way):
        return None
    resets_at = record.windows[minutes].resets_at
    begins = 0.0 if resets_at is None else resets_at - minutes * 60.0
    since = max(begins, min(turn.since or 0.0 for turn in under_way))
    until = min(last.at, max(turn.until or now for turn in under_way))
    rise = record.seen_between(since, until) if until - since >= _LEAST_SPAN else None
    if rise is None or rise < _LEAST_RISE:
        return None
    who = under_way[0].name if len(under_way) == 1 else f"{len(under_way)} sessions"
    return Took(who, ((minutes, rise),), until, since)


def _shares(cost: SessionCost, record: UseRecord) -> tuple[tuple[int, float], ...]:
    pairs = ((_FIVE_HOURS, cost.five_hour_percent), (_WEEK, cost.weekly_percent))
    return tuple((minutes, share) for minutes, share in pairs if share is not None and minutes in record.windows)
