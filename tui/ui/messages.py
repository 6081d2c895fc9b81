"""What the screens tell each other, named as facts."""

from textual.message import Message

from tui.companion.state import State
from tui.ui.view.view_state import Holds


class StatePublished(Message):
    """The companion published a new state."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state

    def can_replace(self, message: Message) -> bool:
        """Of many states in a row only the newest is shown."""
        return isinstance(message, StatePublished)


class Noted(Message):
    """Something was done that is worth a line for a while."""

    def __init__(self, text: str, holds: Holds | None = None) -> None:
        super().__init__()
        self.text = text
        self.holds = holds
