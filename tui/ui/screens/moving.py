"""Where a person is, and scrolling by the commands of the table, the same on every screen."""

from collections.abc import Sequence
from typing import Any

from textual.containers import VerticalScroll
from textual.screen import Screen

from tui.ui.commands import INVITES, MAIN, PAGE, SETTINGS


def place_of(screen: Screen[Any]) -> str:
    """Which part of the command table holds on a screen; empty for one that is not ours."""
    return getattr(screen, "place", "")


def place_below(screens: Sequence[Screen[Any]]) -> str:
    """The place of the topmost screen that is no dialog: what a dialog did is said there."""
    places = [place_of(screen) for screen in reversed(screens)]
    return next((place for place in places if place in (MAIN, PAGE, SETTINGS, INVITES)), MAIN)


def scroll(page: VerticalScroll, command: str) -> bool:
    """Scroll, if that is what the command does; tells whether it is."""
    rows = max(1, page.size.height - 1)
    steps = {"previous": -1, "next": 1, "page_up": -rows, "page_down": rows}
    if command in steps:
        page.scroll_relative(y=steps[command], animate=False)
    elif command == "first":
        page.scroll_home(animate=False)
    elif command == "last":
        page.scroll_end(animate=False)
    else:
        return False
    return True
