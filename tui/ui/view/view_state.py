"""Everything that one picture of the screen follows from."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from tui.companion.state import State
from tui.errors import ResetbankError

if TYPE_CHECKING:
    from tui.domain.ledger import Event
    from tui.domain.pictures import Pictures


Holds = Callable[[State], bool]
"""Whether what a note rests on still holds; it is not shown any more once that has changed."""


class Note(msgspec.Struct, frozen=True):
    """Something that was just done, worth one line for a while in the place where it was done."""

    text: str
    at: datetime
    place: str
    holds: Holds | None = None

    def is_true(self, state: State) -> bool:
        """Whether what it rests on still holds."""
        return self.holds is None or self.holds(state)


class ViewState(msgspec.Struct, frozen=True):
    """A state seen at one moment."""

    now: datetime
    zone: tzinfo
    state: State = msgspec.field(default_factory=State)
    accounts: tuple[State, ...] = ()
    """Every account of the settings, the one in sight too; empty where there is but one."""
    connecting: bool = False
    """No companion yet: there is nothing to show, and nothing is invented."""
    problem: ResetbankError | None = None
    """Why connecting failed."""
    alarm: str | None = None
    """Something unexpected went wrong inside; one line, kept until the next attempt."""
    note: Note | None = None
    """What was done last; shown for a while."""
    read_only: str | None = None
    """The mark of Codex's agent in the environment: nothing can be spent or sent from such a screen."""
    pictures: "Pictures | None" = None
    """The readings of the last weeks, summed up; None until they are, or where there is no room for them."""
    matters: "tuple[Event, ...]" = ()
    """What happened while nobody looked, oldest first; empty once it was dismissed."""
    masked: bool = False
    """Whether other people's addresses are hidden, as in a picture of the screen."""
    remind_after: timedelta = timedelta(days=3)
    """How long an invite may stay in one state before somebody is reminded."""
    before_lapse: float = 0.0
    """From which share on one may be queued for shortly before it lapses; 0 offers that to nobody."""
    codex: str = "codex"
    """The Codex executable, as a person types it."""
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

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be spent or sent from this screen; a demo spends nothing real."""
        return self.read_only is not None and self.state.demo is None

    @property
    def has_band(self) -> bool:
        """Whether a line on top says that nothing here is real, or that nothing can be spent."""
        return self.state.demo is not None or self.is_read_only

    def does(self, command: str, what: str) -> str:
        """How a person does it: by key on the screen, by command without one."""
        key = self.keys.get(command)
        return f"{key} {what}" if key else f"`resetbank {'spend' if command == 'finish' else command}` {what}"
