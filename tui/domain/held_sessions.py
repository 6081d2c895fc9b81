"""Which sessions are held at the limit: a third word on a session, beside those of the two feeds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.sessions import Session, SessionState, weighed

RELEASE_SEEN_WITHIN: Final = timedelta(seconds=30)
"""A session that was let go and of which nothing is heard for so long is taken at its feeds' last word again."""


class HeldThread(msgspec.Struct, frozen=True):
    """A thread of which a request is held."""

    since: datetime
    workspace: str | None = None


def with_held(sessions: Mapping[str, Session], held: Mapping[str, HeldThread], now: datetime) -> Mapping[str, Session]:
    """The sessions with those that are held; the same mapping where nothing changed.

    One that is let go is at work again once it is heard of. One that no feed knows is a session while it is held.
    """
    changed = dict(sessions)
    for thread_id, session in sessions.items():
        if session.held_since is None or thread_id in held:
            continue
        released_at = session.released_at or now
        if session.rollout_state is None and session.daemon_state is None:
            del changed[thread_id]
        elif now - released_at >= RELEASE_SEEN_WITHIN or (
            session.held_heard_at is not None and session.seen_at > session.held_heard_at
        ):
            changed[thread_id] = weighed(replace(session, held_since=None, held_heard_at=None, released_at=None))
        else:
            changed[thread_id] = replace(session, released_at=released_at)
    for thread_id, thread in held.items():
        known = sessions.get(thread_id) or Session(thread_id, SessionState.HELD, thread.since, thread.since)
        workspace, heard_at = known.workspace or thread.workspace, known.seen_at
        session = replace(known, held_since=thread.since, held_heard_at=heard_at, released_at=None, workspace=workspace)
        changed[thread_id] = weighed(session)
    return sessions if changed == sessions else changed


def held(sessions: Mapping[str, Session]) -> tuple[Session, ...]:
    """The sessions that wait at the limit in the middle of a turn, the longest held first."""
    found = [session for session in sessions.values() if session.state is SessionState.HELD]
    waiting = (session for session in found if session.released_at is None)
    return tuple(sorted(waiting, key=lambda session: (session.since, session.thread_id)))
