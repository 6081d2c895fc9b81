"""Finishing an open spend with its own key."""

from collections.abc import Callable

from tui.clock import Clock
from tui.domain.spend import Spend
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.spending import SpendingDialog
from tui.ui.view.outcome import finish_lines
from tui.ui.view.prompts import ask_prompt
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class FinishScreen(SpendingDialog):
    """Goes on with an open spend; asks again only where its consent is old."""

    def __init__(
        self, view: ViewState, companion: CompanionPort, clock: Clock, letters: Callable[[int], str], spend: Spend
    ) -> None:
        super().__init__(view, companion, clock, letters)
        self._open = spend
        self.spend = spend

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Finish the open spend"

    def begin(self) -> None:
        """Go on at once on a fresh consent; ask on an old one, since the moment it meant has passed."""
        if self._open.is_fresh(self.clock.now()):
            self.consent()
        else:
            self.enter("asking")

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """What finishing means, the steps or the result."""
        if self.phase == "asking":
            return finish_lines(self._open, self.view.now, self.view.zone, width)
        return super().draw_body(width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            return ask_prompt(self.letter, "finish it now", width)
        return super().draw_prompt(width)

    def consent(self, number: int = 0) -> None:
        """Go on with the open spend; there is nothing to propose."""
        self.enter("working")
        self.run_work(self.companion.spender.finish(), "finish")
