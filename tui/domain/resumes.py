"""Threads that stopped at a limit and were told to go on: the values that are kept."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

_FEED_LAG: Final = timedelta(seconds=1)
"""One stop that two feeds report may bear two moments that differ by so much."""


class LimitStop(msgspec.Struct, frozen=True):
    """A session that a limit stopped."""

    thread_id: str
    stopped_at: datetime


Whom: TypeAlias = tuple[str, ...] | bool
"""Who is told to go on: the threads named, every one that stopped, or nobody."""


class ResumePlan(msgspec.Struct, frozen=True):
    """Who is told to go on once a reset was spent; kept with the spend."""

    whom: Whom
    stops: tuple[LimitStop, ...] = ()
    """Who had stopped when the person decided."""
    since: datetime | None = None
    """Where everybody goes on: a stop from then on is of this limit, whenever noticed. None: since the consent."""


class ResumeStage(StrEnum):
    """How far resuming has come."""

    CLAIMED = "claimed"
    """Written down before the message goes out, so that a crash sends none twice."""
    SENT = "sent"
    """Codex took the message."""
    COMMAND = "command"
    """Nobody could be sent it; the command to resume is shown instead."""
    DONE = "done"
    """The thread was seen at work again."""


class Resume(msgspec.Struct, frozen=True):
    """One thread to be resumed after one stop."""

    stop: LimitStop
    claimed_at: datetime
    stage: ResumeStage = ResumeStage.CLAIMED
    reason: str | None = None
    """Why the command is shown, one line."""
    done_at: datetime | None = None


class ResumeLog(msgspec.Struct, frozen=True):
    """Every thread that was told to go on."""

    entries: tuple[Resume, ...] = ()

    def of(self, stop: LimitStop) -> Resume | None:
        """The record that covers a stop; one stop seen by two feeds may bear two moments."""
        return next((entry for entry in reversed(self.entries) if _covers(entry, stop)), None)


def _covers(entry: Resume, stop: LimitStop) -> bool:
    if entry.stop.thread_id != stop.thread_id:
        return False
    if entry.done_at is not None and stop.stopped_at > entry.done_at:
        return False
    return stop.stopped_at <= entry.claimed_at + _FEED_LAG
