"""The palette: every command that can be given in a place, found by any word of what it does."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from tui.ui.app import ResetbankApp
from tui.ui.commands import INVITES, MAIN, OF_THE_APP, commands_of


class PlaceCommands(Provider):
    """Looks for what was typed in a command's name and in what it does."""

    def _found(self) -> list[SystemCommand]:
        return list(self.app.get_system_commands(self.screen))

    async def discover(self) -> Hits:
        """Everything, before anything was typed."""
        for name, words, run, *_ in self._found():
            yield DiscoveryHit(name, run, help=words)

    async def search(self, query: str) -> Hits:
        """What fits; a name counts for more than what is said of it."""
        matcher = self.matcher(query)
        for name, words, run, *_ in self._found():
            if (score := matcher.match(name)) > 0:
                yield Hit(score + 1, matcher.highlight(name), run, help=words)
            elif query.lower() in words.lower():
                yield Hit(0.5, name, run, help=words)


def palette_commands(app: ResetbankApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """The commands of a screen, each with what it does and its key; a dialog offers only what can be done now."""
    available = getattr(screen, "available", None)
    place = getattr(screen, "place", "")
    for command in commands_of(place):
        if available is None or command.id in available or command.id in OF_THE_APP:
            words = f"{command.help} ({app.view.keys[command.id]})"
            yield SystemCommand(command.title, words, partial(app.perform, command.id))
    if place == MAIN:
        for command in commands_of(INVITES):
            if command.place == INVITES:
                yield SystemCommand(
                    f"Invites: {command.title}", command.help, partial(app.perform_in_panel, command.id)
                )
