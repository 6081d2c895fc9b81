"""What every dialog that spends has in common: a fresh reading, one spend driven to its end, the result as observed."""

from collections.abc import Callable, Coroutine
from typing import Any

from tui.clock import Clock
from tui.domain.spend import Proposal, Spend
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import LetterDialog
from tui.ui.view.outcome import progress_lines, result_lines
from tui.ui.view.prompts import failure_lines, leave_prompt, wait_prompt
from tui.ui.view.spending import changed_since
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.view_state import ViewState

Work = Coroutine[Any, Any, Spend | None]
"""What drives a spend to its end."""


class SpendingDialog(LetterDialog):
    """Asks from a fresh proposal, and spends exactly once on a letter that belongs to this question."""

    def __init__(self, view: ViewState, companion: CompanionPort, clock: Clock, letters: Callable[[int], str]) -> None:
        super().__init__(view, companion, clock, letters)
        self.proposal: Proposal | None = None
        self.spend: Spend | None = None
        self.failure: ResetbankError | None = None
        self.note: str | None = None

    def show(self, view: ViewState) -> None:
        """Follow the state: a question that no longer fits is asked anew, a spend shows its steps."""
        if self.phase == "working" and view.state.open_spend is not None:
            self.spend = view.state.open_spend
        super().show(view)
        if self.phase == "asking" and self.reason_to_ask_again():
            self.ask_again()

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        if self.phase == "working":
            return progress_lines(self.spend, width)
        if self.phase == "over":
            return self.draw_result(width)
        if self.proposal is None:
            return ((Span("reading limits and bank afresh…", Level.DIM),),)
        return (*self.draw_note(width), *self.draw_question(self.proposal, width))

    def draw_question(self, proposal: Proposal, width: int) -> tuple[Line, ...]:
        """What is asked, from the fresh reading."""
        raise NotImplementedError

    def draw_note(self, width: int) -> tuple[Line, ...]:
        """Why it is asked anew."""
        return wrap((Span("! Asked again: ", Level.NEAR), Span(self.note)), width) if self.note else ()

    def draw_result(self, width: int) -> tuple[Line, ...]:
        """What came of it, or why nothing did."""
        if self.failure is not None:
            return failure_lines(self.failure.message, self.failure.hint, width)
        if self.spend is None:
            return ((Span("Nothing is open any more: there is nothing to finish."),),)
        finish = self.view.does("finish", "finishes it")
        return result_lines(self.spend, self.view.now, self.view.zone, width, finish=finish)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "over":
            return leave_prompt(width)
        return wait_prompt("esc or n leaves" if self.phase == "reading" else "this takes a moment; please wait", width)

    def reason_to_ask_again(self) -> str | None:
        """Why the question no longer fits the world; None while it does."""
        if self.proposal is None:
            return None
        return changed_since(self.proposal, self.companion.state, self.clock.now())

    def ask_again(self) -> None:
        """Ask anew, from another reading."""
        self.note = self.reason_to_ask_again()
        self.propose()

    def propose(self, credit_id: str | None = None) -> None:
        """Read afresh, then ask; None takes the reset that lapses first."""
        self.enter("reading")
        group = f"propose {id(self)}"  # its own: one dialog may open over another that still reads
        self.app.run_worker(self._ask(credit_id), name="propose", group=group, exclusive=True, exit_on_error=False)

    async def _ask(self, credit_id: str | None) -> None:
        try:
            self.proposal = await self.companion.spender.propose(credit_id)
        except ResetbankError as error:
            self._end(failure=error)
            return
        except Exception:
            self._end(failure=_unexpected("nothing was spent"))
            raise
        if self.is_attached:
            self.enter("asking")

    def run_work(self, work: Work, name: str) -> None:
        """Drive a spend to its end outside of this screen's life, and show what came of it."""
        self.app.run_worker(self._drive(work), name=name, group="spend", exit_on_error=False)

    async def _drive(self, work: Work) -> None:
        try:
            self.spend = await work
        except ResetbankError as error:
            self._end(failure=error)
        except Exception:
            self._end(failure=_unexpected("what was sent is kept, and never sent with another key"))
            raise
        else:
            self._end()

    def _end(self, failure: ResetbankError | None = None) -> None:
        self.failure = failure
        if self.is_attached:
            self.enter("over")


def _unexpected(reassurance: str) -> ResetbankError:
    return ResetbankError(f"something unexpected went wrong; {reassurance}", "the ledger tells what was done")
