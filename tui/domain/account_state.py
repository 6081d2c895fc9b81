"""What is in hand between two readings: questions remembered, a queued reset, a wait, threads carried on.

One value per account, so that it is changed as a whole, or not at all, whichever of several processes does it.
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from tui.domain.ask_memory import AskMemory, observed, released
from tui.domain.queue import Queued, QueueEndReason, dies, followed
from tui.domain.resuming import ResumeLog
from tui.domain.snapshot import Snapshot
from tui.domain.waiting import Announcement, Waiting, follow


class AccountState(msgspec.Struct, frozen=True):
    """Everything in hand for one account; safe to keep across a restart."""

    memory: AskMemory = msgspec.field(default_factory=AskMemory)
    queued: Queued | None = None
    queue_owner: str | None = None
    """The process that armed the queued reset; only that one may fire it, another has to take it over first."""
    waiting: Waiting | None = None
    carries: ResumeLog = msgspec.field(default_factory=ResumeLog)


class Findings(msgspec.Struct, frozen=True):
    """What a reading did to the desk."""

    announcement: Announcement | None = None
    died: tuple[Queued, QueueEndReason] | None = None


def after_reading(desk: AccountState, snapshot: Snapshot, now: datetime) -> tuple[AccountState, Findings]:
    """Take in a reading: what it settles is taken off the desk."""
    announcement = died = None
    waiting, queued, memory = desk.waiting, desk.queued, observed(desk.memory, snapshot)
    if waiting is not None:
        waiting, announcement = follow(waiting, snapshot)
        if announcement is not None:
            waiting = None
    if queued is not None:
        death = dies(queued, snapshot, now)
        if death is not None:
            died = (queued, death)
            memory = released(memory, queued.window.key)
            queued = None
        else:
            queued = followed(queued, snapshot)
    owner = desk.queue_owner if queued is not None else None
    return replace(desk, memory=memory, waiting=waiting, queued=queued, queue_owner=owner), Findings(announcement, died)
