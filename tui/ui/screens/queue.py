"""Queueing one reset for the limit: what it would do and when, one letter, and nothing is spent now."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.clock import Clock
from tui.domain.limit_stops import Whom
from tui.errors import ResetbankError
from tui.ui.companion_port import CompanionPort
from tui.ui.messages import Noted
from tui.ui.screens.dialog import NEVER_DRAWN, LetterDialog
from tui.ui.view.prompts import ask_prompt, failure_lines, keys_prompt, leave_prompt, wait_prompt
from tui.ui.view.queueing import Offer, offer, queue_lines
from tui.ui.view.text import Line
from tui.ui.view.view_state import ViewState


class QueueScreen(LetterDialog):
    """Arms one reset; after a restart it asks for the armed one again."""

    NEVER: ClassVar[frozenset[str]] = NEVER_DRAWN | frozenset("X")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "take_out", "Take out", id="queue.take_out", tooltip="Take the queued reset out again"),
    ]

    def __init__(
        self,
        view: ViewState,
        companion: CompanionPort,
        clock: Clock,
        letters: Callable[[int], str],
        arm: Callable[[], Awaitable[None]],
        *,
        whom: Whom = True,
    ) -> None:
        """Prepare.

        Args:
            view: What the main screen shows now.
            companion: What takes a queued one out.
            clock: Measures the guard.
            letters: Gives so many distinct random capital letters.
            arm: Arms the reset, once the letter was pressed.
            whom: Whom it is to carry on, as `arm` has it.
        """
        super().__init__(view, companion, clock, letters)
        self._arm_it = arm
        self._whom = whom
        self._again = view.state.queued is not None
        self._offer: Offer | str = offer(view)
        self._failure: ResetbankError | None = None

    def title_text(self) -> str:
        """What the dialog is about."""
        return "Queued before the restart" if self._again else "Queue one reset for the limit"

    def begin(self) -> None:
        """Ask at once: nothing is spent now, and what is armed is read again before it is."""
        self.enter("over" if isinstance(self._offer, str) else "asking")

    def show(self, view: ViewState) -> None:
        """Follow the state; another offer is another question, and a queue that is settled elsewhere none any more."""
        if self.phase == "asking" and (view.state.queued is not None) != self._again:
            self.phase = "over"
            self.close()
            return
        if self.phase == "asking" and _terms(offered := offer(view)) != _terms(self._offer):
            self._offer = offered
            self.view = view
            self.begin()
            return
        super().show(view)

    def draw_body(self, width: int) -> tuple[Line, ...]:
        """What arming means, or why nothing can be armed."""
        if self._failure is not None:
            return failure_lines(self._failure.message, self._failure.hint, width)
        if isinstance(self._offer, str):
            return failure_lines(self._offer, "", width)
        return queue_lines(self.view, self._offer, self._whom, width)

    def draw_prompt(self, width: int) -> tuple[Line, ...]:
        """Which key does what now."""
        if self.phase == "asking":
            out = keys_prompt([("x", "takes it out")], width) if self._again else ()
            return (*ask_prompt(self.letter, "queue it", width), *out)
        return leave_prompt(width) if self.phase == "over" else wait_prompt("writing it down", width)

    def consent(self, number: int = 0) -> None:
        """Arm it."""
        self._work(self._arm_it(), "one reset is queued for the limit")

    def action_take_out(self) -> None:
        """Take the one from before the restart out."""
        if self._again and self.phase == "asking" and self.is_armed:
            self._work(self.companion.questions.cancel_queue(), "the queued reset was taken out; nothing is spent")

    def _work(self, work: Awaitable[None], done: str) -> None:
        self.enter("working")
        self.app.run_worker(self._do(work, done), name="queue", group="queue", exit_on_error=False)

    async def _do(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except ResetbankError as error:
            self._failure = error
            self.enter("over")
            return
        self.app.post_message(Noted(done))
        self.close()


def _terms(offered: Offer | str) -> tuple[object, ...]:
    """What the consent is given to; a percentage that moves is not among it."""
    if isinstance(offered, str):
        return (offered,)
    window, credit = offered
    return window.limit_id, window.minutes, credit and credit.id
