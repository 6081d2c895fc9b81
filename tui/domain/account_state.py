"""What is in hand for one account between two readings: facts, changed as a whole whichever process does it."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from tui.domain.ask_memory import AskMemory, observed
from tui.domain.queue import Queued, QueueEndReason, after_restart, dies, followed
from tui.domain.resumes import ResumeLog
from tui.domain.snapshot import Snapshot
from tui.domain.waiting import Announcement, Waiting, follow

_NOTICE_KEPT: Final = timedelta(hours=12)
"""After this nobody needs to hear that a wait is over."""


class AccountState(msgspec.Struct, frozen=True):
    """Everything in hand for one account; it survives a restart."""

    memory: AskMemory = msgspec.field(default_factory=AskMemory)
    queued: Queued | None = None
    queue_owner: str | None = None
    """The process that armed the queued reset; only that one may spend it, another needs a new yes first."""
    waiting: Waiting | None = None
    announcement: Announcement | None = None
    """A wait is over, and nobody has dismissed the notice yet."""
    resumes: ResumeLog = msgspec.field(default_factory=ResumeLog)

    def queued_for(self, process: str, *, owner_lives: bool = False) -> Queued | None:
        """The queued reset as a process has it: what another one armed, and left behind, waits for a new yes."""
        if self.queued is None or self.queue_owner == process:
            return self.queued
        return replace(self.queued, elsewhere=True) if owner_lives else after_restart(self.queued)


def after_reading(state: AccountState, snapshot: Snapshot, now: datetime) -> tuple[AccountState, QueueEndReason | None]:
    """The state after a reading, which changes nothing twice; and why the queued reset was taken out, if it was."""
    ended = None
    waiting, announcement, queued = state.waiting, state.announcement, state.queued
    if announcement is not None and (
        snapshot.is_reached(snapshot.provenance.observed_at) or now - announcement.observed_at > _NOTICE_KEPT
    ):
        announcement = None  # it is no longer true, or too late
    if waiting is not None:
        waiting, over = follow(waiting, snapshot)
        if over is not None:
            waiting, announcement = None, over
    if queued is not None:
        ended = dies(queued, snapshot, now)
        queued = None if ended is not None else followed(queued, snapshot)
    state = replace(
        state,
        memory=observed(state.memory, snapshot),
        waiting=waiting,
        announcement=announcement,
        queued=queued,
        queue_owner=state.queue_owner if queued is not None else None,
    )
    return state, ended
