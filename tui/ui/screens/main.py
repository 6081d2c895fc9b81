"""The main screen: headline, limits, bank, sessions and what happened lately."""

from datetime import timedelta
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from tui.ui.commands import MAIN
from tui.ui.screens.moving import scroll
from tui.ui.view.bank import bank_lines
from tui.ui.view.chrome import demo_line, fits, header_line, key_line, status_line, too_small_line
from tui.ui.view.headline import headline
from tui.ui.view.ledger import recent_lines
from tui.ui.view.limits import limits_lines
from tui.ui.view.sessions import sessions_lines
from tui.ui.view.text import Line, plain, wrap
from tui.ui.view.times import REDRAW_EVERY, counts_seconds
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Draw, Lines

_WIDE_COLUMNS = 100
_TALL_ROWS = 18
_ROWS_FOR_BOTH = 30


class MainScreen(Screen[None]):
    """Shows one scene; every panel is drawn by a function of `tui.ui.view`."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    place = MAIN

    def __init__(self, view: ViewState) -> None:
        super().__init__()
        self._view = view
        self._size = Size()
        self._short = False
        self._wide = False
        self._drawn_at = view.now
        self._was_stale = False
        self._has_seconds = False

    def compose(self) -> ComposeResult:
        """A handful of widgets: each costs start time, and so does every change of the layout after the first."""
        self._measure(self.app.size)
        self.set_class(self._view.has_band, "-demo")
        yield Lines(lambda width: (demo_line(self._view, width),), id="band")
        yield Lines(lambda width: (header_line(self._view, width),), id="header")
        yield Lines(lambda width: wrap(headline(self._view), width), id="headline")
        with VerticalScroll(id="body", can_focus=False):
            yield self._panel("limits", "Limits", lambda width: limits_lines(self._view, width, short=self._short))
            yield self._panel("bank", "Bank", lambda width: bank_lines(self._view, width, short=self._short))
            last = [
                self._panel("sessions", "Sessions", self._draw_sessions),
                self._panel("recent", "Recent", lambda width: recent_lines(self._view, width)),
            ]
            self._arrange(*last)
            yield from reversed(last) if self._wide else last
        yield Lines(lambda width: (status_line(self._view, width),), id="status")
        yield Lines(lambda width: (key_line(self._view, width),), id="keys")
        yield Lines(lambda width: (too_small_line(self._view, width),), id="small")

    def _panel(self, name: str, title: str, draw: Draw) -> Lines:
        panel = Lines(draw, id=name)
        panel.add_class("panel")
        panel.border_title = title
        return panel

    def _draw_sessions(self, width: int) -> tuple[Line, ...]:
        return sessions_lines(self._view, width, short=self._short)

    def press(self, command: str) -> bool:
        """Scroll; tells whether the command does."""
        return scroll(self.query_one("#body", VerticalScroll), command)

    def on_resize(self, event: Resize) -> None:
        """Lay out for the new size."""
        if event.size == self._size:
            return
        was_wide = self._wide
        self._measure(event.size)
        if self._wide != was_wide:  # under the bank on wide terminals, before the ledger's lines on others
            body, recent, sessions = (self.query_one(name) for name in ("#body", "#recent", "#sessions"))
            if self._wide:
                body.move_child(sessions, after=recent)
            else:
                body.move_child(sessions, before=recent)
        self._redraw()

    def _measure(self, size: Size) -> None:
        """Learn what the size allows."""
        self._size = size
        self._short = size.height < _TALL_ROWS
        self._wide = size.width >= _WIDE_COLUMNS and not self._short
        self.set_class(not fits(*size), "-small")
        self.set_class(self._short, "-short")
        self.set_class(self._wide, "-wide")

    def show(self, view: ViewState) -> None:
        """Show this scene from now on; where only time went by, little is drawn anew every second."""
        before, self._view = self._view, view
        only_time = replace(before, now=view.now) == view and before.state is view.state
        stale = view.is_old
        elapsed = view.now - self._drawn_at
        due = self._has_seconds or stale != self._was_stale or not timedelta(0) <= elapsed < REDRAW_EVERY
        self._was_stale = stale
        if only_time and not due:
            self.query_one("#header", Lines).redraw()
            return
        self.set_class(view.has_band, "-demo")
        self._redraw()

    def _arrange(self, sessions: Widget, recent: Widget) -> None:
        """Give the sessions their place: instead of the ledger's lines where there is no room for both."""
        has_sessions = bool(self._draw_sessions(_WIDE_COLUMNS))
        self.set_class(has_sessions, "-sessions")
        sessions.display = has_sessions
        crowded = has_sessions and not self._wide and self._size.height < _ROWS_FOR_BOTH
        recent.display = not (self._short or crowded)

    def _redraw(self) -> None:
        self._arrange(self.query_one("#sessions"), self.query_one("#recent"))
        self._drawn_at = self._view.now
        self._has_seconds = False
        for panel in self.query(Lines).results():
            if panel.display:
                panel.redraw()
            if panel.id != "header" and counts_seconds(plain(panel.lines)):
                self._has_seconds = True
