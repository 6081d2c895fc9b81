"""What the screens tell each other, named as facts."""

from dataclasses import dataclass

from textual.message import Message

from tui.companion.state import State
from tui.ui.companion_port import CompanionPort


class Ticked(Message):
    """A second went by; ages and countdowns are computed anew from the clock."""


@dataclass
class StatePublished(Message):
    """The companion published a new state."""

    state: State


@dataclass
class Connected(Message):
    """The companion stands."""

    companion: CompanionPort
