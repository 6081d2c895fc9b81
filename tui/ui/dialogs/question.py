"""The question at a limit: one letter spends and carries on, another only spends, nothing else spends anything."""

from datetime import datetime

from tui.clock import Clock
from tui.companion.companion import Companion
from tui.companion.state import State
from tui.domain.question import Choice, Question
from tui.domain.resumes import Whom
from tui.domain.spend import Consent, Outcome, Proposal, Spend
from tui.ui.commands import QUESTION
from tui.ui.dialogs.dialog import Close, Next, Open, Run
from tui.ui.dialogs.queue import QueueDialog
from tui.ui.dialogs.spend import SpendingDialog
from tui.ui.view import asking
from tui.ui.view.resuming import carry_lines, commands
from tui.ui.view.selection import Selection
from tui.ui.view.text import Line, Span
from tui.ui.view.view_state import ViewState

_ANSWERS = {
    "wait": Choice.WAIT,
    "let_fail": Choice.LET_FAIL,
    "later_5": Choice.LATER_5,
    "later_15": Choice.LATER_15,
    "mute": Choice.NOT_UNTIL_RESET,
}


def _is_waiting(state: State) -> bool:
    return state.waiting is not None


def _asks_nothing(state: State) -> bool:
    return state.question is None


class QuestionDialog(SpendingDialog):
    """Asks over whatever is open; closes by itself once the question is settled elsewhere."""

    place = QUESTION

    def __init__(self, companion: Companion, clock: Clock, question: Question) -> None:
        lapsing = question.lapse.credit.id if question.lapse is not None else None
        super().__init__(companion, clock, credit_id=lapsing)
        self.question = question
        self.selection = Selection(question.threads)
        self.answer: Choice | None = None
        """What was answered, or is being written down; a spend keeps the dialog open."""
        self._is_closed = False
        self._resumed: tuple[str, ...] = ()
        self._consented_at: datetime | None = None
        self._asked: ViewState | None = None
        """What was known when it was last asked: once it is answered the title says that this was asked."""

    def follow(self, view: ViewState) -> Next:
        """Follow the state; close once the question is gone while it is only asked."""
        if view.state.question != self.question and self.answer not in (Choice.SPEND_AND_CONTINUE, Choice.SPEND_ONLY):
            silent = self._is_closed or self.answer is not None or view.state.question is not None  # it says more
            return Close(None if silent else asking.settled_text(self.question, view), _asks_nothing)
        if self._is_open() and self.question.lapse is None:  # others may stop while the question stands
            stopped = (stop.thread_id for stop in self.companion.resumer.limit_stops())
            self.selection = self.selection.among(tuple(dict.fromkeys((*self.selection.threads, *stopped))))
        return self.follow_spend(view, self.phase if self._is_open() else "working")

    def title(self, view: ViewState, width: int) -> str:
        """Who stopped, or when that is expected; once it is answered that this was asked."""
        asked, before = self._as_asked(view), "" if self._is_open() else "Answered: "
        return before + asking.asking_title(
            self.question, self.selection.threads, asked, asked.now, width - len(before)
        )

    def terminal_title(self, view: ViewState) -> str | None:
        """The same, short, as long as it is asked."""
        return asking.terminal_title(self.question, self.selection.threads, view) if self._is_open() else None

    def _as_asked(self, view: ViewState) -> ViewState:
        if self._is_open() or self._asked is None:
            self._asked = view
        return self._asked

    def question_lines(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """Everything that an answer needs."""
        if self.phase == "reading" or self.proposal is None:
            return asking.reading_lines(view, self.selection, self.question, width)
        return asking.question_lines(self.question, self.proposal, self.selection, view, width)

    def result(self, view: ViewState, width: int) -> tuple[Line, ...]:
        """What came of the spend, and of carrying on."""
        lines, spend = super().result(view, width), self.spend
        if not self._resumed or spend is None or self.failure is not None:
            return lines
        if spend.is_open or spend.outcome is not Outcome.RESET:
            return (*lines, (Span(" "),), (Span("Nobody was told to go on."),))
        resumed = carry_lines(view, self._resumed, self._consented_at, width)
        return (*lines[:1], *resumed, *lines[1:])  # a small screen shows the first lines only

    def offers(self) -> tuple[str, ...]:
        """What the letters spend for."""
        return asking.spend_offers(self.question, self.selection)

    def keys(self, view: ViewState) -> list[tuple[str, str]]:
        """Every answer but a spend; a reading that failed leaves them all."""
        if not self._is_open():
            return super().keys(view)
        again = [("refresh", "reads again")] if self.phase == "over" else []
        return [*again, *asking.answer_keys(self.question, self.selection, view)]

    def _is_open(self) -> bool:
        return self.answer is None and not self._is_closed and self.phase != "working"

    def consent(self, number: int) -> Next:
        """Spend, with or without carrying on, if the question still fits the world."""
        again, proposal = self.ask_again(), self.proposal
        if again is not None or proposal is None or not self._is_open():
            return again
        self._resumed = self.selection.chosen if number == 0 else ()
        self.answer = Choice.SPEND_AND_CONTINUE if self._resumed else Choice.SPEND_ONLY
        consent = self.letter()
        self._consented_at = consent.given_at
        return self.drive(self._answer_and_spend(proposal, consent, self.answer))

    async def _answer_and_spend(self, proposal: Proposal, consent: Consent, choice: Choice) -> Spend:
        await self.companion.questions.answer(self.question, choice)
        return await self.companion.spender.spend(proposal, consent, self._resumed or False)

    def do(self, command: str, view: ViewState) -> Next:
        """Answer without spending, or choose who goes on."""
        if command in _ANSWERS:
            if _ANSWERS[command] not in self.question.choices:
                return None
            self.answer = _ANSWERS[command]
            return Run(self._write_down(self.answer), "answer", self.phase)
        match command:
            case "queue_it":
                whom = self.selection.chosen or False
                return Open(QueueDialog(self.companion, self.clock, view, self._queue, whom))
            case "refresh":
                self.failure = None
                return self.propose()
            case _:
                self.selection = self.selection.after(command)
        return None

    async def _answer(self, choice: Choice, whom: Whom = True) -> None:
        self.answer = choice
        try:
            await self.companion.questions.answer(self.question, choice, whom)
        except BaseException:
            self.answer = None
            raise

    async def _write_down(self, choice: Choice) -> Next:
        await self._answer(choice)
        holds = _is_waiting if choice is Choice.WAIT else _asks_nothing
        return Close(asking.answered_text(self.question, choice), holds)

    async def _queue(self) -> None:
        """Queue one as the answer to this question."""
        await self._answer(Choice.QUEUE, self.selection.chosen or False)

    def leave(self) -> Next:
        """Close without an answer; or leave the result."""
        if not self._is_open():
            return Close()
        self._is_closed = True
        return Close(work=self.companion.questions.answer(self.question, None))

    def clipboard(self, view: ViewState) -> str | None:
        """The first command that is left to type."""
        left = commands(view, self._resumed, self._consented_at) if self.phase == "over" and self._resumed else ()
        return left[0] if left else None
