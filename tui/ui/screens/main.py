"""The main screen: headline, limits, bank, sessions and what there is room for."""

from datetime import timedelta

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

from tui.ui.commands import MAIN
from tui.ui.screens.moving import scroll
from tui.ui.view.accounts import account_lines
from tui.ui.view.board import TALL_ROWS, board_lines
from tui.ui.view.chrome import demo_line, header_line, key_line, status_line
from tui.ui.view.compact import compact_lines, is_compact
from tui.ui.view.headline import headline
from tui.ui.view.text import Line, plain, wrap
from tui.ui.view.times import REDRAW_EVERY, counts_seconds
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import KeyLine, Lines

_MOST_ACCOUNTS = 8
_ROWS_FOR_PICTURES = 30
"""Rows from which on there may be room for the history."""


class MainScreen(Screen[None]):
    """Shows one scene; everything is drawn by functions of `tui.ui.view`."""

    place = MAIN

    def __init__(self, view: ViewState) -> None:
        super().__init__()
        self._view = view
        self._terminal = Size()
        self._short = False
        self._small = False
        self._drawn_at = view.now
        self._was_stale = False
        self._counting: list[Lines] = []

    def compose(self) -> ComposeResult:
        """A handful of widgets: each costs start time, and so does every change of the layout after the first."""
        self._measure(self.app.size)
        self.set_class(self._view.has_band, "-demo")
        yield Lines(lambda width: (demo_line(self._view, width),), id="band")
        yield Lines(lambda width: (header_line(self._view, width),), id="header")
        yield Lines(lambda width: wrap(headline(self._view), width), id="headline")
        with VerticalScroll(id="body", can_focus=False):
            yield Lines(lambda width: board_lines(self._view, width, self._rows(), short=self._short), id="board")
        yield Lines(lambda width: (status_line(self._view, width, short=self._short),), id="status")
        yield KeyLine(lambda width: key_line(self._view, width))
        yield Lines(self._draw_small, id="small")

    def on_mount(self) -> None:
        """Follow whether a dialog is over it."""
        small = self.query_one("#small", Lines)
        self.app.screen_change_signal.subscribe(small, lambda _: small.redraw())

    def _draw_small(self, width: int) -> tuple[Line, ...]:
        return compact_lines(self._view, width, self._terminal.height, keys_work=self.is_active)

    def _rows(self) -> int:
        """Rows that the lines around the body leave to it."""
        margin = 0 if self._short else 2
        above = len(wrap(headline(self._view), self._terminal.width - 2 - margin)) + margin
        if self._view.accounts:
            above += len(self._draw_accounts(self._terminal.width - 2 - margin)) + (margin > 0)
        return max(1, self._terminal.height - 3 - above - self._view.has_band)

    @property
    def has_room_for_pictures(self) -> bool:
        """Whether the history may be shown here."""
        return self._terminal.height >= _ROWS_FOR_PICTURES

    def press(self, command: str) -> bool:
        """Scroll; tells whether the command does."""
        return scroll(self.query_one("#body", VerticalScroll), command)

    def on_resize(self, event: Resize) -> None:
        """Lay out for the new size."""
        if event.size == self._terminal:
            return
        self._measure(event.size)
        self._redraw()

    def _measure(self, size: Size) -> None:
        """Learn what the size allows."""
        self._terminal = size
        self._short = size.height < TALL_ROWS
        self._small = is_compact(*size)
        self.set_class(self._small, "-small")
        self.set_class(self._short, "-short")

    def show(self, view: ViewState) -> None:
        """Show this scene from now on; where only time went by, little is drawn anew every second."""
        before, self._view = self._view, view
        only_time = replace(before, now=view.now) == view and before.state is view.state
        stale = view.is_old
        elapsed = view.now - self._drawn_at
        due = stale != self._was_stale or not timedelta(0) <= elapsed < REDRAW_EVERY
        self._was_stale = stale
        if only_time and not due:
            for panel in self._counting:
                panel.redraw()
            return
        self.set_class(view.has_band, "-demo")
        if view.accounts and not self.query("#accounts"):
            self.mount(Lines(self._draw_accounts, id="accounts"), before="#headline")
        self._redraw()

    def _draw_accounts(self, width: int) -> tuple[Line, ...]:
        return account_lines(self._view, width, max(1, min(_MOST_ACCOUNTS, self._terminal.height // 5 - 1)))

    def _redraw(self) -> None:
        self._drawn_at = self._view.now
        panels = [panel for panel in self.query(Lines).results() if self._small == (panel.id == "small")]
        for panel in panels:
            panel.redraw()
        self._counting = [panel for panel in panels if panel.id == "header" or counts_seconds(plain(panel.lines))]
