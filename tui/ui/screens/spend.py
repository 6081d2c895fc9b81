"""Spending one reset: consequences, consent by a random letter, the steps, the result as observed."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.clock import Clock
from tui.domain.credits import Credit
from tui.domain.spend import Consent, ConsentKind, Proposal, Spend
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.screens.dialog import LetterDialog
from tui.ui.view.outcome import progress_lines, result_lines
from tui.ui.view.prompts import ask_prompt, leave_prompt, wait_prompt
from tui.ui.view.scene import Scene
from tui.ui.view.spending import changed_since, proposal_lines
from tui.ui.view.text import Level, Line, Span, clean, wrap

Work = Coroutine[Any, Any, Spend | None]
"""What drives a spend to its end."""


class SpendScreen(LetterDialog):
    """Asks, and spends exactly once on the letter that belongs to this question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Previous", id="spend.previous", tooltip="Choose the reset that lapses earlier"),
        Binding("down,j", "choose(1)", "Next", id="spend.next", tooltip="Choose the reset that lapses later"),
    ]

    def __init__(self, scene: Scene, companion: CompanionPort, clock: Clock, letters: Callable[[int], str]) -> None:
        super().__init__(scene, companion, clock, letters)
        self.proposal: Proposal | None = None
        self.spend: Spend | None = None
        self.failure: ResetbankError | None = None
        self._note: str | None = None

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Spend one reset"

    def begin(self) -> None:
        """Read afresh, then ask."""
        self._propose(None)

    def show(self, scene: Scene) -> None:
        """Follow the state: a question that no longer fits is asked anew, a spend shows its steps."""
        if self.phase == "working" and scene.state.open_spend is not None:
            self.spend = scene.state.open_spend
        super().show(scene)
        if self.phase == "asking" and self._reason_to_ask_again():
            self._ask_again()

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        if self.phase == "working":
            return progress_lines(self.spend, width)
        if self.phase == "over":
            return self._draw_result(width)
        if self.proposal is None:
            return ((Span("reading limits and bank afresh…", Level.DIM),),)
        asked_at = self.proposal.proposed_at
        lines = proposal_lines(self.proposal, asked_at, self.scene.zone, width, choice=self._choice())
        note = wrap((Span("! Asked again: ", Level.NEAR), Span(self._note)), width) if self._note else ()
        return (*note, *lines)

    def _draw_result(self, width: int) -> tuple[Line, ...]:
        if self.failure is not None:
            message = wrap((Span("! ", Level.NEAR), Span(clean(self.failure.message))), width, indent=2)
            hint = wrap((Span("  "), Span(clean(self.failure.hint), Level.DIM)), width, indent=2)
            return (*message, *(hint if self.failure.hint else ()))
        if self.spend is None:
            return ((Span("Nothing is open any more: there is nothing to finish."),),)
        finish = self.scene.does("finish", "finishes it")
        return result_lines(self.spend, self.scene.now, self.scene.zone, width, finish=finish)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            return ask_prompt(self.letter, "spend this reset", width, choice=len(self._choices()) > 1)
        if self.phase == "over":
            return leave_prompt(width)
        return wait_prompt("esc or n leaves" if self.phase == "reading" else "this takes a moment; please wait", width)

    def consent(self) -> None:
        """Spend, if the question still fits the world."""
        if self._reason_to_ask_again():
            self._ask_again()
        elif self.proposal is not None:
            now = self.clock.now()
            work = self.companion.spend(self.proposal, Consent(ConsentKind.LETTER, now))
            self.enter("working")
            self.run_work(work, "spend")

    def action_choose(self, step: int) -> None:
        """Ask about another reset."""
        choices = self._choices()
        if self.phase != "asking" or self.proposal is None or self.proposal.credit is None or len(choices) < 2:
            return
        ids = [credit.id for credit in choices]
        current = ids.index(self.proposal.credit.id) if self.proposal.credit.id in ids else 0
        self._note = None
        self._propose(ids[(current + step) % len(ids)])

    def _choices(self) -> tuple[Credit, ...]:
        """The resets that can be chosen, as of the question."""
        snapshot = self.companion.state.snapshot
        if snapshot is None or self.proposal is None:
            return ()
        return snapshot.bank.spendable(self.proposal.proposed_at)

    def _choice(self) -> tuple[int, int] | None:
        credit = self.proposal.credit if self.proposal else None
        ids = [choice.id for choice in self._choices()]
        return (ids.index(credit.id) + 1, len(ids)) if credit and credit.id in ids else None

    def _reason_to_ask_again(self) -> str | None:
        if self.proposal is None:
            return None
        return changed_since(self.proposal, self.companion.state, self.clock.now())

    def _ask_again(self) -> None:
        self._note = self._reason_to_ask_again()
        self._propose(None)

    def _propose(self, credit_id: str | None) -> None:
        self.enter("reading")
        self.app.run_worker(self._ask(credit_id), name="propose", group="propose", exclusive=True, exit_on_error=False)

    async def _ask(self, credit_id: str | None) -> None:
        try:
            self.proposal = await self.companion.propose(credit_id)
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
