"""What every dialog that spends shares: a fresh reading, one spend driven to its end, the result as observed."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.resumes import Whom
from tui.domain.spend import Consent, ConsentKind, Proposal, Spend
from tui.errors import ResetbankError
from tui.ui.dialogs.dialog import Next, Phase, Run
from tui.ui.view.outcome import progress_lines, result_lines
from tui.ui.view.prompts import failure_lines
from tui.ui.view.spending import changed_since
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class Spending:
    """One proposal and one spend."""

    def __init__(
        self, companion: "Companion", clock: Clock, spend: Spend | None = None, credit_id: str | None = None
    ) -> None:
        self._companion = companion
        self._clock = clock
        self.proposal: Proposal | None = None
        self.spend = spend
        self.note: str | None = None
        self._credit_id = credit_id
        """The reset that it is about, where nobody chooses another."""

    def propose(self, credit_id: str | None = None) -> Run:
        """Read afresh, then ask; None takes the reset that lapses first."""
        return Run(self._propose(credit_id or self._credit_id), "propose", "reading")

    async def _propose(self, credit_id: str | None) -> Next:
        self.proposal = await self._companion.spender.propose(credit_id)
        return "asking"

    def ask_again(self) -> Run | None:
        """Ask anew where the question no longer fits the world."""
        if self.proposal is None:
            return None
        reason = changed_since(self.proposal, self._companion.state, self._clock.now())
        if reason is None:
            return None
        self.note = reason
        return self.propose()

    def letter(self) -> Consent:
        """The consent that a letter gives now."""
        return Consent(ConsentKind.LETTER, self._clock.now())

    def begin(self, proposal: Proposal, consent: Consent, whom: Whom = False) -> Awaitable[Spend]:
        """Spend once."""
        return self._companion.spender.spend(proposal, consent, whom)

    def drive(self, work: Awaitable[Spend | None], name: str) -> Run:
        """Drive a spend to its end, and show what came of it."""
        return Run(self._drive(work), name, unsure="what was sent is kept, and never sent with another key")

    async def _drive(self, work: Awaitable[Spend | None]) -> Next:
        self.spend = await work
        return "over"

    def follow(self, view: ViewState, phase: Phase) -> Next:
        """Show a spend's steps; ask anew where the question no longer fits."""
        if phase == "working" and view.state.open_spend is not None:
            self.spend = view.state.open_spend
        return self.ask_again() if phase == "asking" else None

    def note_lines(self, width: int) -> tuple[Line, ...]:
        """Why it is asked anew."""
        return wrap((Span("! Asked again: ", Level.NEAR), Span(self.note)), width) if self.note else ()

    def progress(self, width: int) -> tuple[Line, ...]:
        """The steps, or that it is read afresh."""
        return progress_lines(self.spend, width)

    def result(self, failure: ResetbankError | None, view: ViewState, width: int) -> tuple[Line, ...]:
        """What came of it, or why nothing did."""
        if failure is not None:
            return failure_lines(failure.message, failure.hint, width)
        if self.spend is None:
            return ((Span("Nothing is open any more: there is nothing to finish."),),)
        finish = view.does("finish", "finishes it")
        return result_lines(self.spend, view.now, view.zone, width, finish=finish)


READING: tuple[Line, ...] = ((Span("reading limits and bank afresh…", Level.DIM),),)
