"""Everything that one picture of the screen follows from."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

import msgspec

from tui.companion.state import State


class Problem(msgspec.Struct, frozen=True):
    """Why the program cannot work for now."""

    message: str
    hint: str = ""


class Note(msgspec.Struct, frozen=True):
    """Something that was just done, worth one line for a while."""

    text: str
    at: datetime


class ViewState(msgspec.Struct, frozen=True):
    """A state seen at one moment."""

    now: datetime
    zone: tzinfo
    state: State = msgspec.field(default_factory=State)
    connecting: bool = False
    """No companion yet: there is nothing to show, and nothing is invented."""
    problem: Problem | None = None
    """Connecting failed."""
    alarm: str | None = None
    """Something unexpected went wrong inside; one line, kept until the next attempt."""
    note: Note | None = None
    """What was done last; shown for a while."""
    masked: bool = False
    """Whether other people's addresses are hidden, as in a picture of the screen."""
    remind_after: timedelta = timedelta(days=3)
    """How long an invite may stay in one state before somebody is reminded."""
    codex: str = "codex"
    """The Codex executable, as a person is told to type it."""
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Command id to the key that is shown for it; empty where there is no screen."""

    @property
    def is_old(self) -> bool:
        """Whether the numbers were true once and may not be now; they are shown dimmed."""
        return self.is_remembered or self.state.is_stale(self.now)

    @property
    def is_remembered(self) -> bool:
        """Whether the numbers are the last ones of the database: no source has answered yet."""
        return self.state.snapshot is not None and self.state.link.source is None

    def does(self, command: str, what: str) -> str:
        """How a person does it: by key on the screen, by command without one."""
        key = self.keys.get(command)
        return f"{key} {what}" if key else f"`resetbank {'spend' if command == 'finish' else command}` {what}"
