"""The ledger: everything that happened, newest at the end."""

from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.events import Resize

from tui.domain.ledger import Event
from tui.errors import ResetbankError
from tui.ui.screens.page import PageScreen
from tui.ui.view.ledger import ledger_lines
from tui.ui.view.text import Level, Line, Span, clean, wrap
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.companion.companion import Companion

AT_ONCE = 500
"""How many events are read at first, and more each time the reader comes to the top."""


class LedgerScreen(PageScreen):
    """Reads the newest lines when it opens, older ones when the top is reached, and again when something happens."""

    TITLE_TEXT: ClassVar[str] = "Ledger"

    def __init__(self, view: ViewState, companion: "Companion") -> None:
        super().__init__(view)
        self._companion = companion
        self._events: tuple[Event, ...] | None = None
        self._failure: str | None = None
        self._opened = False
        self._most = self._shown = AT_ONCE

    def on_mount(self) -> None:
        """Begin to read."""
        self._read()

    def draw(self, width: int) -> tuple[Line, ...]:
        """The events, or why there are none."""
        if self._failure is not None:
            return wrap((Span("! ", Level.NEAR), Span(self._failure)), width)
        if self._events is None:
            return ((Span("reading…", Level.DIM),),)
        lines = ledger_lines(self._view, self._events, width)
        return ((Span("↑ reads older lines", Level.DIM),), *lines) if self._has_older else lines

    @property
    def _has_older(self) -> bool:
        return self._events is not None and len(self._events) >= self._most

    def show(self, view: ViewState) -> None:
        """Read again where something new has happened."""
        news = view.state.recent != self._view.state.recent
        super().show(view)
        if news:
            self._read()

    def _read(self) -> None:
        self.app.run_worker(self._load(), name="ledger", group="ledger", exclusive=True, exit_on_error=False)

    def _read_older(self, row: float) -> None:
        if row <= 0 and self._opened and self._has_older:
            self._most += AT_ONCE
            self._read()

    async def _load(self) -> None:
        most = self._most
        try:
            self._events = await self._companion.events(most)
            self._failure = None
        except ResetbankError as error:
            self._failure = clean(str(error))
        if not self.is_mounted:
            return
        page = self.query_one("#page", VerticalScroll)
        follows = not self._opened or page.is_vertical_scroll_end
        if not self._opened:
            self.watch(page, "scroll_y", self._read_older, init=False)
        self._opened = True
        text = self.query_one("#text", Lines)
        before, rows = self._shown, len(text.lines)
        text.redraw()
        self._shown = most
        if follows:  # else the reader is somewhere above, and stays there
            self.call_after_refresh(page.scroll_end, animate=False)
        elif most > before:
            self.call_after_refresh(page.scroll_relative, y=len(text.lines) - rows, animate=False)

    def on_resize(self, event: Resize) -> None:
        """Keep the newest line in sight where it was."""
        page = self.query_one("#page", VerticalScroll)
        if page.is_vertical_scroll_end:
            self.call_after_refresh(page.scroll_end, animate=False)
