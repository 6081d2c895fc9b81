"""Spending one reset because a person asked for it: consequences, another reset to choose, one letter."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.domain.credits import Credit
from tui.domain.spend import Consent, ConsentKind, Proposal
from tui.ui.screens.spending import SpendingDialog
from tui.ui.view.prompts import ask_prompt
from tui.ui.view.spending import proposal_lines
from tui.ui.view.text import Line


class SpendScreen(SpendingDialog):
    """Spends one reset of the person's choice and carries nobody on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Previous", id="spend.previous", tooltip="Choose the reset that lapses earlier"),
        Binding("down,j", "choose(1)", "Next", id="spend.next", tooltip="Choose the reset that lapses later"),
    ]

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Spend one reset"

    def begin(self) -> None:
        """Read afresh, then ask."""
        self.propose()

    def draw_question(self, proposal: Proposal, width: int) -> tuple[Line, ...]:
        """The consequences."""
        asked_at = proposal.proposed_at
        return proposal_lines(proposal, asked_at, self.view.zone, width, choice=self._choice())

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            return ask_prompt(self.letter, "spend this reset", width, choice=len(self._choices()) > 1)
        return super().draw_prompt(width)

    def consent(self, number: int = 0) -> None:
        """Spend, if the question still fits the world."""
        if self.reason_to_ask_again():
            self.ask_again()
        elif self.proposal is not None:
            work = self.companion.spender.spend(self.proposal, Consent(ConsentKind.LETTER, self.clock.now()))
            self.enter("working")
            self.run_work(work, "spend")

    def action_choose(self, step: int) -> None:
        """Ask about another reset."""
        choices = self._choices()
        if self.phase != "asking" or self.proposal is None or self.proposal.credit is None or len(choices) < 2:
            return
        ids = [credit.id for credit in choices]
        current = ids.index(self.proposal.credit.id) if self.proposal.credit.id in ids else 0
        self.note = None
        self.propose(ids[(current + step) % len(ids)])

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
