"""The question at a limit: one letter spends and carries on, another only spends, nothing else spends anything."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from tui.clock import Clock
from tui.domain.question import Choice, Question
from tui.domain.spend import Consent, ConsentKind, Outcome, Proposal, Spend
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.messages import Noted
from tui.ui.screens.dialog import NEVER_DRAWN, Phase
from tui.ui.screens.spending import SpendingDialog
from tui.ui.view.asking import (
    answered_text,
    asking_title,
    choices_prompt,
    question_lines,
    reading_lines,
    settled_text,
    terminal_title,
)
from tui.ui.view.prompts import keys_prompt
from tui.ui.view.resuming import carry_lines, commands
from tui.ui.view.selection import Selection
from tui.ui.view.text import Line, Span
from tui.ui.view.view_state import ViewState

_FRAME_CELLS: Final = 8
"""Columns of a title that the frame takes."""

_WIDEST: Final = 90
"""Columns of a dialog, as the style sheet has it."""


class AskScreen(SpendingDialog):
    """Asks over whatever is open; closes by itself once the question is settled elsewhere."""

    LETTERS: ClassVar[int] = 2
    NEVER: ClassVar[frozenset[str]] = NEVER_DRAWN | frozenset("UWTFR")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="ask.close", tooltip="Close without an answer; it is not asked again"),
        Binding("u", "queue", "Queue", id="ask.queue", tooltip="Queue a reset for the limit; asks for a letter first"),
        Binding("w", "answer('wait')", "Wait", id="ask.wait", tooltip="Wait, and be told at the natural reset"),
        Binding("t", "answer('later_5')", "Later", id="ask.later", tooltip="Ask again in 5 minutes"),
        Binding("f", "answer('later_15')", "Later", id="ask.much_later", tooltip="Ask again in 15 minutes"),
        Binding("n", "answer('not_until_reset')", "Not now", id="ask.not", tooltip="No question until the reset"),
        Binding("r", "again", "Again", id="ask.again", tooltip="Read again after a failure"),
        Binding("up,k", "move(-1)", "Previous", id="ask.previous", tooltip="Go to the previous session"),
        Binding("down,j", "move(1)", "Next", id="ask.next", tooltip="Go to the next session"),
        Binding("space", "pick", "Choose", id="ask.toggle", tooltip="Choose whether this session goes on"),
    ]

    def __init__(
        self,
        view: ViewState,
        companion: CompanionPort,
        clock: Clock,
        letters: Callable[[int], str],
        question: Question,
        entitle: Callable[[str | None], None],
    ) -> None:
        """Prepare.

        Args:
            view: What the main screen shows now.
            companion: What answers, spends and carries on.
            clock: Measures the guard.
            letters: Gives so many distinct random capital letters.
            question: The question.
            entitle: Sets the terminal's own title; None gives the former one back.
        """
        super().__init__(view, companion, clock, letters)
        self.question = question
        self.selection = Selection(question.threads)
        self._entitle_terminal = entitle
        self._answered = False
        self._carried: tuple[str, ...] = ()
        self._consented_at: datetime | None = None
        self._copied = False

    def begin(self) -> None:
        """Tell the terminal, read afresh, then ask."""
        self._entitle_terminal(terminal_title(self.question, self.selection.threads, self.view))
        self.propose()

    def on_unmount(self) -> None:
        """Give the terminal its title back."""
        self._entitle_terminal(None)

    def title_text(self) -> str:
        """Who stopped, or when that is expected."""
        at = self.proposal.proposed_at if self.proposal else self.question.asked_at
        room = min(self.app.size.width, _WIDEST) - _FRAME_CELLS
        return asking_title(self.question, self.selection.threads, self.view, at, room)

    def show(self, view: ViewState) -> None:
        """Follow the state; close once the question is gone while it is only asked."""
        gone = view.state.question != self.question
        if gone and not self._answered:
            self._answered = True
            if view.state.question is None:  # else another one takes its place, and says more than this line could
                self.app.post_message(Noted(settled_text(self.question, view)))
            self.close()
            return
        if self._leaves:
            return
        if self._may_answer():  # others may stop while the question stands
            stopped = (stop.thread_id for stop in self.companion.resumer.limit_stops())
            self.selection = self.selection.among(tuple(dict.fromkeys((*self.selection.threads, *stopped))))
        super().show(view)
        self._copy()

    def enter(self, phase: Phase) -> None:
        """Go on to a phase."""
        super().enter(phase)
        self._copy()

    def reason_to_ask_again(self) -> str | None:
        """Why the question no longer fits; an answered one is not asked any more."""
        return None if self._answered else super().reason_to_ask_again()

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """The question, the steps or the result."""
        if self.phase == "reading":
            return (*self.draw_note(width), *reading_lines(self.view, self.selection, self.question, width))
        return super().draw_body(width)

    def draw_question(self, proposal: Proposal, width: int) -> tuple[Line, ...]:
        """The facts and the advice."""
        return question_lines(self.question, proposal, self.selection, self.view, width)

    def draw_result(self, width: int) -> tuple[Line, ...]:
        """What came of the spend, and of carrying on."""
        lines = super().draw_result(width)
        if not self._carried or self.spend is None or self.failure is not None:
            return lines
        if self.spend.is_open or self.spend.outcome is not Outcome.RESET:
            return (*lines, (Span(" "),), (Span("Nobody was told to go on."),))
        carried = carry_lines(self.view, self._carried, self._consented_at, width)
        return (*lines[:1], *carried, *lines[1:])  # a small screen shows the first lines only

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if not self._may_answer():
            return super().draw_prompt(width)
        again = keys_prompt([("r", "reads again")], width) if self.phase == "over" else ()
        return (*again, *choices_prompt(self.question, self.letters, self.selection, self.view, width))

    def _may_answer(self) -> bool:
        """Whether it is still open; a reading that failed leaves every answer but a spend."""
        return not self._answered and self.phase != "working"

    def consent(self, number: int = 0) -> None:
        """Spend, with or without carrying on, if the question still fits the world."""
        if self.reason_to_ask_again():
            self.ask_again()
        elif self.proposal is not None and self._may_answer():
            self._answered = True
            self._carried = self.selection.chosen if number == 0 else ()
            self._consented_at = self.clock.now()
            consent = Consent(ConsentKind.LETTER, self._consented_at)
            self.enter("working")
            self.run_work(self._answer_and_spend(self.proposal, consent), "spend")

    async def _answer_and_spend(self, proposal: Proposal, consent: Consent) -> Spend:
        choice = Choice.SPEND_AND_CONTINUE if self._carried else Choice.SPEND_ONLY
        await self.companion.questions.answer(self.question, choice)
        return await self.companion.spender.spend(proposal, consent, whom=self._carried or False)

    def _copy(self) -> None:
        """Put the first command that is left to type on the clipboard, once."""
        if self.phase != "over" or self._copied or not self._carried:
            return
        left_to_type = commands(self.view, self._carried, self._consented_at)
        if left_to_type:
            self._copied = True
            self.app.copy_to_clipboard(left_to_type[0])

    def action_answer(self, name: str) -> None:
        """Answer without spending."""
        if self._may_answer() and self.is_armed:
            self._answered = True
            self.app.run_worker(self._answer(Choice(name)), name="answer", group="answer", exit_on_error=False)

    async def _answer(self, choice: Choice) -> None:
        try:
            await self.companion.questions.answer(self.question, choice)
        except ResetbankError as error:
            self._answered = False
            self.failure = error
            self.enter("over")
            return
        self.app.post_message(Noted(answered_text(self.question, choice)))
        self.close()

    def action_queue(self) -> None:
        """Ask for the letter that queues a reset."""
        if self._may_answer() and self.is_armed and Choice.QUEUE in self.question.choices:
            from tui.ui.screens.queue import QueueScreen

            chosen = self.selection.chosen or False
            screen = QueueScreen(self.view, self.companion, self.clock, self._random, self._queue, whom=chosen)
            self.app.push_screen(screen)

    async def _queue(self) -> None:
        """Arm one as the answer to this question."""
        self._answered = True
        try:
            await self.companion.questions.answer(self.question, Choice.QUEUE, self.selection.chosen or False)
        except ResetbankError:
            self._answered = False
            raise
        self.close()

    def action_again(self) -> None:
        """Read again after a failure."""
        if self._may_answer() and self.phase == "over":
            self.failure = None
            self.propose()

    def action_leave(self) -> None:
        """Close without an answer; or leave the result."""
        if self._may_answer():
            self._answered = True
            answer = self.companion.questions.answer(self.question, None)
            self.app.run_worker(answer, name="answer", group="answer", exit_on_error=False)
            self.close()
        else:
            super().action_leave()

    def action_acknowledge(self) -> None:
        """Leave once the result was shown; never an answer."""
        if not self._may_answer():
            super().action_acknowledge()

    def action_move(self, step: int) -> None:
        """Go to another session."""
        if self._may_answer():
            self.selection = self.selection.moved(step)
            self.redraw()

    def action_pick(self) -> None:
        """Take a session in or out of those that go on."""
        if self._may_answer() and len(self.selection.threads) > 1:
            self.selection = self.selection.toggled()
            self.redraw()
