"""The ledger: everything that happened, newest at the end."""

from collections.abc import Coroutine
from itertools import chain

from textual.containers import VerticalScroll
from textual.events import Resize

from tui.companion.companion import Companion
from tui.domain.ledger import Event
from tui.errors import ResetbankError
from tui.ui.screens.page import PageScreen
from tui.ui.view.ledger import ledger_lines
from tui.ui.view.text import Level, Line, Span, clean
from tui.ui.view.times import local
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

AT_ONCE = 500
"""How many events are read at first, and more each time the reader comes to the top."""


class _Part:
    """Events that were read together, and how they were drawn last."""

    def __init__(self, numbered: tuple[tuple[int, Event], ...]) -> None:
        self.first, self.last = numbered[0][0], numbered[-1][0]
        self._events = tuple(event for _, event in numbered)
        self._drawn_for: object = None
        self._lines: tuple[Line, ...] = ()

    def lines(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The events as lines; drawn anew for another width alone, or on another day, when dates may read otherwise."""
        today = local(view.now, view.zone)
        drawn_for = (width, today.date(), today.utcoffset())
        if drawn_for != self._drawn_for:
            self._drawn_for, self._lines = drawn_for, ledger_lines(view, self._events, width)
        return self._lines


class LedgerScreen(PageScreen):
    """Reads the newest lines when it opens, older ones when the top is reached, and new ones when something happens."""

    TITLE = "Ledger"

    def __init__(self, view: ViewState, companion: Companion) -> None:
        super().__init__(view)
        self._companion = companion
        self._parts: list[_Part] = []
        self._opened = self._has_older = False

    def on_mount(self) -> None:
        """Begin to read."""
        for page in self.query("#page"):  # none where it was left again before it was composed
            self.watch(page, "scroll_y", self._scrolled, init=False)
        self._start(self._read_newer(), "newer")

    def draw(self, width: int) -> tuple[Line, ...]:
        """The events, or why there are none."""
        if self._failure is not None or not self._opened:
            return self.draw_unread(width)
        if not self._parts:
            return ledger_lines(self._view, (), width)
        above: tuple[Line, ...] = ((Span("↑ reads older lines", Level.DIM),),) if self._has_older else ()
        return tuple(chain(above, *(part.lines(self._view, width) for part in self._parts)))

    def show(self, view: ViewState) -> None:
        """Read what is new where something has happened."""
        news = view.state.recent != self._view.state.recent
        if view.state.account_key != self._view.state.account_key:  # whose lines are shown
            self._parts, self._opened, news = [], False, True
        super().show(view)
        if news:
            self._start(self._read_newer(), "newer")

    def _start(self, work: Coroutine[None, None, None], what: str) -> None:
        self.app.run_worker(work, name=f"ledger, {what}", group=f"ledger, {what}", exclusive=True, exit_on_error=False)

    async def _read_newer(self) -> None:
        last = self._parts[-1].last if self._parts else 0
        found = await self._numbered(None if last else AT_ONCE, after=last)
        if not self.is_mounted:
            return
        page = self.query_one("#page", VerticalScroll)
        follows = not self._opened or page.is_vertical_scroll_end
        self._opened = True
        if found:
            self._has_older = self._has_older if last else len(found) == AT_ONCE
            self._parts.append(_Part(found))
        self.query_one("#text", Lines).redraw()
        if follows:  # else the reader is somewhere above, and stays there
            self.call_after_refresh(page.scroll_end, animate=False)

    def _scrolled(self, row: float) -> None:
        if row <= 0 and self._has_older:
            self._start(self._read_older(self._parts[0]), "older")

    async def _read_older(self, oldest: _Part) -> None:
        found = await self._numbered(AT_ONCE, before=oldest.first)
        if not self.is_mounted or oldest not in self._parts[:1]:
            return
        text = self.query_one("#text", Lines)
        rows = len(text.lines)
        self._has_older = len(found) == AT_ONCE
        self._parts[:0] = [_Part(found)] if found else []
        text.redraw()
        page = self.query_one("#page", VerticalScroll)
        self.call_after_refresh(page.scroll_relative, y=len(text.lines) - rows, animate=False)

    async def _numbered(self, most: int | None, **between: int) -> tuple[tuple[int, Event], ...]:
        try:
            found = await self._companion.records.numbered_events(most, **between)
        except ResetbankError as error:
            self._failure = clean(str(error))
            return ()
        self._failure = None
        return found

    def on_resize(self, event: Resize) -> None:
        """Keep the newest line in sight where it was."""
        page = self.query_one("#page", VerticalScroll)
        if page.is_vertical_scroll_end:
            self.call_after_refresh(page.scroll_end, animate=False)
