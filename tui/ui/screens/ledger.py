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

NEWEST = 500
"""How many events are shown; `resetbank ledger` prints them all."""


class LedgerScreen(PageScreen):
    """Reads the ledger once when it opens, and again when a new event is published."""

    TITLE_TEXT: ClassVar[str] = "Ledger"

    def __init__(self, view: ViewState, companion: "Companion") -> None:
        super().__init__(view)
        self._companion = companion
        self._events: tuple[Event, ...] | None = None
        self._failure: str | None = None
        self._opened = False

    def on_mount(self) -> None:
        """Begin to read."""
        self._read()

    def draw(self, width: int) -> tuple[Line, ...]:
        """The events, or why there are none."""
        if self._failure is not None:
            return wrap((Span("! ", Level.NEAR), Span(self._failure)), width)
        if self._events is None:
            return ((Span("reading…", Level.DIM),),)
        return ledger_lines(self._view, self._events, width)

    def show(self, view: ViewState) -> None:
        """Read again where something new has happened."""
        news = view.state.recent != self._view.state.recent
        super().show(view)
        if news:
            self._read()

    def _read(self) -> None:
        self.app.run_worker(self._load(), name="ledger", group="ledger", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        try:
            self._events = await self._companion.events(NEWEST)
            self._failure = None
        except ResetbankError as error:
            self._failure = clean(str(error))
        if not self.is_mounted:
            return
        page = self.query_one("#page", VerticalScroll)
        follows = not self._opened or page.is_vertical_scroll_end
        self._opened = True
        self.query_one("#text", Lines).redraw()
        if follows:  # else the reader is somewhere above, and stays there
            self.call_after_refresh(page.scroll_end, animate=False)

    def on_resize(self, event: Resize) -> None:
        """Keep the newest line in sight where it was."""
        page = self.query_one("#page", VerticalScroll)
        if page.is_vertical_scroll_end:
            self.call_after_refresh(page.scroll_end, animate=False)
