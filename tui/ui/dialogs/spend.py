"""Spending one reset because a person asked for it: consequences, another reset to choose, one letter."""

from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.credits import Credit
from tui.ui.commands import SPEND
from tui.ui.dialogs.dialog import Dialog, Next
from tui.ui.dialogs.spending import READING, Spending
from tui.ui.view.spending import proposal_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class SpendDialog(Dialog):
    """Spends one reset of the person's choice and carries nobody on."""

    place = SPEND

    def __init__(self, companion: "Companion", clock: Clock, credit_id: str | None = None) -> None:
        super().__init__(companion, clock)
        self._credit_id = credit_id
        self.spending = Spending(companion, clock)

    def begin(self, view: ViewState) -> Next:
        """Read afresh, then ask."""
        return self.spending.propose(self._credit_id)

    def follow(self, view: ViewState) -> Next:
        """Follow the spend, or ask anew."""
        return self.spending.follow(view, self.phase)

    def title(self, view: ViewState, width: int) -> str:
        """What it is about."""
        return "Spend one reset"

    def body(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The consequences, the steps or the result."""
        proposal = self.spending.proposal
        if self.phase == "working":
            return self.spending.progress(width)
        if self.phase == "over":
            return self.spending.result(self.failure, view, width)
        if proposal is None:
            return READING
        question = proposal_lines(proposal, view.now, view.zone, width, choice=self._choice())
        return (*self.spending.note_lines(width), *question)

    def offers(self, view: ViewState) -> tuple[str, ...]:
        """One letter."""
        return ("spend this reset",)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Another reset, where there is one."""
        keys = super().keys(view)
        if self.phase == "asking" and len(self._choices()) > 1:
            keys.append(("previous next", "another reset"))
        return keys

    def consent(self, number: int) -> Next:
        """Spend, if the question still fits the world."""
        again, proposal = self.spending.ask_again(), self.spending.proposal
        if again is not None or proposal is None:
            return again
        return self.spending.drive(self.spending.begin(proposal, self.spending.letter()), "spend")

    def do(self, command: str, view: ViewState) -> Next:
        """Ask about another reset."""
        choice, choices = self._choice(), self._choices()
        if choice is None or len(choices) < 2:
            return None
        self.spending.note = None
        step = 1 if command == "next" else -1
        return self.spending.propose(choices[(choice[0] - 1 + step) % len(choices)].id)

    def _choices(self) -> tuple[Credit, ...]:
        """The resets that can be chosen, as of the question."""
        snapshot, proposal = self.companion.state.snapshot, self.spending.proposal
        return snapshot.bank.spendable(proposal.proposed_at) if snapshot and proposal else ()

    def _choice(self) -> tuple[int, int] | None:
        credit = self.spending.proposal.credit if self.spending.proposal else None
        ids = [choice.id for choice in self._choices()]
        return (ids.index(credit.id) + 1, len(ids)) if credit and credit.id in ids else None
