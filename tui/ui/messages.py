"""What the screens tell each other, named as facts."""

from dataclasses import dataclass

from textual.message import Message

from tui.companion.state import State
from tui.ui.view.view_state import Holds


@dataclass
class StatePublished(Message):
    """The companion published a new state."""

    state: State

    def can_replace(self, message: Message) -> bool:
        """Of many states in a row only the newest is shown."""
        return isinstance(message, StatePublished)


@dataclass
class Noted(Message):
    """Something was done that is worth a line for a while."""

    text: str
    holds: Holds | None = None
