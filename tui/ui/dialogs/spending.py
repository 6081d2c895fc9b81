"""What every dialog that spends shares: a fresh reading, one spend driven to its end, the result as observed."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.spend import Consent, ConsentKind, Proposal, Spend
from tui.ui.dialogs.dialog import Dialog, Next, Phase, Run
from tui.ui.view.outcome import progress_lines, result_lines
from tui.ui.view.prompts import failure_lines
from tui.ui.view.spending import changed_since
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class SpendingDialog(Dialog):
    """One proposal and one spend."""

    def __init__(
        self, companion: "Companion", clock: Clock, *, spend: Spend | None = None, credit_id: str | None = None
    ) -> None:
        super().__init__(companion, clock)
        self.proposal: Proposal | None = None
        self.spend = spend
        self.note: str | None = None
        """Why it is asked anew."""
        self._credit_id = credit_id
        """The reset that it is about, where nobody chooses another."""

    def begin(self, view: ViewState) -> Next:
        """Read afresh, then ask."""
        return self.propose()

    def propose(self, credit_id: str | None = None) -> Run:
        """Read afresh, then ask; None takes the reset that lapses first."""
        return Run(self._propose(credit_id or self._credit_id), "propose", "reading")

    async def _propose(self, credit_id: str | None) -> Next:
        self.proposal = await self.companion.spender.propose(credit_id)
        return "asking"

    def ask_again(self) -> Run | None:
        """Ask anew where the question no longer fits the world."""
        if self.proposal is None:
            return None
        reason = changed_since(self.proposal, self.companion.state, self.clock.now())
        if reason is None:
            return None
        self.note = reason
        return self.propose()

    def letter(self) -> Consent:
        """The consent that a letter gives now."""
        return Consent(ConsentKind.LETTER, self.clock.now())

    def drive(self, work: Awaitable[Spend | None], name: str = "spend") -> Run:
        """Drive a spend to its end, and show what came of it."""
        return Run(self._drive(work), name, unsure="what was sent is kept, and never sent with another key")

    async def _drive(self, work: Awaitable[Spend | None]) -> Next:
        self.spend = await work
        return "over"

    def follow(self, view: ViewState) -> Next:
        """Show a spend's steps; ask anew where the question no longer fits."""
        return self.follow_spend(view, self.phase)

    def follow_spend(self, view: ViewState, phase: Phase) -> Next:
        """The same, for a phase."""
        if phase == "working" and view.state.open_spend is not None:
            self.spend = view.state.open_spend
        return self.ask_again() if phase == "asking" else None

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        if self.phase == "working":
            return progress_lines(self.spend, width)
        if self.phase == "over":
            return self.result(view, width)
        note = wrap((Span("! Asked again: ", Level.NEAR), Span(self.note)), width) if self.note else ()
        return (*note, *self.question_lines(view, width))

    def question_lines(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What is asked."""
        raise NotImplementedError

    def result(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What came of it, or why nothing did."""
        if self.failure is not None:
            return failure_lines(self.failure.message, self.failure.hint, width)
        if self.spend is None:
            return ((Span("Nothing is open any more: there is nothing to finish."),),)
        finish = view.does("finish", "finishes it")
        return result_lines(self.spend, view.now, view.zone, width, finish=finish)
