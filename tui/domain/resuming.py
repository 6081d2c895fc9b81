"""Carrying on: which threads get the message, once each, and what is shown of it.

Only a thread that stopped at a limit gets it, never twice for one stop, and it counts as done only when the thread is
seen at work again.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tui.domain.resumes import LimitStop, Resume, ResumeLog, ResumeStage, Whom
from tui.domain.sessions import Session, SessionState, active, interrupted
from tui.errors import UsageError

_THREAD_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

KEPT: Final = 200
"""So many threads are remembered; a stop from before them is long over."""


def due(
    stops: Iterable[LimitStop],
    since: datetime | None,
    sessions: Mapping[str, Session],
    whom: Whom,
    log: ResumeLog,
    until: datetime | None = None,
) -> tuple[LimitStop, ...]:
    """The threads that are to get the message, the first to stop first.

    Those of `whom` who had stopped when the person decided, or have between `since` and `until`: None is no bound. A
    thread that works again, or ended a turn by itself since, needs none; nor does one that the log has.
    """
    if whom is False:
        return ()
    found = {stop.thread_id: stop for stop in stops if _is_still_down(stop, sessions)}
    for session in interrupted(sessions):
        is_early_enough = until is None or session.since <= until
        if is_early_enough and (since is None or session.since >= since):
            found[session.thread_id] = LimitStop(session.thread_id, session.since)
    chosen = [stop for stop in found.values() if whom is True or stop.thread_id in whom]
    return tuple(sorted((stop for stop in chosen if log.of(stop) is None), key=lambda s: (s.stopped_at, s.thread_id)))


def _is_still_down(stop: LimitStop, sessions: Mapping[str, Session]) -> bool:
    """Whether the thread still stands where the limit left it; its process may have been closed since."""
    session = sessions.get(stop.thread_id)
    return session is None or session.state in (SessionState.STOPPED_AT_LIMIT, SessionState.GONE)


def claimed(log: ResumeLog, stop: LimitStop, now: datetime) -> ResumeLog:
    """The message is about to go out; to be kept before it does.

    Raises:
        ValueError: This stop was claimed before; always a programming error.
    """
    if log.of(stop) is not None:
        raise ValueError(f"the stop of {stop.thread_id} was told to go on before")
    return ResumeLog((*log.entries[-KEPT + 1 :], Resume(stop, now)))


def ended(log: ResumeLog, stop: LimitStop, reason: str | None) -> ResumeLog:
    """Codex took the message; or, with the reason, nobody did: then the command is shown, and nothing is sent again."""
    known, stage = log.of(stop), ResumeStage.SENT if reason is None else ResumeStage.COMMAND
    moved = tuple(
        replace(entry, stage=stage, reason=reason) if entry is known and entry.stage is not ResumeStage.DONE else entry
        for entry in log.entries
    )
    return ResumeLog(moved)


def seen(log: ResumeLog, sessions: Mapping[str, Session], now: datetime) -> ResumeLog:
    """Mark as done what is seen at work again since its message."""
    working = {session.thread_id for session in active(sessions)}
    entries = []
    for entry in log.entries:
        session = sessions.get(entry.stop.thread_id)
        if entry.stage is not ResumeStage.DONE and session is not None:
            began = _last_turn_at(session, session.thread_id in working)
            if began is not None and began >= entry.claimed_at:
                entries.append(replace(entry, stage=ResumeStage.DONE, done_at=min(now, began)))
                continue
        entries.append(entry)
    return log if entries == list(log.entries) else ResumeLog(tuple(entries))


def _last_turn_at(session: Session, is_working: bool) -> datetime | None:
    """When its last turn began, even one that was over before anybody looked."""
    words = (session.rollout_state, session.daemon_state)
    moments = [word.turn_at for word in words if word is not None and word.turn_at is not None]
    if is_working:
        moments.append(session.since)
    return max(moments, default=None)


def resume_command(thread_id: str, command: str = "codex", home: str | None = None) -> str:
    """What a person types to resume a thread, of another folder than Codex's own where one is named.

    Raises:
        UsageError: The id is none: nothing from outside gets onto a command line unless it is a plain UUID.
    """
    if not _THREAD_ID.fullmatch(thread_id):
        raise UsageError("that is no thread id", "`resetbank sessions` lists the threads")
    typed = shlex.join([command, "resume", thread_id])
    return typed if home is None else f"CODEX_HOME={shlex.quote(home)} {typed}"
