"""The pages that the application opens over its main screen, and the way back to the shell."""

from typing import TYPE_CHECKING

from textual.app import App

from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class PagedApp(App[int]):
    """Opens pages; what a page draws with is loaded when its key is pressed."""

    _view: ViewState

    def _free_companion(self) -> "Companion | None":
        """The companion, where a page can be opened now."""
        raise NotImplementedError

    def action_ledger(self) -> None:
        """Show the ledger."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.ledger import LedgerScreen

            self.push_screen(LedgerScreen(self._view, companion))

    def action_history(self) -> None:
        """Show the history."""
        if (companion := self._free_companion()) is not None:
            from tui.ui.screens.history import HistoryScreen

            self.push_screen(HistoryScreen(self._view, companion))

    def action_suspend(self) -> None:
        """Go back to the shell until it calls the program back."""
        self.action_suspend_process()
