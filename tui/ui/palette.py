"""The palette: every command that can be given in a place, by name."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from textual.app import SystemCommand
from textual.screen import Screen

from tui.ui.commands import OF_THE_APP, commands_of
from tui.ui.keymap import Keymap


def palette_commands(
    screen: Screen[object], keys: Keymap, perform: Callable[[str], Awaitable[bool]]
) -> Iterator[SystemCommand]:
    """The commands of a screen, each with what it does and its key.

    Args:
        screen: Where the person is; a dialog offers only what can be done now.
        keys: The user's keys.
        perform: Carries a command out.
    """
    available = getattr(screen, "available", None)
    for command in commands_of(getattr(screen, "place", "")):
        if available is None or command.id in available or command.id in OF_THE_APP:
            words = f"{command.help} ({keys.shown[command.id]})"
            yield SystemCommand(command.title, words, partial(perform, command.id))
