"""The history in pictures; this and what it draws with are loaded when its key is pressed."""

from datetime import timedelta
from typing import Final

from tui.companion.companion import Companion
from tui.domain.ledger import Event
from tui.domain.pauses import Pause
from tui.domain.pictures import Pictures
from tui.domain.spend import Spend
from tui.errors import ResetbankError
from tui.ui.screens.page import PageScreen
from tui.ui.view.history import history_lines
from tui.ui.view.text import Line, clean
from tui.ui.view.view_state import ViewState
from tui.ui.widgets.lines import Lines

_LONG: Final = timedelta(days=28)
"""So much of the past is shown."""


class HistoryScreen(PageScreen):
    """Sums the readings up when it opens, and again with each new outlook."""

    TITLE = "History"

    def __init__(self, view: ViewState, companion: Companion) -> None:
        super().__init__(view)
        self._companion = companion
        self._pictures: Pictures | None = None
        self._events: tuple[Event, ...] = ()
        self._spends: tuple[Spend, ...] = ()
        self._paused: tuple[Pause, ...] = ()

    def on_mount(self) -> None:
        """Begin to read."""
        self._read()

    def draw(self, width: int) -> tuple[Line, ...]:
        """The pictures, or why there are none."""
        if self._failure is not None or self._pictures is None:
            return self.draw_unread(width)
        return history_lines(self._view, self._pictures, self._events, width, self._spends, self._paused)

    def show(self, view: ViewState) -> None:
        """Sum up again where there is a new outlook."""
        news = view.state.outlook != self._view.state.outlook
        super().show(view)
        if news:
            self._read()

    def _read(self) -> None:
        self.app.run_worker(self._load(), name="history", group="history", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        try:
            self._pictures = await self._companion.history.pictures()
            self._events = await self._companion.records.events()
            self._spends = await self._companion.records.spends()
            self._paused = await self._companion.records.pauses_since(self._view.now - _LONG)
            self._failure = None
        except ResetbankError as error:
            self._failure = clean(str(error))
        if self.is_mounted:
            self.query_one("#text", Lines).redraw()
        await self._companion.costs.ask()
