"""Finishing an open spend with its own key."""

from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.spend import Spend
from tui.ui.commands import FINISH
from tui.ui.dialogs.dialog import Dialog, Next
from tui.ui.dialogs.spending import Spending
from tui.ui.view.outcome import finish_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class FinishDialog(Dialog):
    """Goes on with an open spend; asks again only where its consent is old."""

    place = FINISH

    def __init__(self, companion: "Companion", clock: Clock, spend: Spend) -> None:
        super().__init__(companion, clock)
        self._open = spend
        self.spending = Spending(companion, clock, spend)

    def begin(self, view: ViewState) -> Next:
        """Go on at once on a fresh consent; ask on an old one, since the moment it meant has passed."""
        return self.consent(0) if self._open.is_fresh(self.clock.now()) else "asking"

    def follow(self, view: ViewState) -> Next:
        """Show the steps."""
        return self.spending.follow(view, self.phase)

    def title(self, view: ViewState, width: int) -> str:
        """What it is about."""
        return "Finish the open spend"

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What finishing means, the steps or the result."""
        if self.phase == "asking":
            return finish_lines(self._open, view.now, view.zone, width)
        if self.phase == "over":
            return self.spending.result(self.failure, view, width)
        return self.spending.progress(width)

    def offers(self, view: ViewState) -> tuple[str, ...]:
        """One letter."""
        return ("finish it now",)

    def consent(self, number: int) -> Next:
        """Go on with the open spend; there is nothing to propose."""
        return self.spending.drive(self.companion.spender.finish(), "finish")
