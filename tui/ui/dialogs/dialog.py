"""What a dialog is made of: a small model that knows no Textual, and what it tells the screen to do next."""

from collections.abc import Coroutine
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.errors import ResetbankError
from tui.ui.view.text import Line
from tui.ui.view.view_state import Holds, ViewState

Phase = Literal["typing", "reading", "asking", "working", "over"]


class Close(msgspec.Struct, frozen=True):
    """Leave the dialog."""

    note: str | None = None
    """What was done, shown for a while."""
    holds: Holds | None = None
    """What the note rests on."""
    work: Coroutine[Any, Any, None] | None = None
    """What goes on behind it."""


class Run(msgspec.Struct, frozen=True):
    """Do something that takes time, and go on with its result."""

    work: "Coroutine[Any, Any, Next]"
    name: str
    phase: Phase = "working"
    unsure: str = "nothing was spent"
    """What holds even where it fails in a way that nobody foresaw."""


class Open(msgspec.Struct, frozen=True):
    """Lay another dialog over this one."""

    dialog: "Dialog"


Next: TypeAlias = Phase | Close | Run | Open | None
"""What follows: another phase, an action, or only a new picture."""


class Field(msgspec.Struct, frozen=True):
    """A line that a person types on in the phase `typing`."""

    id: str
    placeholder: str
    longest: int


class Dialog:
    """One dialog. The screen shows it, guards its letters, and calls it with the keys that `keys` names."""

    place: ClassVar[str]
    """Its keys in the command table."""
    about: ClassVar[str] = ""
    """What it is about, where that is always the same."""
    consents: ClassVar[tuple[str, ...]] = ()
    """What each letter consents to, where that is always the same."""
    waits: ClassVar[str] = "this takes a moment; please wait"
    """What is said while no key does anything."""
    fields: ClassVar[tuple[Field, ...]] = ()

    def __init__(self, companion: Companion, clock: Clock) -> None:
        self.companion = companion
        self.clock = clock
        self.phase: Phase = "reading"
        self.failure: ResetbankError | None = None

    def begin(self, view: ViewState) -> Next:
        """What it begins with."""
        raise NotImplementedError

    def follow(self, view: ViewState) -> Next:
        """Take in a new state."""
        return None

    def title(self, view: ViewState, width: int) -> str:
        """What it is about."""
        return self.about

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        raise NotImplementedError

    def offers(self) -> tuple[str, ...]:
        """What each letter consents to, in the phase `asking`."""
        return self.consents

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """The commands that can be given now, with their words; several ids where they belong together.

        Words behind a `|` are for narrow screens.
        """
        if self.phase == "working":
            return []
        return [("confirm close", "goes back")] if self.phase == "over" else [("close", "closes")]

    def consent(self, number: int) -> Next:
        """A letter was pressed, alone and in time."""
        raise NotImplementedError

    def do(self, command: str, view: ViewState) -> Next:
        """Carry out a command of `keys`."""
        return None

    def submit(self, typed: tuple[str, ...], field: int) -> "Next | int":
        """Take what was typed when enter was pressed on a field; a number goes on to that field."""
        return None

    def leave(self) -> Next:
        """Close it."""
        return Close()

    def clipboard(self, view: ViewState) -> str | None:
        """What goes to the clipboard, once."""
        return None

    def terminal_title(self, view: ViewState) -> str | None:
        """The terminal's own title while it is open."""
        return None
