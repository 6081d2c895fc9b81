"""Spending one reset because a person asked for it, or finishing an open one; and what dialogs that spend share."""

from collections.abc import Awaitable

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.domain.credits import Credit
from tui.domain.spend import Consent, ConsentKind, Proposal, Spend
from tui.ui.commands import FINISH, SPEND
from tui.ui.dialogs.dialog import Dialog, Next, Phase, Run
from tui.ui.view.outcome import finish_lines, progress_lines, result_lines
from tui.ui.view.prompts import failure_lines
from tui.ui.view.spending import changed_since, proposal_lines
from tui.ui.view.text import Level, Line, Span, wrap
from tui.ui.view.view_state import ViewState


class SpendingDialog(Dialog):
    """One proposal and one spend."""

    def __init__(
        self, companion: Companion, clock: Clock, *, spend: Spend | None = None, credit_id: str | None = None
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


class SpendDialog(SpendingDialog):
    """Spends one reset of the person's choice and carries nobody on."""

    place = SPEND
    about = "Spend one reset"
    consents = ("spend this reset",)

    def __init__(self, companion: Companion, clock: Clock, first: str | None = None) -> None:
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

    def __init__(self, companion: Companion, clock: Clock, spend: Spend) -> None:
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
