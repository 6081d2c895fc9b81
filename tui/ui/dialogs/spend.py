"""Spending one reset because a person asked for it, or finishing the one that is open."""

from typing import TYPE_CHECKING

from tui.clock import Clock
from tui.domain.credits import Credit
from tui.domain.spend import Spend
from tui.ui.commands import FINISH, SPEND
from tui.ui.dialogs.dialog import Next
from tui.ui.dialogs.spending import SpendingDialog
from tui.ui.view.outcome import finish_lines
from tui.ui.view.spending import proposal_lines
from tui.ui.view.text import Level, Line, Span
from tui.ui.view.view_state import ViewState

if TYPE_CHECKING:
    from tui.companion.companion import Companion


class SpendDialog(SpendingDialog):
    """Spends one reset of the person's choice and carries nobody on."""

    place = SPEND
    about = "Spend one reset"
    consents = ("spend this reset",)

    def __init__(self, companion: "Companion", clock: Clock, first: str | None = None) -> None:
        super().__init__(companion, clock)
        self._first = first
        """The reset that is asked about first."""

    def begin(self, view: ViewState) -> Next:
        """Read afresh, then ask."""
        return self.propose(self._first)

    def question_lines(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """The consequences."""
        if self.proposal is None:
            return ((Span("reading limits and bank afresh…", Level.DIM),),)
        return proposal_lines(self.proposal, view.now, view.zone, width, choice=self._choice())

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Another reset, where there is one."""
        keys = super().keys(view)
        if self.phase == "asking" and len(self._choices()) > 1:
            keys.append(("previous next", "another reset"))
        return keys

    def consent(self, number: int) -> Next:
        """Spend, if the question still fits the world."""
        again, proposal = self.ask_again(), self.proposal
        if again is not None or proposal is None:
            return again
        return self.drive(self.companion.spender.spend(proposal, self.letter(), False))

    def do(self, command: str, view: ViewState) -> Next:
        """Ask about another reset."""
        choice, choices = self._choice(), self._choices()
        if choice is None or len(choices) < 2:
            return None
        self.note = None
        step = 1 if command == "next" else -1
        return self.propose(choices[(choice[0] - 1 + step) % len(choices)].id)

    def _choices(self) -> tuple[Credit, ...]:
        """The resets that can be chosen, as of the question."""
        snapshot, proposal = self.companion.state.snapshot, self.proposal
        return snapshot.bank.spendable(proposal.proposed_at) if snapshot and proposal else ()

    def _choice(self) -> tuple[int, int] | None:
        credit = self.proposal.credit if self.proposal else None
        ids = [choice.id for choice in self._choices()]
        return (ids.index(credit.id) + 1, len(ids)) if credit and credit.id in ids else None


class FinishDialog(SpendingDialog):
    """Goes on with an open spend with its own key; asks again only where its consent is old."""

    place = FINISH
    about = "Finish the open spend"
    consents = ("finish it now",)

    def __init__(self, companion: "Companion", clock: Clock, spend: Spend) -> None:
        super().__init__(companion, clock, spend=spend)
        self._open = spend

    def begin(self, view: ViewState) -> Next:
        """Go on at once on a fresh consent; ask on an old one, since the moment it meant has passed."""
        return self.consent(0) if self._open.is_fresh(self.clock.now()) else "asking"

    def question_lines(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What finishing means."""
        return finish_lines(self._open, view.now, view.zone, width)

    def consent(self, number: int) -> Next:
        """Go on with the open spend; there is nothing to propose."""
        return self.drive(self.companion.spender.finish(), "finish")
